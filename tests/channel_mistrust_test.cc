// The contract of channel.h held against every transport and the loopback, in both directions: a
// peer is not trusted (C5), and payloads in shared memory are not moved (C4).
// channel_conformance_test.cc has the rest.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/channel_fixture.h"

namespace procpool {
namespace {

class ChannelMistrust : public ChannelTest {
 protected:
  /// The next frame is refused: the channel is broken for good, says why, and the sink never saw
  /// the frame.
  void ExpectBroken(std::string_view reason) {
    const std::size_t frames = sink_.frames.size();
    EXPECT_EQ(ReceiveToTheEnd(), IoStatus::kBroken);
    EXPECT_NE(receiver().fault().find(reason), std::string::npos) << receiver().fault();
    EXPECT_FALSE(receiver().fault().empty());
    EXPECT_EQ(receiver().Receive(sink_), IoStatus::kBroken);
    EXPECT_EQ(sink_.frames.size(), frames);
  }
};

INSTANTIATE_TEST_SUITE_P(Every, ChannelMistrust,
                         testing::Combine(testing::ValuesIn(Kinds()),
                                          testing::Values(Direction::kToWorker,
                                                          Direction::kToMaster)),
                         NameOf);

FrameHeader ResultHeader() {
  FrameHeader header;
  header.type = FrameType::kResult;
  header.flags = kTimed;
  return header;
}

TEST_P(ChannelMistrust, HonestBytesInArbitraryPiecesAreAccepted) {
  constexpr unsigned kSeed = 21;
  RecordProperty("seed", kSeed);
  std::mt19937 random(kSeed);
  const auto annex = SealedAnnex(ResultAnnex{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0});
  for (std::size_t frame = 0; frame < 100; ++frame) {
    const Bytes payload = RandomBytes(random() % 9000, random());
    const Bytes whole = Sealed(ResultHeader(), annex, payload);
    for (std::size_t at = 0; at < whole.size();) {
      const std::size_t part = std::min<std::size_t>(whole.size() - at, 1 + random() % 5000);
      ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), std::span(whole).subspan(at, part)));
      ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
      at += part;
      ASSERT_EQ(receiver().IsInPayload(), at >= kMaxFrameHead && at < whole.size());
    }
    ASSERT_EQ(sink_.frames.size(), frame + 1);
    ASSERT_TRUE(sink_.frames.back().payload == payload);
    ASSERT_EQ(sink_.frames.back().times->sending, 10);
  }
}

TEST_P(ChannelMistrust, AFlippedBitBreaksTheChannelButNotWhatCameBefore) {
  constexpr unsigned kSeed = 22;
  RecordProperty("seed", kSeed);
  std::mt19937 random(kSeed);
  const auto annex = SealedAnnex(ResultAnnex{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0});
  const Bytes whole = Sealed(ResultHeader(), annex, RandomBytes(120, 7));
  for (int trial = 0; trial < 60; ++trial) {
    ASSERT_NO_FATAL_FAILURE(Renew());
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(0, {})));
    Bytes spoilt = whole;
    // A third of the flips each in header, annex and payload.
    const std::size_t begin = trial % 3 == 0 ? 0 : trial % 3 == 1 ? 64 : kMaxFrameHead;
    const std::size_t end = trial % 3 == 0 ? 64 : trial % 3 == 1 ? kMaxFrameHead : whole.size();
    const std::size_t bit = 8 * begin + random() % (8 * (end - begin));
    SCOPED_TRACE("bit " + std::to_string(bit));
    spoilt[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), spoilt));
    ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBroken);
    ASSERT_NO_FATAL_FAILURE(ExpectItems(1));
    ASSERT_NO_FATAL_FAILURE(ExpectBroken(trial % 3 == 0 ? "" : "hash does not match"));
    // The sink was asked for a place only where header and annex were sound.
    ASSERT_EQ(sink_.asked, trial % 3 == 2 ? 2U : 1U);
  }
}

