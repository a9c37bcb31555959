// expected: an argument is of a type that the task does not take
#include <procpool/pool.h>

#include <string>

int Call(procpool::Pool& pool) {
  constexpr procpool::Task<int(int)> square{"square"};
  return pool.apply(square, std::string("7"));
}
