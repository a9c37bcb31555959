// Taking back what another thread (a worker, in earnest) is about to begin: every item is either
// begun or taken back, and never both.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "common/revocations.h"

namespace procpool {
namespace {

TEST(Revocations, WhatWasTakenBackIsLeftOut) {
  Revocations revocations{};
  EXPECT_TRUE(revocations.Begin(1));
  EXPECT_TRUE(revocations.Revoke(3));
  EXPECT_TRUE(revocations.Begin(2));
  EXPECT_FALSE(revocations.Begin(3));
  EXPECT_TRUE(revocations.Begin(4));
}

TEST(Revocations, WhatHasBegunCannotBeTakenBack) {
  Revocations revocations{};
  EXPECT_TRUE(revocations.Begin(1));
  EXPECT_TRUE(revocations.Begin(2));
  EXPECT_FALSE(revocations.Revoke(1));
  EXPECT_FALSE(revocations.Revoke(2));
  EXPECT_TRUE(revocations.Begin(3)) << "the attempts left nothing behind";
}

TEST(Revocations, RoomIsUsedAgain) {
  Revocations revocations{};
  std::uint64_t taken = 0;
  while (revocations.Revoke(1000 + taken)) ++taken;
  EXPECT_GE(taken, 256U) << "as much as a worker may have before it";
  EXPECT_FALSE(revocations.Revoke(1000 + taken)) << "there is no room, so it stays with the worker";
  EXPECT_FALSE(revocations.Begin(1000));
  EXPECT_TRUE(revocations.Revoke(1000 + taken));
  for (std::uint64_t number = 1001; number <= 1000 + taken; ++number)
    EXPECT_FALSE(revocations.Begin(number));
  EXPECT_TRUE(revocations.Begin(1001 + taken));
}

TEST(Revocations, EveryItemIsBegunOrTakenBackAndNeverBoth) {
  constexpr std::uint64_t kItems = 200'000;
  const auto revocations = std::make_unique<Revocations>();
  std::vector<std::atomic<int>> fates(kItems + 1);
  std::atomic<std::uint64_t> reached{0};
  std::thread worker([&] {
    for (std::uint64_t number = 1; number <= kItems; ++number) {
      reached.store(number, std::memory_order_relaxed);
      if (revocations->Begin(number)) ++fates[number];
    }
  });
  std::uint64_t taken = 0;
  std::uint64_t last = 0;
  while (last < kItems) {
    // Close ahead of the worker, where the two meet.
    const std::uint64_t number = reached.load(std::memory_order_relaxed) + 1 + taken % 3;
    if (number <= last) continue;
    last = number;
    if (number > kItems) break;
    if (!revocations->Revoke(number)) continue;
    ++taken;
    ++fates[number];
  }
  worker.join();
  for (std::uint64_t number = 1; number <= kItems; ++number) ASSERT_EQ(fates[number], 1) << number;
}

}  // namespace
}  // namespace procpool