TEST_P(ChannelMistrust, APayloadChangedOnItsWayIsRefused) {
  Bytes payload = RandomBytes(100'000, 8);
  ASSERT_TRUE(sender().Post(ItemFrame(0, payload)));
  payload[77'777] ^= std::byte{1};
  IoStatus received = IoStatus::kBlocked;
  while (received == IoStatus::kBlocked) {
    ASSERT_LE(sender().Flush(), IoStatus::kBlocked);
    received = receiver().Receive(sink_);
  }
  EXPECT_EQ(received, IoStatus::kBroken);
  ASSERT_NO_FATAL_FAILURE(ExpectBroken("the payload's hash does not match"));
}

TEST_P(ChannelMistrust, LyingLengthsAreRefusedBeforeTheSinkIsAsked) {
  for (const std::uint64_t bytes : {kMaxPayloadBytes + 1, std::uint64_t{1} << 63, ~std::uint64_t{0},
                                    ~std::uint64_t{0} - kMaxFrameHead + 1}) {
    ASSERT_NO_FATAL_FAILURE(Renew());
    FrameHeader header = ResultHeader();
    header.payload_bytes = bytes;
    ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), Sealed(header, {}, {})));
    ASSERT_NO_FATAL_FAILURE(ExpectBroken("its payload has an impossible length"));
    EXPECT_EQ(sink_.asked, 0U);
  }
  for (const std::uint32_t bytes : {1U, 55U, 57U, 0xffffffffU}) {
    ASSERT_NO_FATAL_FAILURE(Renew());
    FrameHeader header = ResultHeader();
    header.annex_bytes = bytes;
    Seal(header);
    ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), std::as_bytes(std::span(&header, 1))));
    ASSERT_NO_FATAL_FAILURE(ExpectBroken("its annex has an impossible length"));
    EXPECT_EQ(sink_.asked, 0U);
  }
}

TEST_P(ChannelMistrust, AFrameThatTheSinkRefusesBreaksTheChannelWithItsReason) {
  sink_.refuses = true;
  // A possible length, but one that this sink would not allocate: the channel does not do so
  // either.
  FrameHeader header = ResultHeader();
  header.payload_bytes = kMaxPayloadBytes;
  ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), Sealed(header, {}, {})));
  ASSERT_NO_FATAL_FAILURE(ExpectBroken("the collector refuses"));
  EXPECT_EQ(sink_.asked, 1U);
}

TEST_P(ChannelMistrust, APlaceOfAnotherLengthIsNotWrittenTo) {
  sink_.surplus = 1;
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(0, RandomBytes(10, 9))));
  ASSERT_NO_FATAL_FAILURE(ExpectBroken("refuses"));
  for (const std::byte byte : sink_.named) EXPECT_EQ(byte, std::byte{0});
}

TEST_P(ChannelMistrust, GarbageIsRefused) {
  for (const std::uint64_t seed : {31U, 32U, 33U}) {
    ASSERT_NO_FATAL_FAILURE(Renew());
    ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), RandomBytes(1000, seed)));
    ASSERT_NO_FATAL_FAILURE(ExpectBroken("frame magic"));
  }
}

// ---- C4: shared memory

constexpr std::size_t kRegionBytes = 100'000;

class ChannelRegions : public ChannelMistrust {
 protected:
  /// A region in the master's table, on its way to the worker.
  std::span<std::byte> Share(std::uint32_t id) {
    auto region = std::make_shared<SharedRegion>(SharedRegion::Create(kRegionBytes));
    EXPECT_TRUE(link_->master_control->SendRegion(id, *region, Deadline::After(kWatchdog)));
    link_->master_table.Add(id, region);
    return region->bytes();
  }
  std::span<std::byte> AtWorker(std::uint32_t id) const {
    const auto region = link_->worker_table.Find(id);
    return region == nullptr ? std::span<std::byte>{} : region->bytes();
  }
  void SendLocators(std::uint8_t flags, std::uint64_t bytes, const ItemAnnex& annex) {
    FrameHeader header;
    header.type = FrameType::kItem;
    header.flags = flags;
    header.payload_bytes = bytes;
    RawAccess::WriteAll(sender(), Sealed(header, SealedAnnex(annex), {}));
  }
};

std::vector<Kind> KindsThatShare(bool share) {
  std::vector<Kind> kinds = Kinds();
  std::erase_if(kinds, [share](const Kind& kind) {
    return (kind.transport != nullptr && kind.transport->shares_memory) != share;
  });
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Every, ChannelRegions,
                         testing::Combine(testing::ValuesIn(KindsThatShare(true)),
                                          testing::Values(Direction::kToWorker)),
                         NameOf);

