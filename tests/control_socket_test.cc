#include "common/control_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <procpool/error.h>

#include "tests/open_descriptors.h"

namespace procpool {
namespace {

constexpr Nanoseconds kWatchdog = 60 * kSecond;

class ControlSocketTest : public testing::Test {
 protected:
  ControlSocketTest() {
    auto [near, far] = ControlSocket::MakePair();
    near_.emplace(std::move(near));
    far_.emplace(std::move(far));
  }
  /// What no honest master sends; `attached` -1: without a descriptor.
  void SendRaw(std::span<const std::byte> bytes, int attached) const {
    iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &piece;
    packet.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (attached >= 0) {
      packet.msg_control = control.data();
      packet.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&packet);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
    }
    ASSERT_GE(::sendmsg(near_->fd(), &packet, MSG_NOSIGNAL), 0);
  }

  std::optional<ControlSocket> near_, far_;
  RegionTable table_;
};

TEST_F(ControlSocketTest, BothEndsAreCloseOnExecAndNonBlocking) {
  for (const ControlSocket* end : {&*near_, &*far_}) {
    EXPECT_EQ(::fcntl(end->fd(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(end->fd(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST_F(ControlSocketTest, NothingHereIsNoError) {
  far_->ReceiveInto(table_);
  EXPECT_EQ(table_.Find(1), nullptr);
}

TEST_F(ControlSocketTest, RegionsArriveUnderTheirNumbersUntilTheyAreForgotten) {
  const SharedRegion first = SharedRegion::Create(100);
  const SharedRegion second = SharedRegion::Create(200);
  ASSERT_TRUE(near_->SendRegion(1, first, Deadline::After(kWatchdog)));
  ASSERT_TRUE(near_->SendRegion(2, second, Deadline::After(kWatchdog)));
  far_->ReceiveInto(table_);
  ASSERT_NE(table_.Find(1), nullptr);
  ASSERT_NE(table_.Find(2), nullptr);
  EXPECT_EQ(table_.Find(1)->bytes().size(), 100U);
  EXPECT_EQ(table_.Find(2)->bytes().size(), 200U);
  first.bytes()[99] = std::byte{5};
  EXPECT_EQ(table_.Find(1)->bytes()[99], std::byte{5});

  ASSERT_TRUE(near_->SendForget(1, Deadline::After(kWatchdog)));
  far_->ReceiveInto(table_);
  EXPECT_EQ(table_.Find(1), nullptr);
  EXPECT_NE(table_.Find(2), nullptr);
}

TEST_F(ControlSocketTest, ARegionKeepsNoDescriptorWhereItArrives) {
  const std::size_t before = OpenDescriptors();
  {
    const SharedRegion region = SharedRegion::Create(100);
    for (std::uint32_t id = 1; id <= 20; ++id) {
      ASSERT_TRUE(near_->SendRegion(id, region, Deadline::After(kWatchdog)));
      far_->ReceiveInto(table_);
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_NE(table_.Find(20), nullptr);
}

TEST_F(ControlSocketTest, RegionsSentBeforeThePeersDeathStillArrive) {
  const SharedRegion region = SharedRegion::Create(100);
  ASSERT_TRUE(near_->SendRegion(7, region, Deadline::After(kWatchdog)));
  near_.reset();
  EXPECT_TRUE(far_->PeerGone());
  far_->ReceiveInto(table_);
  EXPECT_NE(table_.Find(7), nullptr);
}

TEST_F(ControlSocketTest, AFullQueueEndsAtTheDeadline) {
  std::uint32_t sent = 0;
  const Deadline deadline = Deadline::After(50 * kMillisecond);
  while (sent < 1'000'000 && near_->SendForget(sent, deadline)) ++sent;
  ASSERT_LT(sent, 1'000'000U);
  EXPECT_TRUE(deadline.Passed());
  EXPECT_FALSE(near_->PeerGone());
  far_->ReceiveInto(table_);
  EXPECT_TRUE(near_->SendForget(0, Deadline::After(kWatchdog)));
}

TEST_F(ControlSocketTest, TheHangUpIsSeenByEitherSide) {
  EXPECT_FALSE(near_->PeerGone());
  EXPECT_FALSE(far_->PeerGone());
  far_.reset();
  EXPECT_TRUE(near_->PeerGone());
  const SharedRegion region = SharedRegion::Create(100);
  EXPECT_FALSE(near_->SendRegion(1, region, Deadline::After(kWatchdog)));
  EXPECT_FALSE(near_->SendForget(1, Deadline::After(kWatchdog)));
}

TEST_F(ControlSocketTest, AnotherHolderOfThePeersEndKeepsItAlive) {
  UniqueFd copy(::fcntl(far_->fd(), F_DUPFD_CLOEXEC, 0));
  far_.reset();
  EXPECT_FALSE(near_->PeerGone());
  copy.Reset();
  EXPECT_TRUE(near_->PeerGone());
}

TEST_F(ControlSocketTest, MessagesOfAnotherLengthAreErrorsAndLeakNoDescriptor) {
  const std::size_t before = OpenDescriptors();
  for (const std::size_t bytes : {1U, 15U, 17U, 100U}) {
    const std::vector<std::byte> garbage(bytes, std::byte{1});
    ASSERT_NO_FATAL_FAILURE(SendRaw(garbage, near_->fd()));
    EXPECT_THROW(far_->ReceiveInto(table_), Error) << bytes;
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(ControlSocketTest, ARegionShorterThanAnnouncedIsAnError) {
  const SharedRegion region = SharedRegion::Create(100);
  // operation 1: add, number 3, 101 bytes
  const std::array<std::uint32_t, 4> message{1, 3, 101, 0};
  ASSERT_NO_FATAL_FAILURE(SendRaw(std::as_bytes(std::span(message)), region.fd()));
  EXPECT_THROW(far_->ReceiveInto(table_), Error);
  EXPECT_EQ(table_.Find(3), nullptr);
}

TEST_F(ControlSocketTest, TakeFdHandsTheDescriptorOver) {
  const int fd = far_->fd();
  const UniqueFd taken = far_->TakeFd();
  EXPECT_EQ(taken.get(), fd);
  far_.reset();
  EXPECT_FALSE(near_->PeerGone());
}

}  // namespace
}  // namespace procpool
