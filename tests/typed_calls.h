// Calls of typed tasks without a worker between: the batch's inputs go straight to the task, what
// it writes straight back.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/range_batch.h>
#include <procpool/detail/typed_task.h>
#include "common/shared_memory.h"

namespace procpool::detail {

using Bytes = std::vector<std::byte>;
using Memories = std::vector<std::shared_ptr<SharedMemory>>;

// Takes a result in pieces of at most so many bytes.
class PiecesOutput final : public TaskOutput {
 public:
  explicit PiecesOutput(std::size_t piece, Memories shared = {})
      : piece_(piece), shared_(std::move(shared)) {}

  std::span<std::byte> Reserve(std::size_t most) override {
    room_.resize(std::min(most, piece_));
    return room_;
  }
  void Commit(std::size_t bytes) override {
    ASSERT_LE(bytes, room_.size());
    result.insert(result.end(), room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(bytes));
  }
  void BeginStep(std::uint64_t step) override { begun.push_back(step); }
  void FailStep(std::uint64_t step) override {
    try {
      throw;
    } catch (const std::exception& exception) {
      failed[step] = exception.what();
    } catch (...) {
      failed[step] = "no exception of the library's";
    }
  }
  std::shared_ptr<SharedMemory> Shared(std::uint32_t id) override {
    for (const auto& memory : shared_) {
      if (memory->buffer.region_id() == id) return memory;
    }
    throw std::invalid_argument("no such memory");
  }

  Bytes result{};
  std::vector<std::uint64_t> begun{};
  std::map<std::uint64_t, std::string> failed{};

 private:
  std::size_t piece_;
  Memories shared_;
  Bytes room_;
};

class HeapRoom final : public InputRoom {
 public:
  std::span<std::byte> Exactly(std::size_t bytes) override {
    bytes_.assign(bytes, std::byte{0xFF});
    return bytes_;
  }
  Bytes& Growing() override {
    bytes_.clear();
    return bytes_;
  }

 private:
  Bytes bytes_;
};

// Runs all calls of a batch, chunk by chunk, in pieces of that many bytes.
template <typename Runner>
void RunHere(Batch& batch, Runner& runner, std::size_t piece,
             std::set<std::uint64_t>* failures = nullptr) {
  for (std::uint64_t first = 0; first < batch.calls(); first += batch.chunk_size()) {
    const std::uint64_t count = std::min(batch.chunk_size(), batch.calls() - first);
    HeapRoom room;
    Memories shared;
    const std::span<const std::byte> input = batch.Input(first, count, room, shared);
    const Bytes sent(input.begin(), input.end());
    PiecesOutput output(piece, shared);
    runner.Run(sent, output);
    std::vector<std::uint64_t> steps(count - 1);
    std::iota(steps.begin(), steps.end(), 1);
    EXPECT_EQ(output.begun, steps) << "each but the first, which begins with the item";
    DoneChunk done{.first = first, .count = count};
    if (batch.FlatResultBytes() != 0) {
      ASSERT_EQ(output.result.size(), count * batch.FlatResultBytes());
      std::ranges::copy(output.result, batch.FlatResults(first, count).begin());
    } else {
      done.bytes = output.result;
    }
    std::vector<std::uint64_t> without;
    for (const auto& [step, text] : output.failed) without.push_back(first + step);
    if (failures != nullptr) failures->insert(without.begin(), without.end());
    done.without = without;
    batch.Done(std::move(done));
  }
}

constexpr std::size_t kPieces[] = {1, 7, 64, 100'000};
constexpr std::uint64_t kChunks[] = {1, 2, 3, 100};

// What a map of `function` over the range yields, whatever the chunks and the pieces.
template <typename Signature>
struct Here;
template <typename R, typename... Args>
struct Here<R(Args...)> {
  template <Elements kElements = Elements::kArguments, typename F, typename Range>
  static void Expect(F function, const Range& range, const MapValues<R>& expected) {
    const Task<R(Args...)> task("task");
    using MapBatch = RangeBatch<kElements, Range, R, Args...>;
    for (const std::uint64_t chunk : kChunks) {
      for (const std::size_t piece : kPieces) {
        SCOPED_TRACE("chunks of " + std::to_string(chunk) + ", pieces of " + std::to_string(piece));
        auto state = std::make_shared<typename MapBatch::State>(nullptr);
        const auto typed = std::make_shared<MapBatch>(task, range, chunk, state);
        Batch& batch = *typed;
        TypedTask<F, R, Args...> runner(function, batch.context());
        ASSERT_NO_FATAL_FAILURE(RunHere(batch, runner, piece));
        batch.Ended(nullptr);
        EXPECT_TRUE(state->Value() == expected);
      }
    }
  }
};

}  // namespace procpool::detail
