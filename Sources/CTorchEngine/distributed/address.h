// The name and address of this process, as seen by others.
#pragma once

#include <cstdint>
#include <string>

namespace ct {

// The local address from which `host` is reached, at which others reach this machine.
std::string own_address(const std::string &host, int32_t port);

std::string machine_name();

// Host name and process id, for messages.
std::string own_name();

// A socket bound to the address of `host` alone. `port` 0 takes a free port and returns it. With `only_here` it may be
// a loopback address. Throws std::runtime_error with what to change.
int bound_socket(const std::string &host, int32_t &port, bool only_here);

} // namespace ct
