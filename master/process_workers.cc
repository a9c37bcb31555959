#include "master/process_workers.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "common/build_id.h"
#include "common/error.h"
#include "common/work_mark.h"

namespace procpool {
namespace {

namespace asio = boost::asio;

constexpr Nanoseconds kStalledRetry = 200 * kMillisecond;
constexpr Nanoseconds kSendRegionDeadline = 2 * kSecond;
constexpr Nanoseconds kLongestSleep = 10 * kSecond;

// Each worker takes up to five descriptors here; the soft limit of a login (1024) would end at
// about 200.
unsigned long RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const unsigned long original = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? original : 0;
}

}  // namespace

struct ProcessWorkers::Slot {
  explicit Slot(asio::io_context& loop) : readable(loop), writable(loop), ended(loop) {}

  Life life = Life::kEmpty;
  bool wants_spawn = false;
  std::optional<WorkerProcess> process;
  std::optional<ControlSocket> control;
  std::optional<WorkMark> mark;
  RegionTable regions;  // what this worker was given to share
  std::vector<std::uint32_t> region_ids;
  std::unique_ptr<Channel> channel;
  std::function<void()> far_opened;
  Nanoseconds ready_by = 0;
  std::size_t record = 0;
  std::uint32_t job_sent = 0;
  bool stop_sent = false;
  Departure departure;
  // The descriptors are the channel's and the process'; asio only watches them and must let go
  // before they are closed.
  asio::posix::stream_descriptor readable, writable, ended;
  bool readable_now = false;
  bool unwatched = false;  // drained, and its bell not yet armed
  bool writable_awaited = false;
  bool ended_now = false;
  unsigned generation = 0;  // wait handlers of an earlier worker of this slot find another number

  void StopWatching() {
    ++generation;
    for (auto* descriptor : {&readable, &writable, &ended}) {
      if (descriptor->is_open()) descriptor->release();
    }
    readable_now = unwatched = writable_awaited = ended_now = false;
  }
};

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
        return std::span(scratch_).first(sizeof(ReadyMessage));
      case FrameType::kFailed:
        if (header.payload_bytes > scratch_.size()) return std::nullopt;
        return std::span(scratch_).first(header.payload_bytes);
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
      default:
        if (!events_.OnResult(worker_, frame))
          workers_.Kill(worker_, "its result has the wrong length");
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
  std::vector<std::byte> scratch_ = std::vector<std::byte>(kSmallPayload);
};

ProcessWorkers::ProcessWorkers(ProcessWorkersOptions options)
    : options_(std::move(options)), keep_running_(loop_.get_executor()) {
  original_fd_limit_ = RaiseDescriptorLimit();
  for (std::size_t i = 0; i < options_.slots; ++i) slots_.push_back(std::make_unique<Slot>(loop_));
  for (std::size_t i = 0; i < options_.slots; ++i) Replace(i);
}

ProcessWorkers::~ProcessWorkers() {
  for (const auto& slot : slots_) slot->StopWatching();
}

bool ProcessWorkers::CanTake(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  return slot.life == Life::kReady && !slot.stop_sent && !suspended_;
}

bool ProcessWorkers::IsReady(std::size_t worker) const {
  return slots_[worker]->life == Life::kReady;
}

std::optional<GivenItem> ProcessWorkers::WorkingOn(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  const auto mark = slot.mark ? slot.mark->Read() : std::nullopt;
  if (!mark || !job_ || mark->job != job_->id) return std::nullopt;
  return GivenItem{mark->item, mark->attempt};
}

std::size_t ProcessWorkers::record(std::size_t worker) const {
  return slots_[worker]->record;
}

std::size_t ProcessWorkers::alive() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      slots_, [](const auto& slot) { return slot->life != Life::kEmpty || slot->wants_spawn; }));
}

void ProcessWorkers::Replace(std::size_t worker) {
  Slot& slot = *slots_[worker];
  if (slot.life != Life::kEmpty || slot.wants_spawn) return;
  slot.wants_spawn = true;
  ++to_spawn_;
}

// ---- spawning

