// Where the input of a chunk lies from when it is given out until the chunk is answered: what is
// short is copied at once, what is longer stays, and what is long lies in memory that the workers
// share.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include <procpool/detail/shared_bytes.h>
#include <procpool/error.h>
#include "common/channel.h"
#include "common/shared_memory.h"
#include "master/map_job.h"
#include "tests/fake_batch.h"

namespace procpool {
namespace {

constexpr std::size_t kLong = std::size_t{16} * 1024;

std::vector<std::byte> Filled(std::size_t size, int with) {
  return std::vector<std::byte>(size, static_cast<std::byte>(with));
}

bool Holds(std::span<const std::byte> bytes, std::size_t size, int filled_with) {
  const std::vector<std::byte> expected = Filled(size, filled_with);
  return std::ranges::equal(bytes, expected);
}

class MapJobInput : public ::testing::Test {
 protected:
  using Shared = FakeBatch::Shared;

  // The n-th input is of n, `size` bytes long, in a place of exactly that size.
  void MakeExactly(std::size_t size) {
    batch_->input = [this, size](detail::InputRoom& room, Shared&) -> std::span<const std::byte> {
      const std::span<std::byte> place = room.Exactly(size);
      EXPECT_EQ(place.size(), size);
      std::ranges::fill(place, static_cast<std::byte>(++made_));
      return place;
    };
  }
  void MakeGrowing(std::size_t size) {
    batch_->input = [this, size](detail::InputRoom& room, Shared&) -> std::span<const std::byte> {
      std::vector<std::byte>& bytes = room.Growing();
      EXPECT_TRUE(bytes.empty());
      bytes = Filled(size, ++made_);
      return bytes;
    };
  }
  // The batch's own memory.
  void Lend(const std::vector<std::byte>& bytes) {
    batch_->input = [&bytes](detail::InputRoom&, Shared&) -> std::span<const std::byte> {
      return bytes;
    };
  }

  std::shared_ptr<FakeBatch> batch_ = std::make_shared<FakeBatch>(10, 1);
  InputArena arena_;
  MapJob with_arena_{batch_, {.arena = &arena_}};
  MapJob without_{batch_, {}};
  int made_ = 0;
};

TEST_F(MapJobInput, AShortOneIsThereWhenItIsGivenOut) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSmallPayload}) {
    for (MapJob* job : {&with_arena_, &without_}) {
      made_ = 0;
      MakeExactly(size);
      const ItemInput input = job->Begin({0, 0});
      EXPECT_TRUE(Holds(input.input, size, 1));
      EXPECT_EQ(input.input_buffer, nullptr);
      MakeGrowing(size);
      EXPECT_TRUE(Holds(job->Begin({1, 0}).input, size, 2));
      job->Return({0, 0});
      job->Return({1, 0});
    }
  }
  EXPECT_EQ(arena_.idle(), 0U);
}

TEST_F(MapJobInput, ALongerOneStaysUntilItIsAnswered) {
  for (const std::size_t size : {kSmallPayload + 1, kLong - 1}) {
    for (const bool growing : {false, true}) {
      made_ = 0;
      growing ? MakeGrowing(size) : MakeExactly(size);
      const ItemInput first = with_arena_.Begin({0, 0});
      const ItemInput second = with_arena_.Begin({1, 0});
      MakeExactly(10);
      static_cast<void>(with_arena_.Begin({2, 0}));
      EXPECT_TRUE(Holds(first.input, size, 1)) << "another item's input has taken its place";
      EXPECT_TRUE(Holds(second.input, size, 2));
      EXPECT_EQ(first.input_buffer, nullptr);
      for (const std::uint64_t item : {0U, 1U, 2U}) with_arena_.Return({item, 0});
    }
  }
}

TEST_F(MapJobInput, WithoutSharedMemoryALongOneStaysAsWell) {
  for (const bool growing : {false, true}) {
    made_ = 0;
    growing ? MakeGrowing(10 * kLong) : MakeExactly(10 * kLong);
    const ItemInput first = without_.Begin({0, 0});
    const ItemInput second = without_.Begin({1, 0});
    EXPECT_TRUE(Holds(first.input, 10 * kLong, 1));
    EXPECT_TRUE(Holds(second.input, 10 * kLong, 2));
    EXPECT_EQ(first.input_buffer, nullptr);
    without_.Return({0, 0});
    without_.Return({1, 0});
  }
}

