#include "master/lab/raw_link.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <procpool/error.h>
#include "common/os_error.h"
#include "common/pattern.h"

namespace procpool {
namespace {

constexpr int kLongestEndMilliseconds = 5000;

}  // namespace

struct RawLink::Order {
  enum class What : std::uint64_t { kRoundTrips, kStream };
  What what;
  std::uint64_t bytes;
  std::uint64_t count;
};

RawLink::RawLink(std::string name, RawPair ends, std::span<std::byte> message,
                 std::span<std::byte> answer)
    : name_(std::move(name)), near_(std::move(ends.near)), message_(message), answer_(answer) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    ThrowErrno("create", "pipe", "raise the descriptor limit (ulimit -n)");
  UniqueFd orders_in(pipe[0]);
  orders_.Reset(pipe[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) ThrowErrno("fork", "peer of " + name_, "raise the limit on processes");
  if (pid_ == 0) {
    near_.reset();
    orders_.Reset();
    Serve(*ends.far, orders_in.get(), parent);
  }
  pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const Error error(Blame::kMachine, {"watch", "peer of " + name_, ErrnoText(errno),
                                        "raise the descriptor limit (ulimit -n)"});
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw error;
  }
  // The far ends close here, with `ends`: only the peer has them now, so its death is an end of
  // file.
}

RawLink::~RawLink() {
  ::kill(pid_, SIGKILL);
  // A killed process ends at once; one that the kernel holds is left to init.
  pollfd ended{pidfd_.get(), POLLIN, 0};
  ::poll(&ended, 1, kLongestEndMilliseconds);
  ::waitpid(pid_, nullptr, WNOHANG);
}

// The peer's life. Only system calls and memory of its own: it ends with _exit or by a signal, so
// that nothing of its parent is cleaned up twice.
void RawLink::Serve(RawEnd& end, int orders, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  try {
    std::vector<std::byte> memory;
    for (Order order{}; ::read(orders, &order, sizeof order) == sizeof order;) {
      if (memory.size() < order.bytes) memory.resize(order.bytes);
      const std::span<std::byte> message = std::span(memory).first(order.bytes);
      for (std::uint64_t i = 0; i < order.count; ++i) {
        if (order.what == Order::What::kRoundTrips) {
          end.Receive(message);
        } else {
          FillPattern(message, i);
        }
        end.Send(message);
      }
    }
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

void RawLink::Wake() {
  near_->watch().Begin(name_, pidfd_.get(), kPeerDeadline);
  interrupter_ = std::make_unique<WaitInterrupter>();
}

void RawLink::Rest() noexcept {
  interrupter_.reset();
}

void RawLink::Send(const Order& order) {
  // Fits into an empty pipe: a peer has at most one order.
  if (::write(orders_.get(), &order, sizeof order) != sizeof order) near_->watch().ThrowGone();
}

void RawLink::BeginRoundTrips(std::size_t bytes, std::uint64_t count) {
  Send({Order::What::kRoundTrips, bytes, count});
}

std::span<const std::byte> RawLink::RoundTrip(std::size_t bytes) {
  near_->Send(message_.first(bytes));
  near_->Receive(answer_.first(bytes));
  return answer_.first(bytes);
}

void RawLink::Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) {
  Send({Order::What::kStream, bytes, count});
  for (std::uint64_t i = 0; i < count; ++i) {
    near_->Receive(answer_.first(bytes));
    arrived(i, answer_.first(bytes));
  }
}

}  // namespace procpool
