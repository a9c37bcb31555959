#include "master/in_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace procpool {
namespace {

/// Pieces that are their own numbers, and what became of them.
struct Numbers {
  explicit Numbers(std::size_t slots) : lying(slots, kNone) {}

  void Make(std::size_t piece, std::size_t slot) {
    ++running;
    // Uneven, so that later pieces are finished before earlier ones.
    if (piece % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (lying[slot] != kNone) overwritten = true;
    lying[slot] = piece;
    --running;
  }
  bool Take(std::size_t piece, std::size_t slot) {
    EXPECT_EQ(lying[slot], piece);
    lying[slot] = kNone;
    taken.push_back(piece);
    return true;
  }
  OrderedPieces Pieces(std::size_t count, unsigned threads) {
    return {.count = count,
            .threads = threads,
            .slots = lying.size(),
            .make = [this](std::size_t piece, std::size_t slot) { Make(piece, slot); },
            .take = [this](std::size_t piece, std::size_t slot) { return Take(piece, slot); }};
  }

  static constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> lying;
  std::vector<std::size_t> taken;
  std::atomic<bool> overwritten = false;
  std::atomic<int> running = 0;
};

TEST(InOrderTest, PiecesAreTakenInOrderAndNoneIsOverwritten) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    for (const std::size_t slots : {1U, 2U, 7U}) {
      for (const std::size_t count : {0U, 1U, 2U, 50U}) {
        Numbers numbers(slots);
        MakeInOrder(numbers.Pieces(count, threads));
        std::vector<std::size_t> all(count);
        std::iota(all.begin(), all.end(), 0);
        EXPECT_EQ(numbers.taken, all);
        EXPECT_FALSE(numbers.overwritten);
      }
    }
  }
}

TEST(InOrderTest, NoThreadIsStartedForOnePieceOrByOneThread) {
  const std::thread::id caller = std::this_thread::get_id();
  for (const bool one_piece : {false, true}) {
    Numbers numbers(2);
    OrderedPieces pieces = numbers.Pieces(one_piece ? 1 : 9, one_piece ? 4 : 1);
    pieces.make = [&](std::size_t piece, std::size_t slot) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      numbers.Make(piece, slot);
    };
    MakeInOrder(pieces);
  }
}

TEST(InOrderTest, WhatMakingThrowsEndsItAll) {
  for (const unsigned threads : {1U, 3U}) {
    Numbers numbers(4);
    OrderedPieces pieces = numbers.Pieces(1000, threads);
    pieces.make = [&](std::size_t piece, std::size_t slot) {
      if (piece == 20) throw std::runtime_error("piece 20");
      numbers.Make(piece, slot);
    };
    EXPECT_THROW(MakeInOrder(pieces), std::runtime_error);
    EXPECT_EQ(numbers.running, 0);
    EXPECT_LE(numbers.taken.size(), 20U);
  }
}

TEST(InOrderTest, WhatTakingThrowsEndsItAll) {
  for (const unsigned threads : {1U, 3U}) {
    Numbers numbers(4);
    OrderedPieces pieces = numbers.Pieces(1000, threads);
    pieces.take = [&](std::size_t piece, std::size_t slot) {
      if (piece == 20) throw std::runtime_error("piece 20");
      return numbers.Take(piece, slot);
    };
    EXPECT_THROW(MakeInOrder(pieces), std::runtime_error);
    EXPECT_EQ(numbers.running, 0);
    EXPECT_EQ(numbers.taken.size(), 20U);
  }
}

TEST(InOrderTest, WhoTakesMayStop) {
  for (const unsigned threads : {1U, 3U}) {
    Numbers numbers(4);
    OrderedPieces pieces = numbers.Pieces(1000, threads);
    pieces.take = [&](std::size_t piece, std::size_t slot) {
      return numbers.Take(piece, slot) && piece < 20;
    };
    MakeInOrder(pieces);
    EXPECT_EQ(numbers.running, 0);
    EXPECT_EQ(numbers.taken.size(), 21U);
  }
}

}  // namespace
}  // namespace procpool
