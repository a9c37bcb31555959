// expected: the range's elements are of a type that the task does not take
#include <procpool/pool.h>

#include <string>
#include <vector>

std::vector<int> Call(procpool::Pool& pool, const std::vector<std::string>& texts) {
  constexpr procpool::Task<int(int)> square{"square"};
  return pool.map(square, texts);
}
