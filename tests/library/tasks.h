// The tasks of the library's tests: they compute, throw, crash, hang, and tell where they ran.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/task.h>

namespace procpool::tests {

struct Point {
  double x;
  double y;
  std::int32_t weight;
};

// Cannot be read where it is negative, after some of it was read; one of them cannot be written
// either.
struct Picky {
  static constexpr int kUnwritable = -1000;
  std::vector<int> before;
  int value = 0;

  template <typename Archive>
  void save(Archive& archive) const {
    archive(before);
    if (value == kUnwritable) throw std::domain_error("cannot be written");
    archive(value);
  }
  template <typename Archive>
  void load(Archive& archive) {
    archive(before, value);
    if (value < 0) throw std::domain_error("negative");
  }
};

extern const Task<int(int)> square;
extern const Task<long(int, long)> add;
extern const Task<double(std::span<const double>)> sum;
extern const Task<std::vector<double>(std::span<const double>)> reversed;
extern const Task<std::string(std::string_view)> shout;
extern const Task<Point(Point, double)> scaled;
extern const Task<std::map<std::string, int>(const std::vector<std::string>&)> tally;
extern const Task<bool(int)> is_even;
extern const Task<int(Picky)> value_of;
extern const Task<void(int)> nothing;
extern const Task<pid_t()> worker_pid;

/// Throws std::out_of_range("odd 3") for odd numbers.
extern const Task<int(int)> even_only;
/// Raises the signal; 0: returns 0.
extern const Task<int(int)> raise_signal;
extern const Task<int(int)> exit_with;
/// Kills its worker as often as the file does not have so many bytes yet; each try adds one.
extern const Task<int(std::string, int)> die_until;
/// Throws as often.
extern const Task<int(std::string, int)> throw_until;
extern const Task<std::string(std::string, int)> throw_until_text;
/// Adds a byte to the file, then sleeps until it is killed.
extern const Task<int(std::string)> hang;
/// Adds a byte to the file, then waits until the other file is there.
extern const Task<int(std::string, std::string)> wait_for_file;
/// Waits until the file is there and returns 1; for no file returns 0 at once.
extern const Task<int(std::string)> wait_if_named;
/// The same, but a name behind a plus is made, and gives 2.
extern const Task<int(std::string)> wait_or_make;
/// Sleeps so many milliseconds and returns the number.
extern const Task<int(int)> sleep_ms;
/// Adds `number` to every element.
extern const Task<void(SharedArray<int>, int)> add_to;
/// Sets every element: again makes no difference.
extern const Task<void(SharedArray<int>, int)> set_to;
/// Keeps the array beyond the call.
extern const Task<void(SharedArray<int>)> keep_array;
extern const Task<int()> kept_sum;
/// What the worker was initialized with; -1 if it was not.
extern const Task<int(int)> initialized_with;
extern const Task<void(int, std::string)> initialize;
extern const Task<void(std::string)> initialize_badly;
/// Takes so many bytes and keeps them.
extern const Task<std::uint64_t(std::uint64_t)> keep_memory;
/// Maps with a pool of its own.
extern const Task<std::vector<int>(int)> squares_inside;

}  // namespace procpool::tests
