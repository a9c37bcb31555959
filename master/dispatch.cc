#include "master/dispatch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/error.h"

namespace procpool {
namespace {

// A worker always has one item to work on and one to go on with.
constexpr std::size_t kLeastCredit = 2;
constexpr std::size_t kMostCredit = 256;
// Outstanding work beyond this buys no throughput and spoils the balance.
constexpr double kOutstandingWork = 200.0 * kMicrosecond;
constexpr double kAverageWeight = 0.1;
// Give up on workers that die at start after so many in a row.
constexpr unsigned kMostStartFailures = 3;
constexpr unsigned kMostRechecks = 3;

std::uint32_t NextJobId() {
  static std::atomic<std::uint32_t> next{1};
  return next++;
}

GivenItem GivenOf(const FrameHeader& header) {
  return {header.item, header.attempt};
}

}  // namespace

Dispatch::Dispatch(Workers& workers, Job& job, JobOptions options,
                   std::atomic<std::uint64_t>* items_done)
    : workers_(workers),
      job_(job),
      options_(options),
      items_done_(items_done),
      ledger_(job.items(), workers.slots(), job.owners(), options.most_deaths),
      credits_(workers.slots()) {}

// However the job ends: a worker that still has an item of it would answer into memory that is then
// gone, or into another job.
Dispatch::EndOfJob::~EndOfJob() {
  for (std::size_t worker = 0; worker < dispatch_.workers_.slots(); ++worker) {
    if (dispatch_.ledger_.Given(worker) > 0) {
      dispatch_.workers_.Kill(worker, "its job has ended without it");
    }
  }
  dispatch_.workers_.EndJob();
}

JobReport Dispatch::Run() {
  cpu_begun_ = ThreadCpuTime();
  const Traffic before = workers_.TotalTraffic();
  Loop();
  const Traffic after = workers_.TotalTraffic();
  report_.traffic = {after.sent - before.sent, after.received - before.received};
  report_.finished = Now();
  if (keeper_) report_.budget = keeper_->Finish(report_.finished, TimesOfMaster());
  report_.items_done = ledger_.done();
  report_.all_answered = ledger_.Finished();
  if (report_.status == JobReport::Status::kDone && interrupted_ && !ledger_.Finished()) {
    report_.status = JobReport::Status::kInterrupted;
  }
  if (report_.status == JobReport::Status::kDone && !report_.given_up.empty()) {
    report_.status = JobReport::Status::kFailed;
    report_.error = std::to_string(report_.given_up.size()) +
                    " item(s) given up; the first: " + report_.given_up.front().reason;
  }
  return std::move(report_);
}

void Dispatch::Loop() {
  report_.begun = Now();
  if (job_.timed()) {
    keeper_.emplace(workers_.slots(),
                    options_.accounted_from != 0 ? options_.accounted_from : report_.begun);
  }
  workers_.BeginJob({NextJobId(), std::string(job_.task()), job_.context(), job_.timed()});
  const EndOfJob end_of_job(*this);
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    workers_.Replace(worker);
    if (!workers_.IsReady(worker)) continue;
    any_ready_ = true;
    if (keeper_) keeper_->Ready(worker, workers_.ReadySince(worker));
  }
  while (!Finished()) {
    GiveOut();
    const Nanoseconds before = Now();
    workers_.Wait(NextDeadline(), *this);
    report_.waiting += Now() - before;
    CheckDeadlines();
  }
}

bool Dispatch::Finished() {
  if (report_.status == JobReport::Status::kFailed) return true;
  if (!ledger_.Finished()) return aborted_ || (interrupted_ && ledger_.given() == 0);
  const Nanoseconds rechecking = Now();
  const std::vector<std::uint64_t> spoilt = job_.Recheck();
  if (keeper_) {
    keeper_->Checksum(rechecking, Now());
    master_.checksum += Now() - rechecking;
  }
  if (spoilt.empty()) return true;
  if (++rechecks_ > kMostRechecks) {
    Fail("the results of " + std::to_string(spoilt.size()) +
         " item(s) were overwritten again and again");
    return true;
  }
  for (const std::uint64_t item : spoilt) {
    Warn("the result of item " + std::to_string(item) +
         " was overwritten after it was checked; it is computed anew");
    ledger_.Reopen(item);
    ++report_.retries;
  }
  // Who left when everything seemed to be done was not replaced.
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) workers_.Replace(worker);
  return false;
}

// ---- step 1

void Dispatch::GiveOut() {
  if (interrupted_) return;
  // Round by round, so that every worker has its first item before any has its second.
  for (bool gave = true; gave;) {
    gave = false;
    for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
      if (workers_.CanTake(worker) && ledger_.Given(worker) < CreditOf(worker) && GiveOne(worker))
        gave = true;
    }
  }
}

