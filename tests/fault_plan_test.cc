// The faults that a worker may be asked to commit: what can be said, what is refused with which
// words, and that whether one strikes is always the same.
#include "common/fault_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <procpool/error.h>

namespace procpool {
namespace {

TEST(FaultPlan, SaysWhatWhereAndWhom) {
  const FaultPlan plan = ParseFaultPlan(
      "kill@computing:chunk=3,attempt=0; delay=20@received:probability=0.25,worker=1,times=2;"
      "seed=7 ;signal=SEGV@sent;exit@start;corrupt=header@sending;forge=build@ready");
  ASSERT_EQ(plan.rules.size(), 6U);
  EXPECT_EQ(plan.seed, 7U);
  EXPECT_EQ(plan.rules[0].kind, FaultKind::kKill);
  EXPECT_EQ(plan.rules[0].step, FaultStep::kComputing);
  EXPECT_EQ(plan.rules[0].chunk, 3U);
  EXPECT_EQ(plan.rules[0].attempt, 0U);
  EXPECT_EQ(plan.rules[0].worker, std::nullopt);
  EXPECT_EQ(plan.rules[0].times, 0U);
  EXPECT_EQ(plan.rules[0].text, "kill@computing:chunk=3,attempt=0");
  EXPECT_EQ(plan.rules[1].argument, 20);
  EXPECT_EQ(plan.rules[1].probability, 0.25);
  EXPECT_EQ(plan.rules[1].worker, 1U);
  EXPECT_EQ(plan.rules[1].times, 2U);
  EXPECT_EQ(plan.rules[2].argument, SIGSEGV);
  EXPECT_EQ(plan.rules[3].argument, 0) << "exit code 0 unless another one is given";
  EXPECT_EQ(plan.rules[4].argument, 1);
  EXPECT_EQ(plan.rules[5].argument, static_cast<int>(Forgery::kBuild));
}

TEST(FaultPlan, SignalsHaveNamesAndNumbers) {
  for (const auto& [text, number] : std::vector<std::pair<std::string, int>>{
           {"BUS", SIGBUS}, {"SIGFPE", SIGFPE}, {"11", SIGSEGV}, {"ABRT", SIGABRT}}) {
    EXPECT_EQ(ParseFaultPlan("signal=" + text + "@computing").rules[0].argument, number) << text;
  }
}

TEST(FaultPlan, WhatCannotBeReadIsNamed) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "it names no fault"},
      {"seed=3", "it names no fault"},
      {"kill", "at which step"},
      {"murder@computing", "there is no fault 'murder'"},
      {"kill@lunch", "there is no step 'lunch'"},
      {"kill=3@computing", "takes no argument"},
      {"throw@sent", "it can at received, computing"},
      {"storm@sending", "it can at start"},
      {"corrupt=tail@sending", "there is no part 'tail'"},
      {"forge@sending", "does not say what"},
      {"forge=everything@sending", "chunk, attempt"},
      {"forge=build@sending", "only READY"},
      {"signal@sent", "signal=SEGV"},
      {"signal=64@sent", "'64' is no signal"},
      {"signal=HURT@sent", "'HURT' is no signal"},
      {"exit=256@sent", "from 0 to 255"},
      {"exit=-1@sent", "from 0 to 255"},
      {"delay=soon@sent", "milliseconds"},
      {"kill@ready:chunk=3", "has no chunk"},
      {"kill@sent:chunk", "has no '='"},
      {"kill@sent:", "has no '='"},
      {"kill@sent:chunk=-1", "'-1' is no chunk"},
      {"kill@sent:chunk=1,", "has no '='"},
      {"kill@sent:probability=2", "'2' is no probability"},
      {"kill@sent:probability=nan", "'nan' is no probability"},
      {"kill@sent:times=0", "'0' is no number of times"},
      {"kill@sent:colour=red", "'colour' is unknown"},
      {"kill@sent;seed=x", "'x' is no seed"},
  };
  for (const auto& [spec, cause] : wrong) {
    try {
      ParseFaultPlan(spec);
      ADD_FAILURE() << "accepted: '" << spec << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::kUser);
      EXPECT_NE(std::string(error.what()).find(cause), std::string::npos) << error.what();
    }
  }
}

TEST(FaultPlan, HasOnlySoManyRules) {
  std::string spec = "kill@sent";
  for (std::size_t rule = 1; rule < kMostFaultRules; ++rule) spec += ";kill@sent";
  EXPECT_EQ(ParseFaultPlan(spec).rules.size(), kMostFaultRules);
  EXPECT_THROW(ParseFaultPlan(spec + ";kill@sent"), Error);
}

TEST(FaultPlan, EachKeyNarrowsItDown) {
  const auto strikes = [](const std::string& spec, FaultStep step, const FaultTarget& target) {
    return Strikes(ParseFaultPlan(spec), 0, step, target);
  };
  const FaultTarget target{.slot = 1, .chunk = 3, .attempt = 2};
  EXPECT_TRUE(strikes("kill@sent", FaultStep::kSent, target));
  EXPECT_FALSE(strikes("kill@sent", FaultStep::kSending, target));
  EXPECT_TRUE(strikes("kill@sent:chunk=3,attempt=2,worker=1", FaultStep::kSent, target));
  EXPECT_FALSE(strikes("kill@sent:chunk=4", FaultStep::kSent, target));
  EXPECT_FALSE(strikes("kill@sent:attempt=0", FaultStep::kSent, target));
  EXPECT_FALSE(strikes("kill@sent:worker=0", FaultStep::kSent, target));
  EXPECT_FALSE(strikes("kill@sent:probability=0", FaultStep::kSent, target));
}

TEST(FaultPlan, AProbabilityIsAShareOfTheChunksAndAlwaysTheSame) {
  constexpr std::uint64_t kChunks = 20'000;
  const auto struck = [](const FaultPlan& plan, std::uint64_t attempt) {
    std::vector<bool> chunks;
    for (std::uint64_t chunk = 0; chunk < kChunks; ++chunk)
      chunks.push_back(Strikes(plan, 0, FaultStep::kSent, {0, chunk, attempt}));
    return chunks;
  };
  const auto count = [](const std::vector<bool>& chunks) {
    return std::count(chunks.begin(), chunks.end(), true);
  };
  const FaultPlan plan = ParseFaultPlan("kill@sent:probability=0.1;seed=5");
  const std::vector<bool> first = struck(plan, 0);
  EXPECT_NEAR(static_cast<double>(count(first)), 0.1 * kChunks, 5 * 42.4);  // 5 standard deviations
  EXPECT_EQ(struck(plan, 0), first);
  EXPECT_NE(struck(plan, 1), first) << "another attempt, another throw";
  EXPECT_NE(struck(ParseFaultPlan("kill@sent:probability=0.1;seed=6"), 0), first);
  // Which worker it is makes no difference: that depends on timing.
  for (std::uint64_t chunk = 0; chunk < 100; ++chunk)
    EXPECT_EQ(Strikes(plan, 0, FaultStep::kSent, {7, chunk, 0}), first[chunk]);
}

}  // namespace
}  // namespace procpool
