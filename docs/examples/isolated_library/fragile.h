// Stands for a native library that one has to use and cannot mend: it keeps state that nobody can
// reset, and some inputs crash it, hang it or end the process.
#pragma once

#include <string>

namespace fragile {

/// Area of a rectangle that is given as "WxH". Throws std::invalid_argument if it is not given so.
int Area(const std::string& size);
/// How many calls the library has seen since it was loaded.
int Calls();

}  // namespace fragile
