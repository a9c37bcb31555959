// A batch whose calls are numbers, for the tests of MapJob: what each call came to, and whether it
// came to it once.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/batch.h>

namespace procpool {

class FakeBatch final : public detail::Batch {
 public:
  using Shared = std::vector<std::shared_ptr<SharedMemory>>;
  /// How results travel.
  enum class Results {
    kInPlace,  ///< flat, and the batch has a place for each
    kFlat,     ///< flat, and handed over chunk by chunk
    kOther     ///< not flat
  };
  /// Of a result, if it is flat.
  static constexpr std::size_t kResultBytes = 4;

  FakeBatch(std::uint64_t calls, std::uint64_t chunk, Results results = Results::kInPlace)
      : chunk_(chunk), results_(results) {
    Grow(calls);
  }
  void Grow(std::uint64_t calls) {
    calls_ += calls;
    place_.resize(calls_ * kResultBytes);
  }

  std::string_view task() const override { return "task"; }
  const std::vector<std::byte>& context() const override { return context_; }
  std::uint64_t calls() const override { return calls_; }
  bool MoreMayCome() const override { return more_may_come; }
  std::uint64_t chunk_size() const override { return chunk_; }
  std::span<const std::byte> Input(std::uint64_t first, std::uint64_t count,
                                   detail::InputRoom& room, Shared& shared) override {
    last_input = {first, count};
    if (input) return input(room, shared);
    const std::span<std::byte> place = room.Exactly(sizeof last_input);
    std::memcpy(place.data(), &last_input, sizeof last_input);
    return place;
  }
  std::size_t FlatResultBytes() const override {
    return results_ == Results::kOther ? 0 : kResultBytes;
  }
  std::span<std::byte> FlatResults(std::uint64_t first, std::uint64_t count) override {
    if (results_ != Results::kInPlace) return {};
    return std::span(place_).subspan(first * kResultBytes, count * kResultBytes);
  }
  void Done(detail::DoneChunk chunk) override {
    if (chunk.again) {
      EXPECT_EQ(chunk.count, 1U);
    }
    for (std::uint64_t call = chunk.first; call < chunk.first + chunk.count; ++call) {
      EXPECT_EQ(unanswered.contains(call), chunk.again)
          << "whether an earlier chunk lacked call " << call;
    }
    const std::set<std::uint64_t> without(chunk.without.begin(), chunk.without.end());
    for (std::uint64_t call = chunk.first; call < chunk.first + chunk.count; ++call) {
      if (without.contains(call)) {
        unanswered.insert(call);
      } else {
        ++done[call];
      }
    }
    bytes[chunk.first] = std::move(chunk.bytes);
  }
  void Failed(std::uint64_t call, std::exception_ptr error) override {
    ++failed[call];
    errors[call] = std::move(error);
  }
  void Ended(std::exception_ptr error) override {
    ++ended;
    end = std::move(error);
  }

  std::string ErrorOf(std::uint64_t call) const {
    try {
      std::rethrow_exception(errors.at(call));
    } catch (const std::exception& exception) {
      return exception.what();
    }
  }

  struct Stretch {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    bool operator==(const Stretch&) const = default;
  };
  bool more_may_come = false;
  int ended = 0;
  std::exception_ptr end{};
  Stretch last_input{};  ///< which calls' input was asked for last
  std::function<std::span<const std::byte>(detail::InputRoom&, Shared&)> input{};
  std::map<std::uint64_t, int> done{};
  std::map<std::uint64_t, int> failed{};
  std::map<std::uint64_t, std::exception_ptr> errors{};
  std::set<std::uint64_t> unanswered{};  ///< had no result in a chunk that was answered
  std::map<std::uint64_t, std::vector<std::byte>> bytes{};  ///< of chunks, by their first call

 private:
  std::uint64_t calls_ = 0;
  std::uint64_t chunk_;
  Results results_;
  std::vector<std::byte> context_;
  std::vector<std::byte> place_;
};

}  // namespace procpool
