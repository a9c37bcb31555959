#include "master/work_log.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace procpool {
namespace {

constexpr std::size_t kMostSlow = 10;

std::chrono::nanoseconds Duration(Nanoseconds time) {
  return std::chrono::nanoseconds(std::max<Nanoseconds>(time, 0));
}

}  // namespace

void WorkLog::Add(std::string_view task, Calls calls, const ResultAnnex& times,
                  std::size_t record) {
  if (workers_.size() <= record) workers_.resize(record + 1);
  const Nanoseconds work = times.finished - times.begun;
  Worker& worker = workers_[record];
  ++worker.chunks;
  worker.calls += calls.count;
  worker.work += work;
  if (slowest_.size() == kMostSlow && work <= slowest_.back().work) return;
  const auto place = std::ranges::find_if(slowest_, [&](const Slow& s) { return s.work < work; });
  slowest_.insert(place, {std::string(task), calls, work, record});
  if (slowest_.size() > kMostSlow) slowest_.pop_back();
}

PoolStatistics WorkLog::Statistics(const std::vector<SpawnRecord>& records, Nanoseconds now) const {
  PoolStatistics statistics;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const SpawnRecord& record = records[i];
    const Worker worker = i < workers_.size() ? workers_[i] : Worker{};
    const Nanoseconds end = record.ended != 0 ? record.ended : now;
    const Nanoseconds ready = record.ready != 0 ? record.ready : end;
    const Nanoseconds leaving = record.stop_sent != 0 ? std::max(record.stop_sent, ready) : end;
    // A worker's word is cut to what there was time for.
    const Nanoseconds init =
        std::clamp<Nanoseconds>(record.initializing, 0, ready - record.spawned);
    const Nanoseconds work = std::clamp<Nanoseconds>(worker.work, 0, end - ready);
    // It answers what it has before it leaves.
    const Nanoseconds exit = std::min(end - leaving, end - ready - work);
    WorkerStatistics one{.slot = record.slot,
                         .pid = record.pid,
                         .chunks = worker.chunks,
                         .calls = worker.calls,
                         .end = record.exit};
    one.lived = Duration(end - record.spawned);
    one.start = Duration(ready - record.spawned - init);
    one.init = Duration(init);
    one.work = Duration(work);
    one.wait = Duration(end - ready - work - exit);
    one.exit = Duration(exit);
    statistics.workers.push_back(std::move(one));
  }
  for (const Slow& slow : slowest_) {
    statistics.slowest.push_back(
        {.task = slow.task,
         .first_call = slow.calls.first,
         .calls = slow.calls.count,
         .work = Duration(slow.work),
         .worker = slow.record < records.size() ? records[slow.record].pid : -1});
  }
  return statistics;
}

std::string PoolStatistics::text() const {
  std::string table = "worker      pid  calls      lived   start    init    work    wait    exit\n";
  char line[160];  // NOLINT: a line of a table
  const auto percent = [](const WorkerStatistics& worker, WorkerStatistics::Time part) {
    return 100 * worker.share(part);
  };
  for (const WorkerStatistics& worker : workers) {
    std::snprintf(
        line, sizeof line, "%6zu %8d %6llu %8.3f s %6.1f%% %6.1f%% %6.1f%% %6.1f%% %6.1f%%\n",
        worker.slot, worker.pid, static_cast<unsigned long long>(worker.calls),
        std::chrono::duration<double>(worker.lived).count(), percent(worker, worker.start),
        percent(worker, worker.init), percent(worker, worker.work), percent(worker, worker.wait),
        percent(worker, worker.exit));
    table += line;
  }
  if (!slowest.empty()) table += "slowest\n";
  for (const SlowTask& slow : slowest) {
    std::snprintf(line, sizeof line, "%10.3f ms  %.60s, %llu call(s) from %llu, worker %d\n",
                  std::chrono::duration<double, std::milli>(slow.work).count(), slow.task.c_str(),
                  static_cast<unsigned long long>(slow.calls),
                  static_cast<unsigned long long>(slow.first_call), slow.worker);
    table += line;
  }
  return table;
}

}  // namespace procpool
