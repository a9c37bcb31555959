// The contract of channel.h held against every transport and the loopback, in both directions:
// order and wholeness (C1), back-pressure (C2), waiting and death (C3). channel_mistrust_test.cc
// has the rest.
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <future>
#include <random>
#include <string>
#include <thread>

#include "tests/channel_fixture.h"

namespace procpool {
namespace {

class ChannelConformance : public ChannelTest {};

INSTANTIATE_TEST_SUITE_P(Every, ChannelConformance,
                         testing::Combine(testing::ValuesIn(Kinds()),
                                          testing::Values(Direction::kToWorker,
                                                          Direction::kToMaster)),
                         NameOf);

// ---- C1: in order, whole

TEST_P(ChannelConformance, PayloadsOfEverySizeArriveWhereTheSinkWantsThem) {
  std::vector<std::size_t> sizes{0, 1, 4096, 4097, 65535, 65536, 65537, 0, 3};
  if (!kind().throttled) sizes.insert(sizes.end() - 1, {(1 << 20) + 7, std::size_t{16} << 20});
  for (std::size_t item = 0; item < sizes.size(); ++item) {
    const Bytes payload = RandomBytes(sizes[item], item);
    ASSERT_TRUE(sender().Post(ItemFrame(item, payload)));
    ASSERT_NO_FATAL_FAILURE(Pump());
    ASSERT_EQ(sink_.frames.size(), item + 1);
    EXPECT_TRUE(sink_.frames.back().payload == payload) << sizes[item] << " bytes";
    EXPECT_EQ(sink_.seen.data(), sink_.named.data());
    EXPECT_EQ(sink_.seen.size(), sink_.named.size());
  }
  EXPECT_EQ(sink_.asked, sizes.size());
  ExpectItems(sizes.size());
}

TEST_P(ChannelConformance, EveryFieldOfTheCallerArrives) {
  OutFrame frame;
  frame.header.type = FrameType::kResult;
  frame.header.flags = kLastPart | kTimed | kWatched;
  frame.header.task = 0xfedcba98;
  frame.header.job = 0x89abcdef;
  frame.header.item = ~std::uint64_t{0};
  frame.header.attempt = 0xffffffff;
  frame.header.offset = kMaxPayloadBytes;
  frame.times = ResultAnnex{1, -2, 3, std::int64_t{1} << 60, 5, 6, 7, 8, 9, 10, 0};
  const Bytes payload = RandomBytes(5000, 2);
  frame.payload = payload;
  ASSERT_TRUE(sender().Post(frame));
  ASSERT_NO_FATAL_FAILURE(Pump());
  ASSERT_EQ(sink_.frames.size(), 1U);
  const Arrived& arrived = sink_.frames[0];
  EXPECT_EQ(arrived.header.type, FrameType::kResult);
  EXPECT_EQ(arrived.header.flags, kLastPart | kTimed | kWatched);
  EXPECT_EQ(arrived.header.task, frame.header.task);
  EXPECT_EQ(arrived.header.job, frame.header.job);
  EXPECT_EQ(arrived.header.item, frame.header.item);
  EXPECT_EQ(arrived.header.attempt, frame.header.attempt);
  EXPECT_EQ(arrived.header.offset, frame.header.offset);
  EXPECT_EQ(arrived.header.payload_bytes, payload.size());
  EXPECT_EQ(arrived.header.payload_hash, Hash(payload));
  ASSERT_TRUE(arrived.times.has_value());
  EXPECT_EQ(arrived.times->turned, 1);
  EXPECT_EQ(arrived.times->arrived, -2);
  EXPECT_EQ(arrived.times->received, 3);
  EXPECT_EQ(arrived.times->begun, std::int64_t{1} << 60);
  EXPECT_EQ(arrived.times->finished, 5);
  EXPECT_EQ(arrived.times->decode, 6);
  EXPECT_EQ(arrived.times->compute, 7);
  EXPECT_EQ(arrived.times->compute_cpu, 8);
  EXPECT_EQ(arrived.times->encode, 9);
  EXPECT_EQ(arrived.times->sending, 10);
  EXPECT_TRUE(arrived.place.empty());
}

TEST_P(ChannelConformance, RandomMixesArriveInOrderHoweverTheStepsInterleave) {
  for (const unsigned seed : {11U, 12U, 13U}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_NO_FATAL_FAILURE(Renew());
    std::mt19937 random(seed);
    const std::array<std::size_t, 4> limits{16, 300, 5000, kind().throttled ? 5000U : 300'000U};
    std::vector<Bytes> payloads;
    for (std::size_t item = 0; item < 300; ++item) {
      payloads.push_back(RandomBytes(random() % limits[random() % limits.size()], random()));
    }
    const Deadline watchdog = Deadline::After(kWatchdog);
    for (std::size_t posted = 0; sink_.frames.size() < payloads.size() && !watchdog.Passed();) {
      switch (random() % 3) {
        case 0:
          if (posted < payloads.size() && sender().Post(ItemFrame(posted, payloads[posted])))
            ++posted;
          break;
        case 1:
          ASSERT_LE(sender().Flush(), IoStatus::kBlocked);
          break;
        default:
          ASSERT_LE(receiver().Receive(sink_, 1 + random() % 5), IoStatus::kBlocked);
          break;
      }
    }
    ASSERT_NO_FATAL_FAILURE(ExpectItems(payloads.size()));
    for (std::size_t item = 0; item < payloads.size(); ++item) {
      ASSERT_TRUE(sink_.frames[item].payload == payloads[item]) << "item " << item;
    }
  }
}

TEST_P(ChannelConformance, TenThousandTinyFramesStreamBetweenTwoThreads) {
  constexpr std::uint64_t kFrames = 10'000;
  const Deadline watchdog = Deadline::After(kWatchdog);
  auto sent = std::async(std::launch::async, [&] {
    for (std::uint64_t item = 0; item < kFrames; ++item) {
      const OutFrame frame = ItemFrame(item, std::as_bytes(std::span(&item, 1)).first(item % 9));
      while (!sender().Post(frame)) {
        if (sender().FlushBefore(watchdog) != IoStatus::kDone) return IoStatus::kBroken;
      }
      if (item % 7 == 0 && sender().Flush() > IoStatus::kBlocked) return IoStatus::kBroken;
    }
    return sender().FlushBefore(watchdog);
  });
  while (sink_.frames.size() < kFrames) {
    if (receiver().ReceiveBefore(sink_, watchdog) != IoStatus::kDone) break;
  }
  EXPECT_EQ(sent.get(), IoStatus::kDone);
  ASSERT_NO_FATAL_FAILURE(ExpectItems(kFrames));
  for (std::uint64_t item = 0; item < kFrames; ++item) {
    const auto expected = std::as_bytes(std::span(&item, 1)).first(item % 9);
    ASSERT_TRUE(std::ranges::equal(sink_.frames[item].payload, expected)) << "item " << item;
  }
}

TEST_P(ChannelConformance, QuestionsAndAnswersGoBackAndForthBetweenTwoThreads) {
  constexpr std::uint64_t kRounds = 2000;
  const Deadline watchdog = Deadline::After(kWatchdog);
  for (Channel* end : {&sender(), &receiver()}) end->SpinBeforeParking(20 * kMicrosecond);
  auto answered = std::async(std::launch::async, [&] {
    Collector questions;
    while (questions.frames.size() < kRounds) {
      if (receiver().ReceiveBefore(questions, watchdog) != IoStatus::kDone) return false;
      const Arrived& question = questions.frames.back();
      if (!receiver().Post(ItemFrame(question.header.item, question.payload))) return false;
      if (receiver().FlushBefore(watchdog) != IoStatus::kDone) return false;
    }
    return true;
  });
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    // Every other round the answering side finds its bytes only after it went to sleep.
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(round % 100));
    const Bytes payload = RandomBytes(round % 64 == 0 ? 9000 : round % 100, round);
    ASSERT_TRUE(sender().Post(ItemFrame(round, payload)));
    ASSERT_EQ(sender().FlushBefore(watchdog), IoStatus::kDone);
    ASSERT_EQ(sender().ReceiveBefore(sink_, watchdog), IoStatus::kDone);
    ASSERT_TRUE(sink_.frames.back().payload == payload) << "round " << round;
  }
  EXPECT_TRUE(answered.get());
  ExpectItems(kRounds);
}

TEST_P(ChannelConformance, ReceiveHandsOutNoMoreFramesThanAsked) {
  for (std::uint64_t item = 0; item < 10; ++item) ASSERT_TRUE(sender().Post(ItemFrame(item, {})));
  ASSERT_EQ(sender().FlushBefore(Deadline::After(kWatchdog)), IoStatus::kDone);
  EXPECT_EQ(receiver().Receive(sink_, 3), IoStatus::kDone);
  EXPECT_EQ(sink_.frames.size(), 3U);
  EXPECT_EQ(receiver().Receive(sink_, 7), IoStatus::kDone);
  EXPECT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
  ExpectItems(10);
}

// ---- C2: a full channel pushes back

TEST_P(ChannelConformance, SmallPayloadsAreCopiedByPost) {
  const Bytes expected = RandomBytes(kSmallPayload, 3);
  Bytes payload = expected;
  ASSERT_TRUE(sender().Post(ItemFrame(0, payload)));
  std::ranges::fill(payload, std::byte{0});
  ASSERT_NO_FATAL_FAILURE(Pump());
  ASSERT_NO_FATAL_FAILURE(ExpectItems(1));
  EXPECT_TRUE(sink_.frames[0].payload == expected);
}

// Also in the middle of one: what went before came from the caller's memory.
TEST_P(ChannelConformance, UnsentPayloadsAreKeptWhenAsked) {
  const std::size_t size = kind().throttled ? kMoreThanFitsThrottled : kMoreThanFits;
  const Bytes expected[] = {RandomBytes(size, 5), RandomBytes(size, 6)};
  Bytes payloads[] = {expected[0], expected[1]};
  for (std::size_t item = 0; item < 2; ++item) {
    ASSERT_TRUE(sender().Post(ItemFrame(item, payloads[item])));
    ASSERT_EQ(sender().Flush(), IoStatus::kBlocked);
    sender().KeepUnsent();
    std::ranges::fill(payloads[item], std::byte{0});
  }
  ASSERT_NO_FATAL_FAILURE(Pump());
  ASSERT_NO_FATAL_FAILURE(ExpectItems(2));
  EXPECT_TRUE(sink_.frames[0].payload == expected[0]);
  EXPECT_TRUE(sink_.frames[1].payload == expected[1]);
}

TEST_P(ChannelConformance, AFullChannelPushesBackAndDropsNothing) {
  const Bytes payload = RandomBytes(1000, 4);
  std::uint64_t posted = 0;
  IoStatus flushed = IoStatus::kDone;
  // Far more than any channel may take in; its memory would be unbounded then.
  constexpr std::uint64_t kTooMany = 1'000'000;
  while (posted < kTooMany && sender().Post(ItemFrame(posted, payload))) {
    ++posted;
    flushed = sender().Flush();
    ASSERT_LE(flushed, IoStatus::kBlocked);
  }
  ASSERT_LT(posted, kTooMany);
  EXPECT_EQ(flushed, IoStatus::kBlocked);
  EXPECT_TRUE(sender().HasUnsent());
  EXPECT_GT(sender().UnsentBytes(), 0U);
  EXPECT_FALSE(sender().Post(ItemFrame(posted, payload))) << "still full";

  ASSERT_NO_FATAL_FAILURE(Pump());
  EXPECT_FALSE(sender().HasUnsent());
  EXPECT_EQ(sender().UnsentBytes(), 0U);
  ASSERT_NO_FATAL_FAILURE(ExpectItems(posted));
  // What was refused is still the caller's, and goes now.
  ASSERT_TRUE(sender().Post(ItemFrame(posted, payload)));
  ASSERT_NO_FATAL_FAILURE(Pump());
  ASSERT_NO_FATAL_FAILURE(ExpectItems(posted + 1));
  for (const Arrived& frame : sink_.frames) ASSERT_TRUE(frame.payload == payload);
}

// ---- C3: deadlines, waking, death

TEST_P(ChannelConformance, DeadlinesEndAWaitButNotBefore) {
  for (const Nanoseconds spin : {Nanoseconds{0}, kMillisecond}) {
    receiver().SpinBeforeParking(spin);
    const Deadline soon = Deadline::After(70 * kMillisecond);
    EXPECT_EQ(receiver().ReceiveBefore(sink_, soon), IoStatus::kBlocked);
    EXPECT_TRUE(soon.Passed());
  }
  ASSERT_NO_FATAL_FAILURE(Fill());
  const Deadline soon = Deadline::After(70 * kMillisecond);
  EXPECT_EQ(sender().FlushBefore(soon), IoStatus::kBlocked);
  EXPECT_TRUE(soon.Passed());
  EXPECT_TRUE(sink_.frames.empty());
}

TEST_P(ChannelConformance, AWaitOfLimitedLengthEndsThenAndNotBefore) {
  for (const Nanoseconds spin : {Nanoseconds{0}, kMillisecond, kSecond}) {
    receiver().SpinBeforeParking(spin);
    const Deadline soon = Deadline::After(30 * kMillisecond);
    EXPECT_EQ(receiver().ReceiveWithin(sink_, 30 * kMillisecond), IoStatus::kBlocked);
    EXPECT_TRUE(soon.Passed());
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(sink_.frames.size(), {})));
    EXPECT_EQ(receiver().ReceiveWithin(sink_, 0), IoStatus::kDone);
  }
  ExpectItems(3);
}

