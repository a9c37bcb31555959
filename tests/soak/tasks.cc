#include "tests/soak/tasks.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>

namespace procpool::soak {

Deed DeedOf(int number) {
  const int kind = number % 1000;
  if (kind < 5) return Deed::kThrow;
  if (kind < 8) return Deed::kDie;
  if (kind < 10) return Deed::kExit;
  if (kind < 12) return Deed::kHang;
  return kind < 60 ? Deed::kNap : Deed::kReturn;
}

const Task<int(int)> act{
    "act", [](int number) {
      switch (DeedOf(number)) {
        case Deed::kThrow:
          throw std::runtime_error("number " + std::to_string(number));
        case Deed::kDie:
          ::raise(SIGKILL);
          break;
        case Deed::kExit:
          ::_exit(3);
        case Deed::kHang:
          while (true) ::pause();
        case Deed::kNap:
          std::this_thread::sleep_for(std::chrono::microseconds(number % 1000 * 40));
          break;
        case Deed::kReturn:
          break;
      }
      return number;
    }};
const Task<std::vector<int>(const std::vector<int>&)> reversed{
    "reversed", [](const std::vector<int>& numbers) {
      return std::vector<int>(numbers.rbegin(), numbers.rend());
    }};
const Task<void(SharedArray<int>, int)> fill{"fill", [](const SharedArray<int>& array, int number) {
                                               std::ranges::fill(array.span(), number);
                                             }};

}  // namespace procpool::soak
