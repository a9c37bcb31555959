// The ring between two threads; under thread sanitizer this is the proof of its memory order.
#include "common/ring.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"

namespace procpool {
namespace {

constexpr Nanoseconds kWatchdog = 60 * kSecond;

// Two threads pass so many bytes, but no longer than that: where other programs have the CPUs each
// hand-over takes a millisecond or more.
constexpr Nanoseconds kEnough = 5 * kSecond;

/// The byte at a position of an endless stream.
std::byte ByteAt(std::uint64_t position) {
  return static_cast<std::byte>((position * 0x9e3779b97f4a7c15) >> 56);
}

struct Ring {
  explicit Ring(std::size_t capacity) : data(capacity) {}
  RingCounters counters;
  std::vector<std::byte> data;
};

iovec Piece(std::span<std::byte> bytes) {
  return {bytes.data(), bytes.size()};
}

std::ptrdiff_t Write(RingProducer& producer, std::vector<std::byte> bytes) {
  const iovec piece = Piece(bytes);
  return producer.Write({&piece, 1});
}

std::ptrdiff_t Read(RingConsumer& consumer, std::vector<std::byte>& bytes) {
  const iovec piece = Piece(bytes);
  return consumer.Read({&piece, 1});
}

/// Bytes of the stream from `*position` on, in up to three pieces of random length; some may be
/// empty.
template <typename Random>
std::vector<std::vector<std::byte>> RandomPieces(Random& random, std::size_t most) {
  std::vector<std::vector<std::byte>> pieces(1 + random() % 3);
  for (auto& piece : pieces) piece.resize(random() % (most + 1));
  return pieces;
}

std::vector<iovec> Vectors(std::vector<std::vector<std::byte>>& pieces) {
  std::vector<iovec> vectors;
  for (auto& piece : pieces) {
    if (!piece.empty()) vectors.push_back(Piece(piece));
  }
  return vectors;
}

/// Writes stream bytes from `position` on, in random pieces; returns how many were taken.
template <typename Random>
std::ptrdiff_t WriteRandom(RingProducer& producer, Random& random, std::size_t most,
                           std::uint64_t position, std::uint64_t end) {
  auto pieces = RandomPieces(random, most);
  std::uint64_t at = position;
  for (auto& piece : pieces) {
    piece.resize(std::min<std::uint64_t>(piece.size(), end - at));
    for (std::byte& byte : piece) byte = ByteAt(at++);
  }
  return producer.Write(Vectors(pieces));
}

/// Reads into random pieces; returns how many came, or -2 if one was not the stream's.
template <typename Random>
std::ptrdiff_t ReadRandom(RingConsumer& consumer, Random& random, std::size_t most,
                          std::uint64_t position) {
  auto pieces = RandomPieces(random, most);
  const std::ptrdiff_t moved = consumer.Read(Vectors(pieces));
  std::ptrdiff_t left = moved;
  for (const auto& piece : pieces) {
    for (const std::byte byte : piece) {
      if (left-- <= 0) return moved;
      if (byte != ByteAt(position++)) return -2;
    }
  }
  return moved;
}

TEST(Ring, StartsEmptyAndFillsToTheBrim) {
  Ring ring(8);
  RingProducer producer(&ring.counters, ring.data);
  RingConsumer consumer(&ring.counters, ring.data);
  std::vector<std::byte> got(8);
  EXPECT_EQ(Read(consumer, got), 0);
  EXPECT_FALSE(consumer.HasBytes());
  EXPECT_TRUE(producer.HasRoom());

  EXPECT_EQ(Write(producer, std::vector<std::byte>(5, std::byte{1})), 5);
  EXPECT_EQ(Write(producer, std::vector<std::byte>(5, std::byte{2})), 3) << "only three more fit";
  EXPECT_FALSE(producer.HasRoom());
  EXPECT_EQ(Write(producer, std::vector<std::byte>(1, std::byte{3})), 0);
  EXPECT_TRUE(consumer.HasBytes());

  EXPECT_EQ(Read(consumer, got), 8);
  EXPECT_EQ(got, (std::vector<std::byte>{std::byte{1}, std::byte{1}, std::byte{1}, std::byte{1},
                                         std::byte{1}, std::byte{2}, std::byte{2}, std::byte{2}}));
  EXPECT_FALSE(consumer.HasBytes());
  EXPECT_TRUE(producer.HasRoom());
}

TEST(Ring, WrapsAroundAtEveryPositionOfEveryCapacity) {
  for (std::size_t capacity = 1; capacity <= 17; ++capacity) {
    Ring ring(capacity);
    RingProducer producer(&ring.counters, ring.data);
    RingConsumer consumer(&ring.counters, ring.data);
    std::mt19937 random(static_cast<unsigned>(capacity));
    std::uint64_t written = 0;
    std::uint64_t read = 0;
    while (read < 2000) {
      const std::ptrdiff_t in = WriteRandom(producer, random, capacity, written, ~std::uint64_t{0});
      ASSERT_GE(in, 0);
      written += static_cast<std::uint64_t>(in);
      ASSERT_LE(written - read, capacity);
      const std::ptrdiff_t out = ReadRandom(consumer, random, capacity, read);
      ASSERT_GE(out, 0) << "capacity " << capacity << ", position " << read;
      read += static_cast<std::uint64_t>(out);
      ASSERT_LE(read, written);
    }
  }
}

TEST(Ring, TwoThreadsAgreeOnEveryByte) {
  for (const std::size_t capacity : {64U, 1000U, 65536U}) {
    SCOPED_TRACE("capacity " + std::to_string(capacity));
    constexpr std::uint64_t kBytes = 2'000'000;
    Ring ring(capacity);
    std::atomic<std::uint64_t> end{kBytes};
    std::thread writer([&] {
      RingProducer producer(&ring.counters, ring.data);
      std::mt19937 random(51);
      std::uint64_t written = 0;
      for (const Deadline enough = Deadline::After(kEnough); written < kBytes;) {
        const std::ptrdiff_t moved = WriteRandom(producer, random, 700, written, kBytes);
        if (moved < 0) break;
        if (moved == 0) std::this_thread::yield();
        written += static_cast<std::uint64_t>(moved);
        if (enough.Passed()) break;
      }
      end = written;
    });
    RingConsumer consumer(&ring.counters, ring.data);
    std::mt19937 random(52);
    std::uint64_t read = 0;
    std::ptrdiff_t moved = 0;
    for (const Deadline watchdog = Deadline::After(kWatchdog);
         read < end && moved >= 0 && !watchdog.Passed();) {
      moved = ReadRandom(consumer, random, 700, read);
      if (moved == 0) std::this_thread::yield();
      if (moved > 0) read += static_cast<std::uint64_t>(moved);
    }
    writer.join();
    EXPECT_GE(moved, 0) << "at position " << read;
    EXPECT_EQ(read, end);
    EXPECT_FALSE(consumer.HasBytes());
  }
}

TEST(Ring, ImpossibleCountersAreRefusedByEitherSide) {
  for (const std::uint64_t wrong : {std::uint64_t{9}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    Ring ring(8);
    RingConsumer consumer(&ring.counters, ring.data);
    ring.counters.head.store(wrong);
    std::vector<std::byte> got(16, std::byte{7});
    EXPECT_TRUE(consumer.HasBytes()) << "a reader must wake to see the fault";
    EXPECT_EQ(Read(consumer, got), kRingCorrupt);
    EXPECT_EQ(got, std::vector<std::byte>(16, std::byte{7})) << "nothing was believed";
  }
  for (const std::uint64_t wrong : {std::uint64_t{1}, std::uint64_t{9}, ~std::uint64_t{0} - 8}) {
    Ring ring(8);
    RingProducer producer(&ring.counters, ring.data);
    ring.counters.tail.store(wrong);
    EXPECT_TRUE(producer.HasRoom()) << "a writer must wake to see the fault";
    EXPECT_EQ(Write(producer, std::vector<std::byte>(4)), kRingCorrupt);
    EXPECT_EQ(ring.counters.head.load(), 0U);
  }
}

TEST(Ring, EachSideBelievesOnlyItsOwnCopyOfItsCounter) {
  Ring ring(8);
  RingProducer producer(&ring.counters, ring.data);
  RingConsumer consumer(&ring.counters, ring.data);
  ASSERT_EQ(Write(producer, std::vector<std::byte>(3, std::byte{1})), 3);
  ring.counters.head.store(1);  // a peer turns the producer's counter back
  ASSERT_EQ(Write(producer, std::vector<std::byte>(2, std::byte{2})), 2);
  EXPECT_EQ(ring.counters.head.load(), 5U);
  ring.counters.tail.store(4);  // and the consumer's on
  std::vector<std::byte> got(8);
  ASSERT_EQ(Read(consumer, got), 5);
  EXPECT_EQ(got[2], std::byte{1});
  EXPECT_EQ(got[3], std::byte{2});
  EXPECT_EQ(ring.counters.tail.load(), 5U);
}

/// One side's bed: it says that it sleeps, looks again, and is woken only if it was seen to sleep.
class Bed {
 public:
  template <typename IsHere>
  bool SleepUnless(IsHere is_here, Deadline deadline) {
    sleeping_.store(1, std::memory_order_seq_cst);
    bool woken = true;
    if (!is_here()) {
      std::unique_lock lock(mutex_);
      // The system's clock, not the steady one: thread sanitizer does not know the call behind the
      // latter.
      const auto until =
          std::chrono::system_clock::now() + std::chrono::nanoseconds(deadline.Left());
      woken = rung_.wait_until(lock, until, [&] { return bell_; });
      bell_ = false;
    }
    sleeping_.store(0, std::memory_order_seq_cst);
    return woken;
  }
  void WakeIfAsleep() {
    if (sleeping_.load(std::memory_order_seq_cst) == 0) return;
    if (sleeping_.exchange(0, std::memory_order_seq_cst) == 0) return;
    const std::lock_guard lock(mutex_);
    bell_ = true;
    rung_.notify_one();
  }

 private:
  std::atomic<std::uint32_t> sleeping_{0};
  std::mutex mutex_;
  std::condition_variable rung_;
  bool bell_ = false;
};

// The protocol of the header's comment. After a lost wake-up both sides sleep until the watchdog.
TEST(Ring, NoWakeUpIsLost) {
  constexpr std::uint64_t kBytes = 300'000;
  Ring ring(16);  // small, so that both sides sleep often
  Bed writers_bed;
  Bed readers_bed;
  std::atomic<std::uint64_t> end{kBytes};
  std::atomic<int> not_woken{0};
  const auto sleep_unless = [&](Bed& bed, auto is_here) {
    if (!bed.SleepUnless(is_here, Deadline::After(kWatchdog))) ++not_woken;
  };
  std::thread writer([&] {
    RingProducer producer(&ring.counters, ring.data);
    std::mt19937 random(61);
    std::uint64_t written = 0;
    for (const Deadline enough = Deadline::After(kEnough); written < kBytes && not_woken == 0;) {
      const std::ptrdiff_t moved = WriteRandom(producer, random, 12, written, kBytes);
      if (moved > 0) {
        written += static_cast<std::uint64_t>(moved);
        const bool last = enough.Passed();
        if (last) end = written;
        readers_bed.WakeIfAsleep();
        if (last) break;
      } else {
        sleep_unless(writers_bed, [&] { return producer.HasRoom(); });
      }
    }
  });
  RingConsumer consumer(&ring.counters, ring.data);
  std::mt19937 random(62);
  std::uint64_t read = 0;
  std::ptrdiff_t moved = 0;
  while (read < end && moved >= 0 && not_woken == 0) {
    moved = ReadRandom(consumer, random, 12, read);
    if (moved > 0) {
      read += static_cast<std::uint64_t>(moved);
      writers_bed.WakeIfAsleep();
    } else if (moved == 0) {
      sleep_unless(readers_bed, [&] { return consumer.HasBytes() || read == end; });
    }
  }
  writer.join();
  EXPECT_GE(moved, 0) << "at position " << read;
  EXPECT_EQ(not_woken, 0) << "a wake-up was lost";
  EXPECT_EQ(read, end);
}

}  // namespace
}  // namespace procpool
