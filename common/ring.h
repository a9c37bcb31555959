// A byte ring between one producer and one consumer, in memory that two processes share. Two
// counters and no lock, so a process killed at any instruction leaves nothing to recover.
//
// The one trick: both counters only grow (position = counter modulo capacity). The producer alone
// writes `head`, the consumer alone writes `tail`; each side keeps a private copy of its own
// counter and never believes the shared one, so a peer that scribbles over the ring can spoil the
// bytes but not lead this side out of the buffer.
//
//   I1  tail <= head <= tail + capacity. A side that sees this broken gets kRingCorrupt: the peer
//       is not to be trusted.
//
//   I2  Bytes in [tail, head) belong to the consumer, all others to the producer.
//
// Waking: publish with a seq_cst store, then read the peer's "sleeping" flag with a seq_cst load; a
// sleeper sets its flag with a seq_cst store, then looks at the counters again before it sleeps.
// One of the two sees the other. With a release store instead both could miss each other (store
// buffering) and the wake-up would be lost.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace procpool {

struct RingCounters {
  alignas(64) std::atomic<std::uint64_t> head{0};
  alignas(64) std::atomic<std::uint64_t> tail{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::ptrdiff_t kRingCorrupt = -1;

class RingProducer {
 public:
  RingProducer(RingCounters* counters, std::span<std::byte> data)
      : counters_(counters), data_(data) {}

  /// Copies as many bytes as there is room for and publishes them. Returns how many; 0: full;
  /// kRingCorrupt.
  std::ptrdiff_t Write(std::span<const iovec> pieces) {
    std::size_t wanted = 0;
    for (const iovec& piece : pieces) wanted += piece.iov_len;
    if (wanted > room_) {
      const std::uint64_t used = head_ - counters_->tail.load(std::memory_order_acquire);
      if (used > data_.size()) return kRingCorrupt;  // I1
      room_ = data_.size() - used;
    }
    const std::uint64_t begin = head_;
    for (const iovec& piece : pieces) {
      const std::size_t bytes = std::min<std::size_t>(piece.iov_len, room_);
      const std::size_t straight = std::min(bytes, data_.size() - at_);
      std::memcpy(data_.data() + at_, piece.iov_base, straight);
      if (straight < bytes) {
        std::memcpy(data_.data(), static_cast<const std::byte*>(piece.iov_base) + straight,
                    bytes - straight);
      }
      at_ = straight < data_.size() - at_ ? at_ + straight : bytes - straight;
      head_ += bytes;
      room_ -= bytes;
      if (room_ == 0) break;
    }
    if (head_ != begin) counters_->head.store(head_, std::memory_order_seq_cst);
    return static_cast<std::ptrdiff_t>(head_ - begin);
  }

  bool HasRoom() const {
    return head_ - counters_->tail.load(std::memory_order_seq_cst) != data_.size();
  }

 private:
  RingCounters* counters_;
  std::span<std::byte> data_;
  std::uint64_t head_ = 0;
  std::size_t at_ = 0;  // head_ modulo the capacity
  // Room that is known of. There may be more, but `tail` is asked only when this is too little:
  // each look takes its cache line away from the consumer, which is about to write it.
  std::size_t room_ = 0;
};

class RingConsumer {
 public:
  RingConsumer(RingCounters* counters, std::span<const std::byte> data)
      : counters_(counters), data_(data) {}

  /// Copies as many bytes as there are and fit, and gives their room back. Returns how many; 0:
  /// empty; kRingCorrupt.
  std::ptrdiff_t Read(std::span<const iovec> pieces) {
    std::uint64_t present = counters_->head.load(std::memory_order_acquire) - tail_;
    if (present > data_.size()) return kRingCorrupt;  // I1
    const std::uint64_t begin = tail_;
    for (const iovec& piece : pieces) {
      const std::size_t bytes = std::min<std::size_t>(piece.iov_len, present);
      const std::size_t straight = std::min(bytes, data_.size() - at_);
      std::memcpy(piece.iov_base, data_.data() + at_, straight);
      if (straight < bytes) {
        std::memcpy(static_cast<std::byte*>(piece.iov_base) + straight, data_.data(),
                    bytes - straight);
      }
      at_ = straight < data_.size() - at_ ? at_ + straight : bytes - straight;
      tail_ += bytes;
      present -= bytes;
      if (present == 0) break;
    }
    if (tail_ != begin) counters_->tail.store(tail_, std::memory_order_seq_cst);
    return static_cast<std::ptrdiff_t>(tail_ - begin);
  }

  bool HasBytes() const { return counters_->head.load(std::memory_order_seq_cst) != tail_; }

 private:
  RingCounters* counters_;
  std::span<const std::byte> data_;
  std::uint64_t tail_ = 0;
  std::size_t at_ = 0;  // tail_ modulo the capacity
};

}  // namespace procpool
