// The arena of shared blocks for inputs.
#include "master/input_arena.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include <procpool/error.h>

namespace procpool {
namespace {

constexpr std::size_t kKilo = 1024;
constexpr std::size_t kMega = 1024 * kKilo;

TEST(InputArena, ABlockIsSharedAndLongEnough) {
  InputArena arena;
  for (const std::size_t bytes : {std::size_t{1}, 64 * kKilo, 64 * kKilo + 1, 3 * kMega}) {
    const Buffer block = arena.Take(bytes);
    EXPECT_GE(block.bytes().size(), bytes);
    EXPECT_NE(block.region_id(), 0U);
    ASSERT_NE(block.region(), nullptr);
    EXPECT_GE(block.region()->fd(), 0) << "a worker could not be given it";
  }
}

TEST(InputArena, BlocksAreUsedAgain) {
  InputArena arena;
  Buffer block = arena.Take(100 * kKilo);
  const std::uint32_t region = block.region_id();
  const std::byte* const place = block.bytes().data();
  arena.GiveBack(std::move(block));
  EXPECT_EQ(arena.idle(), 128 * kKilo);
  // One of about the same size has it, one that is longer or much shorter has not.
  EXPECT_NE(arena.Take(200 * kKilo).region_id(), region);
  EXPECT_NE(arena.Take(10 * kKilo).region_id(), region);
  EXPECT_EQ(arena.idle(), 128 * kKilo);
  const Buffer again = arena.Take(90 * kKilo);
  EXPECT_EQ(again.region_id(), region);
  EXPECT_EQ(again.bytes().data(), place);
  EXPECT_EQ(arena.idle(), 0U);
}

TEST(InputArena, NoBlockHasTwoOwners) {
  InputArena arena;
  std::vector<Buffer> taken;
  std::set<std::uint32_t> regions;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 8; ++i) taken.push_back(arena.Take(80 * kKilo));
    std::set<std::uint32_t> now;
    for (const Buffer& block : taken) now.insert(block.region_id());
    EXPECT_EQ(now.size(), 8U);
    regions.merge(now);
    for (Buffer& block : taken) arena.GiveBack(std::move(block));
    taken.clear();
  }
  EXPECT_EQ(regions.size(), 8U) << "more blocks than were ever out at once";
}

TEST(InputArena, WhatIsIdleHasALimit) {
  InputArena arena;
  std::vector<Buffer> taken;
  taken.reserve(10);
  for (int i = 0; i < 10; ++i) taken.push_back(arena.Take(16 * kMega));
  std::vector<std::weak_ptr<SharedRegion>> regions;
  for (Buffer& block : taken) {
    regions.emplace_back(block.region());
    arena.GiveBack(std::move(block));
  }
  taken.clear();
  EXPECT_EQ(arena.idle(), 64 * kMega);
  std::size_t kept = 0;
  for (const auto& region : regions) kept += region.expired() ? 0 : 1;
  EXPECT_EQ(kept, 4U) << "the others are given back to the system";
}

TEST(InputArena, WhatCannotBeHadIsAnError) {
  InputArena arena;
  try {
    static_cast<void>(arena.Take(std::size_t{1} << 46));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kMachine);
  }
  EXPECT_EQ(arena.idle(), 0U);
}

}  // namespace
}  // namespace procpool