// Tiny items stream: credit grows while the predicted outstanding work stays small. Towards the end
// long items are given only to workers that have none, so that none waits behind a busy worker
// while another idles.
std::size_t Dispatch::CreditOf(std::size_t worker) const {
  const double service = credits_[worker].service_ns;
  if (service <= 0) return kLeastCredit;
  const auto streaming = static_cast<std::size_t>(kOutstandingWork / service);
  if (streaming < kLeastCredit && ledger_.WaitingFor(worker) <= workers_.slots()) return 1;
  return std::clamp(streaming, kLeastCredit, kMostCredit);
}

bool Dispatch::GiveOne(std::size_t worker) {
  Credit& credit = credits_[worker];
  if (options_.most_items_per_worker != 0 &&
      workers_.ItemsGiven(worker) >= options_.most_items_per_worker) {
    workers_.Stop(worker);
    return false;
  }
  const std::optional<GivenItem> given = ledger_.Next(worker);
  if (!given) return false;
  const bool was_given = keeper_ ? GiveTimed(worker, *given)
                                 : workers_.Give(worker, *given, job_.Begin(*given), false);
  if (!was_given) {
    // Its channel is full, or it is dying. Its other items come back when it goes; this one was
    // never sent.
    job_.Return(*given);
    ledger_.TakeBack(worker, *given);
    return false;
  }
  if (ledger_.Given(worker) == 1) credit.oldest_since = Now();
  return true;
}

// ---- step 3

Deadline Dispatch::NextDeadline() const {
  Deadline next = Deadline::Far();
  if (options_.timeout == 0 || suspended_) return next;
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    if (ledger_.Given(worker) == 0 || !workers_.IsReady(worker)) continue;
    const Nanoseconds due = credits_[worker].oldest_since + options_.timeout;
    if (due < next.time()) next = Deadline::At(due);
  }
  return next;
}

void Dispatch::CheckDeadlines() {
  if (options_.timeout == 0 || suspended_) return;
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    const std::optional<GivenItem> oldest = ledger_.Oldest(worker);
    if (!oldest || !workers_.IsReady(worker) ||
        Now() < credits_[worker].oldest_since + options_.timeout)
      continue;
    char seconds[32];  // NOLINT: a short number
    std::snprintf(seconds, sizeof seconds, "%g", Seconds(options_.timeout));
    // The oldest without an answer may be done, with its answer still waiting to leave: then
    // another one hangs.
    const std::optional<GivenItem> begun = workers_.WorkingOn(worker);
    const std::uint64_t item = begun && ledger_.IsOpen(worker, *begun) ? begun->item : oldest->item;
    workers_.Kill(worker, "item " + std::to_string(item) + " took longer than " + seconds + " s");
  }
}

void Dispatch::Resume(Nanoseconds stopped) {
  suspended_ = false;
  for (Credit& credit : credits_) {
    credit.oldest_since += stopped;
    credit.last_answer += stopped;
  }
}

void Dispatch::OnReady(std::size_t worker) {
  start_failures_ = 0;
  any_ready_ = true;
  if (keeper_) keeper_->Ready(worker, Now());
}

std::optional<std::span<std::byte>> Dispatch::PlaceFor(std::size_t worker,
                                                       const FrameHeader& header) {
  const GivenItem given = GivenOf(header);
  if (!ledger_.IsOpen(worker, given)) return std::nullopt;
  // A piece of nothing brings a result no further: a stream of them would keep this loop busy.
  if (header.payload_bytes == 0 && (header.flags & kLastPart) == 0) return std::nullopt;
  return job_.PlaceFor(given, header.offset, header.payload_bytes);
}

bool Dispatch::OnResult(std::size_t worker, const Frame& frame) {
  const GivenItem given = GivenOf(frame.header);
  if (!ledger_.IsOpen(worker, given)) return false;
  if ((frame.header.flags & kLastPart) == 0) return true;
  const ItemResult result{.bytes = frame.header.offset + frame.header.payload_bytes,
                          .in_place = (frame.header.flags & kInRegion) != 0,
                          .hash = frame.header.offset == 0 ? frame.header.payload_hash : 0,
                          .times = frame.times};
  TakenStamps taken{.arrived = frame.arrived};
  if (keeper_) {
    taken.received = Now();
    taken.decode = job_.decoding();
  }
  if (!job_.Complete(given, result) || !ledger_.Complete(worker, given)) return false;
  ++Tally(worker).items;
  if (keeper_) {
    taken.placed = Now();
    taken.decode = job_.decoding() - taken.decode;
    Account(worker, frame, taken);
  }
  Answered(worker);
  return true;
}

