#include "common/channel_queue.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include <procpool/error.h>
#include "common/event_fd.h"
#include "common/os_error.h"
#include "common/queue_names.h"

namespace procpool {
namespace {

namespace ipc = boost::interprocess;

constexpr std::size_t kMessageBytes = std::size_t{64} * 1024;
constexpr std::size_t kMessages = 4;
constexpr Nanoseconds kLeaveAlone = 200 * kMillisecond;
constexpr Nanoseconds kLongestSleep = 50 * kMillisecond;

class QueueChannel final : public Channel {
 public:
  QueueChannel(std::unique_ptr<ipc::message_queue> in, std::unique_ptr<ipc::message_queue> out,
               UniqueFd doorbell_in, UniqueFd doorbell_out, const ControlSocket& control)
      : queue_in_(std::move(in)),
        queue_out_(std::move(out)),
        doorbell_in_(std::move(doorbell_in)),
        doorbell_out_(std::move(doorbell_out)),
        control_(control) {}

  int readable_fd() const override { return doorbell_in_.get(); }
  void AcknowledgeWake() override { SilenceEventFd(doorbell_in_); }
  bool Stalled() const override { return leave_alone_until_ != 0; }

 protected:
  // One message is a stretch of the first piece: long payloads go from where they are, and small
  // frames lie together in one piece already.
  std::ptrdiff_t WriteSome(std::span<const iovec> pieces) override {
    const std::size_t bytes = std::min(pieces.front().iov_len, kMessageBytes);
    const std::ptrdiff_t moved = Guarded([&]() -> std::size_t {
      return queue_out_->try_send(pieces.front().iov_base, bytes, 0) ? bytes : 0;
    });
    if (moved > 0) RingEventFd(doorbell_out_);
    return moved;
  }

  std::ptrdiff_t ReadSome(std::span<const iovec> pieces) override {
    if (staged_begin_ == staged_end_) {
      // A message may be received straight into its place if that is large enough for any message.
      const bool straight = pieces.front().iov_len >= kMessageBytes;
      void* destination = straight ? pieces.front().iov_base : staged_.data();
      bool was_full = false;
      const std::ptrdiff_t moved = Guarded([&]() -> std::size_t {
        std::size_t received = 0;
        unsigned priority = 0;
        if (!queue_in_->try_receive(destination, kMessageBytes, received, priority)) {
          unchecked_ = 0;
          return 0;
        }
        was_full = ++unchecked_ > 1 && WasFull();
        return received;
      });
      if (was_full) RingEventFd(doorbell_out_);
      if (moved <= 0 || straight) return moved;
      staged_begin_ = 0;
      staged_end_ = static_cast<std::size_t>(moved);
    }
    std::size_t copied = 0;
    for (const iovec& piece : pieces) {
      const std::size_t part = std::min<std::size_t>(piece.iov_len, staged_end_ - staged_begin_);
      std::memcpy(piece.iov_base, staged_.data() + staged_begin_, part);
      staged_begin_ += part;
      copied += part;
    }
    return static_cast<std::ptrdiff_t>(copied);
  }

  void WaitFor(bool /*for_bytes*/, bool /*for_room*/, Deadline deadline) override {
    // The doorbell may have been silenced by an earlier wait for something else, so no sleep is
    // long.
    const int longest = static_cast<int>(kLongestSleep / kMillisecond);
    std::array<pollfd, 2> fds{{{doorbell_in_.get(), POLLIN, 0}, {control_.fd(), POLLRDHUP, 0}}};
    ::poll(fds.data(), fds.size(), std::min(deadline.LeftForPoll(), longest));
    AcknowledgeWake();
    peer_gone_ = control_.PeerGone();
  }

 private:
  // Whether the sender may wait for room: it found the queue full only if what was received since
  // the last check, and what is left, make a full queue. Asking locks again, so a message that came
  // alone (the queue was found empty before it) is not worth it: were it the first of a full queue,
  // the second one would be here, and is asked after. If asking fails, the message is received all
  // the same, and a ring too many does no harm.
  bool WasFull() {
    const std::size_t received = std::exchange(unchecked_, 0);
    try {
      return queue_in_->get_num_msg() + received >= kMessages;
    } catch (const ipc::interprocess_exception&) {
      return true;
    }
  }

