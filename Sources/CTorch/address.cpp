// How this process is called and reached by others (see address.h).
#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

std::string ct::own_address(const std::string &host, int32_t port) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_DGRAM;
    if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0 || !found) return host;
    std::string result = host;
    int descriptor = socket(found->ai_family, SOCK_DGRAM, 0);
    sockaddr_storage own{};
    socklen_t length = sizeof(own);
    char text[NI_MAXHOST];
    // Nothing is sent: connecting a datagram socket only chooses the address.
    if (descriptor >= 0 && connect(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
        getsockname(descriptor, reinterpret_cast<sockaddr *>(&own), &length) == 0 &&
        getnameinfo(reinterpret_cast<sockaddr *>(&own), length, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) == 0) {
        result = text;
    }
    if (descriptor >= 0) close(descriptor);
    freeaddrinfo(found);
    return result;
}

std::string ct::machine_name() {
    char host[256] = "?";
    gethostname(host, sizeof(host) - 1);
    return host;
}

std::string ct::own_name() { return machine_name() + ", process " + std::to_string(getpid()); }
