#include "master/call_lines.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace procpool {
namespace {

// Lines that are kept open while nobody stands in them.
constexpr std::size_t kMostLines = 16;
// Behind a call that takes long a line would grow without end.
constexpr std::size_t kLongestLine = std::size_t{1} << 16;

}  // namespace

CallLines::CallLines(WorkerPool& workers, const JobOptions& job_options,
                     std::function<void()> call_ended)
    : workers_(workers), job_options_(job_options), call_ended_(std::move(call_ended)) {
  job_options_.endless = true;
}

void CallLines::Begin(std::shared_ptr<detail::Batch> call, const MapJobOptions& options,
                      StartedCall& started) {
  std::shared_ptr<RunningLine> line = Find(*call, options);
  const bool is_new = line == nullptr;
  if (is_new) line = Open(*call, options);
  started.line = line;
  started.number = line->line->Add(std::move(call));
  if (!is_new) return workers_.dispatch().Grown(line->id);
  JobOptions job_options = job_options_;
  job_options.timeout = options.timeout;
  // What is told of the end keeps the line for those who want to cancel, also when it is sealed.
  line->id = workers_.StartNow(line->job, job_options,
                               [line](const JobReport& report, const std::exception_ptr& end) {
                                 line->line->Ended(ErrorOfBatch(report, end));
                               });
}

void CallLines::Cancel(const StartedCall& call) {
  const std::shared_ptr<RunningLine> line = call.line.lock();
  if (line == nullptr) return;
  if (const auto item = line->job->Abandon(call.number))
    workers_.dispatch().CancelItem(line->id, *item);
}

void CallLines::MakeWayForJob() {
  for (std::size_t place = lines_.size(); place-- > 0;) {
    if (lines_[place]->line->AnyoneWaits()) Seal(place);
  }
}

std::shared_ptr<RunningLine> CallLines::Find(const detail::Batch& call,
                                             const MapJobOptions& options) {
  const auto found = std::ranges::find_if(lines_, [&](const auto& line) {
    return line->options.timeout == options.timeout && line->options.retries == options.retries &&
           line->options.retry_exceptions == options.retry_exceptions && line->line->Suits(call);
  });
  if (found == lines_.end()) return nullptr;
  std::shared_ptr<RunningLine> line = *found;
  if (line->line->has_ended()) {
    lines_.erase(found);
    return nullptr;
  }
  if (line->line->length() >= kLongestLine) {
    Seal(static_cast<std::size_t>(found - lines_.begin()));
    return nullptr;
  }
  std::rotate(found, found + 1, lines_.end());
  return line;
}

std::shared_ptr<RunningLine> CallLines::Open(const detail::Batch& call,
                                             const MapJobOptions& options) {
  std::erase_if(lines_, [](const auto& line) { return line->line->has_ended(); });
  if (lines_.size() == kMostLines) Seal(0);
  auto opened = std::make_shared<RunningLine>();
  opened->options = options;
  opened->line = std::make_shared<CallLine>(call, call_ended_);
  opened->job = std::make_shared<MapJob>(opened->line, options);
  lines_.push_back(opened);
  return opened;
}

void CallLines::Seal(std::size_t place) {
  const std::shared_ptr<RunningLine> line = lines_[place];
  lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(place));
  line->line->Seal();
  workers_.dispatch().Grown(line->id);  // that is the end of it, unless somebody stands in it
}

}  // namespace procpool
