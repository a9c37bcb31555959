#include "master/lab/raw_ring.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/os_error.h"
#include "common/shared_region.h"
#include "common/unique_fd.h"

namespace procpool {
namespace {

constexpr std::uint32_t kSlots = 4;
constexpr std::size_t kSlotBytes = std::size_t{64} * 1024;
constexpr Nanoseconds kLongestSleep = 100 * kMillisecond;

using Word = std::atomic<std::uint32_t>;

// One direction. Zero bytes are a valid beginning.
struct Ring {
  alignas(64) Word head;  // slots filled, written by the sender only
  alignas(64) Word tail;  // slots emptied, written by the receiver only
  alignas(64) Word receiver_sleeps;
  alignas(64) Word sender_sleeps;
  alignas(64) std::array<std::array<std::byte, kSlotBytes>, kSlots> slots;
};

struct Rings {
  std::array<Ring, 2> ways;
};

std::uint32_t* Plain(Word& word) {
  return reinterpret_cast<std::uint32_t*>(&word);
}

// Wakes whoever sleeps until `word` changes.
void WakeSleeper(Word& sleeps, Word& word) {
  if (sleeps.load(std::memory_order_seq_cst) == 0) return;
  ::syscall(SYS_futex, Plain(word), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

// Until `word` is no longer `seen`.
void WaitForChange(Word& word, std::uint32_t seen, Word& sleeps, WaitMode mode,
                   const PeerWatch& watch) {
  const auto changed = [&] { return word.load(std::memory_order_seq_cst) != seen; };
  if (SpinUntil(mode, watch, changed)) return;
  sleeps.store(1, std::memory_order_seq_cst);
  while (!changed()) {
    const timespec longest{0, kLongestSleep};
    const long slept = ::syscall(SYS_futex, Plain(word), FUTEX_WAIT, seen, &longest, nullptr, 0);
    if (slept != 0 && errno == ETIMEDOUT) watch.Check();
  }
  sleeps.store(0, std::memory_order_seq_cst);
}

// Copies in and out, slot by slot. How a filled slot is announced is left to the two below.
class RingEnd : public RawEnd {
 public:
  RingEnd(WaitMode mode, std::shared_ptr<SharedRegion> memory, bool is_near)
      : mode_(mode),
        memory_(std::move(memory)),
        out_(reinterpret_cast<Rings*>(memory_->bytes().data())->ways[is_near ? 0 : 1]),
        in_(reinterpret_cast<Rings*>(memory_->bytes().data())->ways[is_near ? 1 : 0]) {}

  void Send(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const std::uint32_t full = filled_ - kSlots;
      if (out_.tail.load(std::memory_order_seq_cst) == full)
        WaitForChange(out_.tail, full, out_.sender_sleeps, mode_, watch());
      const std::size_t part = std::min(bytes.size(), kSlotBytes);
      std::memcpy(out_.slots[filled_ % kSlots].data(), bytes.data(), part);
      out_.head.store(++filled_, std::memory_order_seq_cst);
      Announce();
      bytes = bytes.subspan(part);
    }
  }

  void Receive(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      AwaitSlot();
      const std::size_t part = std::min(bytes.size(), kSlotBytes);
      std::memcpy(bytes.data(), in_.slots[emptied_ % kSlots].data(), part);
      in_.tail.store(++emptied_, std::memory_order_seq_cst);
      WakeSleeper(in_.sender_sleeps, in_.tail);
      bytes = bytes.subspan(part);
    }
  }

 protected:
  virtual void Announce() = 0;
  virtual void AwaitSlot() = 0;
  WaitMode mode() const { return mode_; }
  Ring& out() { return out_; }
  Ring& in() { return in_; }
  std::uint32_t emptied() const { return emptied_; }

 private:
  WaitMode mode_;
  std::shared_ptr<SharedRegion> memory_;
  Ring& out_;
  Ring& in_;
  std::uint32_t filled_ = 0;
  std::uint32_t emptied_ = 0;
};

class FutexEnd final : public RingEnd {
 public:
  using RingEnd::RingEnd;

 protected:
  void Announce() override { WakeSleeper(out().receiver_sleeps, out().head); }
  void AwaitSlot() override {
    WaitForChange(in().head, emptied(), in().receiver_sleeps, mode(), watch());
  }
};

class EventFdEnd final : public RingEnd {
 public:
  EventFdEnd(WaitMode mode, std::shared_ptr<SharedRegion> memory, bool is_near,
             std::shared_ptr<UniqueFd> bell_in, std::shared_ptr<UniqueFd> bell_out)
      : RingEnd(mode, std::move(memory), is_near),
        bell_in_(std::move(bell_in)),
        bell_out_(std::move(bell_out)) {}

 protected:
  void Announce() override {
    const std::uint64_t one = 1;
    while (::write(bell_out_->get(), &one, sizeof one) < 0 && errno == EINTR) watch().Check();
  }

  void AwaitSlot() override {
    while (announced_ == 0) {
      std::uint64_t rings = 0;
      ssize_t moved = 0;
      const bool done = SpinUntil(mode(), watch(), [&] {
        moved = ::read(bell_in_->get(), &rings, sizeof rings);
        return moved >= 0 || errno != EAGAIN;
      });
      announced_ = rings;
      if (!done) {
        PollFor(bell_in_->get(), POLLIN, watch());
      } else if (moved < 0) {
        watch().Check();
      }
    }
    --announced_;
  }

 private:
  std::shared_ptr<UniqueFd> bell_in_, bell_out_;
  std::uint64_t announced_ = 0;  // slots that are full and not yet emptied
};

std::shared_ptr<SharedRegion> MakeRings() {
  auto memory = std::make_shared<SharedRegion>(SharedRegion::Create(sizeof(Rings)));
  memory->CloseDescriptor();
  return memory;
}

std::shared_ptr<UniqueFd> MakeBell(WaitMode mode) {
  auto bell = std::make_shared<UniqueFd>(
      ::eventfd(0, EFD_CLOEXEC | (mode == WaitMode::kPark ? 0 : EFD_NONBLOCK)));
  if (!*bell) ThrowErrno("create", "eventfd", "raise the descriptor limit (ulimit -n)");
  return bell;
}

}  // namespace

RawPair MakeRawSharedMemory(WaitMode mode) {
  const auto memory = MakeRings();
  return {std::make_unique<FutexEnd>(mode, memory, true),
          std::make_unique<FutexEnd>(mode, memory, false)};
}

RawPair MakeRawEventFd(WaitMode mode) {
  const auto memory = MakeRings();
  const auto to_far = MakeBell(mode);
  const auto to_near = MakeBell(mode);
  return {std::make_unique<EventFdEnd>(mode, memory, true, to_near, to_far),
          std::make_unique<EventFdEnd>(mode, memory, false, to_far, to_near)};
}

}  // namespace procpool