TEST_P(ChannelConformance, ADeadlineThatHasPassedStillGetsWhatIsHere) {
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(0, {})));
  EXPECT_EQ(receiver().ReceiveBefore(sink_, Deadline::At(0)), IoStatus::kDone);
  EXPECT_EQ(receiver().ReceiveBefore(sink_, Deadline::At(0)), IoStatus::kBlocked);
  ExpectItems(1);
}

TEST_P(ChannelConformance, ASendWakesABlockedReceiver) {
  for (const Nanoseconds spin : {Nanoseconds{0}, 100 * kMicrosecond}) {
    ASSERT_NO_FATAL_FAILURE(Renew());
    receiver().SpinBeforeParking(spin);
    const Deadline watchdog = Deadline::After(kWatchdog);
    auto received =
        std::async(std::launch::async, [&] { return receiver().ReceiveBefore(sink_, watchdog); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(sender().Post(ItemFrame(0, {})));
    EXPECT_EQ(sender().FlushBefore(watchdog), IoStatus::kDone);
    EXPECT_EQ(received.get(), IoStatus::kDone);
    EXPECT_FALSE(watchdog.Passed()) << "nobody woke it";
  }
}

TEST_P(ChannelConformance, AReadWakesABlockedSender) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const Deadline watchdog = Deadline::After(kWatchdog);
  auto sent = std::async(std::launch::async, [&] { return sender().FlushBefore(watchdog); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  while (sink_.frames.empty() && !watchdog.Passed()) {
    ASSERT_LE(receiver().Receive(sink_), IoStatus::kBlocked);
    std::this_thread::yield();
  }
  EXPECT_EQ(sent.get(), IoStatus::kDone);
  EXPECT_FALSE(watchdog.Passed()) << "nobody woke it";
  ASSERT_NO_FATAL_FAILURE(ExpectItems(1));
  EXPECT_TRUE(sink_.frames[0].payload == long_payload_);
}

// A sleeper says that it sleeps, then looks again. Without the second look, what came in between
// would wake nobody. The worker over shm would still wake after 50 ms, so it is tried often enough
// to pass the watchdog then.
TEST_P(ChannelConformance, AWaitBegunAfterTheBytesCameDoesNotSleep) {
  constexpr std::uint64_t kRounds = 400;
  const Deadline watchdog = Deadline::After(15 * kSecond);
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(round, {})));
    RawAccess::Wait(receiver(), true, false, watchdog);
    ASSERT_FALSE(watchdog.Passed()) << "round " << round;
    while (sink_.frames.size() <= round) {
      ASSERT_LE(receiver().Receive(sink_), IoStatus::kBlocked);
    }
  }
  ExpectItems(kRounds);
}

