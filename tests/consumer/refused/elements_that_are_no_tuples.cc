// expected: the range's elements are not tuples of what the task takes
#include <procpool/pool.h>

#include <vector>

std::vector<int> Call(procpool::Pool& pool, const std::vector<int>& numbers) {
  constexpr procpool::Task<int(int, int)> add{"add"};
  return pool.starmap(add, numbers);
}
