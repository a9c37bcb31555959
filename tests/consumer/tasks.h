// What two_programs asks of worker: both include this, so that a call with other types does not
// compile.
#pragma once

#include <procpool/task.h>

#include <string>
#include <vector>

inline constexpr procpool::Task<int(int)> square{"square"};
inline constexpr procpool::Task<double(const std::vector<double>&)> sum{"sum"};
inline constexpr procpool::Task<std::string(std::string_view, int)> repeat{"repeat"};
