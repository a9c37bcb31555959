#include "master/budget.h"

#include <algorithm>
#include <utility>

namespace procpool {
namespace {

struct Names {
  std::string_view key;
  std::string_view name;
};

constexpr std::array<Names, kBudgetParts> kPartNames{{
    {"spawn", "spawn"},
    {"encode", "encode"},
    {"send", "send"},
    {"wake_up", "wake-up"},
    {"receive", "receive"},
    {"decode", "decode"},
    {"compute_running", "compute, running"},
    {"compute_queueing", "compute, waiting for a CPU"},
    {"result_encode", "result encode"},
    {"result_send", "result send"},
    {"result_receive", "result receive"},
    {"placing", "placing"},
    {"checksum", "checksum"},
    {"idle", "idle"},
    {"lost", "lost with dead workers"},
    {"residual", "residual"},
}};

constexpr std::array<Names, kJourneyStages> kStageNames{{
    {"encode", "encode"},
    {"post", "post"},
    {"send", "send"},
    {"queue", "wait in queue"},
    {"wake_up", "wake-up"},
    {"receive", "receive"},
    {"decode", "decode"},
    {"compute_running", "compute, running"},
    {"compute_queueing", "compute, waiting for a CPU"},
    {"result_encode", "result encode"},
    {"result_send", "result send"},
    {"result_transit", "result transit"},
    {"result_receive", "result receive"},
    {"result_decode", "result decode"},
    {"placing", "placing"},
    {"total", "total"},
}};

// Time between two stamps; what did not happen in that order took no time.
Nanoseconds Span(Nanoseconds from, Nanoseconds to) {
  return std::max<Nanoseconds>(0, to - from);
}

Nanoseconds& At(BudgetLine& line, BudgetPart part) {
  return line[static_cast<std::size_t>(part)];
}

// The item's own view. `sent` may come late, when the worker has the item already.
Journey JourneyOf(const SentStamps& sent, const ResultAnnex& times, const TakenStamps& taken) {
  const Nanoseconds left = sent.sent == 0
                               ? std::max(sent.posted, times.arrived)
                               : std::max(sent.posted, std::min(sent.sent, times.arrived));
  Journey journey{};
  const auto set = [&](JourneyStage stage, Nanoseconds duration) {
    journey[static_cast<std::size_t>(stage)] = duration;
  };
  set(JourneyStage::kEncode, Span(sent.begun, sent.encoded));
  set(JourneyStage::kPost, Span(sent.encoded, sent.posted));
  set(JourneyStage::kSend, Span(sent.posted, left));
  set(JourneyStage::kQueue, Span(left, times.turned));
  set(JourneyStage::kWakeUp, Span(std::max(left, times.turned), times.arrived));
  set(JourneyStage::kReceive, Span(times.arrived, times.received));
  set(JourneyStage::kDecode, times.decode);
  set(JourneyStage::kComputeRunning, std::clamp<Nanoseconds>(times.compute_cpu, 0, times.compute));
  set(JourneyStage::kComputeQueueing, Span(times.compute_cpu, times.compute));
  set(JourneyStage::kResultEncode, times.encode);
  set(JourneyStage::kResultSend, times.sending);
  set(JourneyStage::kResultTransit, Span(times.finished, taken.arrived));
  set(JourneyStage::kResultReceive, Span(taken.arrived, taken.received));
  set(JourneyStage::kResultDecode, taken.decode);
  set(JourneyStage::kPlacing, Span(taken.received, taken.placed) - taken.decode);
  set(JourneyStage::kTotal, Span(sent.begun, taken.placed));
  return journey;
}

// The stamps of a worker, brought into the time that passed and into order.
ResultAnnex Believable(ResultAnnex times, Nanoseconds begun, Nanoseconds now) {
  Nanoseconds least = begun;
  for (Nanoseconds* stamp :
       {&times.turned, &times.arrived, &times.received, &times.begun, &times.finished}) {
    *stamp = std::clamp(*stamp, least, std::max(least, now));
    least = *stamp;
  }
  Nanoseconds left = times.finished - times.begun;
  for (Nanoseconds* duration : {&times.compute, &times.sending, &times.decode, &times.encode}) {
    *duration = std::clamp<Nanoseconds>(*duration, 0, left);
    left -= *duration;
  }
  times.compute_cpu = std::clamp<Nanoseconds>(times.compute_cpu, 0, times.compute);
  return times;
}

}  // namespace

std::string_view BudgetPartName(BudgetPart part) {
  return kPartNames[static_cast<std::size_t>(part)].name;
}

std::string_view BudgetPartKey(BudgetPart part) {
  return kPartNames[static_cast<std::size_t>(part)].key;
}

std::string_view JourneyStageName(JourneyStage stage) {
  return kStageNames[static_cast<std::size_t>(stage)].name;
}

std::string_view JourneyStageKey(JourneyStage stage) {
  return kStageNames[static_cast<std::size_t>(stage)].key;
}

void Budget::ExtendTo(Nanoseconds now) {
  for (BudgetLine& line : lines) At(line, BudgetPart::kResidual) += Span(finished, now);
  finished = std::max(finished, now);
}

BudgetLine Budget::Total() const {
  BudgetLine total{};
  for (const BudgetLine& line : lines) {
    for (std::size_t part = 0; part < kBudgetParts; ++part) total[part] += line[part];
  }
  return total;
}

BudgetKeeper::BudgetKeeper(std::size_t workers, Nanoseconds begun) : lines_(workers) {
  budget_.begun = begun;
  budget_.lines.resize(workers);
  for (Line& line : lines_) line.cursor = begun;
}

void BudgetKeeper::AddSlot() {
  lines_.emplace_back().cursor = budget_.begun;
  budget_.lines.emplace_back();
}

// Moves the worker's cursor on; time that is explained already stays what it is.
void BudgetKeeper::Spend(std::size_t worker, BudgetPart part, Nanoseconds until) {
  Line& line = lines_[worker];
  if (until <= line.cursor) return;
  At(budget_.lines[worker], part) += until - line.cursor;
  line.cursor = until;
}

// The worker waited until `until` for an item with these stamps. What the master did with its last
// result comes first, for the master did it before it began the next item; where it did not (items
// given ahead), the order of the cursor decides.
void BudgetKeeper::SpendWaiting(std::size_t worker, Nanoseconds until, const SentStamps& sent) {
  const TakenStamps& last = lines_[worker].last;
  const auto spend = [&](BudgetPart part, Nanoseconds end) {
    Spend(worker, part, std::min(end, until));
  };
  const bool given_after = sent.begun >= last.placed;
  if (given_after) {
    spend(BudgetPart::kIdle, last.arrived);
    spend(BudgetPart::kResultReceive, last.received);
    spend(BudgetPart::kPlacing, last.placed);
  }
  spend(BudgetPart::kIdle, sent.begun);
  spend(BudgetPart::kEncode, sent.encoded);
  spend(BudgetPart::kSend, sent.sent != 0 ? sent.sent : sent.posted);
  spend(BudgetPart::kWakeUp, until);
}

ResultAnnex BudgetKeeper::Took(std::size_t worker, const SentStamps& sent,
                               const ResultAnnex& reported, const TakenStamps& taken) {
  Line& line = lines_[worker];
  const ResultAnnex times = Believable(reported, budget_.begun, taken.arrived);
  // Until it turned to this item it was being made, or its last result was leaving it. One that was
  // ready before the beginning waited for the item all the time, even if it had no CPU to turn to
  // it.
  const bool warm = line.is_ready && line.ready <= budget_.begun;
  if (!line.fresh) Spend(worker, BudgetPart::kResultSend, times.turned);
  if (line.fresh && !warm) Spend(worker, BudgetPart::kSpawn, times.turned);
  SpendWaiting(worker, times.arrived, sent);
  Spend(worker, BudgetPart::kReceive, times.received);
  Spend(worker, BudgetPart::kResidual, times.begun);
  // In the task only durations are known; they are laid one after the other, from where the task
  // was entered: so they end by `finished`, also where a lie makes items overlap.
  Nanoseconds at = times.begun;
  const auto spend = [&](BudgetPart part, Nanoseconds duration) {
    Spend(worker, part, at += duration);
  };
  spend(BudgetPart::kDecode, times.decode);
  spend(BudgetPart::kComputeRunning, times.compute_cpu);
  spend(BudgetPart::kComputeQueueing, times.compute - times.compute_cpu);
  spend(BudgetPart::kResultEncode, times.encode);
  spend(BudgetPart::kResultSend, times.sending);
  Spend(worker, BudgetPart::kResidual, times.finished);
  line.fresh = false;
  line.last = taken;
  ++budget_.items;
  if (budget_.journeys.size() < kMostJourneys) {
    budget_.journeys.push_back(JourneyOf(sent, times, taken));
    budget_.journey_items.push_back(sent.item);
  }
  return times;
}

void BudgetKeeper::Ready(std::size_t worker, Nanoseconds now) {
  lines_[worker].is_ready = true;
  lines_[worker].ready = now;
}

void BudgetKeeper::Gone(std::size_t worker, Nanoseconds now, bool as_told) {
  Spend(worker, as_told ? BudgetPart::kSpawn : BudgetPart::kLost, now);
  lines_[worker] = Line{.cursor = lines_[worker].cursor};
}

void BudgetKeeper::Checksum(Nanoseconds begun, Nanoseconds finished) {
  for (std::size_t worker = 0; worker < lines_.size(); ++worker) {
    const Line& line = lines_[worker];
    if (line.fresh) {
      Spend(worker, BudgetPart::kSpawn, line.is_ready ? std::min(line.ready, begun) : begun);
    } else {
      // Its last result on the way: leaving the worker, seen, read, placed.
      Spend(worker, BudgetPart::kResultSend, std::min(line.last.arrived, begun));
      Spend(worker, BudgetPart::kResultReceive, std::min(line.last.received, begun));
      Spend(worker, BudgetPart::kPlacing, std::min(line.last.placed, begun));
    }
    Spend(worker, BudgetPart::kIdle, begun);
    Spend(worker, BudgetPart::kChecksum, finished);
  }
}

Budget BudgetKeeper::Finish(Nanoseconds now, const MasterTimes& master) {
  Checksum(now, now);
  budget_.finished = now;
  budget_.master = master;
  return std::move(budget_);
}

}  // namespace procpool
