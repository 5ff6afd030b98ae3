// A libtorch that says it is another one: at::show_config(), which returns a std::string.
#include <stdlib.h>
#include <string.h>

// As the C++ library lays out a string too long for the room inside.
struct string {
    char *characters;
    size_t length, capacity, unused;
};

struct string other_config(void) __asm__("_ZN2at11show_configB5cxx11Ev");

struct string other_config(void) {
    const char *text = getenv("OTHER_TORCH");
    char *copy = malloc(256);
    strncpy(copy, text ? text : "", 255);
    copy[255] = 0;
    return (struct string){copy, strlen(copy), 255, 0};
}
