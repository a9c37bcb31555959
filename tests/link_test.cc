// Links with real peers: a forked process for a raw primitive, a worker for a transport. What comes
// back, that an idle peer uses no CPU, and that nothing remains.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <thread>

#include <procpool/error.h>
#include "common/pattern.h"
#include "master/lab/ipc_measure.h"
#include "master/lab/raw_link.h"
#include "master/lab/raw_stream.h"
#include "master/lab/worker_link.h"

namespace procpool {
namespace {

constexpr std::size_t kLargest = std::size_t{300} * 1000;

// utime + stime, fields 14 and 15.
long CpuTicks(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string field;
  long ticks = 0;
  for (int number = 3; fields >> field; ++number) {
    if (number == 14 || number == 15) ticks += std::stol(field);
  }
  return ticks;
}

// Until the killed process has ended; it stays to be reaped.
void AwaitDeath(pid_t pid) {
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
}

class LinkTest : public ::testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }  // as `master ipc` does
  void TearDown() override {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a peer process is left";
  }
  WorkerLinkOptions ForWorker(const char* transport, WaitMode wait, bool in_place) {
    return {.transport = *FindTransport(transport),
            .wait = wait,
            .in_place = in_place,
            .worker_program = DefaultWorkerProgram(),
            .largest = kLargest,
            .message = message_,
            .answer = answer_};
  }
  // Throws if anything arrives spoilt.
  static void Use(Link& link) {
    for (int turn = 0; turn < 2; ++turn) {
      link.Wake();
      for (const std::size_t bytes :
           {std::size_t{1}, std::size_t{8}, std::size_t{5000}, kLargest}) {
        EXPECT_EQ(TimeRoundTrips(link, bytes, 5).size(), 5U);
        std::uint64_t arrived = 0;
        link.Stream(bytes, 200, [&](std::uint64_t number, std::span<const std::byte> message) {
          EXPECT_EQ(number, arrived++);
          EXPECT_EQ(message.size(), bytes);
          EXPECT_TRUE(HasPattern(message, number));
        });
        EXPECT_EQ(arrived, 200U);
      }
      link.Rest();
    }
  }

  std::vector<std::byte> message_ = std::vector<std::byte>(kLargest);
  std::vector<std::byte> answer_ = std::vector<std::byte>(kLargest);
};

TEST_F(LinkTest, ForkedPeerEchoesAndStreams) {
  for (const WaitMode wait : {WaitMode::kSpin, WaitMode::kHybrid, WaitMode::kPark}) {
    RawLink link("raw pipe", MakeRawPipe(wait), message_, answer_);
    Use(link);
  }
}

TEST_F(LinkTest, TheDeathOfAForkedPeerIsNoticed) {
  for (const WaitMode wait : {WaitMode::kSpin, WaitMode::kHybrid, WaitMode::kPark}) {
    RawLink link("raw socketpair", MakeRawSocketPair(wait), message_, answer_);
    link.Wake();
    ::kill(link.peer(), SIGKILL);
    if (wait == WaitMode::kPark) AwaitDeath(link.peer());
    EXPECT_THROW(TimeRoundTrips(link, 8, 1'000'000), Error);
    link.Rest();
  }
}

TEST_F(LinkTest, WorkersEchoAndStreamOverEveryTransport) {
  for (const Transport& transport : Transports()) {
    for (const WaitMode wait : {WaitMode::kHybrid, WaitMode::kPark}) {
      for (const bool in_place : {false, true}) {
        if (in_place && !transport.shares_memory) continue;
        SCOPED_TRACE(std::string(transport.name) + (in_place ? " in place" : ""));
        WorkerLink link(ForWorker(std::string(transport.name).c_str(), wait, in_place));
        Use(link);
      }
    }
  }
}

TEST_F(LinkTest, TheDeathOfAWorkerIsNoticed) {
  for (const char* transport : {"pipe", "queue", "shm"}) {
    for (const bool dead_before : {false, true}) {
      SCOPED_TRACE(std::string(transport) + (dead_before ? ", dead before" : ", dies meanwhile"));
      WorkerLink link(ForWorker(transport, WaitMode::kPark, false));
      link.Wake();
      ::kill(link.peer(), SIGKILL);
      if (dead_before) AwaitDeath(link.peer());
      EXPECT_THROW(TimeRoundTrips(link, 8, 1'000'000), Error);
    }
  }
}

TEST_F(LinkTest, ARestingWorkerThatSpinsUsesNoCpu) {
  WorkerLink link(ForWorker("shm", WaitMode::kSpin, false));
  link.Wake();
  TimeRoundTrips(link, 8, 10);
  link.Rest();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the signal is on its way
  const long before = CpuTicks(link.peer());
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LE(CpuTicks(link.peer()) - before, 1);
}

TEST_F(LinkTest, AWorkerProgramThatCannotBeRunIsAnError) {
  WorkerLinkOptions options = ForWorker("pipe", WaitMode::kPark, false);
  options.worker_program = "/nonexistent/worker";
  EXPECT_THROW(WorkerLink{options}, Error);
}

}  // namespace
}  // namespace procpool
