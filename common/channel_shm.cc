#include "common/channel_shm.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <utility>

#include "common/event_fd.h"
#include "common/os_error.h"
#include "common/ring.h"

namespace procpool {
namespace {

constexpr std::size_t kRingBytes = std::size_t{256} * 1024;
constexpr Nanoseconds kLongestSleep = 50 * kMillisecond;

enum Wish : std::uint32_t { kNothing = 0, kBytes = 1, kRoom = 2 };

// What lies at the beginning of the memfd. Zero bytes are a valid beginning, so neither side has to
// construct it first.
struct Layout {
  RingCounters tasks;    // master → worker
  RingCounters results;  // worker → master
  alignas(64) std::atomic<std::uint32_t> master_sleeping{kNothing};
  alignas(64) std::atomic<std::uint32_t> worker_sleeping{kNothing};
  alignas(64) std::atomic<std::uint32_t> worker_bell{0};  // futex word
  alignas(64) std::array<std::byte, kRingBytes> task_bytes;
  std::array<std::byte, kRingBytes> result_bytes;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Not FUTEX_PRIVATE_FLAG: the word is shared between processes.
void FutexWait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Nanoseconds longest) {
  const timespec timeout{longest / kSecond, longest % kSecond};
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, expected, &timeout,
            nullptr, 0);
}

void FutexWake(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

// What both ends do alike; who sleeps and wakes how is left to the two ends below.
class ShmChannel : public Channel {
 public:
  ShmChannel(SharedRegion memory, UniqueFd doorbell, const ControlSocket& control,
             RegionTable& table, bool is_master)
      : memory_(std::move(memory)),
        doorbell_(std::move(doorbell)),
        control_(control),
        table_(table),
        layout_(reinterpret_cast<Layout*>(memory_.bytes().data())),
        out_(is_master ? &layout_->tasks : &layout_->results,
             is_master ? std::span<std::byte>(layout_->task_bytes) : layout_->result_bytes),
        in_(is_master ? &layout_->results : &layout_->tasks,
            is_master ? std::span<const std::byte>(layout_->result_bytes) : layout_->task_bytes) {
    memory_.CloseDescriptor();
  }

  bool FlushIsCheap() const override { return true; }
  std::optional<bool> Peek() const override { return in_.HasBytes(); }

 protected:
  std::ptrdiff_t WriteSome(std::span<const iovec> pieces) override {
    const std::ptrdiff_t moved = out_.Write(pieces);
    if (moved == kRingCorrupt) return Corrupt();
    if (moved > 0) WakePeer(kBytes);
    return moved == 0 && peer_gone_ ? std::ptrdiff_t{kPeerGone} : moved;
  }

  std::ptrdiff_t ReadSome(std::span<const iovec> pieces) override {
    const std::ptrdiff_t moved = in_.Read(pieces);
    if (moved == kRingCorrupt) return Corrupt();
    if (moved > 0) WakePeer(kRoom);
    return moved == 0 && peer_gone_ ? std::ptrdiff_t{kPeerGone} : moved;
  }

  const RegionTable* regions() override { return &table_; }

  /// Wakes the peer if it sleeps waiting for `wish`. The counter was published with a seq_cst store
  /// before.
  virtual void WakePeer(Wish wish) = 0;

  bool IsHere(std::uint32_t wish) const {
    return ((wish & kBytes) != 0 && in_.HasBytes()) || ((wish & kRoom) != 0 && out_.HasRoom());
  }
  static std::uint32_t WishFor(bool bytes, bool room) {
    return (bytes ? kBytes : 0U) | (room ? kRoom : 0U);
  }
  /// True once for each sleep of the peer.
  static bool TakeSleeper(std::atomic<std::uint32_t>& sleeping, Wish wish) {
    return (sleeping.load(std::memory_order_seq_cst) & wish) != 0 &&
           sleeping.exchange(kNothing, std::memory_order_seq_cst) != kNothing;
  }

  const UniqueFd& doorbell() const { return doorbell_; }
  const ControlSocket& control() const { return control_; }
  RegionTable& table() { return table_; }
  Layout& layout() { return *layout_; }
  void CheckPeer() { peer_gone_ = control_.PeerGone(); }

 private:
  std::ptrdiff_t Corrupt() {
    SetFault("the counters of its ring are impossible");
    return kProtocolBroken;
  }

  SharedRegion memory_;
  UniqueFd doorbell_;
  const ControlSocket& control_;
  RegionTable& table_;
  Layout* layout_;
  RingProducer out_;
  RingConsumer in_;
  bool peer_gone_ = false;
};

class MasterEnd final : public ShmChannel {
 public:
  MasterEnd(SharedRegion memory, UniqueFd doorbell, const ControlSocket& control,
            RegionTable& table)
      : ShmChannel(std::move(memory), std::move(doorbell), control, table, true) {}

  int readable_fd() const override { return doorbell().get(); }
  bool Arm() override { return Arm(WishFor(true, HasUnsent())); }
  void AcknowledgeWake() override { SilenceEventFd(doorbell()); }

 protected:
  void WakePeer(Wish wish) override {
    if (!TakeSleeper(layout().worker_sleeping, wish)) return;
    layout().worker_bell.fetch_add(1, std::memory_order_seq_cst);
    FutexWake(layout().worker_bell);
  }

  void WaitFor(bool for_bytes, bool for_room, Deadline deadline) override {
    if (!Arm(WishFor(for_bytes, for_room))) return;
    std::array<pollfd, 2> fds{{{doorbell().get(), POLLIN, 0}, {control().fd(), POLLRDHUP, 0}}};
    ::poll(fds.data(), fds.size(), deadline.LeftForPoll());
    layout().master_sleeping.store(kNothing, std::memory_order_seq_cst);
    AcknowledgeWake();
    CheckPeer();
  }

 private:
  bool Arm(std::uint32_t wish) {
    layout().master_sleeping.store(wish, std::memory_order_seq_cst);
    if (!IsHere(wish)) return true;
    layout().master_sleeping.store(kNothing, std::memory_order_seq_cst);
    return false;
  }
};

class WorkerEnd final : public ShmChannel {
 public:
  WorkerEnd(SharedRegion memory, UniqueFd doorbell, const ControlSocket& control,
            RegionTable& table)
      : ShmChannel(std::move(memory), std::move(doorbell), control, table, false) {}

  int readable_fd() const override { return -1; }

  void FetchRegions() override { control().ReceiveInto(table()); }

 protected:
  void WakePeer(Wish wish) override {
    if (TakeSleeper(layout().master_sleeping, wish)) RingEventFd(doorbell());
  }

  void WaitFor(bool for_bytes, bool for_room, Deadline deadline) override {
    const std::uint32_t wish = WishFor(for_bytes, for_room);
    const std::uint32_t bell = layout().worker_bell.load(std::memory_order_seq_cst);
    layout().worker_sleeping.store(wish, std::memory_order_seq_cst);
    if (!IsHere(wish)) {
      const Nanoseconds left = deadline.Left();
      if (left > 0)
        FutexWait(layout().worker_bell, bell, left < kLongestSleep ? left : kLongestSleep);
      // Woken by time alone? Then the flag still stands, and the peer may be gone.
      if (layout().worker_sleeping.load(std::memory_order_seq_cst) != kNothing) CheckPeer();
    }
    layout().worker_sleeping.store(kNothing, std::memory_order_seq_cst);
  }
};

}  // namespace

ShmPair MakeShmChannel(const ControlSocket& control, RegionTable& table) {
  SharedRegion memory = SharedRegion::Create(sizeof(Layout));
  UniqueFd far_region(::fcntl(memory.fd(), F_DUPFD_CLOEXEC, 0));
  UniqueFd doorbell = MakeEventFd();
  UniqueFd far_doorbell(::fcntl(doorbell.get(), F_DUPFD_CLOEXEC, 0));
  if (!far_region || !far_doorbell) {
    ThrowErrno("duplicate", "descriptor of a shared region",
               "raise the descriptor limit (ulimit -n)");
  }
  return {std::make_unique<MasterEnd>(std::move(memory), std::move(doorbell), control, table),
          std::move(far_region), std::move(far_doorbell)};
}

std::unique_ptr<Channel> OpenShmChannel(UniqueFd region, UniqueFd doorbell,
                                        const ControlSocket& control, RegionTable& table) {
  return std::make_unique<WorkerEnd>(SharedRegion::Open(std::move(region), sizeof(Layout)),
                                     std::move(doorbell), control, table);
}

}  // namespace procpool
