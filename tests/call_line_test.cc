// Single calls that share a job: each is told of its own end only, whatever becomes of the others.
#include "master/call_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <procpool/call_errors.h>
#include "master/map_job.h"
#include "tests/fake_batch.h"

namespace procpool {
namespace {

using Results = FakeBatch::Results;
using Cause = GivenUpItem::Cause;
using Calls = std::map<std::uint64_t, int>;

// A line, its job, and the calls that stand in it.
struct Line {
  explicit Line(std::size_t count, const MapJobOptions& options = {},
                Results results = Results::kInPlace)
      : results_(results) {
    line = std::make_shared<CallLine>(FakeBatch(1, 1, results), [this] { ++ended; });
    job = std::make_unique<MapJob>(line, options);
    for (; count > 0; --count) Add();
  }
  void Add() {
    calls.push_back(std::make_shared<FakeBatch>(1, 1, results_));
    EXPECT_EQ(line->Add(calls.back()), calls.size() - 1);
  }
  bool Complete(std::uint64_t item) {
    return job->Complete({item, 0}, {.bytes = FakeBatch::kResultBytes});
  }
  void GiveUp(std::uint64_t item, Cause cause) {
    job->GiveUp({.item = item, .cause = cause, .type = "std::range_error", .text = "words"});
  }
  /// Which calls have ended, in words.
  std::string Ends() const {
    std::string ends;
    for (const auto& call : calls) {
      if (call->ended > 1) ends += "twice!";
      ends += call->ended == 0 ? '-' : call->failed.empty() && !call->end ? 'd' : 'f';
    }
    return ends;
  }

  std::shared_ptr<CallLine> line;
  std::unique_ptr<MapJob> job;
  std::vector<std::shared_ptr<FakeBatch>> calls;
  int ended = 0;

