#include "distributed/address.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <stdexcept>
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

namespace {

struct Addresses {
    addrinfo *first = nullptr;
    ~Addresses() {
        if (first) freeaddrinfo(first);
    }
};

bool is_loopback(const sockaddr *address) {
    if (address->sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&((const sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

int32_t port_of(int descriptor) {
    sockaddr_storage own{};
    socklen_t length = sizeof(own);
    if (getsockname(descriptor, reinterpret_cast<sockaddr *>(&own), &length) != 0) return 0;
    auto port = own.ss_family == AF_INET6 ? ((sockaddr_in6 *)&own)->sin6_port : ((sockaddr_in *)&own)->sin_port;
    return ntohs(port);
}

} // namespace

int ct::bound_socket(const std::string &host, int32_t &port, bool only_here) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    Addresses found;
    auto status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found.first);
    if (status != 0 || !found.first) throw std::runtime_error(gai_strerror(status));
    int problem = EADDRNOTAVAIL;
    for (auto address = found.first; address; address = address->ai_next) {
        if (!only_here && is_loopback(address->ai_addr)) {
            throw std::runtime_error("on its own machine this is an address that others cannot reach: name rank 0 by "
                                     "another in MASTER_ADDR");
        }
        auto descriptor = socket(address->ai_family, SOCK_STREAM, 0);
        if (descriptor < 0) continue;
        int on = 1;
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 && (port = port_of(descriptor)) != 0) {
            return descriptor;
        }
        problem = errno;
        close(descriptor);
    }
    throw std::runtime_error(problem == EADDRINUSE      ? "the port is taken; choose another MASTER_PORT"
                             : problem == EADDRNOTAVAIL ? "this is no address of rank 0's machine; correct MASTER_ADDR"
                                                        : strerror(problem));
}
