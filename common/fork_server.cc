#include "common/fork_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace procpool {
namespace {

constexpr std::size_t kMostFds = 16;
constexpr std::size_t kLongestMessage = 4096;

union ControlBuffer {
  std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> bytes;
  cmsghdr align;
};

bool WaitFor(int socket, short events, Deadline deadline) {
  do {
    pollfd ready{socket, events, 0};
    if (::poll(&ready, 1, deadline.LeftForPoll()) > 0) return true;
  } while (!deadline.Passed());
  return false;
}

bool Send(int socket, std::string_view bytes, std::span<const int> fds, Deadline deadline) {
  if (fds.size() > kMostFds || bytes.size() > kLongestMessage) return false;
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: sendmsg does not write
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  ControlBuffer control{};
  if (!fds.empty()) {
    packet.msg_control = control.bytes.data();
    packet.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  while (WaitFor(socket, POLLOUT, deadline)) {
    if (::sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno != EINTR && errno != EAGAIN) return false;
  }
  return false;
}

bool Receive(int socket, std::string& bytes, std::vector<UniqueFd>& fds, Deadline deadline) {
  bytes.resize(kLongestMessage);
  iovec piece{bytes.data(), bytes.size()};
  ControlBuffer control{};
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  packet.msg_control = control.bytes.data();
  packet.msg_controllen = control.bytes.size();
  ssize_t got = -1;
  while (got < 0) {
    if (!WaitFor(socket, POLLIN, deadline)) return false;
    got = ::recvmsg(socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0 && errno != EINTR && errno != EAGAIN) return false;
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&packet); header != nullptr;
       header = CMSG_NXTHDR(&packet, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  bytes.resize(static_cast<std::size_t>(got));
  return got > 0 && (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
}

struct ReplyNumbers {
  std::int32_t pid;
  std::int32_t error;
};

}  // namespace

bool SendForkRequest(int socket, const std::string& argument, std::span<const int> fds,
                     Deadline deadline) {
  return Send(socket, argument, fds, deadline);
}

std::optional<ForkRequest> ReceiveForkRequest(int socket, Deadline deadline) {
  ForkRequest request;
  if (!Receive(socket, request.argument, request.fds, deadline)) return std::nullopt;
  return request;
}

bool SendForkReply(int socket, const ForkReply& reply, Deadline deadline) {
  const ReplyNumbers numbers{reply.pid, reply.error};
  const int pidfd = reply.pidfd.get();
  return Send(socket, {reinterpret_cast<const char*>(&numbers), sizeof numbers},
              std::span(&pidfd, reply.pidfd ? 1 : 0), deadline);
}

std::optional<ForkReply> ReceiveForkReply(int socket, Deadline deadline) {
  std::string bytes;
  std::vector<UniqueFd> fds;
  ReplyNumbers numbers{};
  if (!Receive(socket, bytes, fds, deadline) || bytes.size() != sizeof numbers) return std::nullopt;
  std::memcpy(&numbers, bytes.data(), sizeof numbers);
  ForkReply reply{.pid = numbers.pid, .error = numbers.error};
  if (!fds.empty()) reply.pidfd = std::move(fds.front());
  return reply;
}

}  // namespace procpool
