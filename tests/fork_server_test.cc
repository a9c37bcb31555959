// The messages between master and fork server.
#include "common/fork_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace procpool {
namespace {

constexpr Nanoseconds kWatchdog = 10 * kSecond;

class ForkServerMessages : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    one_.Reset(ends[0]);
    other_.Reset(ends[1]);
  }
  UniqueFd one_, other_;
};

TEST_F(ForkServerMessages, ARequestArrivesWithItsDescriptors) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  const Deadline deadline = Deadline::After(kWatchdog);
  ASSERT_TRUE(SendForkRequest(one_.get(), "--launch=x", ends, deadline));
  const auto request = ReceiveForkRequest(other_.get(), deadline);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->argument, "--launch=x");
  ASSERT_EQ(request->fds.size(), 2U);
  EXPECT_EQ(::fcntl(request->fds[0].get(), F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(::write(request->fds[1].get(), "k", 1), 1);
  char byte = 0;
  ASSERT_EQ(::read(read_end.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'k');
}

TEST_F(ForkServerMessages, AReplyArrives) {
  const Deadline deadline = Deadline::After(kWatchdog);
  ASSERT_TRUE(SendForkReply(one_.get(), {.pid = 4711, .pidfd = UniqueFd(::dup(0))}, deadline));
  ASSERT_TRUE(SendForkReply(one_.get(), {.pid = -1, .error = ENOSYS}, deadline));
  auto reply = ReceiveForkReply(other_.get(), deadline);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->pid, 4711);
  EXPECT_EQ(reply->error, 0);
  EXPECT_TRUE(static_cast<bool>(reply->pidfd));
  reply = ReceiveForkReply(other_.get(), deadline);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error, ENOSYS);
  EXPECT_FALSE(static_cast<bool>(reply->pidfd));
}

TEST_F(ForkServerMessages, ADeadlineAPeerThatIsGoneAndNonsenseAreNothing) {
  EXPECT_FALSE(ReceiveForkReply(one_.get(), Deadline::After(0)).has_value());
  const Deadline deadline = Deadline::After(kWatchdog);
  ASSERT_EQ(::send(other_.get(), "abc", 3, 0), 3);
  EXPECT_FALSE(ReceiveForkReply(one_.get(), deadline).has_value());
  other_.Reset();
  EXPECT_FALSE(ReceiveForkReply(one_.get(), deadline).has_value());
  EXPECT_FALSE(SendForkRequest(one_.get(), "x", {}, deadline));
}

}  // namespace
}  // namespace procpool
