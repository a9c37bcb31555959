// The dispatch's third step: workers that are gone, who is to blame, and whether they are replaced.

#include <algorithm>
#include <cstdio>
#include <utility>

#include <procpool/error.h>
#include "common/log.h"
#include "master/back_off.h"
#include "master/dispatch.h"

namespace procpool {
namespace {

// Give up on workers that die at start after so many in a row.
constexpr unsigned kMostStartFailures = 5;
// Deaths for each worker that serve nothing: while there is nothing to do, or before anybody had
// anything to do.
constexpr std::uint64_t kMostFruitlessDeaths = 3;

}  // namespace

// The job whose item the worker had begun, if that is known; else that of the oldest item it had
// not answered; else the one that began first.
Dispatch::Entry* Dispatch::CulpritOf(std::size_t worker, const Departure& departure) {
  if (const auto& begun = departure.working_on) {
    Entry* const entry = Find(begun->item.job);
    if (entry != nullptr && entry->run.IsOpen(worker, begun->item.given)) return entry;
  }
  const Lane& lane = lanes_[worker];
  if (!lane.given.empty()) return Find(lane.given.front().job);
  return jobs_.empty() ? nullptr : jobs_.begin()->second.get();
}

bool Dispatch::AnybodyWants() const {
  return std::ranges::any_of(jobs_, [](const auto& job) {
    return !job.second->run.interrupted() && job.second->run.Unfinished();
  });
}

void Dispatch::OnGone(std::size_t worker, const Departure& departure) {
  const bool idle = Idle();
  const Nanoseconds now = Now();
  Lane& lane = lanes_[worker];
  JobRun::Loss loss{
      .departure = departure,
      .who = "worker " + std::to_string(worker) + " (pid " + std::to_string(departure.pid) + ") ",
      .how =
          departure.exit.Text() + (departure.reason.empty() ? "" : ", because " + departure.reason),
      // Told to stop, and left with everything answered: all is well. Anything else is a death,
      // also on the way out.
      .as_told = departure.on_request && lane.given.empty() &&
                 departure.exit.kind == ProcessExit::Kind::kExited && departure.exit.value == 0,
      .timed_out = lane.killed == Lane::Killed::kOverdue};
  bool wanted = loss.as_told || lane.killed == Lane::Killed::kCancelled;
  Entry* culprit = departure.was_ready && !idle && !wanted ? CulpritOf(worker, departure) : nullptr;
  if (culprit != nullptr && culprit->run.aborted()) {  // and the workers with it, just now
    culprit = nullptr;
    wanted = true;
  }
  bool blamed = false;  // an item
  for (const auto& job : jobs_) {
    Entry* const entry = job.second.get();
    Guard(*entry, [&] {
      loss.blame = entry == culprit;
      blamed = entry->run.WorkerGone(worker, loss) || blamed;
    });
    Reopen(*entry);
    SettleSoon(*entry);
  }
  const Lane left = std::exchange(lane, Lane{});
  // What it was killed for, or would not have lived to see: nobody is to do it now.
  for (const LaneItem& item : left.given) {
    if (item.cancelled_at != 0) Drop(*jobs_.at(item.job), item.given.item);
  }
  if (idle) return DiedIdle(worker, departure, loss, wanted, now);
  if (!wanted && !MayGoOn(departure, loss, blamed, now)) return;
  if (AnybodyWants()) Replace(worker);
}

// Whether the jobs can go on after this death that nobody wanted; if not they end by it.
bool Dispatch::MayGoOn(const Departure& departure, const JobRun::Loss& loss, bool blamed,
                       Nanoseconds now) {
  if (!departure.was_ready) {
    ++start_failures_;
    const std::string what = loss.who + loss.how + " before it was ready";
    jobs_.begin()->second->run.Note(what);
    Log(LogLevel::kInfo, what);
    if (departure.hopeless || start_failures_ >= kMostStartFailures) {
      FailStart(departure);
      return false;
    }
    not_before_ = now + BackOff(start_failures_);
  }
  if (!restarts_.Allows(now)) {
    ReplaceNobody();
    FailRestarts(loss);
    return false;
  }
  // An item that is blamed is given up or taken apart after so many deaths, so those have an end,
  // and so has what other workers are at. A worker that dies before it is given anything brings no
  // item nearer to its end, and such deaths may be too slow for the limit: one after the other,
  // with nobody at work, they could go on for ever.
  const bool anybody_works =
      std::ranges::any_of(lanes_, [](const Lane& lane) { return !lane.given.empty(); });
  if (blamed || anybody_works) {
    fruitless_deaths_ = 0;
  } else if (departure.was_ready && ++fruitless_deaths_ > kMostFruitlessDeaths * workers_.slots()) {
    FailAll("workers die before they are given anything; the last: " + loss.who + loss.how);
    return false;
  }
  return true;
}

// Workers that cannot start, or die again and again with nothing to do, are tried again less and
// less often, and in the end left to the next item, whose caller hears of them.
void Dispatch::DiedIdle(std::size_t worker, const Departure& departure, const JobRun::Loss& loss,
                        bool wanted, Nanoseconds now) {
  Log(LogLevel::kInfo, loss.who + loss.how + " between jobs");
  if (wanted) return Replace(worker);
  if (departure.hopeless || ++idle_deaths_ > kMostFruitlessDeaths * workers_.slots()) return;
  if (!departure.was_ready && ++start_failures_ >= kMostStartFailures) return;
  if (!restarts_.Allows(now)) return ReplaceNobody();
  if (!out_of_restarts_) workers_.Replace(worker, now + BackOff(idle_deaths_));
}

void Dispatch::Replace(std::size_t worker) {
  if (!out_of_restarts_) workers_.Replace(worker, not_before_);
}

void Dispatch::ReplaceAll() {
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) Replace(worker);
}

