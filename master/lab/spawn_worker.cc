// A real worker: told what it is, waited for until READY, given one item of the task "echo",
// stopped and reaped, through the pool's own parts.
#include <poll.h>

#include <array>
#include <cstring>
#include <utility>

#include <procpool/error.h>
#include "master/lab/spawn_contenders.h"

namespace procpool {
namespace {

constexpr std::string_view kTransportName = "pipe";
constexpr std::string_view kTask = "echo";
constexpr std::uint32_t kJob = 1;

class Answers final : public FrameSink {
 public:
  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override {
    if (header.payload_bytes > payload_.size()) return std::nullopt;
    return std::span(payload_).first(header.payload_bytes);
  }
  void Take(const Frame& frame) override {
    if (frame.header.type == FrameType::kReady && frame.payload.size() == sizeof(ReadyMessage)) {
      ReadyMessage message;
      std::memcpy(&message, frame.payload.data(), sizeof message);
      main_reached = message.main_reached;
      ready = Now();
    }
    if (frame.header.type == FrameType::kResult && (frame.header.flags & kLastPart) != 0) {
      result = Now();
    }
  }
  Nanoseconds main_reached = 0;
  Nanoseconds ready = 0;
  Nanoseconds result = 0;

 private:
  std::array<std::byte, kSmallPayload> payload_{};
};

class WorkerLife final : public SpawnLife {
 public:
  WorkerLife(const std::string& method, const WorkerPlan& plan, const MakeProcess& make)
      : name_("worker '" + plan.program + "' made by " + method) {
    times_[SpawnPoint::kBegun] = Now();
    process_.emplace(SetUpWorker(plan, ends_, [&](const WorkerProcess::Command& command) {
      times_[SpawnPoint::kCalled] = Now();
      WorkerProcess process = make(command);
      times_[SpawnPoint::kReturned] = Now();
      return process;
    }));
  }

  void AwaitReady(Deadline deadline) override {
    Await(answers_.ready, "start", deadline);
    ends_.far_opened();
    times_[SpawnPoint::kMain] = answers_.main_reached;
    times_[SpawnPoint::kReady] = answers_.ready;
  }

  void AwaitResult(Deadline deadline) override {
    OutFrame job;
    job.header.type = FrameType::kJob;
    job.header.task = TaskId(kTask);
    job.header.job = kJob;
    const std::string text = std::string(kTask) + '\0';
    job.payload = std::as_bytes(std::span(text));
    OutFrame item;
    item.header.type = FrameType::kItem;
    item.header.task = job.header.task;
    item.header.job = kJob;
    const std::array<std::byte, 16> input{};
    item.payload = input;
    Send(job, deadline);
    Send(item, deadline);
    Await(answers_.result, "get a result from", deadline);
    times_[SpawnPoint::kResult] = answers_.result;
  }

  void AskToEnd() override {
    OutFrame stop;
    stop.header.type = FrameType::kStop;
    Send(stop, Deadline::After(kSecond));
    times_[SpawnPoint::kAsked] = Now();
  }

  void AwaitEnd(Deadline deadline) override {
    pollfd ended{process_->pidfd(), POLLIN, 0};
    while (::poll(&ended, 1, deadline.LeftForPoll()) <= 0) {
      if (deadline.Passed()) Fail("stop", "it does not end");
    }
    times_[SpawnPoint::kEnded] = Now();
    const std::optional<ProcessExit> exit = process_->TryReap();
    times_[SpawnPoint::kReaped] = Now();
    if (!exit || exit->kind != ProcessExit::Kind::kExited || exit->value != 0) {
      Fail("stop", exit ? "it " + exit->Text() : "it cannot be reaped");
    }
  }

 private:
  [[noreturn]] void Fail(std::string_view operation, std::string_view cause) const {
    throw Error(Blame::kMachine, {operation, name_, cause, "see what it says on standard error"});
  }
  void Send(const OutFrame& frame, Deadline deadline) {
    if (!ends_.channel->Post(frame) || ends_.channel->FlushBefore(deadline) != IoStatus::kDone) {
      Fail("send to", "its channel takes nothing");
    }
  }
  void Await(const Nanoseconds& seen, std::string_view operation, Deadline deadline) {
    while (seen == 0) {
      const IoStatus status = ends_.channel->ReceiveBefore(answers_, deadline);
      if (seen == 0 && status != IoStatus::kDone) {
        Fail(operation, status == IoStatus::kBlocked ? "it is silent" : "it is gone");
      }
    }
  }

  std::string name_;
  WorkerEnds ends_;
  Answers answers_;
  std::optional<WorkerProcess> process_;
};

class WorkerContender final : public SpawnContender {
 public:
  WorkerContender(std::string method, std::string program, std::string path, MakeProcess make)
      : SpawnContender(std::move(method), std::move(program)), make_(std::move(make)) {
    plan_.transport = FindTransport(kTransportName);
    plan_.program = std::move(path);
  }
  std::unique_ptr<SpawnLife> Start() override {
    return std::make_unique<WorkerLife>(method(), plan_, make_);
  }

 private:
  WorkerPlan plan_;
  MakeProcess make_;
};

}  // namespace

std::unique_ptr<SpawnContender> MakeWorkerContender(std::string method, std::string program,
                                                    std::string path, MakeProcess make) {
  return std::make_unique<WorkerContender>(std::move(method), std::move(program), std::move(path),
                                           std::move(make));
}

}  // namespace procpool
