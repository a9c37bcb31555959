#include "common/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <procpool/error.h>
#include "common/os_error.h"

namespace procpool {
namespace {

enum class Operation : std::uint32_t { kAdd = 1, kForget = 2 };

struct Message {
  Operation operation;
  std::uint32_t id;
  std::uint64_t bytes;
};

union ControlBuffer {
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  cmsghdr align;
};

[[noreturn]] void RefuseMessage() {
  throw Error(Blame::kMachine,
              {"receive", "shared region", "the message on the control socket is malformed",
               "master and worker must be of the same build"});
}

bool Send(int socket, const Message& message, int attached, Deadline deadline) {
  Message copy = message;
  iovec piece{&copy, sizeof copy};
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  ControlBuffer control{};
  if (attached >= 0) {
    packet.msg_control = control.bytes.data();
    packet.msg_controllen = control.bytes.size();
    cmsghdr* header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
  }
  for (;;) {
    if (::sendmsg(socket, &packet, MSG_NOSIGNAL) >= 0) return true;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || deadline.Passed()) return false;
    pollfd writable{socket, POLLOUT, 0};
    ::poll(&writable, 1, deadline.LeftForPoll());
  }
}

// Nothing if no message is here.
bool Receive(int socket, Message* message, UniqueFd* attached) {
  iovec piece{message, sizeof *message};
  ControlBuffer control{};
  msghdr packet{};
  packet.msg_iov = &piece;
  packet.msg_iovlen = 1;
  packet.msg_control = control.bytes.data();
  packet.msg_controllen = control.bytes.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  for (cmsghdr* header = CMSG_FIRSTHDR(&packet); header != nullptr;
       header = CMSG_NXTHDR(&packet, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      // There is room for two by the padding; each one that came is owned, so none can leak.
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
        attached->Reset(fd);
      }
    }
  }
  if (got != static_cast<ssize_t>(sizeof *message) ||
      (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    RefuseMessage();
  }
  return true;
}

}  // namespace

std::pair<ControlSocket, ControlSocket> ControlSocket::MakePair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    ThrowErrno("create", "control socket",
               "raise the descriptor limit (ulimit -n) or use fewer workers");
  }
  return {ControlSocket(UniqueFd(ends[0])), ControlSocket(UniqueFd(ends[1]))};
}

bool ControlSocket::SendRegion(std::uint32_t id, const SharedRegion& region,
                               Deadline deadline) const {
  return Send(fd_.get(), {Operation::kAdd, id, region.bytes().size()}, region.fd(), deadline);
}

bool ControlSocket::SendForget(std::uint32_t id, Deadline deadline) const {
  return Send(fd_.get(), {Operation::kForget, id, 0}, -1, deadline);
}

void ControlSocket::ReceiveInto(RegionTable& table) const {
  Message message{};
  UniqueFd attached;
  while (Receive(fd_.get(), &message, &attached)) {
    if (message.operation == Operation::kAdd && attached) {
      auto region =
          std::make_shared<SharedRegion>(SharedRegion::Open(std::move(attached), message.bytes));
      region->CloseDescriptor();
      table.Add(message.id, std::move(region));
    } else if (message.operation == Operation::kForget && !attached) {
      table.Remove(message.id);
    } else {
      RefuseMessage();
    }
  }
}

bool ControlSocket::PeerGone() const {
  pollfd hung_up{fd_.get(), POLLRDHUP, 0};
  return ::poll(&hung_up, 1, 0) > 0 && (hung_up.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace procpool
