// expected: the task takes another number of arguments
#include <procpool/pool.h>

int Call(procpool::Pool& pool) {
  constexpr procpool::Task<int(int)> square{"square"};
  return pool.apply(square, 7, 8);
}
