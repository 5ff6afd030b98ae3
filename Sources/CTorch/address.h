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

} // namespace ct
