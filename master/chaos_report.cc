#include "master/chaos_report.h"

#include <algorithm>

#include "common/fault_plan.h"

namespace procpool {
namespace {

template <typename Member>
std::vector<Nanoseconds> Sorted(const std::vector<ChaosReport::Death>& deaths, Member member) {
  std::vector<Nanoseconds> times;
  for (const ChaosReport::Death& death : deaths) {
    if (death.*member) times.push_back(*(death.*member));
  }
  std::ranges::sort(times);
  return times;
}

}  // namespace

std::vector<Nanoseconds> ChaosReport::Recoveries() const {
  return Sorted(deaths, &Death::recovered);
}

std::vector<Nanoseconds> ChaosReport::Sightings() const {
  return Sorted(deaths, &Death::seen);
}

ChaosReport MakeChaosReport(const std::string& spec, const std::vector<SpawnRecord>& records,
                            const std::vector<Recovery>& recoveries) {
  const FaultPlan plan = ParseFaultPlan(spec);
  ChaosReport report;
  for (const FaultRule& rule : plan.rules) report.injected.push_back({rule.text, 0});
  for (std::size_t index = 0; index < records.size(); ++index) {
    const SpawnRecord& record = records[index];
    for (std::size_t rule = 0; rule < plan.rules.size(); ++rule)
      report.injected[rule].times += record.faults.counts[rule];
    if (record.told_to_leave || record.ended == 0) continue;
    ChaosReport::Death death{.slot = record.slot, .pid = record.pid, .exit = record.exit};
    const auto recovery = std::ranges::find(recoveries, index, &Recovery::record);
    if (record.faults.Any()) {
      death.rule = report.injected[std::min(record.faults.last_rule, plan.rules.size() - 1)].rule;
      const bool known = recovery != recoveries.end();
      death.seen = (known ? recovery->seen : record.ended) - record.faults.last;
      if (known && recovery->given_again != 0)
        death.recovered = recovery->given_again - record.faults.last;
    }
    if (recovery != recoveries.end()) {
      death.item = recovery->item;
      death.attempt = recovery->attempt;
    }
    report.deaths.push_back(std::move(death));
  }
  return report;
}

}  // namespace procpool
