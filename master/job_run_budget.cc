// The job's side of the budget: stamps of items that are out, and what they add up to.
#include <algorithm>

#include "master/job_run.h"

namespace procpool {

bool JobRun::GiveTimed(std::size_t worker, const GivenItem& given) {
  SentStamps stamps{.begun = Now(), .item = given.item};
  const ItemInput input = job_.Begin(given);
  stamps.encoded = Now();
  const bool was_given = workers_.Give(worker, ticket_, given, input);
  stamps.posted = Now();
  master_.encode += stamps.encoded - stamps.begun;
  master_.post += stamps.posted - stamps.encoded;
  if (!was_given) return false;
  if (!workers_.HasUnsent(worker)) stamps.sent = stamps.posted;
  credits_[worker].stamps.emplace_back(given.item, stamps);
  return true;
}

void JobRun::Sent(std::size_t worker) {
  const Nanoseconds now = Now();
  for (auto& [item, stamps] : credits_[worker].stamps) {
    if (stamps.sent == 0) stamps.sent = now;
  }
}

void JobRun::Account(std::size_t worker, const Frame& frame, const TakenStamps& taken) {
  master_.decode += taken.decode;
  master_.placing += taken.placed - taken.received - taken.decode;
  auto& stamps = credits_[worker].stamps;
  const auto found =
      std::ranges::find(stamps, frame.header.item, &std::pair<std::uint64_t, SentStamps>::first);
  if (found == stamps.end()) return;
  if (frame.times) {
    const ResultAnnex times = keeper_->Took(worker, found->second, *frame.times, taken);
    WorkerTally& tally = Tally(worker);
    tally.compute += times.compute;
    tally.compute_cpu += times.compute_cpu;
    tally.sending += times.sending;
  }
  stamps.erase(found);
}

MasterTimes JobRun::TimesOfMaster() const {
  const LoopTimes loop = workers_.Times();
  MasterTimes times = master_;
  times.send = loop.send - loop_before_.send;
  times.spawn = loop.spawn - loop_before_.spawn;
  times.asleep = loop.asleep - loop_before_.asleep;
  const Nanoseconds receive = loop.receive - loop_before_.receive;
  times.receive = std::max<Nanoseconds>(0, receive - times.decode - times.placing);
  times.cpu = ThreadCpuTime() - cpu_begun_;
  return times;
}

}  // namespace procpool
