// The timed loops of `master ipc`, over links that need no peer.
#include "master/lab/ipc_measure.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include <procpool/error.h>
#include "master/lab/control_link.h"
#include "master/lab/ipc_report.h"

namespace procpool {
namespace {

// Keeps what was asked of it; can be slow or spoil a byte.
class FakeLink final : public Link {
 public:
  void Wake() override { ++wakes; }
  void Rest() noexcept override { ++rests; }
  std::span<std::byte> Message(std::size_t bytes) override {
    memory_.resize(bytes);
    return memory_;
  }
  std::span<const std::byte> RoundTrip(std::size_t bytes) override {
    EXPECT_GT(wakes, rests) << "used while it rests";
    if (on_round_trip) on_round_trip();
    if (spoil) memory_.front() ^= std::byte{1};
    return std::span(memory_).first(bytes);
  }
  void Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) override {
    std::vector<std::byte> message(bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      FillPattern(message, i);
      if (spoil) message.back() ^= std::byte{1};
      arrived(i, message);
    }
  }

  int wakes = 0, rests = 0;
  bool spoil = false;
  std::function<void()> on_round_trip;

 private:
  std::vector<std::byte> memory_;
};

TEST(IpcMeasureTest, GivesOneSampleARoundTrip) {
  FakeLink link;
  link.Wake();
  int trips = 0;
  link.on_round_trip = [&] { ++trips; };
  const std::vector<double> samples = TimeRoundTrips(link, 100, 7);
  EXPECT_EQ(samples.size(), 7U);
  EXPECT_EQ(trips, 7);
  for (const double sample : samples) EXPECT_GE(sample, 0);
}

TEST(IpcMeasureTest, ASpoiltByteIsNoticed) {
  FakeLink link;
  link.Wake();
  link.spoil = true;
  EXPECT_THROW(TimeRoundTrips(link, 100, 1), Error);
  EXPECT_THROW(TimeAtRate(link, 100, 1, 1000), Error);
  EXPECT_THROW(TimeStream(link, 100, 1), Error);
}

TEST(IpcMeasureTest, ALateAnswerDelaysThoseBehindIt) {
  FakeLink link;
  link.Wake();
  int trip = 0;
  link.on_round_trip = [&] {
    if (trip++ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  };
  // Ten are due within 10 ms; the first one's answer takes 50.
  const std::vector<double> samples = TimeAtRate(link, 64, 10, 1000);
  ASSERT_EQ(samples.size(), 10U);
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_GE(samples[i], 0.050 - 0.001 * static_cast<double>(i)) << i;
}

TEST(IpcMeasureTest, MessagesAreNotSentBeforeTheyAreDue) {
  FakeLink link;
  link.Wake();
  const Nanoseconds begun = Now();
  TimeAtRate(link, 64, 21, 1000);
  EXPECT_GE(Seconds(Now() - begun), 0.020);
}

TEST(IpcMeasureTest, CountIsFittedToTheTime) {
  const auto linear = [](std::uint64_t count) { return 1e-3 * static_cast<double>(count); };
  EXPECT_EQ(CountFor(linear, 0.1, 1'000'000), 100U);
  EXPECT_EQ(CountFor(linear, 0.1, 30), 30U);
  EXPECT_EQ(CountFor(linear, 1e-6, 1000), 1U);
  EXPECT_EQ(CountFor([](std::uint64_t) { return 0.0; }, 0.1, 1000), 1000U);
}

IpcContenders TwoContenders() {
  IpcContenders contenders;
  contenders.all.push_back(
      {IpcContender::Kind::kRaw, "raw pipe", WaitMode::kPark, "", std::make_unique<FakeLink>()});
  contenders.all.push_back({IpcContender::Kind::kTransport, "pipe", WaitMode::kPark, "raw pipe",
                            std::make_unique<FakeLink>()});
  return contenders;
}

TEST(IpcMeasureTest, TheOrderRotatesAndWhoIsNotMeasuredRests) {
  IpcContenders contenders = TwoContenders();
  std::string order;
  const auto series =
      InRounds(contenders, 3, [&](IpcContender& who, bool calibrate, IpcSeries& mine) {
        order += who.name == "pipe" ? 'p' : 'r';
        if (!calibrate) mine.rounds.push_back(1);
        int awake = 0;
        for (const IpcContender& other : contenders.all) {
          const auto& link = dynamic_cast<FakeLink&>(*other.link);
          awake += link.wakes - link.rests;
        }
        EXPECT_EQ(awake, 1);
      });
  EXPECT_EQ(order,
            "rp"
            "rp"
            "pr"
            "rp");
  EXPECT_EQ(series[0].rounds.size(), 3U);
  EXPECT_EQ(series[1].rounds.size(), 3U);
}

const Cell& CellOf(const Table& table, std::size_t row, const std::string& key) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].key == key) return table.rows.at(row).at(i);
  }
  throw std::out_of_range(key);
}

