#include "master/lab/spawn_measure.h"

#include <algorithm>
#include <iterator>

#include <procpool/error.h>

namespace procpool {
namespace {

template <typename Function>
std::vector<double> Collect(const std::vector<SpawnTimes>& rounds, Function function) {
  std::vector<double> seconds;
  for (const SpawnTimes& times : rounds) {
    const std::optional<Nanoseconds> duration = function(times);
    if (duration) seconds.push_back(Seconds(*duration));
  }
  return seconds;
}

// A level that was visited before gets the new rounds behind the old ones.
void Append(std::vector<SpawnSeries>& all, std::vector<SpawnSeries> more) {
  for (SpawnSeries& series : more) {
    const auto known = std::ranges::find_if(all, [&](const SpawnSeries& other) {
      return other.contender == series.contender && other.level == series.level;
    });
    if (known == all.end()) {
      all.push_back(std::move(series));
    } else {
      std::ranges::move(series.rounds, std::back_inserter(known->rounds));
    }
  }
}

}  // namespace

std::vector<double> SpawnSeries::Usable() const {
  return Collect(rounds, [](const SpawnTimes& times) { return std::optional(times.Usable()); });
}

std::vector<double> SpawnSeries::Until(SpawnPoint point) const {
  return Collect(rounds, [point](const SpawnTimes& times) { return times.Until(point); });
}

std::vector<double> SpawnSeries::Stage(SpawnPoint end) const {
  return Collect(rounds, [end](const SpawnTimes& times) { return times.Stage(end); });
}

std::vector<double> SpawnSeries::Total() const {
  return Collect(rounds, [](const SpawnTimes& times) { return std::optional(times.Total()); });
}

std::vector<SpawnSeries> MeasureSpawns(std::span<SpawnContender* const> contenders,
                                       std::size_t rounds, std::size_t at_once, double level) {
  std::vector<SpawnSeries> all;
  for (SpawnContender* contender : contenders) all.push_back({contender, level});
  for (const bool copying : {false, true}) {
    std::vector<SpawnSeries*> group;
    for (SpawnSeries& series : all) {
      if (CopiesParent(*series.contender) == copying) group.push_back(&series);
    }
    for (SpawnSeries* series : group) LiveThrough(*series->contender, at_once);  // warm-up
    for (std::size_t round = 0; round < rounds; ++round) {
      for (std::size_t i = 0; i < group.size(); ++i) {
        // Every other round runs backwards, so that no one always follows the same neighbour.
        const std::size_t at = (i + round) % group.size();
        SpawnSeries& series = *group[round % 2 == 0 ? at : group.size() - 1 - at];
        series.rounds.push_back(LiveThrough(*series.contender, at_once));
      }
    }
  }
  return all;
}

std::vector<SpawnSeries> SweepSpawns(
    std::span<SpawnContender* const> contenders, std::size_t rounds,
    const std::vector<double>& levels,
    const std::function<std::unique_ptr<SpawnBurden>(double)>& burden,
    std::vector<std::string>& warnings) {
  std::vector<double> borne;
  std::vector<SpawnSeries> all;
  const auto visit = [&](double level, std::size_t count) {
    try {
      const std::unique_ptr<SpawnBurden> carried = burden(level);
      Append(all, MeasureSpawns(contenders, count, 1, level));
      return true;
    } catch (const BurdenTooLarge& error) {
      warnings.emplace_back(error.what());
      return false;
    }
  };
  const std::size_t upwards = (rounds + 1) / 2;
  for (const double level : levels) {
    if (visit(level, upwards)) borne.push_back(level);
  }
  for (; rounds > upwards && !borne.empty(); borne.pop_back()) {
    const double level = borne.back();
    // What could be borne a moment ago may not be any more; half a level is none.
    if (visit(level, rounds - upwards)) continue;
    std::erase_if(all, [level](const SpawnSeries& series) { return series.level == level; });
  }
  return all;
}

}  // namespace procpool
