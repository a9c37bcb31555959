// The receiving side of ProcessWorkers: what arrives from a worker, and what is done about it.

#include <cstring>
#include <string_view>

#include "common/build_id.h"
#include "common/log.h"
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
      case FrameType::kInitDone:
        if (!slot_.initializing || header.payload_bytes != sizeof(Nanoseconds)) return std::nullopt;
        return std::span(slot_.scratch).first(sizeof(Nanoseconds));
      case FrameType::kStepThrew:
      case FrameType::kFailed:
        if (header.payload_bytes > slot_.scratch.size()) return std::nullopt;
        return std::span(slot_.scratch).first(header.payload_bytes);
      case FrameType::kResult:
        if (slot_.life == Life::kStarting) return std::nullopt;
        return events_.PlaceFor(worker_, header);
      default:
        return std::nullopt;
    }
  }

  void Take(const Frame& frame) override {
    switch (frame.header.type) {
      case FrameType::kReady:
        return TakeReady(frame);
      case FrameType::kInitDone:
        return TakeInitDone(frame);
      case FrameType::kFailed:
        return TakeFailed(frame);
      case FrameType::kStepThrew:
        return TakeStepThrew(frame);
      case FrameType::kResult:
        if (slot_.life == Life::kStarting || !events_.OnResult(worker_, frame)) {
          workers_.KillLiar(worker_, "its result cannot be right");
        }
        return;
      default:
        workers_.KillLiar(worker_, "it sent a frame that only a master sends");
        return;
    }
  }

  std::string Refusal() const override { return "it sent a frame that it was not asked for"; }

 private:
  void TakeReady(const Frame& frame) {
    ReadyMessage ready;
    std::memcpy(&ready, frame.payload.data(), sizeof ready);
    if (ready.wire_version != kWireVersion || ready.build != BuildId()) {
      slot_.departure.hopeless = true;
      workers_.Kill(worker_, "it is of another build than this master; install both together");
      return;
    }
    slot_.far_opened();
    workers_.records_[slot_.record].main_reached = ready.main_reached;
    if (workers_.initializer_.empty()) return BecomeReady();
    slot_.initializing = true;
    for (const Buffer& buffer : workers_.options_.initializer.shared)
      workers_.ShareBuffer(slot_, &buffer);
    OutFrame frame_out;
    frame_out.header.type = FrameType::kInit;
    frame_out.payload = workers_.initializer_;
    slot_.channel->Post(frame_out);  // the first frame there is has room
  }

  void BecomeReady() {
    slot_.life = Life::kReady;
    slot_.initializing = false;
    slot_.departure.was_ready = true;
    SpawnRecord& record = workers_.records_[slot_.record];
    record.ready = Now();
    if (Logs(LogLevel::kDebug)) {
      Log(LogLevel::kDebug, "worker " + std::to_string(worker_) + " (pid " +
                                std::to_string(record.pid) + ") is ready after " +
                                std::to_string((record.ready - record.spawned) / kMicrosecond) +
                                " us");
    }
    events_.OnReady(worker_);
  }

  void TakeInitDone(const Frame& frame) {
    Nanoseconds duration = 0;
    std::memcpy(&duration, frame.payload.data(), sizeof duration);
    workers_.records_[slot_.record].initializing = duration;
    BecomeReady();
  }

  static std::pair<std::string, std::string> TypeAndText(std::span<const std::byte> payload) {
    const std::string_view words(reinterpret_cast<const char*>(payload.data()), payload.size());
    const std::size_t end = std::min(words.find('\0'), words.size());
    return {std::string(words.substr(0, end)),
            std::string(words.substr(std::min(end + 1, words.size())))};
  }

  void TakeFailed(const Frame& frame) {
    const auto [type, text] = TypeAndText(frame.payload);
    const FrameHeader& header = frame.header;
    if (slot_.initializing && header.job == 0) {
      return workers_.Kill(worker_, "its initializer threw " + type + ": " + text);
    }
    const bool known =
        slot_.life != Life::kStarting &&
        events_.OnFailed(worker_, {header.job, {header.item, header.attempt}}, type, text);
    if (!known) workers_.KillLiar(worker_, "it answered an item that it was not given");
  }

  void TakeStepThrew(const Frame& frame) {
    std::uint64_t step = 0;
    const FrameHeader& header = frame.header;
    bool known = slot_.life != Life::kStarting && frame.payload.size() >= sizeof step;
    if (known) {
      std::memcpy(&step, frame.payload.data(), sizeof step);
      const auto [type, text] = TypeAndText(frame.payload.subspan(sizeof step));
      known = events_.OnStepThrew(worker_, {header.job, {header.item, header.attempt}}, step, type,
                                  text);
    }
    if (!known) workers_.KillLiar(worker_, "it answered a step that it was not given");
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
                             if (slot.generation != generation) return;
                             slot.watch_pending = false;
                             // If the system refuses to watch it, it is looked at instead.
                             if (!error) slot.channel->AcknowledgeWake();
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
      slot.ChannelClosed();
      return;
    case IoStatus::kBroken:
      slot.readable_now = false;
      KillLiar(worker, "it broke the protocol: " + slot.channel->fault());
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
