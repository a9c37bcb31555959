// Bytes that say by themselves whether they arrived: a run of 64-bit words that count up from a
// first one, little-endian. Measurements fill what they send with it and compare every word of what
// comes, so that each byte is written and read.
//
// Promise: HasPattern(x, first) is true exactly for what FillPattern(x, first) wrote. A rest of
// less than a word holds the first bytes of the next word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace procpool {

inline void FillPattern(std::span<std::byte> bytes, std::uint64_t first) {
  const std::size_t words = bytes.size() / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t word = first + i;
    std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
  }
  const std::span<std::byte> rest = bytes.subspan(words * sizeof(std::uint64_t));
  if (rest.empty()) return;
  const std::uint64_t last = first + words;
  std::memcpy(rest.data(), &last, rest.size());
}

inline bool HasPattern(std::span<const std::byte> bytes, std::uint64_t first) {
  const std::size_t words = bytes.size() / sizeof(std::uint64_t);
  std::uint64_t difference = 0;  // no early way out: every word is read, many at a time
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
    difference |= word ^ (first + i);
  }
  const std::span<const std::byte> rest = bytes.subspan(words * sizeof(std::uint64_t));
  if (rest.empty()) return difference == 0;
  const std::uint64_t last = first + words;
  return difference == 0 && std::memcmp(rest.data(), &last, rest.size()) == 0;
}

}  // namespace procpool
