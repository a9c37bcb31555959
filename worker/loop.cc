#include "worker/loop.h"

#include <unistd.h>

#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "common/build_id.h"
#include "worker/exception_text.h"
#include "worker/item_output.h"

namespace procpool {
namespace {

// Where sending costs a system call, results of tiny items leave together if their job allows it:
// after so many tiny ones in a row, for so long and up to so many bytes. Everything else leaves at
// once, before another job's item begins at the latest.
constexpr unsigned kTinyInARow = 16;
constexpr Nanoseconds kTiny = 2 * kMicrosecond;
constexpr Nanoseconds kLongestDelay = 20 * kMicrosecond;
constexpr std::size_t kMostGathered = std::size_t{32} * 1024;

// What the task's time went to. The clock of CPU time costs too much to be read around every stage,
// so decoding and encoding are taken to have had the same share of the CPU as computing.
void DivideTime(const ItemOutput& output, Nanoseconds cpu, ResultAnnex& times) {
  times.decode = output.decoding();
  times.encode = output.encoding();
  times.sending = output.sending();
  const Nanoseconds working = times.finished - times.begun - times.sending;
  times.compute = working - times.decode - times.encode;
  times.compute_cpu = cpu - output.sending_cpu();
  if (times.compute < working && working > 0) {
    times.compute_cpu =
        static_cast<Nanoseconds>(static_cast<double>(times.compute_cpu) *
                                 static_cast<double>(times.compute) / static_cast<double>(working));
  }
}

}  // namespace

LoopEnd WorkerLoop::Run(Nanoseconds main_reached) {
  const ReadyMessage ready{.pid = ::getpid(), .build = BuildId(), .main_reached = main_reached};
  OutFrame frame;
  frame.header.type = FrameType::kReady;
  frame.payload = std::as_bytes(std::span(&ready, 1));
  try {
    PostToMaster(channel_, frame);
    FlushToMaster(channel_);
    turned_ = Now();
    while (!stop_) {
      items_at_once_ = 0;
      IoStatus status = channel_.ReceiveWithin(*this, kSecond);
      // Items came together and more may be here by now: then their results leave together too. One
      // that came alone is awaited, and was sent.
      if (status == IoStatus::kDone && items_at_once_ > 1 && channel_.HasUnsent() && !stop_) {
        status = channel_.Receive(*this);
        if (status == IoStatus::kBlocked) status = IoStatus::kDone;
      }
      if (status == IoStatus::kBroken) return LoopEnd::kBroken;
      if (status == IoStatus::kClosed) return LoopEnd::kMasterGone;
      FlushToMaster(channel_);
      gathering_since_ = 0;
      if (timed_ && status == IoStatus::kDone) turned_ = Now();
    }
  } catch (const MasterGone&) {
    return LoopEnd::kMasterGone;
  }
  return LoopEnd::kStopped;
}

std::optional<std::span<std::byte>> WorkerLoop::PlaceFor(const FrameHeader& header) {
  input_.resize(header.payload_bytes);
  return std::span(input_);
}

void WorkerLoop::Take(const Frame& frame) {
  switch (frame.header.type) {
    case FrameType::kJob:
      return BeginJob(frame);
    case FrameType::kItem:
      return RunItem(frame);
    case FrameType::kForget:
      if (frame.header.job == 0) {
        regions_.Fetch();
      } else {
        jobs_.erase(frame.header.job);
      }
      return;
    case FrameType::kInit:
      return Initialize(frame);
    case FrameType::kStop:
      stop_ = true;
      return;
    default:
      return;  // frames that only a worker sends
  }
}

std::unique_ptr<ByteTask> WorkerLoop::MakeTask(std::string_view name,
                                               std::span<const std::byte> context) const {
  const TaskFactory* factory = registry_.Find(name);
  if (factory == nullptr) {
    const std::string names = registry_.Names();
    throw std::invalid_argument("this worker has no task '" + std::string(name) + "', " +
                                (names.empty() ? "nor any other" : "only " + names));
  }
  return (*factory)(context);
}

// Payload: the task's name, '\0', the context.
void WorkerLoop::BeginJob(const Frame& frame) {
  Job job;
  job.task = frame.header.task;
  const std::string_view text(reinterpret_cast<const char*>(frame.payload.data()),
                              frame.payload.size());
  const std::size_t end = text.find('\0');
  try {
    if (end == std::string_view::npos) throw std::invalid_argument("the job names no task");
    job.object = MakeTask(text.substr(0, end), frame.payload.subspan(end + 1));
  } catch (...) {
    job.error = DescribeException();
  }
  jobs_.insert_or_assign(frame.header.job, std::move(job));
}

// Payload: the task's name, '\0', the context's length (8 bytes), the context, the input.
void WorkerLoop::Initialize(const Frame& frame) {
  const Nanoseconds begun = Now();
  ItemOutput output({channel_, mark_, regions_}, frame, piece_);
  try {
    const std::string_view text(reinterpret_cast<const char*>(frame.payload.data()),
                                frame.payload.size());
    const std::size_t end = text.find('\0');
    std::uint64_t context_bytes = 0;
    std::span<const std::byte> rest;
    if (end != std::string_view::npos) rest = frame.payload.subspan(end + 1);
    if (rest.size() < sizeof context_bytes) throw std::invalid_argument("it names no task");
    std::memcpy(&context_bytes, rest.data(), sizeof context_bytes);
    rest = rest.subspan(sizeof context_bytes);
    if (rest.size() < context_bytes) throw std::invalid_argument("its context is cut short");
    initializer_ = MakeTask(text.substr(0, end), rest.first(context_bytes));
    // As the input of an item: it begins where any type may lie.
    const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(context_bytes);
    const std::vector<std::byte> input(begin, rest.end());
    initializer_->Run(input, output);
    output.InitDone(Now() - begun);
  } catch (const MasterGone&) {
    throw;
  } catch (...) {
    output.Fail(DescribeException());
  }
  FlushToMaster(channel_);
}

void WorkerLoop::RunItem(const Frame& frame) {
  if (!mark_.revocations().Begin(++items_taken_)) return;
  const bool timed = (frame.header.flags & kTimed) != 0;
  ResultAnnex times;
  if (timed) {
    times.turned = turned_;
    times.arrived = frame.arrived;
    times.received = Now();
  }
  const bool watched = (frame.header.flags & kWatched) != 0;
  const bool together = (frame.header.flags & kTogether) != 0;
  if (gathering_since_ != 0 && (!together || frame.header.job != gathering_of_)) SendGathered();
  mark_.Begin({.job = frame.header.job,
               .attempt = frame.header.attempt,
               .item = frame.header.item,
               .begun = watched ? Now() : 0});
  const bool several = ++items_at_once_ > 1 || channel_.HasReadAhead();
  const bool may_gather = together && several && !channel_.FlushIsCheap();
  const Nanoseconds item_begun = may_gather ? Now() : 0;
  ItemOutput output({channel_, mark_, regions_}, frame, piece_);
  const auto job = jobs_.find(frame.header.job);
  if (job == jobs_.end() || job->second.task != frame.header.task) {
    output.Fail({"procpool::UnknownJob", "the item belongs to no job this worker was told of"});
  } else if (job->second.object == nullptr) {
    output.Fail(job->second.error);
  } else {
    const Nanoseconds cpu_begun = timed ? ThreadCpuTime() : 0;
    if (timed) times.begun = Now();
    try {
      job->second.object->Run(frame.payload, output);
      if (timed) {
        times.finished = Now();
        DivideTime(output, ThreadCpuTime() - cpu_begun, times);
      }
      output.Finish(times);
    } catch (const MasterGone&) {
      throw;
    } catch (...) {
      output.Fail(DescribeException());
    }
  }
  if (may_gather) {
    gathering_of_ = frame.header.job;
    SendSoon(item_begun);
  } else {
    FlushToMaster(channel_);
  }
  timed_ = timed;
  if (timed) turned_ = Now();
}

void WorkerLoop::SendSoon(Nanoseconds begun) {
  const Nanoseconds now = Now();
  tiny_in_a_row_ = now - begun < kTiny ? tiny_in_a_row_ + 1 : 0;
  if (gathering_since_ == 0) gathering_since_ = now;
  const bool gather = tiny_in_a_row_ >= kTinyInARow && now - gathering_since_ < kLongestDelay &&
                      channel_.UnsentBytes() < kMostGathered;
  if (!gather) SendGathered();
}

void WorkerLoop::SendGathered() {
  FlushToMaster(channel_);
  gathering_since_ = 0;
}

}  // namespace procpool
