// Types that a user's program might have, for the tests of what travels.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/value_bytes.h>

namespace procpool::own {

struct Point {
  double x = 0;
  float y = 0;
  bool operator==(const Point&) const = default;
};

enum class Color : short { kRed = 1, kBlue = -2 };

struct alignas(16) Wide {
  long double number = 0;
  int more = 0;
  bool operator==(const Wide&) const = default;
};

// Aligned more than what travels is.
struct alignas(64) Line {
  int number = 0;
  bool operator==(const Line&) const = default;
};

// Trivially copyable, and there is none without a value.
class Count {
 public:
  explicit Count(int count) : count_(count) {}
  int count() const { return count_; }
  bool operator==(const Count&) const = default;

 private:
  int count_;
};

// Has a codec of its own.
struct Name {
  std::string text;
  bool operator==(const Name&) const = default;
};

inline void AppendCoded(detail::CodedType<Name>, std::vector<std::byte>& bytes, const Name& name) {
  const auto text = std::as_bytes(std::span(name.text));
  bytes.push_back(static_cast<std::byte>('N'));
  bytes.insert(bytes.end(), text.begin(), text.end());
}
inline Name ReadCoded(detail::CodedType<Name>, std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes[0] != static_cast<std::byte>('N'))
    throw std::invalid_argument("that is no name");
  return {std::string(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1)};
}

// Its codec throws in the middle of it, if that is wanted.
struct Fickle {
  std::string text;
  bool throws = false;
};

inline void AppendCoded(detail::CodedType<Fickle>, std::vector<std::byte>& bytes,
                        const Fickle& fickle) {
  bytes.insert(bytes.end(), fickle.text.size(), static_cast<std::byte>('F'));
  if (fickle.throws) throw std::runtime_error("it cannot be written");
}

}  // namespace procpool::own
