// Errors of the operating system: an errno value as words, and as an Error.
#pragma once

#include <string>
#include <string_view>

#include <procpool/error.h>

namespace procpool {

/// The system's text for an errno value, e.g. "No such file or directory". Thread-safe.
std::string ErrnoText(int error_number);

/// Throws Error{kMachine} with the cause taken from the current errno.
[[noreturn]] void ThrowErrno(std::string_view operation, std::string_view object,
                             std::string_view remedy = {});

}  // namespace procpool
