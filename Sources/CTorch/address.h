// How this process is called and reached by others.
#pragma once

#include <cstdint>
#include <string>

namespace ct {

// The address of this machine by which `host` is reached, so that others reach this machine by it.
std::string own_address(const std::string &host, int32_t port);

std::string machine_name();

// This process's machine and number, for people.
std::string own_name();

// A socket bound to `host` and a port, 0 for a free one, which it is given: nobody reaches it by another address of
// this machine. Throws std::runtime_error that says what to change. `only_here` is whether no other machine must reach
// it.
int bound_socket(const std::string &host, int32_t &port, bool only_here);

} // namespace ct
