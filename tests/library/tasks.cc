#include "tests/library/tasks.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <procpool/cereal.h>
#include <procpool/pool.h>
#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

namespace procpool::tests {
namespace {

int worker_number = -1;
SharedArray<int> kept_array;

void AddByte(const std::string& path) {
  std::ofstream(path, std::ios::app) << 'x';
}

int ThrowUntil(const std::string& path, int times) {
  AddByte(path);
  const int tries = static_cast<int>(std::filesystem::file_size(path));
  if (tries <= times) throw std::runtime_error("try " + std::to_string(tries));
  return tries;
}

void WaitForFile(const std::string& path) {
  while (!std::filesystem::exists(path)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

[[noreturn]] void SleepForever() {
  while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
}

}  // namespace

const Task<int(int)> square{
    "square", [](int x) {
      const auto factor = static_cast<unsigned>(x);  // whose products may be too large for an int
      return static_cast<int>(factor * factor);
    }};
const Task<long(int, long)> add{"add", [](int a, long b) { return a + b; }};
const Task<double(std::span<const double>)> sum{"sum", [](std::span<const double> values) {
                                                  return std::accumulate(values.begin(),
                                                                         values.end(), 0.0);
                                                }};
const Task<std::vector<double>(std::span<const double>)> reversed{
    "reversed", [](std::span<const double> values) {
      return std::vector<double>(values.rbegin(), values.rend());
    }};
const Task<std::string(std::string_view)> shout{
    "shout", [](std::string_view text) {
      std::string loud(text);
      std::ranges::transform(loud, loud.begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      return loud;
    }};
const Task<Point(Point, double)> scaled{
    "scaled", [](Point point, double factor) {
      return Point{point.x * factor, point.y * factor, point.weight};
    }};
const Task<std::map<std::string, int>(const std::vector<std::string>&)> tally{
    "tally", [](const std::vector<std::string>& words) {
      std::map<std::string, int> counts;
      for (const std::string& word : words) ++counts[word];
      return counts;
    }};
const Task<bool(int)> is_even{"is_even", [](int x) { return x % 2 == 0; }};
const Task<int(Picky)> value_of{"value_of", [](const Picky& picky) { return picky.value; }};
const Task<void(int)> nothing{"nothing", [](int) {}};
const Task<pid_t()> worker_pid{"worker_pid", [] { return ::getpid(); }};

const Task<int(int)> even_only{"even_only", [](int x) {
                                 if (x % 2 != 0)
                                   throw std::out_of_range("odd " + std::to_string(x));
                                 return x;
                               }};
const Task<int(int)> raise_signal{"raise_signal", [](int number) {
                                    if (number == 0) return 0;
                                    // A sanitizer has handlers of its own.
                                    std::signal(number, SIG_DFL);
                                    ::raise(number);
                                    return 0;
                                  }};
const Task<int(int)> exit_with{"exit_with", [](int code) -> int { ::_exit(code); }};
const Task<int(std::string, int)> die_until{
    "die_until", [](const std::string& path, int times) {
      AddByte(path);
      const int tries = static_cast<int>(std::filesystem::file_size(path));
      if (tries <= times) ::raise(SIGKILL);
      return tries;
    }};
const Task<int(std::string, int)> throw_until{"throw_until", ThrowUntil};
const Task<std::string(std::string, int)> throw_until_text{
    "throw_until_text",
    [](const std::string& path, int times) { return std::to_string(ThrowUntil(path, times)); }};
const Task<int(std::string)> hang{"hang", [](const std::string& path) -> int {
                                    AddByte(path);
                                    SleepForever();
                                  }};
const Task<int(std::string, std::string)> wait_for_file{
    "wait_for_file", [](const std::string& begun, const std::string& path) {
      AddByte(begun);
      WaitForFile(path);
      return 1;
    }};
const Task<int(std::string)> wait_if_named{"wait_if_named", [](const std::string& path) {
                                             if (path.empty()) return 0;
                                             WaitForFile(path);
                                             return 1;
                                           }};
const Task<int(std::string)> wait_or_make{"wait_or_make", [](const std::string& path) {
                                            if (path.empty()) return 0;
                                            if (path.front() == '+') {
                                              AddByte(path.substr(1));
                                              return 2;
                                            }
                                            WaitForFile(path);
                                            return 1;
                                          }};
const Task<int(int)> sleep_ms{
    "sleep_ms", [](int milliseconds) {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      return milliseconds;
    }};
const Task<void(SharedArray<int>, int)> add_to{"add_to",
                                               [](const SharedArray<int>& array, int number) {
                                                 for (int& element : array) element += number;
                                               }};
const Task<void(SharedArray<int>, int)> set_to{
    "set_to",
    [](const SharedArray<int>& array, int number) { std::ranges::fill(array.span(), number); }};
const Task<void(SharedArray<int>)> keep_array{
    "keep_array", [](const SharedArray<int>& array) { kept_array = array; }};
const Task<int()> kept_sum{"kept_sum",
                           [] { return std::accumulate(kept_array.begin(), kept_array.end(), 0); }};
const Task<int(int)> initialized_with{"initialized_with", [](int) { return worker_number; }};
const Task<void(int, std::string)> initialize{"initialize",
                                              [](int number, const std::string& path) {
                                                worker_number = number;
                                                AddByte(path);
                                              }};
const Task<void(std::string)> initialize_badly{
    "initialize_badly", [](const std::string& text) { throw std::runtime_error(text); }};
const Task<std::uint64_t(std::uint64_t)> keep_memory{"keep_memory", [](std::uint64_t bytes) {
                                                       static std::vector<std::vector<char>> kept;
                                                       kept.emplace_back(bytes, 'x');
                                                       return bytes;
                                                     }};
const Task<std::vector<int>(int)> squares_inside{"squares_inside", [](int count) {
                                                   Pool pool({.workers = 2});
                                                   return pool.map(square,
                                                                   std::views::iota(0, count));
                                                 }};

}  // namespace procpool::tests
