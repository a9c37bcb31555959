// Rows that were given up: in order, and neighbours of one cause together.
#include "master/given_up_rows.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace procpool {
namespace {

using Cause = GivenUpItem::Cause;

constexpr std::array<Chunk, 6> kChunks{
    {{0, 0, 4}, {1, 4, 4}, {2, 8, 4}, {3, 4, 1}, {4, 5, 1}, {5, 6, 2}}};

GivenUpItem Died(std::uint64_t item, int signal) {
  return {.item = item,
          .reason = "item " + std::to_string(item) + ": it died",
          .exit = {ProcessExit::Kind::kSignalled, signal}};
}

TEST(GivenUpRowsOf, NothingOfNothing) {
  EXPECT_TRUE(GivenUpRowsOf({}, kChunks).empty());
}

TEST(GivenUpRowsOf, NeighboursOfOneCauseAreOneInWhateverOrderTheyCame) {
  const auto rows = GivenUpRowsOf(std::vector{Died(2, 9), Died(5, 9), Died(4, 9)}, kChunks);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].first_row, 5U);
  EXPECT_EQ(rows[0].rows, 7U);
  EXPECT_EQ(rows[0].reason, "3 items, the first: item 4: it died");
}

TEST(GivenUpRowsOf, OnesThatAreNoNeighboursStayApart) {
  const auto rows = GivenUpRowsOf(std::vector{Died(2, 9), Died(0, 9), Died(4, 9)}, kChunks);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].first_row, 0U);
  EXPECT_EQ(rows[1].first_row, 5U);
  EXPECT_EQ(rows[1].rows, 1U);
  EXPECT_EQ(rows[1].reason, "item 4: it died");
  EXPECT_EQ(rows[2].first_row, 8U);
}

TEST(GivenUpRowsOf, AndSoDoThoseOfAnotherCause) {
  GivenUpItem threw{.item = 5, .cause = Cause::kThrew, .reason = "a", .type = "T", .text = "x"};
  GivenUpItem other = threw;
  other.item = 2;
  other.text = "y";
  GivenUpItem late = Died(0, 9);
  late.cause = Cause::kTimedOut;
  const auto rows =
      GivenUpRowsOf(std::vector{Died(3, 9), Died(4, 11), threw, other, late}, kChunks);
  ASSERT_EQ(rows.size(), 5U);
  other.text = "x";
  EXPECT_EQ(GivenUpRowsOf(std::vector{other, threw}, kChunks).size(), 1U);
}

}  // namespace
}  // namespace procpool
