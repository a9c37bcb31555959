// The tables of `master spawn`. Pure: measurements in, tables out.
#pragma once

#include <string>
#include <vector>

#include "master/lab/report.h"
#include "master/lab/spawn_measure.h"

namespace procpool {

/// Medians of every stage, and their sum; for programs also percentiles and samples of each.
Table StagesTable(const std::vector<SpawnSeries>& all);

/// Percentiles of the time until a process can be used, for people.
Table UsableTable(const std::vector<SpawnSeries>& all);

/// What is swept over.
struct SpawnSweepText {
  std::string name;    ///< of the table, and of the level's column for programs
  std::string title;   ///< one line
  std::string header;  ///< of the level's column for people
  bool is_at_once = false;
};
/// A row for each contender and level: the call, until usable, and that against the first level.
Table SweepTable(const SpawnSweepText& text, const std::vector<SpawnSeries>& all);

/// Time until usable = constant + slope × GB, by least squares over the levels' medians. No row
/// where there are not two levels.
Table MemoryFitTable(const std::vector<SpawnSeries>& all);

/// Pools of each method and transport, and their ratio to the first of the raw contenders.
Table PoolTable(const PoolComparison& comparison, std::size_t procs);

/// What the project wants to hold, and whether these measurements show it. Either part may be
/// empty.
Table GoalsTable(const std::vector<SpawnSeries>& memory, const PoolComparison& comparison);

}  // namespace procpool
