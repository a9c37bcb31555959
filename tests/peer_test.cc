// Peers that keep the protocol and peers that do not. The fake ones are shell scripts whose last
// argument is the grid's file.
#include "master/lab/peer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

#include <procpool/error.h>
#include "common/kernel.h"
#include "tests/open_descriptors.h"

namespace procpool {
namespace {

constexpr Nanoseconds kWatchdog = 60 * kSecond;

/// 4 x 2 points: 32 bytes.
PeerJob SmallJob() {
  return {LoadWorkload("julia-book", {.width = 4, .height = 2}), 2, 2};
}

/// What every fake begins with: `grid` is the file's path; `counts N` writes N counts of 1.
PeerProgram Fake(const std::string& script) {
  const std::string prelude =
      "for grid; do :; done\n"
      "counts() { : >\"$grid\"; for i in $(seq $1); do printf '\\1\\0\\0\\0' >>\"$grid\"; done; }\n"
      "ready() { echo '{\"peer\": \"fake\", \"version\": \"Fake 1\", \"ready\": true}'; }\n";
  return {"fake", "", {"/bin/sh", "-c", prelude + script, "fake"}};
}

constexpr std::string_view kGood =
    "ready; while read line && [ \"$line\" = run ]; do counts 8; "
    "echo '{\"wall_seconds\": 0.25, \"sum\": 8}'; done";

/// What an operation of the peer fails with.
template <typename Operation>
std::string FailureOf(Operation operation) {
  try {
    operation();
  } catch (const Error& error) {
    return error.what();
  }
  return "no failure";
}

std::string RunFailure(const std::string& script, Nanoseconds timeout = kWatchdog) {
  Peer peer(Fake(script), SmallJob(), kWatchdog);
  return FailureOf([&] { peer.Run(timeout); });
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool Gone(pid_t pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

TEST(PeerTest, AGoodPeerAnswersAsOftenAsAskedAndLeaves) {
  Peer peer(Fake(std::string(kGood)), SmallJob(), kWatchdog);
  EXPECT_EQ(peer.missing(), "");
  EXPECT_EQ(peer.version(), "Fake 1");
  const std::vector<std::int32_t> ones(8, 1);
  for (int i = 0; i < 3; ++i) {
    const PeerRun run = peer.Run(kWatchdog);
    EXPECT_EQ(run.wall_seconds, 0.25);
    EXPECT_EQ(run.checksum, ChecksumOf(ones));
  }
  EXPECT_TRUE(peer.Quit(kWatchdog));
}

TEST(PeerTest, WhatIsMissingIsNamedAndIsNoError) {
  const Peer peer(Fake("echo '{\"missing\": \"numba is not installed\"}'"), SmallJob(), kWatchdog);
  EXPECT_EQ(peer.missing(), "numba is not installed");
}

TEST(PeerTest, AProgramThatDoesNotExistIsTheUsersError) {
  const PeerProgram program{"fake", "", {"/nowhere/peer"}};
  try {
    const Peer peer(program, SmallJob(), kWatchdog);
    ADD_FAILURE() << "it started";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kUser);
    EXPECT_TRUE(Has(error.what(), "/nowhere/peer")) << error.what();
  }
}

TEST(PeerTest, APeerIsToldTheJob) {
  const std::string text = FailureOf([] {
    const Peer peer(Fake("shift $(($# - 14)); echo $1 $3 $4 $5 $6 $7 $8 $9; exit"), SmallJob(),
                    kWatchdog);
  });
  EXPECT_TRUE(Has(text, "--workload-json --procs 2 --chunks 2 --payload rows --kernel")) << text;
}

TEST(PeerTest, GarbageInsteadOfReadiness) {
  for (const std::string said : {"hello", "{}", "[]", "17", "{\"ready\": 1}", "{\"ready\"", ""}) {
    const std::string text = FailureOf(
        [&] { const Peer peer(Fake("echo '" + said + "'; sleep 60"), SmallJob(), kWatchdog); });
    EXPECT_TRUE(Has(text, "instead of being ready")) << said << ": " << text;
  }
}

TEST(PeerTest, GarbageInsteadOfATime) {
  for (const std::string said : {"done", "{}", "{\"wall_seconds\": -1, \"sum\": 8}",
                                 "{\"wall_seconds\": \"1\", \"sum\": 8}"}) {
    const std::string text =
        RunFailure("ready; read line; counts 8; echo '" + said + "'; sleep 60");
    EXPECT_TRUE(Has(text, "instead of its time")) << said << ": " << text;
  }
}

TEST(PeerTest, ALineWithoutAnEnd) {
  const std::string text = RunFailure("ready; read line; exec tr '\\0' x </dev/zero");
  EXPECT_TRUE(Has(text, "a line without an end")) << text;
}

TEST(PeerTest, SilenceEndsAtTheDeadline) {
  EXPECT_TRUE(
      Has(FailureOf([] { const Peer peer(Fake("sleep 60"), SmallJob(), 50 * kMillisecond); }),
          "gave no answer within 50 ms"));
  EXPECT_TRUE(Has(RunFailure("ready; sleep 60", 50 * kMillisecond), "gave no answer within 50 ms"));
}

TEST(PeerTest, DeathIsReportedWithItsLastWords) {
  const std::string killed = RunFailure("ready; read line; echo 'out of luck' >&2; kill -9 $$");
  EXPECT_TRUE(Has(killed, "killed by signal 9 (SIGKILL)")) << killed;
  EXPECT_TRUE(Has(killed, "it last wrote: out of luck")) << killed;
  const std::string left = RunFailure("ready; read line; exit 3");
  EXPECT_TRUE(Has(left, "exited with code 3")) << left;
}

TEST(PeerTest, ADeadPeerTakesNoJob) {
  Peer peer(Fake("ready; exec <&-; exit 4"), SmallJob(), kWatchdog);
  const std::string text = FailureOf([&] { peer.Run(kWatchdog); });
  // Whether the hand-over or the answer fails depends on who is faster.
  EXPECT_TRUE(Has(text, "does not take the job") || Has(text, "exited with code 4")) << text;
}

TEST(PeerTest, ChildrenThatHoldTheOutputDoNotKeepADeadPeerAlive) {
  const std::string text = RunFailure("ready; read line; sleep 600 & exit 5");
  EXPECT_TRUE(Has(text, "exited with code 5")) << text;
}

TEST(PeerTest, AGridThatIsNotWhole) {
  for (const char* count : {"0", "7", "9"}) {
    const std::string text = RunFailure(std::string("ready; read line; counts ") + count +
                                        "; echo '{\"wall_seconds\": 1, \"sum\": 8}'; sleep 60");
    EXPECT_TRUE(Has(text, "bytes instead of 32")) << text;
  }
}

TEST(PeerTest, TheGridOfAnEarlierRunDoesNotCount) {
  const std::string answer = "echo '{\"wall_seconds\": 1, \"sum\": 8}'; ";
  Peer peer(Fake("ready; read line; counts 8; " + answer + "read line; " + answer), SmallJob(),
            kWatchdog);
  EXPECT_EQ(peer.Run(kWatchdog).checksum.sum, 8);
  const std::string text = FailureOf([&] { peer.Run(kWatchdog); });
  EXPECT_TRUE(Has(text, " 0 bytes instead of 32")) << text;
}

TEST(PeerTest, ASumThatIsNotTheGrids) {
  const std::string text =
      RunFailure("ready; read line; counts 8; echo '{\"wall_seconds\": 1, \"sum\": 9}'; sleep 60");
  EXPECT_TRUE(Has(text, "its grid adds up to 8")) << text;
}

TEST(PeerTest, NothingIsLeftOfAPeerThatWillNotLeave) {
  const std::size_t descriptors = OpenDescriptors();
  pid_t leader = 0;
  pid_t child = 0;
  {
    Peer peer(Fake("trap '' TERM HUP; sleep 600 & "
                   "echo \"{\\\"ready\\\": true, \\\"version\\\": \\\"$!\\\"}\"; "
                   "while :; do sleep 600; done"),
              SmallJob(), kWatchdog);
    leader = peer.pid();
    child = std::stoi(peer.version());
    EXPECT_FALSE(Gone(leader));
    EXPECT_FALSE(peer.Quit(10 * kMillisecond));
  }
  EXPECT_TRUE(Gone(leader));
  // Its child was killed with the group; whoever inherited it reaps it.
  for (const Deadline deadline = Deadline::After(kWatchdog); !Gone(child) && !deadline.Passed();) {
    char state = 0;
    const std::string path = "/proc/" + std::to_string(child) + "/stat";
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text(256, '\0');
    if (file && ::read(file.get(), text.data(), text.size()) > 0) {
      state = text[text.rfind(')') + 2];
    }
    if (state == 'Z' || state == 0) return;
    ::usleep(1000);
  }
  EXPECT_TRUE(Gone(child));
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

TEST(PeerTest, RealPeersGiveTheSerialGrid) {
  const auto programs = KnownPeers(PROCPOOL_SOURCE_DIR "/tests/peers", PROCPOOL_BIN);
  ASSERT_EQ(programs.front().name, "python-pool");
  ASSERT_EQ(programs.front().missing, "");
  for (const PeerProgram& program : programs) {
    if (!program.missing.empty()) continue;
    for (const char* name : {"julia-book", "julia-lesson", "mandelbrot-workshop"}) {
      const PeerJob job{LoadWorkload(name, {.width = 40, .height = 30}), 2, 7,
                        RowsPayload::kCoords};
      Peer peer(program, job, kWatchdog);
      if (!peer.missing().empty()) continue;
      std::vector<std::int32_t> grid(std::size_t{40} * 30);
      RowsComputer(job.workload.fractal, *FindKernel("complex")).Compute(0, grid);
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(peer.Run(kWatchdog).checksum, ChecksumOf(grid)) << program.name << " " << name;
      }
      EXPECT_TRUE(peer.Quit(kWatchdog)) << program.name;
    }
  }
}

TEST(PeerTest, KnownPeersThatAreNotThereSayWhy) {
  for (const PeerProgram& program : KnownPeers("/nowhere/scripts", "/nowhere/bin")) {
    EXPECT_TRUE(Has(program.missing, "/nowhere/")) << program.name;
  }
}

}  // namespace
}  // namespace procpool