  // Runs a try-call. It may find the queue's lock held by a stopped process (times out: 0 bytes,
  // left alone for a while) or by a dead one (the pair is spoilt for good: the peer counts as
  // gone).
  template <typename Call>
  std::ptrdiff_t Guarded(Call call) {
    if (leave_alone_until_ != 0) {
      if (Now() < leave_alone_until_) return 0;
      leave_alone_until_ = 0;
    }
    try {
      const std::size_t moved = call();
      return moved == 0 && peer_gone_ ? std::ptrdiff_t{kPeerGone}
                                      : static_cast<std::ptrdiff_t>(moved);
    } catch (const ipc::interprocess_exception& exception) {
      if (exception.get_error_code() != ipc::timeout_when_locking_error) return kPeerGone;
      leave_alone_until_ = Now() + kLeaveAlone;
      return peer_gone_ ? std::ptrdiff_t{kPeerGone} : 0;
    }
  }

  std::unique_ptr<ipc::message_queue> queue_in_;
  std::unique_ptr<ipc::message_queue> queue_out_;
  UniqueFd doorbell_in_;
  UniqueFd doorbell_out_;
  const ControlSocket& control_;
  std::vector<std::byte> staged_ = std::vector<std::byte>(kMessageBytes);
  std::size_t staged_begin_ = 0;
  std::size_t staged_end_ = 0;
  std::size_t unchecked_ =
      0;  // messages received since the queue was empty or asked for its length
  Nanoseconds leave_alone_until_ = 0;
  bool peer_gone_ = false;
};

std::string TaskQueue(const std::string& name) {
  return name + ".tasks";
}
std::string ResultQueue(const std::string& name) {
  return name + ".results";
}

std::unique_ptr<ipc::message_queue> CreateQueue(const std::string& name) {
  try {
    ipc::permissions owner_only(0600);
    return std::make_unique<ipc::message_queue>(ipc::create_only, name.c_str(), kMessages,
                                                kMessageBytes, owner_only);
  } catch (const ipc::interprocess_exception& exception) {
    throw Error(Blame::kMachine,
                {"create", "message queue /dev/shm/" + name, exception.what(),
                 "free space in /dev/shm, use fewer workers, or --transport pipe or shm"});
  }
}

std::unique_ptr<ipc::message_queue> OpenQueue(const std::string& name) {
  try {
    auto queue = std::make_unique<ipc::message_queue>(ipc::open_only, name.c_str());
    if (queue->get_max_msg_size() == kMessageBytes) return queue;
    throw Error(Blame::kMachine, {"open", "message queue " + name, "its messages have another size",
                                  "master and worker must be of the same build"});
  } catch (const ipc::interprocess_exception& exception) {
    throw Error(Blame::kMachine, {"open", "message queue /dev/shm/" + name, exception.what(),
                                  "the worker must be started by its master"});
  }
}

UniqueFd Duplicate(const UniqueFd& fd) {
  UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy)
    ThrowErrno("duplicate", "eventfd",
               "raise the descriptor limit (ulimit -n) or use fewer workers");
  return copy;
}

}  // namespace

QueuePair MakeQueueChannel(const ControlSocket& control) {
  UniqueFd task_bell = MakeEventFd();
  UniqueFd result_bell = MakeEventFd();
  UniqueFd far_in = Duplicate(task_bell);
  UniqueFd far_out = Duplicate(result_bell);

  std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
  const std::string name = lease->NewStem();
  // From here on the names are removed when the last copy of `unlink` goes or is called, whatever
  // is thrown.
  struct Names {
    explicit Names(std::string stem) : stem_(std::move(stem)) {}
    ~Names() { Remove(); }
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;
    void Remove() {
      ipc::message_queue::remove(TaskQueue(stem_).c_str());
      ipc::message_queue::remove(ResultQueue(stem_).c_str());
    }
    std::string stem_;
  };
  auto names = std::make_shared<Names>(name);
  auto tasks = CreateQueue(TaskQueue(name));
  auto results = CreateQueue(ResultQueue(name));
  auto near = std::make_unique<QueueChannel>(std::move(results), std::move(tasks),
                                             std::move(result_bell), std::move(task_bell), control);
  auto unlink = [lease, names]() mutable {
    names.reset();
    lease.reset();
  };
  return {std::move(near), std::move(far_in), std::move(far_out), name, std::move(unlink)};
}

std::unique_ptr<Channel> OpenQueueChannel(const std::string& name, UniqueFd doorbell_in,
                                          UniqueFd doorbell_out, const ControlSocket& control) {
  return std::make_unique<QueueChannel>(OpenQueue(TaskQueue(name)), OpenQueue(ResultQueue(name)),
                                        std::move(doorbell_in), std::move(doorbell_out), control);
}

}  // namespace procpool
