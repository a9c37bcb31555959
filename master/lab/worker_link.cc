#include "master/lab/worker_link.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include <procpool/error.h>
#include "common/build_id.h"
#include "common/produce_payload.h"
#include "master/spawn_method.h"

namespace procpool {
namespace {

constexpr Nanoseconds kReadyDeadline = 10 * kSecond;
constexpr Nanoseconds kLeaveDeadline = kSecond;
constexpr std::uint32_t kEchoJob = 1;
constexpr std::uint32_t kProduceJob = 2;
constexpr std::uint32_t kRegion = 1;
constexpr char kEchoTask[] = "echo";

// Items of a stream that are outstanding at once: so many that 1 MiB of answers is on order, at
// least two and at most 64.
constexpr std::size_t kBytesOnOrder = std::size_t{1} << 20;
constexpr std::size_t kMostOnOrder = 64;

std::size_t OnOrder(std::size_t bytes) {
  return std::clamp<std::size_t>(kBytesOnOrder / std::max<std::size_t>(bytes, 1), 2, kMostOnOrder);
}

}  // namespace

WorkerLink::WorkerLink(const WorkerLinkOptions& options)
    : name_("transport " + std::string(options.transport.name)),
      in_place_(options.in_place),
      message_(options.message),
      answer_(options.answer),
      small_(kSmallPayload) {
  process_.emplace(SetUpWorker({.transport = &options.transport,
                                .program = options.worker_program,
                                .spin = SpinOf(options.wait)},
                               ends_, [](const WorkerProcess::Command& command) {
                                 return WorkerProcess::Spawn(command, DefaultSpawnMethod());
                               }));
  ends_.channel->SpinBeforeParking(SpinOf(options.wait));
  for (const Deadline deadline = Deadline::After(kReadyDeadline); !ready_;) {
    if (deadline.Passed()) Fail("its worker is not ready in time");
    Receive();
  }
  ends_.far_opened();
  if (in_place_) ShareRegion(options.largest);
  BeginJob(kEchoJob, kEchoTask);
  BeginJob(kProduceJob, kProduceTask);
  Rest();
}

WorkerLink::~WorkerLink() {
  process_->SignalGroup(SIGCONT);
  OutFrame stop;
  stop.header.type = FrameType::kStop;
  const Deadline deadline = Deadline::After(kLeaveDeadline);
  if (ends_.channel->Post(stop) && ends_.channel->FlushBefore(deadline) == IoStatus::kDone) {
    pollfd ended{process_->pidfd(), POLLIN, 0};
    ::poll(&ended, 1, deadline.LeftForPoll());
  }
  // ~WorkerProcess ends the worker that is left.
}

void WorkerLink::ShareRegion(std::size_t largest) {
  auto region = std::make_shared<SharedRegion>(
      SharedRegion::Create(largest + std::max(OnOrder(largest) * largest, kBytesOnOrder)));
  if (!ends_.control->SendRegion(kRegion, *region, Deadline::After(kPeerDeadline)))
    Fail("its worker does not take the shared region");
  region->CloseDescriptor();
  message_ = region->bytes().first(largest);
  answer_ = region->bytes().subspan(largest);
  ends_.regions.Add(kRegion, std::move(region));
}

void WorkerLink::BeginJob(std::uint32_t job, std::string_view task) {
  std::string payload(task);
  payload += '\0';
  OutFrame frame;
  frame.header.type = FrameType::kJob;
  frame.header.task = TaskId(task);
  frame.header.job = job;
  frame.payload = std::as_bytes(std::span(payload));
  if (!ends_.channel->Post(frame)) Fail("its channel is full");
  Flush();
}

void WorkerLink::Wake() {
  process_->SignalGroup(SIGCONT);
}

void WorkerLink::Rest() noexcept {
  process_->SignalGroup(SIGSTOP);
}

void WorkerLink::Fail(const std::string& cause) const {
  throw Error(Blame::kMachine,
              {"measure", name_, cause, "look at the worker's log on standard error"});
}

// ---- sending

void WorkerLink::PostItem(std::uint32_t job, std::uint32_t task, std::span<const std::byte> input,
                          std::span<std::byte> place) {
  OutFrame frame;
  frame.header.type = FrameType::kItem;
  frame.header.task = task;
  frame.header.job = job;
  frame.header.item = posted_;
  frame.payload = input;
  frame.place = place;
  if (!ends_.channel->Post(frame)) Fail("its channel is full");
  ++posted_;
}

void WorkerLink::Flush() {
  IoStatus status = ends_.channel->Flush();
  if (status == IoStatus::kBlocked)
    status = ends_.channel->FlushBefore(Deadline::After(kPeerDeadline));
  if (status != IoStatus::kDone) Fail("its worker takes nothing in");
}

std::span<const std::byte> WorkerLink::RoundTrip(std::size_t bytes) {
  static const std::uint32_t task = TaskId(kEchoTask);
  expected_ = bytes;
  stream_begun_ = posted_;
  const std::span<std::byte> answer = answer_.first(bytes);
  PostItem(kEchoJob, task, message_.first(bytes), in_place_ ? answer : std::span<std::byte>());
  Flush();
  while (answered_ < posted_) Receive();
  return answer;
}

void WorkerLink::Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) {
  static const std::uint32_t task = TaskId(kProduceTask);
  expected_ = bytes;
  stream_begun_ = posted_;
  arrived_ = &arrived;
  const std::uint64_t end = posted_ + count;
  while (answered_ < end) {
    while (posted_ < end && posted_ - answered_ < OnOrder(bytes)) {
      const ProduceItem item{bytes, posted_ - stream_begun_};
      PostItem(kProduceJob, task, std::as_bytes(std::span(&item, 1)),
               in_place_ ? PlaceOf(posted_, bytes) : std::span<std::byte>());
    }
    // Orders are few and short: they always fit, or room comes with what is received.
    if (const IoStatus sent = ends_.channel->Flush();
        sent != IoStatus::kDone && sent != IoStatus::kBlocked)
      Fail("its worker takes nothing in");
    Receive();
  }
  arrived_ = nullptr;
}

