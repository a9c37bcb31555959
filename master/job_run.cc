#include "master/job_run.h"

#include <algorithm>

#include "common/log.h"

namespace procpool {
namespace {

// A worker always has one item to work on and one to go on with.
constexpr std::size_t kLeastCredit = 2;
constexpr std::size_t kMostCredit = 256;
// Outstanding work beyond this buys no throughput and spoils the balance.
constexpr double kOutstandingWork = 200.0 * kMicrosecond;
constexpr double kAverageWeight = 0.1;
constexpr unsigned kMostRechecks = 3;

GivenItem GivenOf(const FrameHeader& header) {
  return {header.item, header.attempt};
}

}  // namespace

JobRun::JobRun(std::uint32_t id, Workers& workers, Job& job, const JobOptions& options,
               std::atomic<std::uint64_t>* items_done)
    : workers_(workers),
      job_(job),
      options_(options),
      items_done_(items_done),
      ticket_{.id = id,
              .task = std::string(job.task()),
              .task_id = TaskId(job.task()),
              .context = job.context(),
              .timed = job.timed(),
              .watched = options.timeout != 0,
              .together = job.results_together()},
      ledger_(job.items(), workers.slots(), job.owners(), options.most_deaths),
      credits_(workers.slots()),
      loop_before_(workers.Times()),
      traffic_before_(workers.TotalTraffic()),
      cpu_begun_(ticket_.timed ? ThreadCpuTime() : 0) {
  if (options.endless) ledger_.ForgetWhatIsPast();
  report_.begun = Now();
  if (ticket_.timed && options.budgeted) {
    keeper_.emplace(workers_.slots(),
                    options_.accounted_from != 0 ? options_.accounted_from : report_.begun);
  }
  workers_.BeginJob(ticket_);
}

// However the job ends: a worker that still has an item of it would answer into memory that is then
// gone.
JobRun::~JobRun() {
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    if (ledger_.Given(worker) > 0) workers_.Kill(worker, "its job has ended without it");
  }
  workers_.EndJob(ticket_.id);
}

// ---- giving

// Tiny items stream: credit grows while the predicted outstanding work stays small. Towards the end
// long items are given only to workers that have none, so that none waits behind a busy worker
// while another idles.
std::size_t JobRun::CreditOf(std::size_t worker) const {
  const double service = credits_[worker].service_ns;
  if (service <= 0) return kLeastCredit;
  const auto streaming = static_cast<std::size_t>(kOutstandingWork / service);
  if (streaming < kLeastCredit && ledger_.WaitingFor(worker) <= workers_.slots()) return 1;
  return std::clamp(streaming, kLeastCredit, kMostCredit);
}

std::optional<GivenItem> JobRun::Give(std::size_t worker) {
  std::optional<GivenItem> given;
  bool was_given = false;
  for (bool begun = false; !begun;) {
    given = ledger_.Next(worker);
    if (!given) return std::nullopt;
    try {
      was_given = keeper_ ? GiveTimed(worker, *given)
                          : workers_.Give(worker, ticket_, *given, job_.Begin(*given));
      begun = true;
    } catch (...) {
      if (!job_.Refused(*given, std::current_exception())) {
        ledger_.TakeBack(worker, *given);
        throw;
      }
      ledger_.Fail(worker, *given);
      Grow();
    }
  }
  if (was_given) {
    if (given->attempt != 0) NoteGivenAgain(*given);
    return given;
  }
  // Its channel is full, or it is dying. Its other items come back when it goes; this one was never
  // sent.
  job_.Return(*given);
  ledger_.TakeBack(worker, *given);
  return std::nullopt;
}

void JobRun::NoteGivenAgain(const GivenItem& given) {
  for (Recovery& recovery : report_.recoveries) {
    if (recovery.item == given.item && recovery.given_again == 0) recovery.given_again = Now();
  }
}

// ---- what happened

void JobRun::WorkerReady(std::size_t worker, Nanoseconds since) {
  if (keeper_) keeper_->Ready(worker, since);
}

std::optional<std::span<std::byte>> JobRun::PlaceFor(std::size_t worker,
                                                     const FrameHeader& header) {
  const GivenItem given = GivenOf(header);
  if (!ledger_.IsOpen(worker, given)) {
    ++report_.refused;
    return std::nullopt;
  }
  // A piece of nothing brings a result no further: a stream of them would keep this loop busy.
  if (header.payload_bytes == 0 && (header.flags & kLastPart) == 0) return std::nullopt;
  return job_.PlaceFor(given, header.offset, header.payload_bytes);
}

