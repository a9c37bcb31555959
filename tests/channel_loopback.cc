#include "tests/channel_loopback.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace procpool {
namespace {

struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::array<std::deque<std::byte>, 2> bytes;  // bytes[i]: on their way to end i
  std::array<bool, 2> gone{};
};

class LoopbackChannel final : public Channel {
 public:
  LoopbackChannel(std::shared_ptr<Shared> shared, std::size_t end, const LoopbackOptions& options)
      : shared_(std::move(shared)), end_(end), options_(options) {}

  ~LoopbackChannel() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->gone[end_] = true;
    shared_->changed.notify_all();
  }

  int readable_fd() const override { return -1; }

 protected:
  std::ptrdiff_t WriteSome(std::span<const iovec> pieces) override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->gone[1 - end_]) return kPeerGone;
    std::deque<std::byte>& queue = shared_->bytes[1 - end_];
    std::size_t room = std::min(options_.capacity - queue.size(), options_.most_per_call);
    std::ptrdiff_t moved = 0;
    for (const iovec& piece : pieces) {
      const auto* base = static_cast<const std::byte*>(piece.iov_base);
      const std::size_t part = std::min(piece.iov_len, room);
      queue.insert(queue.end(), base, base + part);
      room -= part;
      moved += static_cast<std::ptrdiff_t>(part);
    }
    if (moved > 0) shared_->changed.notify_all();
    return moved;
  }

  std::ptrdiff_t ReadSome(std::span<const iovec> pieces) override {
    const std::lock_guard lock(shared_->mutex);
    std::deque<std::byte>& queue = shared_->bytes[end_];
    std::size_t present = std::min(queue.size(), options_.most_per_call);
    std::ptrdiff_t moved = 0;
    for (const iovec& piece : pieces) {
      const std::size_t part = std::min(piece.iov_len, present);
      const auto last = queue.begin() + static_cast<std::ptrdiff_t>(part);
      std::copy(queue.begin(), last, static_cast<std::byte*>(piece.iov_base));
      queue.erase(queue.begin(), last);
      present -= part;
      moved += static_cast<std::ptrdiff_t>(part);
    }
    if (moved == 0 && shared_->gone[1 - end_]) return kPeerGone;
    if (moved > 0) shared_->changed.notify_all();
    return moved;
  }

  void WaitFor(bool for_bytes, bool for_room, Deadline deadline) override {
    std::unique_lock lock(shared_->mutex);
    // The system's clock, not the steady one: thread sanitizer does not know the call behind the
    // latter.
    const auto until = std::chrono::system_clock::now() + std::chrono::nanoseconds(deadline.Left());
    shared_->changed.wait_until(lock, until, [&] {
      return shared_->gone[1 - end_] || (for_bytes && !shared_->bytes[end_].empty()) ||
             (for_room && shared_->bytes[1 - end_].size() < options_.capacity);
    });
  }

 private:
  std::shared_ptr<Shared> shared_;
  std::size_t end_;
  LoopbackOptions options_;
};

}  // namespace

std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> MakeLoopback(
    const LoopbackOptions& options) {
  auto shared = std::make_shared<Shared>();
  return {std::make_unique<LoopbackChannel>(shared, 0, options),
          std::make_unique<LoopbackChannel>(shared, 1, options)};
}

}  // namespace procpool