TEST_P(ChannelRegions, InputAndResultInARegionAreNotMoved) {
  const std::span<std::byte> region = Share(5);
  const Bytes input = RandomBytes(40'000, 41);
  std::ranges::copy(input, region.begin() + 16);
  OutFrame frame = ItemFrame(0, region.subspan(16, input.size()));
  frame.place = region.subspan(50'000, 30'000);
  ASSERT_TRUE(sender().Post(frame));
  EXPECT_EQ(sender().UnsentBytes(), sizeof(FrameHeader) + sizeof(ItemAnnex))
      << "the payload is not in the stream";
  EXPECT_TRUE(AtWorker(5).empty()) << "the worker fetches a region when it first needs it";
  ASSERT_EQ(sender().Flush(), IoStatus::kDone);
  ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);

  const std::span<std::byte> mapped = AtWorker(5);
  ASSERT_EQ(mapped.size(), kRegionBytes);
  ASSERT_NE(mapped.data(), region.data());
  ASSERT_EQ(sink_.frames.size(), 1U);
  const Arrived& arrived = sink_.frames[0];
  EXPECT_EQ(sink_.asked, 0U);
  EXPECT_EQ(arrived.header.flags & (kInRegion | kPlaced), kInRegion | kPlaced);
  EXPECT_EQ(sink_.seen.data(), mapped.data() + 16);
  EXPECT_TRUE(arrived.payload == input);
  ASSERT_EQ(arrived.place.data(), mapped.data() + 50'000);
  ASSERT_EQ(arrived.place.size(), 30'000U);

  const Bytes output = RandomBytes(arrived.place.size(), 42);
  std::ranges::copy(output, arrived.place.begin());
  OutFrame result;
  result.header = ResultHeader();
  result.payload = arrived.place;
  result.times = ResultAnnex{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0};
  ASSERT_TRUE(link_->worker->Post(result));
  EXPECT_EQ(link_->worker->UnsentBytes(), kMaxFrameHead);
  ASSERT_EQ(link_->worker->Flush(), IoStatus::kDone);
  Collector results;
  results.shared_place = region.subspan(50'000, 30'000);
  ASSERT_EQ(link_->master->Receive(results), IoStatus::kBlocked);
  ASSERT_EQ(results.frames.size(), 1U);
  EXPECT_EQ(results.seen.data(), region.data() + 50'000);
  EXPECT_TRUE(results.frames[0].payload == output);
  EXPECT_EQ(results.frames[0].times->finished, 5);
}

TEST_P(ChannelRegions, AResultSpoiltInTheRegionIsRefused) {
  const std::span<std::byte> region = Share(1);
  OutFrame item = ItemFrame(0, {});
  item.place = region.first(1000);
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(item));
  ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
  const std::span<std::byte> place = sink_.frames.at(0).place;
  ASSERT_EQ(place.size(), 1000U);
  OutFrame result;
  result.header = ResultHeader();
  result.payload = place;
  ASSERT_TRUE(link_->worker->Post(result));
  place[999] ^= std::byte{1};
  ASSERT_EQ(link_->worker->Flush(), IoStatus::kDone);
  Collector results;
  results.shared_place = region.first(1000);
  EXPECT_EQ(link_->master->Receive(results), IoStatus::kBroken);
  EXPECT_EQ(link_->master->fault(), WireFaultText(WireFault::kPayloadHash));
  EXPECT_TRUE(results.frames.empty());
}

TEST_P(ChannelRegions, RegionsMadeLaterAreFetchedToo) {
  for (std::uint32_t id = 1; id <= 4; ++id) {
    const std::span<std::byte> region = Share(id);
    region[id] = std::byte{static_cast<unsigned char>(id)};
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(id, region.first(10))));
    ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
    ASSERT_EQ(sink_.seen.data(), AtWorker(id).data());
    ASSERT_EQ(sink_.frames.back().payload[id], region[id]);
  }
}

// Only items and results say where they lie; the context of a job is copied, wherever its owner
// keeps it.
TEST_P(ChannelRegions, OtherFramesAreMovedEvenOutOfARegion) {
  const std::span<std::byte> region = Share(1);
  region[3] = std::byte{3};
  for (const FrameType type : {FrameType::kJob, FrameType::kFailed, FrameType::kReady}) {
    OutFrame frame;
    frame.header.type = type;
    frame.payload = region.first(100);
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(frame));
    ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked) << receiver().fault();
    EXPECT_EQ(sink_.frames.back().header.flags & kInRegion, 0);
    EXPECT_TRUE(std::ranges::equal(sink_.frames.back().payload, region.first(100)));
  }
}

TEST_P(ChannelRegions, WhatLiesOnlyPartlyInARegionIsMoved) {
  const std::span<std::byte> region = Share(1);
  const Bytes outside = RandomBytes(300, 43);
  OutFrame frame = ItemFrame(0, outside);
  frame.place = region.last(100);
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(frame));
  ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
  ASSERT_EQ(sink_.frames.size(), 1U);
  EXPECT_TRUE(sink_.frames[0].payload == outside);
  EXPECT_EQ(sink_.asked, 1U);
  EXPECT_EQ(sink_.frames[0].header.flags & (kInRegion | kPlaced), kPlaced);
  EXPECT_EQ(sink_.frames[0].place.data(), AtWorker(1).data() + kRegionBytes - 100);
}

