// A channel whose peer is the fuzzer: it receives the bytes that it is fed, in pieces of any size,
// and sends into nothing.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "common/channel.h"

namespace procpool {

class ScriptChannel final : public Channel {
 public:
  explicit ScriptChannel(const RegionTable* table) : table_(table) {}

  void Feed(std::span<const std::byte> bytes) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  }
  /// One read brings so many bytes at most.
  void LimitReads(std::size_t bytes) { most_per_read_ = bytes; }
  void Close() { closed_ = true; }

  int readable_fd() const override { return -1; }

 protected:
  std::ptrdiff_t ReadSome(std::span<const iovec> pieces) override {
    std::size_t present = std::min(waiting_.size() - at_, most_per_read_);
    std::ptrdiff_t moved = 0;
    for (const iovec& piece : pieces) {
      const std::size_t part = std::min(piece.iov_len, present);
      if (part > 0) std::memcpy(piece.iov_base, waiting_.data() + at_, part);
      at_ += part;
      present -= part;
      moved += static_cast<std::ptrdiff_t>(part);
    }
    return moved == 0 && closed_ ? std::ptrdiff_t{kPeerGone} : moved;
  }
  std::ptrdiff_t WriteSome(std::span<const iovec> pieces) override {
    std::ptrdiff_t all = 0;
    for (const iovec& piece : pieces) all += static_cast<std::ptrdiff_t>(piece.iov_len);
    return all;
  }
  void WaitFor(bool, bool, Deadline) override {}
  const RegionTable* regions() override { return table_; }

 private:
  const RegionTable* table_;
  std::vector<std::byte> waiting_;
  std::size_t at_ = 0;
  std::size_t most_per_read_ = std::numeric_limits<std::size_t>::max();
  bool closed_ = false;
};

}  // namespace procpool