void ProcessWorkers::Spawn(std::size_t worker) {
  Slot& slot = *slots_[worker];
  SpawnRecord record;
  record.slot = worker;
  record.spawned = Now();

  auto [control, far_control] = ControlSocket::MakePair();
  slot.control.emplace(std::move(control));
  slot.mark.emplace(WorkMark::Create());
  slot.regions = RegionTable();
  slot.region_ids.clear();
  MadeChannel made = options_.transport->make({*slot.control, slot.regions, slots_.size()});

  const Launch launch{.transport = std::string(options_.transport->name),
                      .channel_name = made.far_name,
                      .slot = static_cast<unsigned>(worker),
                      .parent = ::getpid(),
                      .spin = options_.spin,
                      .log_level = options_.log_level};
  WorkerProcess::Command command{.program = options_.program,
                                 .argument = EncodeLaunch(launch),
                                 .inherit = {far_control.fd(), slot.mark->fd()},
                                 .restore_fd_limit = original_fd_limit_ != 0,
                                 .fd_soft_limit = original_fd_limit_};
  for (const UniqueFd& fd : made.far_fds) command.inherit.push_back(fd.get());
  slot.process.emplace(WorkerProcess::Spawn(command));
  // The far ends close here, with `made` and `far_control`: only the worker holds them now.

  slot.mark->CloseDescriptor();
  record.spawn_returned = Now();
  record.pid = slot.process->pid();
  slot.channel = std::move(made.near);
  slot.far_opened = std::move(made.far_opened);
  slot.life = Life::kStarting;
  slot.job_sent = 0;
  slot.stop_sent = false;
  slot.departure = Departure{};
  slot.departure.pid = record.pid;
  slot.departure.program = options_.program;
  slot.ready_by = Now() + options_.ready_deadline;
  slot.record = records_.size();
  records_.push_back(std::move(record));

  slot.readable.assign(slot.channel->readable_fd());
  if (slot.channel->writable_fd() >= 0) slot.writable.assign(slot.channel->writable_fd());
  slot.ended.assign(slot.process->pidfd());
  slot.readable_now = true;  // looked at once; then it is watched
  const unsigned generation = slot.generation;
  slot.ended.async_wait(asio::posix::descriptor_base::wait_read,
                        [&slot, generation](const boost::system::error_code& error) {
                          if (!error && slot.generation == generation) slot.ended_now = true;
                        });
}

// One at a time, so that the first workers compute while the others are still being spawned.
void ProcessWorkers::SpawnNext(WorkerEvents& events) {
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    Slot& slot = *slots_[worker];
    if (!slot.wants_spawn) continue;
    slot.wants_spawn = false;
    --to_spawn_;
    try {
      Spawn(worker);
    } catch (const std::exception& exception) {
      slot.StopWatching();
      slot.process.reset();
      slot.channel.reset();
      slot.control.reset();
      slot.life = Life::kEmpty;
      // The user's mistake is the same for every worker; the machine's want leaves those that are
      // there.
      const auto* error = dynamic_cast<const Error*>(&exception);
      if ((error != nullptr && error->blame() == Blame::kUser) || alive() == 0) throw;
      events.OnSlotLost(worker, exception.what());
    }
    return;
  }
}

void ProcessWorkers::CheckReadyDeadlines() {
  if (suspended_) return;
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    const Slot& slot = *slots_[worker];
    if (slot.life == Life::kStarting && Now() > slot.ready_by) {
      Kill(worker, "it was not ready within " + std::to_string(options_.ready_deadline / kSecond) +
                       " s; is it a procpool worker?");
    }
  }
}

// ---- giving

void ProcessWorkers::BeginJob(const JobTicket& job) {
  job_ = job;
}

void ProcessWorkers::EndJob() {
  if (!job_) return;
  for (const auto& slot : slots_) {
    if (slot->life != Life::kReady || slot->job_sent != job_->id || slot->stop_sent) continue;
    OutFrame frame;
    frame.header.type = FrameType::kForget;
    frame.header.job = job_->id;
    static_cast<void>(
        slot->channel->Post(frame));  // a full channel: then the worker keeps one small object
  }
  job_.reset();
  FlushAll();
  ReleaseUnusedRegions();
}

// A region that only the workers' tables still hold has no owner any more.
void ProcessWorkers::ReleaseUnusedRegions() {
  std::map<std::uint32_t, long> holders;
  for (const auto& slot : slots_) {
    for (const std::uint32_t id : slot->region_ids) ++holders[id];
  }
  for (const auto& slot : slots_) {
    std::erase_if(slot->region_ids, [&](std::uint32_t id) {
      const std::shared_ptr<SharedRegion> region = slot->regions.Find(id);
      if (region.use_count() - 1 > holders[id]) return false;
      slot->regions.Remove(id);
      --holders[id];
      if (slot->control) slot->control->SendForget(id, Deadline::After(kSendRegionDeadline));
      return true;
    });
  }
}

void ProcessWorkers::ShareBuffer(Slot& slot, const Buffer* buffer) {
  if (buffer == nullptr || buffer->region_id() == 0 ||
      slot.regions.Find(buffer->region_id()) != nullptr)
    return;
  if (!slot.control->SendRegion(buffer->region_id(), *buffer->region(),
                                Deadline::After(kSendRegionDeadline)))
    return;
  slot.regions.Add(buffer->region_id(), buffer->region());
  slot.region_ids.push_back(buffer->region_id());
}

