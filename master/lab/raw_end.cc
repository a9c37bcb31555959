#include "master/lab/raw_end.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#include <utility>

#include <procpool/error.h>

namespace procpool {
namespace {

constexpr int kLookAfterMilliseconds = 100;

}  // namespace

void PeerWatch::Begin(std::string what, int pidfd, Nanoseconds longest) {
  what_ = std::move(what);
  pidfd_ = pidfd;
  deadline_ = Deadline::After(longest);
}

void PeerWatch::ThrowGone() const {
  throw Error(Blame::kMachine, {"measure", what_, "its peer process has ended",
                                "look in the kernel's log for who killed it"});
}

void PeerWatch::Check() const {
  pollfd ended{pidfd_, POLLIN, 0};
  if (pidfd_ >= 0 && ::poll(&ended, 1, 0) > 0) ThrowGone();
  if (deadline_ && deadline_->Passed()) {
    throw Error(Blame::kMachine, {"measure", what_, "its peer process does not answer",
                                  "measure on a machine that is less busy"});
  }
}

WaitInterrupter::WaitInterrupter() {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // no SA_RESTART: the call is to return
  ::sigaction(SIGALRM, &action, nullptr);
  const itimerval every_second{{1, 0}, {1, 0}};
  ::setitimer(ITIMER_REAL, &every_second, nullptr);
}

WaitInterrupter::~WaitInterrupter() {
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::signal(SIGALRM, SIG_IGN);  // one that is on its way already must not kill
}

void PollFor(int fd, short events, const PeerWatch& watch) {
  pollfd ready{fd, events, 0};
  while (::poll(&ready, 1, kLookAfterMilliseconds) <= 0) watch.Check();
}

}  // namespace procpool
