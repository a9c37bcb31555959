// The raw primitives of the laboratory, both ends in this process: what is sent arrives, and no
// wait outlives its deadline.
#include "master/lab/raw_end.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include <procpool/error.h>
#include "common/pattern.h"
#include "master/lab/raw_message_queue.h"
#include "master/lab/raw_ring.h"
#include "master/lab/raw_stream.h"

namespace procpool {
namespace {

struct Case {
  const char* name;
  RawPair (*make)(WaitMode);
  WaitMode wait;
};

void PrintTo(const Case& which, std::ostream* out) {
  *out << which.name << ' ' << WaitModeName(which.wait);
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const WaitMode wait : {WaitMode::kSpin, WaitMode::kHybrid, WaitMode::kPark}) {
    cases.push_back({"pipe", MakeRawPipe, wait});
    cases.push_back({"socketpair", MakeRawSocketPair, wait});
    cases.push_back({"memory", MakeRawSharedMemory, wait});
    cases.push_back({"eventfd", MakeRawEventFd, wait});
    cases.push_back({"queue", MakeRawMessageQueue, wait});
  }
  return cases;
}

class RawEndTest : public ::testing::TestWithParam<Case> {
 protected:
  RawPair pair_ = GetParam().make(GetParam().wait);
};

INSTANTIATE_TEST_SUITE_P(All, RawEndTest, ::testing::ValuesIn(AllCases()), [](const auto& param) {
  return std::string(param.param.name) + "_" + std::string(WaitModeName(param.param.wait));
});

TEST_P(RawEndTest, EchoesMessagesOfEverySize) {
  const std::vector<std::size_t> sizes{1, 8, 4095, 65'536, 65'537, 262'144, 262'145, 1'000'001};
  std::thread far([&] {
    for (const std::size_t size : sizes) {
      std::vector<std::byte> bytes(size);
      pair_.far->Receive(bytes);
      pair_.far->Send(bytes);
    }
  });
  for (const std::size_t size : sizes) {
    std::vector<std::byte> bytes(size);
    FillPattern(bytes, size);
    pair_.near->Send(bytes);
    std::fill(bytes.begin(), bytes.end(), std::byte{0});
    pair_.near->Receive(bytes);
    EXPECT_TRUE(HasPattern(bytes, size)) << size;
  }
  far.join();
}

TEST_P(RawEndTest, StreamsFarAheadOfTheReceiver) {
  constexpr std::uint64_t kMessages = 2000;
  constexpr std::size_t kBytes = 3000;  // in all far more than any buffer holds
  std::thread far([&] {
    std::vector<std::byte> bytes(kBytes);
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      FillPattern(bytes, i);
      pair_.far->Send(bytes);
    }
  });
  std::vector<std::byte> bytes(kBytes);
  std::uint64_t intact = 0;
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    pair_.near->Receive(bytes);
    if (HasPattern(bytes, i)) ++intact;
  }
  far.join();
  EXPECT_EQ(intact, kMessages);
}

TEST_P(RawEndTest, AWaitEndsWithItsDeadline) {
  const WaitInterrupter interrupter;
  pair_.near->watch().Begin("test", -1, 50 * kMillisecond);
  std::byte byte{};
  EXPECT_THROW(pair_.near->Receive({&byte, 1}), Error);
}

}  // namespace
}  // namespace procpool