// Until a job begins, or one that had nothing to do has again.
void Dispatch::ReplaceNobody() {
  out_of_restarts_ = true;
  workers_.KeepEmpty();
}

void Dispatch::OnSlotLost(std::size_t worker, const std::string& error) {
  if (jobs_.empty()) Log(LogLevel::kWarning, error);
  for (const auto& [id, entry] : jobs_) entry->run.SlotLost(worker, error);
}

void Dispatch::FailAll(const std::string& error) {
  for (const auto& [id, entry] : jobs_) {
    entry->run.Fail(error);
    SettleSoon(*entry);
  }
}

// Workers that die this fast are replaced for nothing, whichever items they had.
void Dispatch::FailRestarts(const JobRun::Loss& last) {
  char within[32];  // NOLINT: a short number
  std::snprintf(within, sizeof within, "%g", Seconds(restarts_.window()));
  const std::string cause = "more than " + std::to_string(restarts_.most()) + " died within " +
                            within + " s; the last: " + last.who + last.how;
  FailAll(Error(Blame::kMachine,
                {"replace", "workers that died", cause, "see why they die, or allow more restarts"})
              .what());
}

// Workers that cannot start end every job. Where none ever did, the program itself must be wrong,
// and that is the caller's mistake rather than the job's failure.
void Dispatch::FailStart(const Departure& departure) {
  std::string cause = "it ended before it was ready, " + departure.exit.Text();
  if (start_failures_ > 1) cause += ", " + std::to_string(start_failures_) + " times in a row";
  if (!departure.reason.empty()) cause += ": " + departure.reason;
  const std::string object = departure.program == kThisProgram
                                 ? "this program as its own worker"
                                 : "worker program '" + departure.program + "'";
  const ErrorText text{
      "start", object, cause,
      departure.hopeless ? "give the worker of this build"
                         : "see that it is a worker of this build and can do what it begins with"};
  if (any_ready_) return FailAll(Error(Blame::kMachine, text).what());
  EndAll(std::make_exception_ptr(Error(Blame::kUser, text)));
}

}  // namespace procpool