std::optional<bool> JobRun::TakeResult(std::size_t worker, const Frame& frame,
                                       const Answer& answer) {
  const GivenItem given = GivenOf(frame.header);
  if (!ledger_.IsOpen(worker, given)) return std::nullopt;
  if ((frame.header.flags & kLastPart) == 0) return false;
  const ItemResult result{.bytes = frame.header.offset + frame.header.payload_bytes,
                          .in_place = (frame.header.flags & kInRegion) != 0,
                          .hash = frame.header.offset == 0 ? frame.header.payload_hash : 0,
                          .times = frame.times,
                          .record = ticket_.timed ? workers_.record(worker) : 0,
                          .worker = worker};
  TakenStamps taken{.arrived = frame.arrived};
  if (keeper_) {
    taken.received = Now();
    taken.decode = job_.decoding();
  }
  if (!job_.Complete(given, result) || !ledger_.Complete(worker, given)) return std::nullopt;
  Grow();
  ++Tally(worker).items;
  if (keeper_) {
    taken.placed = Now();
    taken.decode = job_.decoding() - taken.decode;
    Account(worker, frame, taken);
  }
  Answered(worker, answer);
  return true;
}

void JobRun::Answered(std::size_t worker, const Answer& answer) {
  Credit& credit = credits_[worker];
  const Nanoseconds now = answer.taken;
  const Nanoseconds since = std::max(credit.last_answer, answer.oldest_since);
  const auto service = static_cast<double>(std::max<Nanoseconds>(now - since, 1));
  credit.service_ns = credit.service_ns == 0
                          ? service
                          : (1 - kAverageWeight) * credit.service_ns + kAverageWeight * service;
  credit.last_answer = now;
  if (items_done_ != nullptr) items_done_->fetch_add(1, std::memory_order_relaxed);
}

bool JobRun::TakeFailure(std::size_t worker, const GivenItem& given, const std::string& type,
                         const std::string& text, const Answer& answer) {
  if (!ledger_.Fail(worker, given)) return false;
  std::erase_if(credits_[worker].stamps,
                [&](const auto& entry) { return entry.first == given.item; });
  Answered(worker, answer);
  GiveUp({.item = given.item,
          .cause = GivenUpItem::Cause::kThrew,
          .reason = "its task threw " + type + ": " + text,
          .type = type,
          .text = text,
          .pid = workers_.pid(worker)});
  return true;
}

bool JobRun::TakeStepFailure(std::size_t worker, const GivenItem& given, std::uint64_t step,
                             const std::string& type, const std::string& text) {
  return ledger_.IsOpen(worker, given) &&
         job_.StepThrew(given, step, type, text, workers_.pid(worker));
}

void JobRun::GiveUp(GivenUpItem given_up) {
  given_up.reason = "item " + std::to_string(given_up.item) + ": " + given_up.reason;
  if (!options_.quiet_failures) Log(LogLevel::kError, given_up.reason);
  job_.GiveUp(given_up);
  // Who hears of each failure himself needs no list of them, which could grow without end.
  if (!options_.quiet_failures) report_.given_up.push_back(std::move(given_up));
  Grow();
}

bool JobRun::WorkerGone(std::size_t worker, const Loss& loss) {
  const Departure& departure = loss.departure;
  if (keeper_) keeper_->Gone(worker, Now(), loss.as_told || !departure.was_ready);
  for (const GivenItem& given : ledger_.GivenTo(worker)) job_.Return(given);
  std::optional<GivenItem> working_on;
  if (departure.working_on && departure.working_on->item.job == id())
    working_on = departure.working_on->item.given;
  std::optional<unsigned> most_deaths;
  if (const auto culprit = ledger_.Culprit(worker, working_on); loss.blame && culprit)
    most_deaths = job_.MostDeaths(culprit->item, options_.most_deaths);
  const DeathReport death = ledger_.WorkerDied(worker, loss.blame, working_on, most_deaths);
  credits_[worker] = Credit{};
  report_.retries += death.returned + (death.blamed && !death.given_up ? 1 : 0);
  if (!loss.blame) return false;
  ++report_.deaths;
  std::string what = loss.who + loss.how;
  if (death.blamed) what += " while it had item " + std::to_string(death.blamed->item);
  Warn(what);
  // Who hears of each failure himself needs no list of them, which could grow without end.
  if (!death.given_up && death.blamed && !options_.quiet_failures) {
    report_.recoveries.push_back({.record = workers_.record(worker),
                                  .item = death.blamed->item,
                                  .attempt = death.blamed->attempt,
                                  .seen = Now()});
  }
  if (!death.blamed) return false;
  if (!death.given_up) return true;
  if (job_.Split(death.blamed->item)) {
    ++report_.retries;
    Grow();
    return true;
  }
  GivenUpItem given_up{
      .item = death.blamed->item,
      .cause = loss.timed_out ? GivenUpItem::Cause::kTimedOut : GivenUpItem::Cause::kDied,
      .reason = "it has killed " + std::to_string(death.deaths) +
                (death.deaths == 1 ? " worker; it was " : " workers; the last one was ") + loss.how,
      .how = loss.how,
      .exit = departure.exit,
      .pid = departure.pid};
  if (working_on && *working_on == *death.blamed) given_up.step = departure.working_on->step;
  GiveUp(std::move(given_up));
  return true;
}

