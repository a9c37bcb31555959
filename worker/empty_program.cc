// The least that can be started, for `master spawn` to compare workers with: says in the file given
// as descriptor 3, at the offset given as its argument, when main() was reached, and ends.
#include <unistd.h>

#include <cstdlib>

#include "common/clock.h"

int main(int argc, char** argv) {
  const procpool::Nanoseconds reached = procpool::Now();
  const off_t offset = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  return ::pwrite(3, &reached, sizeof reached, offset) == sizeof reached ? 0 : 1;
}