bool ProcessWorkers::Give(std::size_t worker, const GivenItem& given, const ItemInput& input,
                          bool timed) {
  Slot& slot = *slots_[worker];
  const std::uint32_t task = TaskId(job_->task);
  if (slot.job_sent != job_->id) {
    std::vector<std::byte> payload(job_->task.size() + 1);
    std::memcpy(payload.data(), job_->task.data(), job_->task.size());
    payload.insert(payload.end(), job_->context.begin(), job_->context.end());
    OutFrame frame;
    frame.header.type = FrameType::kJob;
    frame.header.task = task;
    frame.header.job = job_->id;
    frame.payload = payload;
    if (!slot.channel->Post(frame)) return false;
    // A context too long to be copied by Post() is sent before it goes out of scope here.
    if (payload.size() > kSmallPayload &&
        slot.channel->FlushBefore(Deadline::After(kSendRegionDeadline)) != IoStatus::kDone) {
      Kill(worker, "it does not take in the job's description");
      return false;
    }
    slot.job_sent = job_->id;
  }
  ShareBuffer(slot, input.input_buffer);
  ShareBuffer(slot, input.place_buffer);
  OutFrame frame;
  frame.header.type = FrameType::kItem;
  frame.header.flags = timed ? kTimed : 0;
  frame.header.task = task;
  frame.header.job = job_->id;
  frame.header.item = given.item;
  frame.header.attempt = given.attempt;
  frame.payload = input.input;
  frame.place = input.place;
  return slot.channel->Post(frame);
}

void ProcessWorkers::Stop(std::size_t worker) {
  Slot& slot = *slots_[worker];
  if (slot.life == Life::kEmpty || slot.stop_sent) return;
  OutFrame frame;
  frame.header.type = FrameType::kStop;
  slot.stop_sent = slot.channel->Post(frame);
  slot.departure.on_request = slot.stop_sent;
}

void ProcessWorkers::Kill(std::size_t worker, const std::string& reason) {
  Slot& slot = *slots_[worker];
  if (slot.life == Life::kEmpty || slot.life == Life::kDying) return;
  slot.life = Life::kDying;
  slot.departure.reason = reason;
  slot.departure.on_request = false;
  slot.process->SignalGroup(SIGKILL);
}

// ---- waiting

void ProcessWorkers::FlushAll() {
  for (const auto& owned : slots_) {
    Slot& slot = *owned;
    if (slot.channel == nullptr || !slot.channel->HasUnsent() || slot.writable_awaited) continue;
    // A worker that is gone or broke the protocol is noticed where its answers are received, and by
    // its pidfd.
    if (slot.channel->Flush() != IoStatus::kBlocked) continue;
    if (slot.writable.is_open()) {
      slot.writable_awaited = true;
      const unsigned generation = slot.generation;
      slot.writable.async_wait(asio::posix::descriptor_base::wait_write,
                               [&slot, generation](const boost::system::error_code&) {
                                 if (slot.generation == generation) slot.writable_awaited = false;
                               });
    } else if (!slot.channel->Arm()) {
      slot.readable_now = true;  // room is announced through the same doorbell
    }
  }
}

