// A program that is nothing but a main(): what the system itself takes to start and end a process.
#include <poll.h>

#include <utility>

#include <procpool/error.h>
#include "master/lab/spawn_contenders.h"

namespace procpool {
namespace {

class EmptyLife final : public SpawnLife {
 public:
  EmptyLife(const std::string& program, const SpawnMethod& method, MainPage& page)
      : page_(page), place_(page.Take()) {
    times_[SpawnPoint::kBegun] = Now();
    const WorkerProcess::Command command{.program = program,
                                         .argument = std::to_string(MainPage::OffsetOf(place_)),
                                         .inherit = {page.fd()}};
    times_[SpawnPoint::kCalled] = Now();
    process_.emplace(WorkerProcess::Spawn(command, method));
    times_[SpawnPoint::kReturned] = Now();
  }

  // It is never ready, gives nothing and ends unasked.
  void AwaitReady(Deadline /*deadline*/) override {}
  void AwaitResult(Deadline /*deadline*/) override {}
  void AskToEnd() override {}

  void AwaitEnd(Deadline deadline) override {
    pollfd ended{process_->pidfd(), POLLIN, 0};
    while (::poll(&ended, 1, deadline.LeftForPoll()) <= 0 && !deadline.Passed()) {
    }
    times_[SpawnPoint::kEnded] = Now();
    const auto exit = process_->TryReap();
    times_[SpawnPoint::kReaped] = Now();
    times_[SpawnPoint::kMain] = *page_.at(place_);
    if (!exit || exit->kind != ProcessExit::Kind::kExited || exit->value != 0 ||
        !times_.Has(SpawnPoint::kMain)) {
      throw Error(Blame::kMachine,
                  {"run", "the empty program", exit ? "it " + exit->Text() : "it does not end",
                   "see what it says on standard error"});
    }
  }

 private:
  MainPage& page_;
  std::size_t place_;
  std::optional<WorkerProcess> process_;
};

class EmptyContender final : public SpawnContender {
 public:
  EmptyContender(const SpawnMethod& spawn_method, std::string path)
      : SpawnContender(std::string(spawn_method.name), std::string(kEmptyProgram)),
        spawn_method_(spawn_method),
        path_(std::move(path)) {}
  std::unique_ptr<SpawnLife> Start() override {
    return std::make_unique<EmptyLife>(path_, spawn_method_, page_);
  }

 private:
  const SpawnMethod& spawn_method_;
  std::string path_;
  MainPage page_;
};

}  // namespace

std::unique_ptr<SpawnContender> MakeEmptyContender(const SpawnMethod& method, std::string program) {
  return std::make_unique<EmptyContender>(method, std::move(program));
}

}  // namespace procpool
