// Shared memory as users have it: arrays, their parts, and who is told when one has ended.
#include "common/shared_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <procpool/error.h>
#include <procpool/shared_array.h>
#include "common/clock.h"

namespace procpool {
namespace {

using detail::SharedBytes;

TEST(SharedMemory, EveryRegionHasANumberOfItsOwn) {
  std::vector<std::vector<std::uint32_t>> taken(4, std::vector<std::uint32_t>(1000));
  std::vector<std::thread> threads;
  threads.reserve(taken.size());
  for (auto& numbers : taken)
    threads.emplace_back([&numbers] { std::ranges::generate(numbers, NextRegionId); });
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint32_t> all;
  for (const auto& numbers : taken) all.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(all.size(), 4000U);
  EXPECT_FALSE(all.contains(0)) << "0 is none";
}

TEST(SharedMemory, WhoWatchesIsToldWhenItHasEnded) {
  int told = 0;
  std::thread::id thread;
  std::weak_ptr<SharedRegion> region;
  bool was_there = false;
  const SharedMemoryWatch watch([&] {
    ++told;
    was_there = !region.expired();
    thread = std::this_thread::get_id();
  });
  auto memory = SharedBytes::Allocate(100);
  region = memory.memory()->buffer.region();
  auto copy = memory;
  memory = SharedBytes();
  EXPECT_EQ(told, 0) << "a copy is left";
  std::thread([last = std::move(copy)]() mutable { last = SharedBytes(); }).join();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(was_there) << "it could not be let go of yet";
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(SharedMemory, AllWhoWatchAreToldAsLongAsTheyWatch) {
  int first_told = 0;
  int second_told = 0;
  const SharedMemoryWatch first([&] { ++first_told; });
  {
    const SharedMemoryWatch second([&] { ++second_told; });
    SharedBytes::Allocate(1);
  }
  SharedBytes::Allocate(1);
  EXPECT_EQ(first_told, 2);
  EXPECT_EQ(second_told, 1);
}

TEST(SharedMemory, MemoryMayEndWhileWatchesComeAndGo) {
  std::atomic<bool> stop{false};
  std::atomic<int> told{0};
  std::vector<std::thread> threads;
  threads.reserve(2);
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) SharedBytes::Allocate(1);
    });
  }
  const Deadline deadline = Deadline::After(20 * kSecond);
  while (told < 100 && !deadline.Passed()) {
    const SharedMemoryWatch watch([&] { ++told; });
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(told, 100);
}

TEST(SharedMemory, WhatComesFromAnotherProcessHasANumberOfThisOne) {
  const auto region = std::make_shared<SharedRegion>(SharedRegion::Create(10));
  const auto first = AdoptSharedMemory(region);
  const auto second = AdoptSharedMemory(region);
  EXPECT_NE(first->buffer.region_id(), second->buffer.region_id());
  EXPECT_EQ(first->buffer.bytes().data(), second->buffer.bytes().data());
}

TEST(SharedMemory, BytesKnowWhereTheyLie) {
  const SharedBytes all = SharedBytes::Allocate(100);
  EXPECT_EQ(all.bytes().size(), 100U);
  EXPECT_NE(all.id(), 0U);
  EXPECT_EQ(all.offset(), 0U);
  EXPECT_TRUE(std::ranges::all_of(all.bytes(), [](std::byte byte) { return byte == std::byte{}; }));
  const SharedBytes part = all.Part(30, 20);
  EXPECT_EQ(part.id(), all.id());
  EXPECT_EQ(part.offset(), 30U);
  EXPECT_EQ(part.Part(5, 5).offset(), 35U);
  EXPECT_EQ(part.bytes().data(), all.bytes().data() + 30);
  const SharedBytes none;
  EXPECT_EQ(none.id(), 0U);
  EXPECT_EQ(none.offset(), 0U);
  EXPECT_TRUE(none.bytes().empty());
}

TEST(SharedMemory, AStretchMustLieInTheMemory) {
  const auto memory = SharedBytes::Allocate(4096).memory();
  const std::size_t size = memory->buffer.bytes().size();
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(SharedBytes(memory, 0, size).bytes().size(), size);
  EXPECT_TRUE(SharedBytes(memory, size, 0).bytes().empty());
  EXPECT_THROW(SharedBytes(memory, 0, size + 1), std::invalid_argument);
  EXPECT_THROW(SharedBytes(memory, size + 1, 0), std::invalid_argument);
  EXPECT_THROW(SharedBytes(memory, 1, kHuge), std::invalid_argument);
  EXPECT_THROW(SharedBytes(memory, kHuge, 2), std::invalid_argument);
}

TEST(SharedMemory, WhatCannotBeHadIsAnError) {
  EXPECT_THROW(SharedBytes::Allocate(std::size_t{1} << 46), Error);
}

TEST(SharedArray, HoldsElementsOfZeroBytes) {
  const SharedArray<double> array(1000);
  EXPECT_EQ(array.size(), 1000U);
  EXPECT_FALSE(array.empty());
  for (const double element : array) ASSERT_EQ(element, 0.0);
  array[7] = 1.5;
  const std::vector<SharedArray<double>> copies{array, array};
  EXPECT_EQ(copies[1][7], 1.5) << "the same memory";
  EXPECT_EQ(copies[1].span().data(), array.data());
  EXPECT_TRUE(SharedArray<double>().empty());
  EXPECT_TRUE(SharedArray<double>(0).empty());
  constexpr auto kHuge = std::numeric_limits<std::size_t>::max();
  EXPECT_THROW(static_cast<void>(SharedArray<double>(kHuge)), std::length_error);
}

TEST(SharedArray, APartIsTheSameMemoryAndKeepsIt) {
  SharedArray<int> array(10);
  const std::weak_ptr<SharedMemory> memory = array.shared_bytes().memory();
  SharedArray<int> part = array.part(3, 4);
  part[0] = 33;
  EXPECT_EQ(array[3], 33);
  array = SharedArray<int>();
  EXPECT_EQ(part.size(), 4U);
  EXPECT_EQ(part[0], 33);
  EXPECT_FALSE(memory.expired());
  part = part.part(4, 0);
  EXPECT_TRUE(part.empty());
  part = SharedArray<int>();
  EXPECT_TRUE(memory.expired());
}

TEST(SharedArray, NoPartReachesBeyondIt) {
  const SharedArray<int> array(10);
  EXPECT_EQ(array.part(10, 0).size(), 0U);
  EXPECT_THROW(static_cast<void>(array.part(11, 0)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(array.part(5, 6)), std::out_of_range);
  EXPECT_THROW(static_cast<void>(array.part(1, std::numeric_limits<std::size_t>::max())),
               std::out_of_range);
}

TEST(SharedArray, PartsFollowOneAnother) {
  const SharedArray<int> array(10);
  for (std::size_t count = 1; count <= 12; ++count) {
    const auto parts = array.parts(count);
    EXPECT_EQ(parts.size(), std::min<std::size_t>(count, 10));
    const int* next = array.data();
    for (const SharedArray<int>& part : parts) {
      EXPECT_EQ(part.data(), next);
      EXPECT_LE(part.size(), 10 / parts.size() + 1);
      EXPECT_GE(part.size(), 10 / parts.size());
      next += part.size();
    }
    EXPECT_EQ(next, array.end());
  }
  EXPECT_TRUE(array.parts(0).empty());
  EXPECT_TRUE(SharedArray<int>().parts(3).empty());
}

}  // namespace
}  // namespace procpool