// Sleeping on a channel begins with Arm(); what arrived before that is read instead.
void ProcessWorkers::WatchUnlessReadable(Slot& slot) {
  slot.unwatched = false;
  if (!slot.channel->Arm()) {
    slot.readable_now = true;
    return;
  }
  const unsigned generation = slot.generation;
  slot.readable.async_wait(asio::posix::descriptor_base::wait_read,
                           [&slot, generation](const boost::system::error_code& error) {
                             if (error || slot.generation != generation) return;
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
      // Not yet its death: that comes with its pidfd. But who cannot answer any more must go.
      slot.readable_now = false;
      if (slot.life != Life::kDying) slot.process->SignalGroup(SIGKILL);
      return;
    case IoStatus::kBroken:
      slot.readable_now = false;
      Kill(worker, "it broke the protocol: " + slot.channel->fault());
      return;
  }
}

void ProcessWorkers::Drain(std::size_t worker, WorkerEvents& events) {
  Sink sink(*this, worker, events);
  while (slots_[worker]->channel->Receive(sink) == IoStatus::kDone) {
  }
}

void ProcessWorkers::Reap(std::size_t worker, WorkerEvents& events) {
  Slot& slot = *slots_[worker];
  // Its answers first: what it did before it died counts.
  Drain(worker, events);
  const std::optional<ProcessExit> exit = slot.process->TryReap();
  if (!exit) return;  // woken too early; ended_now stands, so it is tried again
  slot.StopWatching();
  Departure departure = std::move(slot.departure);
  departure.exit = *exit;
  departure.working_on = WorkingOn(worker);
  records_[slot.record].exit =
      departure.on_request && exit->kind == ProcessExit::Kind::kExited && exit->value == 0
          ? "stopped"
          : exit->Text();
  slot.far_opened();  // a worker that died at start leaves no queue names
  slot.channel.reset();
  slot.control.reset();
  slot.mark.reset();
  slot.process.reset();
  slot.life = Life::kEmpty;
  events.OnGone(worker, departure);
}

bool ProcessWorkers::AnythingReadable() const {
  return std::ranges::any_of(
      slots_, [](const auto& slot) { return slot->readable_now || slot->ended_now; });
}

void ProcessWorkers::Sleep(Deadline deadline) {
  // Whatever ran may have changed what there is to do (room in a pipe, an action of another
  // thread), so any handler that ran ends the wait.
  if (loop_.poll() > 0) return;
  if (options_.spin > 0) {
    // Rings are looked at without a system call; the event loop, which costs one, is asked every so
    // many rounds.
    constexpr unsigned kRoundsPerPoll = 64;
    unsigned round = 0;
    for (const Nanoseconds end = Now() + options_.spin; Now() < end; ++round) {
      for (const auto& slot : slots_) {
        if (slot->unwatched && slot->channel->Peek().value_or(false)) slot->readable_now = true;
      }
      if (round % kRoundsPerPoll == 0 && loop_.poll() > 0) return;
      if (AnythingReadable()) return;
    }
  }
  for (const auto& slot : slots_) {
    if (slot->unwatched) WatchUnlessReadable(*slot);
  }
  if (AnythingReadable()) return;
  Nanoseconds wake = std::min(deadline.time(), Now() + kLongestSleep);
  for (const auto& slot : slots_) {
    if (slot->life == Life::kStarting) wake = std::min(wake, slot->ready_by);
    if (slot->channel != nullptr && slot->channel->Stalled())
      wake = std::min(wake, Now() + kStalledRetry);
  }
  const Nanoseconds left = wake - Now();
  if (left <= 0) return;
  loop_.run_one_for(std::chrono::nanoseconds(left));
  loop_.poll();
  for (const auto& slot : slots_) {
    if (slot->channel != nullptr && slot->channel->Stalled()) slot->readable_now = true;
  }
}

void ProcessWorkers::Wait(Deadline deadline, WorkerEvents& events) {
  FlushAll();
  if (to_spawn_ > 0) {
    SpawnNext(events);
    loop_.poll();
  } else if (!AnythingReadable()) {
    Sleep(deadline);
  }
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    if (slots_[worker]->readable_now && slots_[worker]->channel != nullptr)
      ReceiveFrom(worker, events);
    if (slots_[worker]->ended_now) Reap(worker, events);
  }
  CheckReadyDeadlines();
}

// ---- from other threads, and the end

void ProcessWorkers::Post(std::function<void()> action) {
  asio::post(loop_, std::move(action));
}

void ProcessWorkers::Suspend() {
  suspended_ = true;
  for (const auto& slot : slots_) {
    if (slot->process) slot->process->SignalGroup(SIGSTOP);
  }
}

void ProcessWorkers::Resume(Nanoseconds stopped) {
  suspended_ = false;
  for (const auto& slot : slots_) {
    slot->ready_by += stopped;
    if (slot->process) slot->process->SignalGroup(SIGCONT);
  }
}

void ProcessWorkers::KillAll() {
  for (std::size_t worker = 0; worker < slots_.size(); ++worker)
    Kill(worker, "the master was told to leave at once");
}

void ProcessWorkers::StopAll(Nanoseconds grace) {
  // Whatever still arrives belongs to nobody.
  struct Nobody final : WorkerEvents {
    void OnReady(std::size_t) override {}
    std::optional<std::span<std::byte>> PlaceFor(std::size_t, const FrameHeader& header) override {
      discarded.resize(std::min<std::uint64_t>(header.payload_bytes, std::size_t{1} << 24));
      return std::span(discarded);
    }
    bool OnResult(std::size_t, const Frame&) override { return true; }
    bool OnFailed(std::size_t, const GivenItem&, const std::string&, const std::string&) override {
      return true;
    }
    void OnGone(std::size_t, const Departure&) override {}
    void OnSlotLost(std::size_t, const std::string&) override {}
    std::vector<std::byte> discarded;
  } nobody;

  for (const auto& slot : slots_) slot->wants_spawn = false;
  to_spawn_ = 0;
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) Stop(worker);
  for (const int signal : {0, SIGTERM, SIGKILL}) {
    if (alive() == 0) return;
    if (signal != 0) {
      spdlog::warn("{} worker(s) did not leave, sending {}", alive(), SignalName(signal));
      for (const auto& slot : slots_) {
        if (slot->process) slot->process->SignalGroup(signal);
      }
    }
    for (const Deadline deadline = Deadline::After(grace); alive() > 0 && !deadline.Passed();)
      Wait(deadline, nobody);
  }
}

}  // namespace procpool
