// The receiving side of ProcessWorkers: what arrives from a worker, and what is done about it.
#include <spdlog/spdlog.h>

#include <cstring>
#include <string_view>

#include "common/build_id.h"
#include "master/process_workers.h"
#include "master/worker_slot.h"

namespace procpool {
namespace {

namespace asio = boost::asio;

// What a dead worker left in its channel is bounded, unless somebody else holds its end.
constexpr Nanoseconds kLongestDrain = 2 * kSecond;

}  // namespace

// What arrives from one worker.
class ProcessWorkers::Sink final : public FrameSink {
 public:
  Sink(ProcessWorkers& workers, std::size_t worker, WorkerEvents& events)
      : workers_(workers), slot_(*workers.slots_[worker]), worker_(worker), events_(events) {}

  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override {
    switch (header.type) {
      case FrameType::kReady:
        if (slot_.life != Life::kStarting || header.payload_bytes != sizeof(ReadyMessage))
          return std::nullopt;
        return std::span(slot_.scratch).first(sizeof(ReadyMessage));
      case FrameType::kFailed:
        if (header.payload_bytes > slot_.scratch.size()) return std::nullopt;
        return std::span(slot_.scratch).first(header.payload_bytes);
      case FrameType::kResult:
        if (!IsOfThisJob(header)) return std::nullopt;
        return events_.PlaceFor(worker_, header);
      default:
        return std::nullopt;
    }
  }

  void Take(const Frame& frame) override {
    switch (frame.header.type) {
      case FrameType::kReady:
        return TakeReady(frame);
      case FrameType::kFailed:
        return TakeFailed(frame);
      case FrameType::kResult:
        if (!IsOfThisJob(frame.header) || !events_.OnResult(worker_, frame)) {
          workers_.Kill(worker_, "its result cannot be right");
        }
        return;
      default:
        workers_.Kill(worker_, "it sent a frame that only a master sends");
        return;
    }
  }

  std::string Refusal() const override { return "it sent a frame that it was not asked for"; }

 private:
  bool IsOfThisJob(const FrameHeader& header) const {
    return slot_.life != Life::kStarting && workers_.job_ && header.job == workers_.job_->id;
  }

  void TakeReady(const Frame& frame) {
    ReadyMessage ready;
    std::memcpy(&ready, frame.payload.data(), sizeof ready);
    if (ready.wire_version != kWireVersion || ready.build != BuildId()) {
      slot_.departure.hopeless = true;
      workers_.Kill(worker_, "it is of another build than this master; install both together");
      return;
    }
    slot_.life = Life::kReady;
    slot_.departure.was_ready = true;
    slot_.far_opened();
    SpawnRecord& record = workers_.records_[slot_.record];
    record.main_reached = ready.main_reached;
    record.ready = Now();
    spdlog::debug("worker {} (pid {}) is ready after {:.3f} ms", worker_, record.pid,
                  Seconds(record.ready - record.spawned) * 1e3);
    events_.OnReady(worker_);
  }

  void TakeFailed(const Frame& frame) {
    const std::string_view words(reinterpret_cast<const char*>(frame.payload.data()),
                                 frame.payload.size());
    const std::size_t end = std::min(words.find('\0'), words.size());
    const std::string type(words.substr(0, end));
    const std::string text(words.substr(std::min(end + 1, words.size())));
    const bool known =
        IsOfThisJob(frame.header) &&
        events_.OnFailed(worker_, {frame.header.item, frame.header.attempt}, type, text);
    if (!known) workers_.Kill(worker_, "it answered an item that it was not given");
  }

  ProcessWorkers& workers_;
  Slot& slot_;
  std::size_t worker_;
  WorkerEvents& events_;
};

// Sleeping on a channel begins with Arm(); what arrived before that is read instead.
void ProcessWorkers::WatchUnlessReadable(Slot& slot) {
  slot.unwatched = false;
  if (!slot.channel->Arm()) {
    slot.readable_now = true;
    return;
  }
  if (slot.watch_pending) return;
  slot.watch_pending = true;
  const unsigned generation = slot.generation;
  slot.readable.async_wait(asio::posix::descriptor_base::wait_read,
                           [&slot, generation](const boost::system::error_code& error) {
                             if (error || slot.generation != generation) return;
                             slot.watch_pending = false;
                             slot.channel->AcknowledgeWake();
                             slot.readable_now = true;
                           });
}

void ProcessWorkers::ReceiveFrom(std::size_t worker, WorkerEvents& events) {
  Slot& slot = *slots_[worker];
  Sink sink(*this, worker, events);
  switch (slot.channel->Receive(sink)) {
    case IoStatus::kDone:
      return;  // there may be more: readable_now stands
    case IoStatus::kBlocked:
      // Where bytes can be seen without the system, a spinning master leaves the bell alone until
      // it parks.
      slot.readable_now = false;
      slot.unwatched = true;
      if (options_.spin == 0 || !slot.channel->Peek()) WatchUnlessReadable(slot);
      return;
    case IoStatus::kClosed:
      // Not yet its death: that comes with its pidfd, and soon. But who cannot answer any more must
      // go.
      slot.readable_now = false;
      slot.gone_by = Now() + kGoneAfterClosing;
      return;
    case IoStatus::kBroken:
      slot.readable_now = false;
      Kill(worker, "it broke the protocol: " + slot.channel->fault());
      return;
  }
}

void ProcessWorkers::Drain(std::size_t worker, WorkerEvents& events) {
  Sink sink(*this, worker, events);
  const Deadline deadline = Deadline::After(kLongestDrain);
  while (slots_[worker]->channel->Receive(sink) == IoStatus::kDone && !deadline.Passed()) {
  }
}

}  // namespace procpool
