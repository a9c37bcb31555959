// The fuzzer's bytes as a source of decisions. Never runs dry: behind its end everything is 0, so
// that each prefix of an input is an input.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace procpool {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : bytes_(std::as_bytes(std::span(data, size))) {}

  bool AtEnd() const { return bytes_.empty(); }
  std::uint8_t Byte() {
    const auto taken = Bytes(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
  }
  /// Less than `below`.
  std::size_t Pick(std::size_t below) { return Byte() % below; }
  bool Flip() { return (Byte() & 1U) != 0; }
  std::uint64_t Word() {
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word = word << 8U | Byte();
    return word;
  }
  /// Mostly small, else one at which a careless sum or product breaks.
  std::uint64_t Number() {
    constexpr std::uint64_t kOne = 1;
    constexpr std::uint64_t kOdd[] = {4095,        4096,
                                      4097,        65'535,
                                      65'536,      kOne << 31U,
                                      kOne << 32U, (kOne << 40U) - 1,
                                      kOne << 40U, (kOne << 40U) + 1,
                                      kOne << 62U, kOne << 63U,
                                      ~kOne + 1,   ~kOne,
                                      ~kOne - 6,   ~kOne - 4095};
    const std::uint8_t byte = Byte();
    if (byte < 0xe0) return byte;
    return byte < 0xf0 ? kOdd[byte - 0xe0] : Word();
  }
  /// At most so many; fewer at the end.
  std::span<const std::byte> Bytes(std::size_t most) {
    const auto taken = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::byte> bytes_;
};

/// What must hold; if not, the fuzzer has found something.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace procpool
