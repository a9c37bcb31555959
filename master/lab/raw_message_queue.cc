#include "master/lab/raw_message_queue.h"

#include <poll.h>

#include <algorithm>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <utility>
#include <vector>

#include <procpool/error.h>
#include "common/event_fd.h"
#include "common/queue_names.h"

namespace procpool {
namespace {

namespace ipc = boost::interprocess;

constexpr std::size_t kMessages = 4;
constexpr std::size_t kMessageBytes = std::size_t{64} * 1024;
constexpr int kLookAgainMilliseconds = 50;

// One direction.
struct Way {
  explicit Way(const std::string& name)
      : queue(ipc::create_only, name.c_str(), kMessages, kMessageBytes, ipc::permissions(0600)),
        filled(MakeEventFd()),
        emptied(MakeEventFd()) {}
  ipc::message_queue queue;
  UniqueFd filled, emptied;  // bells
};

// The lock is never waited for longer than 50 ms (cmake/Flags.cmake); a holder that was put off its
// CPU for that long is tried again.
template <typename Call>
bool Tried(const Call& call) {
  try {
    return call();
  } catch (const ipc::interprocess_exception& exception) {
    if (exception.get_error_code() == ipc::timeout_when_locking_error) return false;
    throw Error(Blame::kMachine, {"use", "a raw message_queue", exception.what()});
  }
}

class MessageQueueEnd final : public RawEnd {
 public:
  MessageQueueEnd(WaitMode mode, std::shared_ptr<Way> in, std::shared_ptr<Way> out)
      : mode_(mode), in_(std::move(in)), out_(std::move(out)) {}

  void Send(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::size_t part = std::min(bytes.size(), kMessageBytes);
      Until(out_->emptied, [&] { return out_->queue.try_send(bytes.data(), part, 0); });
      if (mode_ != WaitMode::kSpin) RingEventFd(out_->filled);
      bytes = bytes.subspan(part);
    }
  }

  void Receive(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      // Straight into its place, if that has room for any message, as the queue demands.
      const bool straight = bytes.size() >= kMessageBytes;
      void* destination = straight ? static_cast<void*>(bytes.data()) : staged_.data();
      std::size_t received = 0;
      unsigned priority = 0;
      Until(in_->filled,
            [&] { return in_->queue.try_receive(destination, kMessageBytes, received, priority); });
      if (mode_ != WaitMode::kSpin && WasFull()) RingEventFd(in_->emptied);
      if (!straight) std::memcpy(bytes.data(), staged_.data(), received);
      bytes = bytes.subspan(received);
    }
  }

 private:
  template <typename Call>
  void Until(const UniqueFd& bell, const Call& call) {
    while (!SpinUntil(mode_, watch(), [&] { return Tried(call); })) {
      pollfd ring{bell.get(), POLLIN, 0};
      if (::poll(&ring, 1, kLookAgainMilliseconds) <= 0) watch().Check();
      SilenceEventFd(bell);
    }
  }

  bool WasFull() const {
    return Tried([&] { return in_->queue.get_num_msg() + 1 >= kMessages; });
  }

  WaitMode mode_;
  std::shared_ptr<Way> in_, out_;
  std::vector<std::byte> staged_ = std::vector<std::byte>(kMessageBytes);
};

std::shared_ptr<Way> MakeWay() {
  const std::shared_ptr<QueueNameLease> lease = QueueNameLease::Get();
  struct Name {
    explicit Name(std::string text) : text_(std::move(text)) {}
    ~Name() { ipc::message_queue::remove(text_.c_str()); }
    Name(const Name&) = delete;
    Name& operator=(const Name&) = delete;
    std::string text_;
  };
  const Name name(lease->NewStem() + ".raw");
  try {
    return std::make_shared<Way>(name.text_);
  } catch (const ipc::interprocess_exception& exception) {
    throw Error(Blame::kMachine,
                {"create", "a raw message_queue", exception.what(), "free space in /dev/shm"});
  }
}

}  // namespace

RawPair MakeRawMessageQueue(WaitMode mode) {
  const auto to_far = MakeWay();
  const auto to_near = MakeWay();
  return {std::make_unique<MessageQueueEnd>(mode, to_near, to_far),
          std::make_unique<MessageQueueEnd>(mode, to_far, to_near)};
}

}  // namespace procpool
