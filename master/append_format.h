// printf into a std::string: for tables whose columns must stand below each other.
#pragma once

#include <string>

namespace procpool {

/// Appends one formatted line or part of one, of at most 511 bytes; what is longer is cut.
__attribute__((format(printf, 2, 3))) void Append(std::string& text, const char* format, ...);

}  // namespace procpool
