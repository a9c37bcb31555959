#include "common/axis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace procpool {
namespace {

constexpr unsigned kSeed = 20240404;

/// The rules of fractal.h, word for word.
std::vector<double> ByDefinition(const Axis& axis) {
  std::vector<double> points;
  double sum = axis.start;
  for (int i = 0; i < static_cast<int>(axis.points); ++i) {
    const int half = static_cast<int>(axis.points) / 2;
    switch (axis.rule) {
      case AxisRule::kRepeatedAddition:
        points.push_back(sum);
        sum += axis.step;
        break;
      case AxisRule::kLinear:
        points.push_back(axis.start + i * axis.step);
        break;
      case AxisRule::kCentred:
        points.push_back(axis.start + (i - half) * axis.step);
        break;
      case AxisRule::kArange:
        points.push_back(axis.start + i * ((axis.start + axis.step) - axis.start));
        break;
    }
  }
  return points;
}

class AxisOfEachRule : public testing::TestWithParam<AxisRule> {};

TEST_P(AxisOfEachRule, GivesTheDefinitionWhateverStretchIsAskedFor) {
  RecordProperty("seed", kSeed);
  std::mt19937 random(kSeed);
  for (const std::uint32_t count : {1U, 2U, 7U, 1023U, 1024U, 1025U, 5000U}) {
    const Axis axis{GetParam(), count, -1.8, 3.6 / count};
    const AxisPoints points(axis);
    const std::vector<double> expected = ByDefinition(axis);
    ASSERT_EQ(points.size(), count);
    for (int trial = 0; trial < 50; ++trial) {
      const std::size_t first = random() % (count + 1);
      std::vector<double> stretch(random() % (count - first + 1), -99);
      points.Fill(first, stretch);
      ASSERT_TRUE(
          std::equal(stretch.begin(), stretch.end(), expected.begin() + static_cast<long>(first)))
          << "of " << count << " points, " << stretch.size() << " from " << first;
    }
    for (const std::size_t index : {0U, count / 2, count - 1}) {
      EXPECT_EQ(points.At(index), expected[index]) << index << " of " << count;
    }
  }
}

TEST_P(AxisOfEachRule, StretchesCoverItInAnyOrder) {
  RecordProperty("seed", kSeed);
  std::mt19937 random(kSeed);
  const Axis axis{GetParam(), 1000, 1.3, -2.6 / 1000};
  const AxisPoints points(axis);
  const std::vector<double> expected = ByDefinition(axis);
  for (const std::size_t length : {1U, 7U, 256U, 999U, 1000U, 4096U}) {
    AxisStretch stretch(length);
    for (int trial = 0; trial < 200; ++trial) {
      const std::size_t index = random() % axis.points;
      const std::span<const double> got = stretch.From(points, index);
      ASSERT_EQ(got.size(), std::min<std::size_t>(length - index % length, axis.points - index));
      ASSERT_TRUE(std::ranges::equal(got, std::span(expected).subspan(index, got.size())))
          << "length " << length << ", index " << index;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, AxisOfEachRule,
                         testing::Values(AxisRule::kRepeatedAddition, AxisRule::kLinear,
                                         AxisRule::kCentred, AxisRule::kArange));

TEST(AxisPoints, RepeatedAdditionGivesThePointsTheTrainingPrints) {
  const AxisPoints axis(Axis{AxisRule::kRepeatedAddition, 500, -2.13, (0.77 - -2.13) / 500});
  EXPECT_EQ(axis.At(0), -2.13);
  EXPECT_EQ(axis.At(1), -2.1242);
  EXPECT_EQ(axis.At(2), -2.1184000000000003);
  EXPECT_NE(axis.At(497), -2.13 + 497 * ((0.77 - -2.13) / 500)) << "that is another rule";
}

TEST(AxisPoints, ArangeIsNotLinear) {
  const Axis arange{AxisRule::kArange, 4000, -2, 0.001};
  const Axis linear{AxisRule::kLinear, 4000, -2, 0.001};
  EXPECT_NE(ByDefinition(arange), ByDefinition(linear));
  EXPECT_EQ(AxisPoints(arange).At(1), -2 + 0.001);
}

TEST(AxisPoints, TheMiddleOfACentredAxisIsItsCenter) {
  EXPECT_EQ(AxisPoints(Axis{AxisRule::kCentred, 256, -0.8, 0.1}).At(128), -0.8);
  EXPECT_EQ(AxisPoints(Axis{AxisRule::kCentred, 5, -0.8, 0.5}).At(0), -0.8 - 2 * 0.5);
}

}  // namespace
}  // namespace procpool