TEST(IpcReportTest, RatioIsToTheRawPrimitiveOfTheSameRound) {
  const IpcContenders contenders = TwoContenders();
  // The third round was disturbed for both.
  const std::vector<IpcSeries> series{{{1, 2, 10}, {1, 2, 10}, 3}, {{1.5, 3, 15}, {1.5, 3, 15}, 3}};
  Table table = LatencyTable(true);
  AddLatencyRows(table, contenders, series, 64);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(CellOf(table, 0, "vs_raw").value, Value());
  EXPECT_EQ(CellOf(table, 1, "vs_raw").value, Value(1.5));
  EXPECT_EQ(CellOf(table, 1, "raw").value, Value(std::string("raw pipe")));
  EXPECT_EQ(CellOf(table, 1, "p50_seconds").value, Value(3.0));
  EXPECT_EQ(CellOf(table, 1, "max_seconds").value, Value(15.0));
  EXPECT_EQ(CellOf(table, 1, "samples_seconds").value, Value(std::vector<double>{1.5, 3, 15}));
}

TEST(IpcReportTest, ThroughputIsTheMediansOfTheRounds) {
  const IpcContenders contenders = TwoContenders();
  const std::vector<IpcSeries> series{{{}, {100, 200, 400}, 9}, {{}, {50, 100, 200}, 9}};
  Table table = ThroughputTable();
  AddThroughputRows(table, contenders, series, 10);
  EXPECT_EQ(CellOf(table, 0, "bytes_per_second").value, Value(200.0));
  EXPECT_EQ(CellOf(table, 0, "messages_per_second").value, Value(20.0));
  EXPECT_EQ(CellOf(table, 1, "vs_raw").value, Value(0.5));
}

TEST(IpcReportTest, WarnsWhereFiguresAreNotToBeTrusted) {
  IpcOptions options;
  options.waits = {WaitMode::kSpin};
  EXPECT_EQ(WarningsOf(options, 8).size(), 0U);
  EXPECT_EQ(WarningsOf(options, 2).size(), 1U) << "two workers and the master spin on two CPUs";
  EXPECT_EQ(WarningsOf(options, 1).size(), 2U);
  options.waits = {WaitMode::kPark};
  EXPECT_EQ(WarningsOf(options, 1).size(), 0U);
  options.rounds = 5;
  EXPECT_EQ(WarningsOf(options, 1).size(), 1U);

  IpcContenders contenders = TwoContenders();
  contenders.all.push_back({IpcContender::Kind::kControl, "memcpy", std::nullopt, "", nullptr});
  std::vector<IpcSeries> series(3);
  for (IpcSeries& one : series) one.rounds = {1e-6, 1e-6, 1e-6, 1e-6};
  std::vector<std::string> warnings;
  WarnOfNoise(warnings, contenders, series, 64, 50e-9);
  EXPECT_EQ(warnings.size(), 0U);
  series[2].rounds = {1e-6, 1e-6, 2e-6, 3e-6};
  WarnOfNoise(warnings, contenders, series, 64, 200e-9);
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("memcpy"), std::string::npos);
  EXPECT_NE(warnings[1].find("raw pipe (park), pipe (park)"), std::string::npos);
}

}  // namespace
}  // namespace procpool
