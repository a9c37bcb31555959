// The worker's loop over a pipe, the test being its master.
#include "worker/loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/channel_fixture.h"

namespace procpool {
namespace {

constexpr std::uint32_t kTiny = 1;
constexpr std::uint32_t kSlow = 2;

class Function final : public ByteTask {
 public:
  explicit Function(std::function<void()> function) : function_(std::move(function)) {}
  void Run(std::span<const std::byte>, TaskOutput&) override { function_(); }

 private:
  std::function<void()> function_;
};

// A worker in a thread, which knows of two jobs: in one nothing takes any time, in the other an
// item ends when the test says so.
class WorkerLoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Add("tiny", [] {});
    Add("slow", [this] { go_.get_future().wait(); });
    thread_ = std::thread([this] {
      WorkerRegions regions(*link_.worker_control, link_.worker_table);
      WorkerLoop(*link_.worker, mark_, regions, registry_).Run(0);
    });
    for (const auto& [job, name] : {std::pair{kTiny, "tiny"}, {kSlow, "slow"}}) {
      OutFrame frame;
      frame.header.type = FrameType::kJob;
      frame.header.job = job;
      const std::string_view text(name, 5);  // with the zero
      frame.payload = std::as_bytes(std::span(text));
      EXPECT_TRUE(link_.master->Post(frame));
    }
  }
  void TearDown() override {
    OutFrame stop;
    stop.header.type = FrameType::kStop;
    EXPECT_TRUE(link_.master->Post(stop));
    EXPECT_EQ(link_.master->FlushBefore(Deadline::After(kWatchdog)), IoStatus::kDone);
    thread_.join();
  }

  void Add(const char* name, const std::function<void()>& function) {
    registry_.Add(name, [function](std::span<const std::byte>) {
      return std::make_unique<Function>(function);
    });
  }
  void Post(std::uint32_t job, std::uint8_t flags) {
    OutFrame frame = ItemFrame(items_++, {});
    frame.header.job = job;
    frame.header.flags = flags;
    EXPECT_TRUE(link_.master->Post(frame));
  }
  void Send() { EXPECT_EQ(link_.master->FlushBefore(Deadline::After(kWatchdog)), IoStatus::kDone); }
  std::size_t Results() const {
    return static_cast<std::size_t>(std::ranges::count_if(sink_.frames, [](const Arrived& frame) {
      return frame.header.type == FrameType::kResult;
    }));
  }
  void AwaitResults(std::size_t results) {
    const Deadline deadline = Deadline::After(10 * kSecond);
    while (Results() < results) {
      ASSERT_FALSE(deadline.Passed()) << "of " << results << " results " << Results() << " came";
      link_.master->ReceiveWithin(sink_, 10 * kMillisecond);
    }
  }

  ChannelPair link_{{"pipe", FindTransport("pipe")}};
  WorkMark mark_ = WorkMark::Create();
  TaskRegistry registry_;
  Collector sink_;
  std::promise<void> go_;
  std::uint64_t items_ = 0;
  std::thread thread_;
};

// The tiny ones come in one piece, so that their results may be gathered when the slow one begins.
TEST_F(WorkerLoopTest, NoGatheredResultWaitsForAnotherJobsItem) {
  constexpr std::size_t kMany = 40;
  for (std::size_t i = 0; i < kMany; ++i) Post(kTiny, kTogether);
  Post(kSlow, kTogether);
  Send();
  AwaitResults(kMany);
  go_.set_value();
  AwaitResults(kMany + 1);
}

TEST_F(WorkerLoopTest, NorForAnItemWhoseResultIsWantedAtOnce) {
  constexpr std::size_t kMany = 40;
  for (std::size_t i = 0; i < kMany; ++i) Post(kSlow + 1, 0);  // a job that it does not know
  Post(kSlow, 0);
  Send();
  const Deadline deadline = Deadline::After(10 * kSecond);
  while (sink_.frames.size() < kMany + 1) {  // READY, and that each has failed
    ASSERT_FALSE(deadline.Passed()) << sink_.frames.size();
    link_.master->ReceiveWithin(sink_, 10 * kMillisecond);
  }
  go_.set_value();
  AwaitResults(1);
}

}  // namespace
}  // namespace procpool
