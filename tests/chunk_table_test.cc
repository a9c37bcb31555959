#include "master/chunk_table.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <random>
#include <vector>

namespace procpool {
namespace {

TEST(ChunkTable, ItemsAreNumberedAsTheyComeToBe) {
  ChunkTable table(2);
  table.TakeIn(2);
  table.TakeIn(1);  // there are no fewer than there were
  table.Append({.first = 1, .count = 1});
  table.TakeIn(4);
  table.Append({.first = 3, .count = 1, .again = true});
  ASSERT_EQ(table.items(), 6U);
  const std::vector<CallChunk> expected{{0, 2}, {2, 2}, {1, 1}, {4, 2}, {6, 1}, {3, 1, true}};
  for (std::uint64_t item = 0; item < 6; ++item)
    EXPECT_EQ(table.Of(item, 7), expected[item]) << "item " << item;
}

TEST(ChunkTable, AnItemIsFoundByItsCalls) {
  ChunkTable table(3);
  EXPECT_EQ(table.ItemOf(0), std::nullopt);
  table.TakeIn(2);
  EXPECT_EQ(table.ItemOf(2), 0U);
  EXPECT_EQ(table.ItemOf(3), 1U);
  EXPECT_EQ(table.ItemOf(6), std::nullopt);
  table.Ended(0);
  table.Append({.first = 1, .count = 2});
  EXPECT_EQ(table.ItemOf(2), 2U) << "the newer item";
  table.Ended(2);
  table.Append({.first = 2, .count = 1});
  table.TakeIn(3);
  EXPECT_EQ(table.ItemOf(2), 3U);
  EXPECT_EQ(table.ItemOf(8), 4U);
}

// However many calls fail, what is kept is about what is open.
TEST(ChunkTable, ForgetsWhatHasEnded) {
  ChunkTable table(1);
  constexpr std::uint64_t kOpen = 5;
  std::uint64_t item = 0;
  const auto another = [&] {
    if (++item > kOpen) table.Ended(item - kOpen - 1);
  };
  for (std::uint64_t call = 0; call < 10'000; ++call) {
    table.TakeIn(call + 1);
    ASSERT_EQ(table.Of(item, call + 1), (CallChunk{call, 1}));
    another();
    table.Append({.first = call, .count = 1, .again = true});
    ASSERT_EQ(table.Of(item, call + 1), (CallChunk{call, 1, true}));
    another();
    ASSERT_LE(table.kept(), kOpen + 2);
  }
}

TEST(ChunkTable, AgreesWithAListWhateverHappens) {
  std::mt19937 random(7);
  constexpr std::uint64_t kChunk = 4;
  ChunkTable table(kChunk);
  std::vector<CallChunk> list;
  std::map<std::uint64_t, CallChunk> open;
  std::uint64_t chunks = 0;
  std::uint64_t known = 0;
  for (int step = 0; step < 20'000; ++step) {
    const unsigned dice = static_cast<unsigned>(random()) % 10;
    if (dice < 3) {
      const std::uint64_t more = random() % 4;
      table.TakeIn(chunks + more);
      for (std::uint64_t i = 0; i < more; ++i) list.push_back({(chunks + i) * kChunk, kChunk});
      chunks += more;
    } else if (dice < 5) {
      const CallChunk chunk{random() % (chunks * kChunk + 1), 1 + random() % 3, dice == 4};
      table.Append(chunk);
      list.push_back(chunk);
    } else if (!open.empty()) {
      const auto place =
          std::next(open.begin(), static_cast<std::ptrdiff_t>(random() % open.size()));
      table.Ended(place->first);
      open.erase(place);
    }
    ASSERT_EQ(table.items(), list.size());
    for (; known < list.size(); ++known) open.emplace(known, list[known]);
    for (const auto& [item, chunk] : open)
      ASSERT_EQ(table.Of(item, chunks * kChunk), chunk) << "item " << item;
  }
}

}  // namespace
}  // namespace procpool