TEST_F(MapJobInput, ALongOneLiesInSharedMemory) {
  for (const bool growing : {false, true}) {
    made_ = 0;
    growing ? MakeGrowing(kLong) : MakeExactly(kLong);
    const ItemInput first = with_arena_.Begin({0, 0});
    const ItemInput second = with_arena_.Begin({1, 0});
    EXPECT_TRUE(Holds(first.input, kLong, 1));
    EXPECT_TRUE(Holds(second.input, kLong, 2));
    for (const ItemInput* input : {&first, &second}) {
      ASSERT_NE(input->input_buffer, nullptr);
      EXPECT_NE(input->input_buffer->region_id(), 0U);
      EXPECT_EQ(input->input.data(), input->input_buffer->bytes().data());
    }
    EXPECT_NE(first.input_buffer->region_id(), second.input_buffer->region_id());
    with_arena_.Return({0, 0});
    with_arena_.Return({1, 0});
  }
}

TEST_F(MapJobInput, ItsBlockIsFreeAgainHoweverTheItemEnds) {
  MakeExactly(kLong);
  const std::uint32_t region = with_arena_.Begin({0, 0}).input_buffer->region_id();
  EXPECT_EQ(arena_.idle(), 0U);
  ASSERT_TRUE(with_arena_.Complete({0, 0}, {.bytes = FakeBatch::kResultBytes}));
  EXPECT_GT(arena_.idle(), 0U);
  EXPECT_EQ(with_arena_.Begin({1, 0}).input_buffer->region_id(), region);
  EXPECT_EQ(arena_.idle(), 0U);
  with_arena_.Return({1, 0});
  EXPECT_GT(arena_.idle(), 0U);
  EXPECT_EQ(with_arena_.Begin({2, 0}).input_buffer->region_id(), region);
  with_arena_.GiveUp({.item = 2, .cause = GivenUpItem::Cause::kDied, .step = 0});
  EXPECT_GT(arena_.idle(), 0U);
}

TEST_F(MapJobInput, WhatTheBatchLendsIsNotCopiedUnlessItCanBeShared) {
  const std::vector<std::byte> short_one = Filled(100, 1);
  const std::vector<std::byte> long_one = Filled(3 * kLong, 2);
  Lend(short_one);
  EXPECT_EQ(with_arena_.Begin({0, 0}).input.data(), short_one.data());
  Lend(long_one);
  EXPECT_EQ(without_.Begin({0, 0}).input.data(), long_one.data());
  const ItemInput shared = with_arena_.Begin({1, 0});
  EXPECT_NE(shared.input.data(), long_one.data());
  ASSERT_NE(shared.input_buffer, nullptr);
  EXPECT_TRUE(Holds(shared.input, 3 * kLong, 2));
}

TEST_F(MapJobInput, MemoryThatCallsReferToIsNamedOnce) {
  const auto first = detail::SharedBytes::Allocate(100).memory();
  const auto second = detail::SharedBytes::Allocate(100).memory();
  batch_->input = [&](detail::InputRoom& room, Shared& shared) -> std::span<const std::byte> {
    for (const auto& memory : {first, second, first, first}) shared.push_back(memory);
    return room.Exactly(1);
  };
  const ItemInput input = without_.Begin({0, 0});
  ASSERT_EQ(input.shared.size(), 2U);
  std::vector<std::uint32_t> regions;
  for (const Buffer& buffer : input.shared) regions.push_back(buffer.region_id());
  std::ranges::sort(regions);
  EXPECT_EQ(regions, (std::vector{first->buffer.region_id(), second->buffer.region_id()}));
  MakeExactly(1);
  EXPECT_TRUE(without_.Begin({1, 0}).shared.empty());
}

TEST_F(MapJobInput, MemoryOfAnotherProcessCannotBeGivenOn) {
  const auto region = std::make_shared<SharedRegion>(SharedRegion::Create(100));
  region->CloseDescriptor();  // as where it came from another process
  const auto foreign = AdoptSharedMemory(region);
  batch_->input = [&](detail::InputRoom& room, Shared& shared) -> std::span<const std::byte> {
    shared.push_back(foreign);
    return room.Exactly(1);
  };
  EXPECT_THROW(static_cast<void>(without_.Begin({0, 0})), Error);
}

}  // namespace
}  // namespace procpool