void JobRun::Revoked(std::size_t worker, const GivenItem& given) {
  job_.Return(given);
  ledger_.TakeBack(worker, given);
  std::erase_if(credits_[worker].stamps,
                [&](const auto& stamps) { return stamps.first == given.item; });
}

bool JobRun::Grow() {
  const std::size_t items = job_.items();
  if (items <= ledger_.items()) return false;
  ledger_.Extend(items - ledger_.items());
  return true;
}

bool JobRun::DropItem(std::uint64_t item) {
  if (!ledger_.Drop(item)) return false;
  GiveUp({.item = item, .cause = GivenUpItem::Cause::kCancelled, .reason = "it was cancelled"});
  return true;
}

void JobRun::AddWorker() {
  ledger_.AddWorker();
  credits_.emplace_back();
  if (keeper_) keeper_->AddSlot();
}

void JobRun::Cancel(Nanoseconds grace) {
  interrupted_ = true;
  if (cancelled_at_ == 0) cancelled_at_ = Now();
  options_.timeout = grace;
}

Nanoseconds JobRun::DueBy(Nanoseconds oldest_since) const {
  if (options_.timeout == 0) return 0;
  return std::max(oldest_since, cancelled_at_) + options_.timeout;
}

void JobRun::SlotLost(std::size_t worker, const std::string& error) {
  Warn("going on with fewer workers: " + error);
  if (keeper_) keeper_->Ready(worker, Now());  // nobody is being made here: the slot idles
  ledger_.ReleaseShare(worker);
}

void JobRun::Resume(Nanoseconds stopped) {
  for (Credit& credit : credits_) credit.last_answer += stopped;
}

// ---- ending

void JobRun::Fail(std::string error) {
  if (report_.status == JobReport::Status::kFailed) return;
  report_.status = JobReport::Status::kFailed;
  report_.error = std::move(error);
}

void JobRun::Warn(std::string warning) {
  Log(LogLevel::kWarning, warning);
  // A job without an end would gather them without an end.
  if (!options_.quiet_failures) report_.warnings.push_back(std::move(warning));
}

bool JobRun::Finished() {
  if (report_.status == JobReport::Status::kFailed) return true;
  if (!ledger_.Finished()) return aborted_ || (interrupted_ && ledger_.given() == 0);
  if (job_.MoreMayCome()) {
    cut_short_ = interrupted_;
    return interrupted_;
  }
  // What came together with the word that it was the last is not known here yet.
  if (Grow()) return interrupted_;
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
  return false;
}

JobReport JobRun::Report(Nanoseconds waited) {
  const Traffic after = workers_.TotalTraffic();
  report_.traffic = {after.sent - traffic_before_.sent, after.received - traffic_before_.received};
  report_.waiting = waited;
  report_.finished = Now();
  if (keeper_) report_.budget = keeper_->Finish(report_.finished, TimesOfMaster());
  report_.items_done = ledger_.done();
  report_.attempts = ledger_.attempts();
  report_.all_answered = ledger_.Finished();
  if (report_.status == JobReport::Status::kDone && interrupted_ &&
      (cut_short_ || !ledger_.Finished())) {
    report_.status = JobReport::Status::kInterrupted;
  }
  if (report_.status == JobReport::Status::kDone && !report_.given_up.empty()) {
    report_.status = JobReport::Status::kFailed;
    report_.error = std::to_string(report_.given_up.size()) +
                    " item(s) given up; the first: " + report_.given_up.front().reason;
  }
  return std::move(report_);
}

WorkerTally& JobRun::Tally(std::size_t worker) {
  Credit& credit = credits_[worker];
  if (!credit.tally_open) {
    credit.tally_open = true;
    credit.tally = report_.tallies.size();
    report_.tallies.push_back({.slot = worker, .record = workers_.record(worker)});
  }
  return report_.tallies[credit.tally];
}

}  // namespace procpool