TEST_P(ChannelConformance, AWaitBegunAfterRoomCameDoesNotSleep) {
  constexpr std::size_t kFrames = 6;
  const Deadline watchdog = Deadline::After(15 * kSecond);
  for (std::size_t item = 0; item < kFrames; ++item) {
    ASSERT_TRUE(sender().Post(ItemFrame(item, long_payload_)));
  }
  while (sender().Flush() == IoStatus::kBlocked) {
    ASSERT_LE(receiver().Receive(sink_), IoStatus::kBlocked);
    RawAccess::Wait(sender(), false, true, watchdog);
    ASSERT_FALSE(watchdog.Passed()) << sink_.frames.size() << " frames came";
  }
  ASSERT_NO_FATAL_FAILURE(Pump());
  ExpectItems(kFrames);
}

// What an event loop does: Arm(), then sleep until readable_fd can be read.
TEST_P(ChannelConformance, AnEventLoopLearnsOfEveryArrival) {
  if (receiver().readable_fd() < 0) return;  // no event loop watches this end
  const auto readable = [&](int milliseconds) {
    pollfd fd{receiver().readable_fd(), POLLIN, 0};
    return ::poll(&fd, 1, milliseconds) > 0;
  };
  std::uint64_t item = 0;
  for (int round = 0; round < 50; ++round) {
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(item++, {})));
    ASSERT_TRUE(!receiver().Arm() || readable(0)) << "it came before the loop slept";
    ASSERT_TRUE(receiver().Peek().value_or(true));
    receiver().AcknowledgeWake();
    ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
    ASSERT_FALSE(receiver().Peek().value_or(false));

    ASSERT_TRUE(receiver().Arm());
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(item++, {})));
    ASSERT_TRUE(readable(static_cast<int>(kWatchdog / kMillisecond)))
        << "it came while the loop slept";
    receiver().AcknowledgeWake();
    ASSERT_EQ(receiver().Receive(sink_), IoStatus::kBlocked);
  }
  ExpectItems(item);
}

