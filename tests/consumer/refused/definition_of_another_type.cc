// expected: the function cannot be called as the task is declared
#include <procpool/task.h>

#include <string>

void Define() {
  constexpr procpool::Task<int(int)> square{"square"};
  procpool::define(square, [](const std::string& text) { return text; });
}
