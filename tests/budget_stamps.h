// Stamps made by hand, for the tests of the budget.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "master/budget.h"

namespace procpool {

inline Nanoseconds SumOf(const BudgetLine& line) {
  return std::accumulate(line.begin(), line.end(), Nanoseconds{0});
}

// Every worker's parts are the wall time, and none is less than nothing.
inline void ExpectWhole(const Budget& budget) {
  for (const BudgetLine& line : budget.lines) {
    EXPECT_EQ(SumOf(line), budget.Wall());
    EXPECT_GE(std::ranges::min(line), 0);
  }
  EXPECT_EQ(SumOf(budget.Total()), budget.Wall() * static_cast<Nanoseconds>(budget.lines.size()));
}

// The parts that are not 0, so that a test names all of them.
using Parts = std::map<std::string, Nanoseconds>;

inline Parts PartsOf(const BudgetLine& line) {
  Parts parts;
  for (std::size_t part = 0; part < kBudgetParts; ++part) {
    if (line[part] != 0)
      parts[std::string(BudgetPartKey(static_cast<BudgetPart>(part)))] = line[part];
  }
  return parts;
}

struct StampedItem {
  SentStamps sent;
  ResultAnnex times;
  TakenStamps taken;
};

// Every stage of it takes another time: it begins at 1150, computes from 1225 to 1358, is placed at
// 1470.
inline StampedItem SampleItem() {
  return {.sent = {.begun = 1150, .encoded = 1160, .posted = 1165, .sent = 1170},
          .times = {.turned = 1100,
                    .arrived = 1190,
                    .received = 1220,
                    .begun = 1225,
                    .finished = 1358,
                    .decode = 7,
                    .compute = 100,
                    .compute_cpu = 60,
                    .encode = 11,
                    .sending = 13},
          .taken = {.arrived = 1400, .received = 1450, .placed = 1470, .decode = 4}};
}

// The same, later.
inline StampedItem Later(StampedItem item, Nanoseconds by) {
  for (Nanoseconds* stamp :
       {&item.sent.begun, &item.sent.encoded, &item.sent.posted, &item.sent.sent,
        &item.times.turned, &item.times.arrived, &item.times.received, &item.times.begun,
        &item.times.finished, &item.taken.arrived, &item.taken.received, &item.taken.placed}) {
    *stamp += by;
  }
  return item;
}

inline ResultAnnex Took(BudgetKeeper& keeper, std::size_t worker, const StampedItem& item) {
  return keeper.Took(worker, item.sent, item.times, item.taken);
}

}  // namespace procpool