TEST_P(ChannelConformance, AnEventLoopLearnsOfRoom) {
  const int fd = sender().writable_fd() >= 0 ? sender().writable_fd() : sender().readable_fd();
  if (fd < 0) return;  // no event loop watches this end
  ASSERT_NO_FATAL_FAILURE(Fill());
  const Deadline watchdog = Deadline::After(kWatchdog);
  while (sender().Flush() == IoStatus::kBlocked) {
    const bool sleeps = sender().Arm();
    ASSERT_LE(receiver().Receive(sink_), IoStatus::kBlocked);
    pollfd room{fd, static_cast<short>(fd == sender().writable_fd() ? POLLOUT : POLLIN), 0};
    if (sleeps) {
      ASSERT_GT(::poll(&room, 1, watchdog.LeftForPoll()), 0) << "nobody told it";
    }
    sender().AcknowledgeWake();
  }
  ASSERT_NO_FATAL_FAILURE(Pump());
  ExpectItems(1);
}

TEST_P(ChannelConformance, ThePeersDeathWakesABlockedReceiver) {
  const Deadline watchdog = Deadline::After(kWatchdog);
  auto received =
      std::async(std::launch::async, [&] { return receiver().ReceiveBefore(sink_, watchdog); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  KillSender();
  EXPECT_EQ(received.get(), IoStatus::kClosed);
  EXPECT_FALSE(watchdog.Passed());
  EXPECT_TRUE(sink_.frames.empty());
}

TEST_P(ChannelConformance, ThePeersDeathWakesABlockedSender) {
  ASSERT_NO_FATAL_FAILURE(Fill());
  const Deadline watchdog = Deadline::After(kWatchdog);
  auto sent = std::async(std::launch::async, [&] { return sender().FlushBefore(watchdog); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  KillReceiver();
  EXPECT_EQ(sent.get(), IoStatus::kClosed);
  EXPECT_FALSE(watchdog.Passed());
}

TEST_P(ChannelConformance, WhatWasSentBeforeDeathArrivesAndAnUnfinishedFrameDoesNot) {
  const Bytes payload = RandomBytes(500, 5);
  for (std::uint64_t item = 0; item < 3; ++item) {
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(item, payload)));
  }
  ASSERT_TRUE(sender().Post(ItemFrame(3, long_payload_)));
  ASSERT_EQ(sender().Flush(), IoStatus::kBlocked);
  KillSender();
  EXPECT_EQ(ReceiveToTheEnd(), IoStatus::kClosed);
  ASSERT_NO_FATAL_FAILURE(ExpectItems(3));
  for (const Arrived& frame : sink_.frames) EXPECT_TRUE(frame.payload == payload);
  EXPECT_EQ(receiver().ReceiveBefore(sink_, Deadline::After(kWatchdog)), IoStatus::kClosed);
}

// The news of a death and the last bytes travel on two ways, and the news may be the faster.
TEST_P(ChannelConformance, BytesThatComeAfterTheNewsOfDeathAreStillReceived) {
  if (kind().transport != nullptr) {
    // The hang-up, while the sender can still send.
    (to_worker() ? link_->master_control : link_->worker_control)->TakeFd();
    RawAccess::Wait(receiver(), true, false, Deadline::After(200 * kMillisecond));
  }
  ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(0, {})));
  KillSender();
  EXPECT_EQ(ReceiveToTheEnd(), IoStatus::kClosed);
  ExpectItems(1);
}

// Cut anywhere: in the header, in the annex, in the payload.
TEST_P(ChannelConformance, ATruncatedFrameIsDropped) {
  const auto annex = SealedAnnex(ResultAnnex{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0});
  FrameHeader header;
  header.type = FrameType::kResult;
  const Bytes whole = Sealed(header, annex, RandomBytes(100, 6));
  for (std::size_t bytes = 1; bytes < whole.size(); bytes += 13) {
    SCOPED_TRACE(std::to_string(bytes) + " bytes of " + std::to_string(whole.size()));
    ASSERT_NO_FATAL_FAILURE(Renew());
    ASSERT_NO_FATAL_FAILURE(PostAndFlush(ItemFrame(0, {})));
    ASSERT_NO_FATAL_FAILURE(RawAccess::WriteAll(sender(), std::span(whole).first(bytes)));
    KillSender();
    ASSERT_EQ(ReceiveToTheEnd(), IoStatus::kClosed);
    ASSERT_NO_FATAL_FAILURE(ExpectItems(1));
  }
}

}  // namespace
}  // namespace procpool
