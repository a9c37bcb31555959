// How often workers may be replaced, and after how long a wait.
#include "master/restart_limit.h"

#include <gtest/gtest.h>

#include "master/back_off.h"

namespace procpool {
namespace {

TEST(RestartLimit, SoManyWithinTheWindowAndNoMore) {
  RestartLimit limit(3, 10 * kSecond);
  EXPECT_TRUE(limit.Allows(0));
  EXPECT_TRUE(limit.Allows(1));
  EXPECT_TRUE(limit.Allows(9 * kSecond));
  EXPECT_FALSE(limit.Allows(10 * kSecond - 1));
}

TEST(RestartLimit, TheWindowSlides) {
  RestartLimit limit(2, 10 * kSecond);
  // Every five seconds one: there are never more than two within ten.
  for (Nanoseconds now = 0; now < 1000 * kSecond; now += 5 * kSecond) {
    EXPECT_TRUE(limit.Allows(now)) << now;
  }
  // One more in between is too much, and so is what follows too soon.
  EXPECT_FALSE(limit.Allows(996 * kSecond));
  EXPECT_FALSE(limit.Allows(1004 * kSecond)) << "those of 995 s and 996 s are still within";
  EXPECT_TRUE(limit.Allows(1014 * kSecond)) << "only that of 1004 s is";
}

TEST(RestartLimit, WhatIsForgottenDoesNotCount) {
  RestartLimit limit(1, kSecond);
  EXPECT_TRUE(limit.Allows(0));
  EXPECT_FALSE(limit.Allows(1));
  limit.Forget();
  EXPECT_TRUE(limit.Allows(2));
  EXPECT_FALSE(limit.Allows(3));
}

TEST(RestartLimit, NoneMayBeAllowed) {
  RestartLimit limit(0, kSecond);
  EXPECT_FALSE(limit.Allows(5));
  EXPECT_FALSE(limit.Allows(100 * kSecond));
}

TEST(RestartLimit, AWindowOfNothingIsNoLimit) {
  RestartLimit limit(0, 0);
  for (int death = 0; death < 100; ++death) EXPECT_TRUE(limit.Allows(7));
}

TEST(BackOff, NothingAtFirstThenTwiceAsLongEachTimeUpToASecond) {
  EXPECT_EQ(BackOff(0), 0);
  EXPECT_EQ(BackOff(1), 0);
  EXPECT_EQ(BackOff(2), 10 * kMillisecond);
  EXPECT_EQ(BackOff(3), 20 * kMillisecond);
  EXPECT_EQ(BackOff(4), 40 * kMillisecond);
  EXPECT_EQ(BackOff(8), 640 * kMillisecond);
  EXPECT_EQ(BackOff(9), kSecond);
  EXPECT_EQ(BackOff(10), kSecond);
  EXPECT_EQ(BackOff(~0U), kSecond);
}

}  // namespace
}  // namespace procpool