TEST_P(ChannelRegions, LocatorsThatLeadAstrayAreRefused) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  struct Case {
    Locator locator;
    std::uint64_t payload_bytes;
  };
  const std::vector<Case> cases{{{9, 0, 0, 8}, 8},                 // unknown
                                {{0, 0, 0, 8}, 8},                 // none
                                {{1, 0, kRegionBytes, 8}, 8},      // begins at the end
                                {{1, 0, kRegionBytes + 1, 0}, 0},  // begins behind it
                                {{1, 0, kRegionBytes - 7, 8}, 8},  // ends behind it
                                {{1, 0, kHuge - 7, 16}, 16},       // the sum overflows
                                {{1, 0, 8, kHuge - 7}, kMaxPayloadBytes}};
  for (const Case& wrong : cases) {
    SCOPED_TRACE("region " + std::to_string(wrong.locator.region) + ", offset " +
                 std::to_string(wrong.locator.offset));
    for (const bool is_input : {true, false}) {
      ASSERT_NO_FATAL_FAILURE(Renew());
      Share(1);
      if (is_input) {
        SendLocators(kInRegion, wrong.payload_bytes, {wrong.locator, {}, 0});
        ASSERT_NO_FATAL_FAILURE(ExpectBroken("its input lies in no known region"));
      } else {
        SendLocators(kPlaced, 0, {{}, wrong.locator, 0});
        ASSERT_NO_FATAL_FAILURE(ExpectBroken("its result's place lies in no known region"));
      }
    }
  }
  ASSERT_NO_FATAL_FAILURE(Renew());
  Share(1);
  SendLocators(kInRegion, 9, {{1, 0, 0, 8}, {}, 0});  // header and annex disagree
  ASSERT_NO_FATAL_FAILURE(ExpectBroken("its input lies in no known region"));
}

TEST_P(ChannelRegions, AForgottenRegionIsUnknownToTheNextLookUp) {
  const std::span<std::byte> region = Share(1);
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(0, region.first(8))));
  ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
  ASSERT_TRUE(link_->master_control->SendForget(1, Deadline::After(kWatchdog)));
  link_->worker_control->ReceiveInto(link_->worker_table);
  SendLocators(kInRegion, 8, {{1, 0, 0, 8}, {}, 0});
  ASSERT_NO_FATAL_FAILURE(ExpectBroken("its input lies in no known region"));
}

class ChannelWithoutRegions : public ChannelMistrust {};

INSTANTIATE_TEST_SUITE_P(Every, ChannelWithoutRegions,
                         testing::Combine(testing::ValuesIn(KindsThatShare(false)),
                                          testing::Values(Direction::kToWorker,
                                                          Direction::kToMaster)),
                         NameOf);

TEST_P(ChannelWithoutRegions, PayloadsInARegionAreMovedLikeOthers) {
  auto region = std::make_shared<SharedRegion>(SharedRegion::Create(kRegionBytes));
  link_->master_table.Add(1, region);
  link_->worker_table.Add(1, region);
  OutFrame frame = ItemFrame(0, region->bytes().first(10));
  frame.place = region->bytes().last(10);
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(frame));
  ASSERT_NO_FATAL_FAILURE(Pump());
  ASSERT_EQ(sink_.frames.size(), 1U);
  EXPECT_EQ(sink_.asked, 1U);
  EXPECT_EQ(sink_.frames[0].header.flags & (kInRegion | kPlaced), 0);
  EXPECT_TRUE(sink_.frames[0].place.empty());
}

TEST_P(ChannelWithoutRegions, AFrameThatClaimsToLieInOneIsRefused) {
  const auto annex = SealedAnnex(ItemAnnex{{1, 0, 0, 8}, {}, 0});
  for (const FrameType type : {FrameType::kItem, FrameType::kResult}) {
    for (const bool annexed : {true, false}) {
      ASSERT_NO_FATAL_FAILURE(Renew());
      FrameHeader header;
      header.type = type;
      header.flags = kInRegion;
      header.payload_bytes = 8;
      if (type == FrameType::kResult) header.payload_hash = Hash(Bytes(8));
      const auto used =
          std::span(annex).first(annexed && type == FrameType::kItem ? annex.size() : 0);
      ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), Sealed(header, used, {})));
      ASSERT_NO_FATAL_FAILURE(ExpectBroken("none is shared"));
    }
  }
}

}  // namespace
}  // namespace procpool