 private:
  Results results_;
};

TEST(CallLine, EachCallIsAnItemOfItsOwn) {
  for (const Results results : {Results::kInPlace, Results::kFlat, Results::kOther}) {
    Line line(3, {}, results);
    ASSERT_EQ(line.job->items(), 3U);
    EXPECT_EQ(line.job->Begin({1, 0}).tasks, 1U);
    EXPECT_EQ(line.calls[1]->last_input, (FakeBatch::Stretch{0, 1})) << "to itself it is the first";
    const auto place = line.job->PlaceFor({1, 0}, 0, FakeBatch::kResultBytes);
    ASSERT_TRUE(place);
    if (results == Results::kInPlace) {
      EXPECT_EQ(place->data(), line.calls[1]->FlatResults(0, 1).data());
    } else {
      std::ranges::fill(*place, std::byte{7});
    }
    EXPECT_TRUE(line.Complete(1));
    EXPECT_EQ(line.Ends(), "-d-");
    EXPECT_EQ(line.calls[1]->done, (Calls{{0, 1}}));
    if (results != Results::kInPlace) {
      EXPECT_EQ(line.calls[1]->bytes[0], std::vector<std::byte>(4, std::byte{7}));
    }
    EXPECT_EQ(line.ended, 1);
    line.job->Begin({0, 0});
    EXPECT_TRUE(line.Complete(0));
    line.Add();
    ASSERT_EQ(line.job->items(), 4U);
    line.job->Begin({3, 0});
    EXPECT_TRUE(line.Complete(3));
    EXPECT_EQ(line.Ends(), "dd-d");
  }
}

TEST(CallLine, AFailureIsItsOwnCallsAlone) {
  Line line(4);
  ASSERT_EQ(line.job->items(), 4U);
  for (std::uint64_t item = 0; item < 4; ++item) line.job->Begin({item, 0});
  line.GiveUp(1, Cause::kThrew);
  line.GiveUp(2, Cause::kCancelled);
  EXPECT_TRUE(line.job->StepThrew({3, 0}, 0, "std::range_error", "odd", 17));
  EXPECT_TRUE(line.Complete(3));
  EXPECT_EQ(line.Ends(), "-fff");
  EXPECT_EQ(line.calls[1]->ErrorOf(0).find("call 1"), std::string::npos)
      << "what number it has in the line is nothing to its caller: " << line.calls[1]->ErrorOf(0);
  EXPECT_THROW(std::rethrow_exception(line.calls[2]->errors.at(0)), Cancelled);
  EXPECT_EQ(line.ended, 3);
  EXPECT_EQ(line.calls[3]->done, Calls());
}

TEST(CallLine, ACallIsTriedAgain) {
  Line line(2, {.retries = 1, .retry_exceptions = true});
  ASSERT_EQ(line.job->items(), 2U);
  line.job->Begin({0, 0});
  EXPECT_TRUE(line.job->StepThrew({0, 0}, 0, "std::range_error", "odd", 17));
  EXPECT_TRUE(line.Complete(0));
  EXPECT_EQ(line.Ends(), "--");
  ASSERT_EQ(line.job->items(), 3U);
  line.Add();
  ASSERT_EQ(line.job->items(), 4U);
  line.job->Begin({2, 0});
  EXPECT_EQ(line.calls[0]->last_input, (FakeBatch::Stretch{0, 1}));
  EXPECT_TRUE(line.Complete(2));
  EXPECT_EQ(line.Ends(), "d--");
  line.job->Begin({3, 0});
  EXPECT_TRUE(line.Complete(3));
  EXPECT_EQ(line.Ends(), "d-d");
}

TEST(CallLine, OneThatIsAbandonedIsNotTriedAgain) {
  Line line(2, {.retries = 5});
  ASSERT_EQ(line.job->items(), 2U);
  line.job->Begin({0, 0});
  EXPECT_EQ(line.job->Abandon(0), 0U);
  line.job->GiveUp({.item = 0, .cause = Cause::kDied, .step = 0});
  EXPECT_EQ(line.Ends(), "f-");
  EXPECT_EQ(line.job->items(), 2U);
  // The other one is, and is found where it is then.
  line.job->Begin({1, 0});
  line.job->GiveUp({.item = 1, .cause = Cause::kDied, .step = 0});
  ASSERT_EQ(line.job->items(), 3U);
  EXPECT_EQ(line.job->Abandon(1), 2U);
  line.Add();
  EXPECT_EQ(line.job->Abandon(2), 3U) << "before anybody has asked how many items there are";
}

TEST(CallLine, InputThatCannotBeMadeIsItsOwnCallsError) {
  Line line(2);
  line.calls[0]->input = [](auto&, auto&) -> std::span<const std::byte> {
    throw std::domain_error("cannot be written");
  };
  ASSERT_EQ(line.job->items(), 2U);
  try {
    line.job->Begin({0, 0});
    FAIL() << "it was made";
  } catch (...) {
    EXPECT_TRUE(line.job->Refused({0, 0}, std::current_exception()));
  }
  EXPECT_EQ(line.Ends(), "f-");
  EXPECT_EQ(line.calls[0]->ErrorOf(0), "cannot be written");
}

TEST(CallLine, AnEndOfAllIsTheEndOfEachThatIsLeft) {
  Line line(3);
  ASSERT_EQ(line.job->items(), 3U);
  line.job->Begin({1, 0});
  EXPECT_TRUE(line.Complete(1));
  line.line->Ended(std::make_exception_ptr(std::runtime_error("no workers")));
  EXPECT_TRUE(line.line->has_ended());
  EXPECT_EQ(line.Ends(), "fdf");
  EXPECT_EQ(line.ended, 3);
  EXPECT_THROW(std::rethrow_exception(line.calls[2]->end), std::runtime_error);
}

TEST(CallLine, GoesOnUntilItIsSealed) {
  Line line(1);
  EXPECT_TRUE(line.job->MoreMayCome());
  EXPECT_EQ(line.job->items(), 1U);
  line.line->Seal();
  EXPECT_FALSE(line.job->MoreMayCome());
  EXPECT_EQ(line.job->items(), 1U);
}

TEST(CallLine, KnowsWhoWaitsAndWhoIsWithoutAnEnd) {
  Line line(0);
  EXPECT_FALSE(line.line->AnyoneWaits());
  for (int i = 0; i < 3; ++i) line.Add();
  ASSERT_EQ(line.job->items(), 3U);
  for (std::uint64_t item = 0; item < 3; ++item) {
    EXPECT_TRUE(line.line->AnyoneWaits());
    line.job->Begin({item, 0});
  }
  EXPECT_FALSE(line.line->AnyoneWaits());
  EXPECT_TRUE(line.Complete(1));
  EXPECT_EQ(line.line->length(), 3U);
  EXPECT_TRUE(line.Complete(0));
  EXPECT_EQ(line.line->length(), 1U);
  line.GiveUp(2, Cause::kThrew);
  EXPECT_EQ(line.line->length(), 0U);
  line.Add();
  EXPECT_TRUE(line.line->AnyoneWaits());
  // One that was never given out and has left.
  line.GiveUp(3, Cause::kCancelled);
  EXPECT_FALSE(line.line->AnyoneWaits());
}

}  // namespace
}  // namespace procpool