// ---- receiving

std::span<std::byte> WorkerLink::PlaceOf(std::uint64_t item, std::size_t bytes) const {
  const std::size_t slot = in_place_ ? (item - stream_begun_) % OnOrder(bytes) : 0;
  return answer_.subspan(slot * bytes, bytes);
}

void WorkerLink::Receive() {
  const IoStatus status = ends_.channel->ReceiveWithin(*this, kPeerDeadline);
  if (!failure_.empty()) Fail(failure_);
  switch (status) {
    case IoStatus::kDone:
      return;
    case IoStatus::kBlocked:
      Fail("its worker does not answer");
    case IoStatus::kClosed:
      Fail("its worker has ended");
    case IoStatus::kBroken:
      Fail("its worker broke the protocol: " + ends_.channel->fault());
  }
}

std::optional<std::span<std::byte>> WorkerLink::PlaceFor(const FrameHeader& header) {
  if (header.type == FrameType::kReady && !ready_ && header.payload_bytes == sizeof(ReadyMessage))
    return std::span(small_).first(sizeof(ReadyMessage));
  if (header.type == FrameType::kFailed && header.payload_bytes <= small_.size())
    return std::span(small_).first(header.payload_bytes);
  if (header.type != FrameType::kResult || header.item != answered_ || answered_ == posted_ ||
      header.offset != got_ || header.payload_bytes > expected_ - got_)
    return std::nullopt;
  return PlaceOf(header.item, expected_).subspan(got_, header.payload_bytes);
}

void WorkerLink::Take(const Frame& frame) {
  if (frame.header.type == FrameType::kReady) {
    ReadyMessage message;
    std::memcpy(&message, frame.payload.data(), sizeof message);
    ready_ = message.wire_version == kWireVersion && message.build == BuildId();
    if (!ready_) failure_ = "its worker is of another build";
    return;
  }
  if (frame.header.type == FrameType::kFailed) {
    failure_ = "its worker could not run the task";
    return;
  }
  got_ += frame.payload.size();
  if ((frame.header.flags & kLastPart) == 0) return;
  if (got_ != expected_) failure_ = "an answer is too short";
  got_ = 0;
  const std::uint64_t item = answered_++;
  if (arrived_ != nullptr && failure_.empty())
    (*arrived_)(item - stream_begun_, PlaceOf(item, expected_));
}

}  // namespace procpool
