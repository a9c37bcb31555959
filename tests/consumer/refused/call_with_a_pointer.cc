// expected: a pointer means nothing in another process
#include <procpool/pool.h>

int Call(procpool::Pool& pool, const int* numbers) {
  constexpr procpool::Task<int(const int*)> first{"first"};
  return pool.apply(first, numbers);
}
