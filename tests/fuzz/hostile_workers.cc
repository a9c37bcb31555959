#include "tests/fuzz/hostile_workers.h"

#include <cstring>
#include <utility>

namespace procpool {
namespace {

// A machine with little memory: what is said to be longer is refused, so that none is filled here.
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 20U;

}  // namespace

// As that of ProcessWorkers is for a worker that is ready.
class HostileWorkers::Sink final : public FrameSink {
 public:
  Sink(HostileWorkers& workers, std::size_t worker, WorkerEvents& events)
      : workers_(workers), slot_(workers.slots_[worker]), worker_(worker), events_(events) {}

  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override {
    switch (header.type) {
      case FrameType::kStepThrew:
      case FrameType::kFailed:
        if (header.payload_bytes > slot_.scratch.size()) return std::nullopt;
        return std::span(slot_.scratch).first(header.payload_bytes);
      case FrameType::kResult:
        if (header.payload_bytes > kMostMemory) return std::nullopt;
        return events_.PlaceFor(worker_, header);
      default:
        return std::nullopt;
    }
  }

  void Take(const Frame& frame) override {
    const FrameHeader& header = frame.header;
    const JobItem item{header.job, {header.item, header.attempt}};
    bool known = false;
    if (header.type == FrameType::kResult) {
      known = events_.OnResult(worker_, frame);
    } else if (header.type == FrameType::kFailed) {
      known = events_.OnFailed(worker_, item, "type", "text");
    } else if (header.type == FrameType::kStepThrew && frame.payload.size() >= 8) {
      std::uint64_t step = 0;
      std::memcpy(&step, frame.payload.data(), sizeof step);
      known = events_.OnStepThrew(worker_, item, step, "type", "text");
    }
    if (!known) workers_.Kill(worker_, "it answered what it was not given");
  }

 private:
  HostileWorkers& workers_;
  Slot& slot_;
  std::size_t worker_;
  WorkerEvents& events_;
};

void HostileWorkers::EndJob(std::uint32_t) {
  for (Slot& slot : slots_) {
    if (slot.life == Life::kDying) slot.channel->Abandon();
  }
}

bool HostileWorkers::Revoke(std::size_t worker, std::uint64_t number) {
  Slot& slot = slots_[worker];
  return slot.life == Life::kReady && !slot.channel->IsInPayload() &&
         slot.revocations->Revoke(number);
}

bool HostileWorkers::Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
                          const ItemInput&) {
  Slot& slot = slots_[worker];
  ++slot.items;
  slot.given.push_front({job.id, given});
  if (slot.given.size() > 8) slot.given.pop_back();
  return true;
}

const JobItem& HostileWorkers::Given(std::size_t worker, std::size_t back) const {
  static const JobItem none;
  const Slot& slot = slots_[worker];
  return slot.given.empty() ? none : slot.given[back % slot.given.size()];
}

void HostileWorkers::Kill(std::size_t worker, const std::string& reason) {
  Slot& slot = slots_[worker];
  if (slot.life != Life::kReady) return;
  slot.life = Life::kDying;
  slot.reason = reason;
}

void HostileWorkers::Replace(std::size_t worker, Nanoseconds /*earliest*/) {
  Slot& slot = slots_[worker];
  if (slot.life != Life::kEmpty) return;
  slot = Slot{.life = Life::kReady,
              .is_new = true,
              .channel = std::make_unique<ScriptChannel>(nullptr),
              .revocations = std::make_unique<Revocations>()};
}

void HostileWorkers::Send(std::size_t worker, std::span<const std::byte> bytes) {
  if (slots_[worker].channel != nullptr) slots_[worker].channel->Feed(bytes);
}

void HostileWorkers::Begin(std::size_t worker, std::uint64_t number) {
  if (slots_[worker].revocations != nullptr) slots_[worker].revocations->Begin(number);
}

void HostileWorkers::Receive(std::size_t worker, WorkerEvents& events) {
  Sink sink(*this, worker, events);
  IoStatus status = IoStatus::kDone;
  while (status == IoStatus::kDone) status = slots_[worker].channel->Receive(sink);
  if (status == IoStatus::kBroken) Kill(worker, "it broke the protocol");
}

void HostileWorkers::Wait(Deadline, WorkerEvents& events) {
  for (std::size_t worker = 0; worker < kSlots; ++worker) {
    Slot& slot = slots_[worker];
    if (std::exchange(slot.is_new, false)) events.OnReady(worker);
    if (slot.life == Life::kReady) Receive(worker, events);
    if (slot.life != Life::kDying) continue;
    Receive(worker, events);  // what it had sent before
    slot.life = Life::kEmpty;
    slot.channel.reset();
    Departure departure{.exit = {ProcessExit::Kind::kSignalled, 9}, .was_ready = true};
    departure.working_on = slot.claimed;
    departure.reason = slot.reason;
    events.OnGone(worker, departure);
  }
}

}  // namespace procpool