void Dispatch::Answered(std::size_t worker) {
  Credit& credit = credits_[worker];
  const Nanoseconds now = Now();
  const Nanoseconds since = std::max(credit.last_answer, credit.oldest_since);
  const auto service = static_cast<double>(std::max<Nanoseconds>(now - since, 1));
  credit.service_ns = credit.service_ns == 0
                          ? service
                          : (1 - kAverageWeight) * credit.service_ns + kAverageWeight * service;
  credit.last_answer = now;
  credit.oldest_since = now;  // of the item behind it, if there is one
  fruitless_deaths_ = 0;
  if (items_done_ != nullptr) items_done_->fetch_add(1, std::memory_order_relaxed);
}

bool Dispatch::OnFailed(std::size_t worker, const GivenItem& given, const std::string& type,
                        const std::string& text) {
  if (!ledger_.Fail(worker, given)) return false;
  std::erase_if(credits_[worker].stamps,
                [&](const auto& entry) { return entry.first == given.item; });
  Answered(worker);
  GiveUp(given.item, "its task threw " + type + ": " + text);
  return true;
}

void Dispatch::GiveUp(std::uint64_t item, std::string reason) {
  reason = "item " + std::to_string(item) + ": " + reason;
  spdlog::error("{}", reason);
  job_.GiveUp(item, reason);
  report_.given_up.push_back({item, std::move(reason)});
}

void Dispatch::OnGone(std::size_t worker, const Departure& departure) {
  Credit& credit = credits_[worker];
  const std::string who =
      "worker " + std::to_string(worker) + " (pid " + std::to_string(departure.pid) + ") ";
  const std::string how =
      departure.exit.Text() + (departure.reason.empty() ? "" : ", because " + departure.reason);
  // Told to stop, and left with everything answered: all is well. Anything else is a death, also on
  // the way out.
  const bool as_told = departure.on_request && ledger_.Given(worker) == 0 &&
                       departure.exit.kind == ProcessExit::Kind::kExited &&
                       departure.exit.value == 0;
  const bool blame = departure.was_ready && !as_told;
  if (keeper_) keeper_->Gone(worker, Now(), as_told || !departure.was_ready);
  for (const GivenItem& given : ledger_.GivenTo(worker)) job_.Return(given);
  const DeathReport death = ledger_.WorkerDied(worker, blame, departure.working_on);
  credit = Credit{};

  if (!departure.was_ready) {
    ++start_failures_;
    report_.warnings.push_back(who + how + " before it was ready");
    spdlog::info("{}", report_.warnings.back());
    if (departure.hopeless || start_failures_ >= kMostStartFailures) return FailStart(departure);
  } else if (!as_told) {
    ++report_.deaths;
    ++fruitless_deaths_;
    std::string what = who + how;
    if (death.blamed) what += " while it had item " + std::to_string(death.blamed->item);
    Warn(what);
    report_.retries += death.returned + (death.blamed && !death.given_up ? 1 : 0);
    if (death.given_up) {
      GiveUp(death.blamed->item,
             "it has killed " + std::to_string(death.deaths) + " workers; the last one was " + how);
    }
    // Every death is some item's fault or comes from outside; if nothing is ever answered in
    // between, stop.
    if (fruitless_deaths_ > kMostStartFailures * (workers_.slots() + options_.most_deaths)) {
      return Fail("workers die faster than they answer; the last: " + who + how);
    }
  }
  const bool wanted = !interrupted_ && !ledger_.Finished();
  if (wanted) workers_.Replace(worker);
}

void Dispatch::OnSlotLost(std::size_t worker, const std::string& error) {
  Warn("going on with fewer workers: " + error);
  if (keeper_) keeper_->Ready(worker, Now());  // nobody is being made here: the slot idles
  ledger_.ReleaseShare(worker);
}

void Dispatch::Fail(std::string error) {
  if (report_.status == JobReport::Status::kFailed) return;
  report_.status = JobReport::Status::kFailed;
  report_.error = std::move(error);
}

// Workers that cannot start end the job. Where none ever did, the program itself must be wrong, and
// that is the caller's mistake rather than the job's failure.
void Dispatch::FailStart(const Departure& departure) {
  std::string cause = "it ended before it was ready, " + departure.exit.Text();
  if (start_failures_ > 1) cause += ", " + std::to_string(start_failures_) + " times in a row";
  if (!departure.reason.empty()) cause += ": " + departure.reason;
  const std::string object = "worker program '" + departure.program + "'";
  const ErrorText text{"start", object, cause, "give the worker of this build with --worker PATH"};
  if (!any_ready_) throw Error(Blame::kUser, text);
  Fail(Error(Blame::kMachine, text).what());
}

void Dispatch::Warn(std::string warning) {
  spdlog::warn("{}", warning);
  report_.warnings.push_back(std::move(warning));
}

WorkerTally& Dispatch::Tally(std::size_t worker) {
  Credit& credit = credits_[worker];
  if (!credit.tally_open) {
    credit.tally_open = true;
    credit.tally = tallies_.size();
    tallies_.push_back({.slot = worker, .record = workers_.record(worker)});
  }
  return tallies_[credit.tally];
}

}  // namespace procpool
