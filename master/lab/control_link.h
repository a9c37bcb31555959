// The controls of `master ipc`: links without a peer. What the timed loop itself costs, and what
// the bytes cost when they are only copied once within this process.
#pragma once

#include "common/pattern.h"
#include "master/lab/ipc_link.h"

namespace procpool {

/// Moves nothing: messages are empty, whatever length is asked for.
class EmptyLink final : public Link {
 public:
  std::span<std::byte> Message(std::size_t /*bytes*/) override { return {}; }
  std::span<const std::byte> RoundTrip(std::size_t /*bytes*/) override { return {}; }
  void Stream(std::size_t /*bytes*/, std::uint64_t count, const Arrived& arrived) override {
    for (std::uint64_t i = 0; i < count; ++i) arrived(i, {});
  }
};

/// memcpy from one buffer to another; both are the caller's.
class MemcpyLink final : public Link {
 public:
  MemcpyLink(std::span<std::byte> message, std::span<std::byte> answer)
      : message_(message), answer_(answer) {}
  std::span<std::byte> Message(std::size_t bytes) override { return message_.first(bytes); }
  std::span<const std::byte> RoundTrip(std::size_t bytes) override {
    std::memcpy(answer_.data(), message_.data(), bytes);
    return answer_.first(bytes);
  }
  void Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) override {
    for (std::uint64_t i = 0; i < count; ++i) {
      FillPattern(message_.first(bytes), i);
      arrived(i, RoundTrip(bytes));
    }
  }

 private:
  std::span<std::byte> message_, answer_;
};

}  // namespace procpool
