#include "master/lab/spawn_tables.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "master/lab/statistics.h"

namespace procpool {
namespace {

std::string Milliseconds(double seconds) {
  return Digits(seconds * 1e3);
}

std::string Microseconds(double seconds) {
  return Digits(seconds * 1e6);
}

std::string LevelText(double level) {
  return level == std::floor(level) ? std::to_string(static_cast<std::int64_t>(level))
                                    : Digits(level);
}

// "1.23 [1.1, 1.4]"
std::string WithInterval(const Interval& interval, double factor) {
  return Digits(interval.estimate * factor) + " [" + Digits(interval.low * factor) + ", " +
         Digits(interval.high * factor) + "]";
}

// What programs get of one measured duration; of it people see the median, if there is a header.
constexpr std::array kDurationKeys{"_low_seconds", "_high_seconds", "_p90_seconds",
                                   "_p99_seconds", "_max_seconds",  "_samples_seconds"};

void AddDurationColumns(Table& table, const std::string& header, const std::string& key) {
  table.columns.push_back({header, key + "_p50_seconds"});
  for (const char* name : kDurationKeys) table.columns.push_back({"", key + name});
}

void AddDurationCells(std::vector<Cell>& row, const std::vector<double>& samples,
                      std::string (*text)(double)) {
  if (samples.empty()) {
    row.resize(row.size() + 1 + kDurationKeys.size());
    return;
  }
  const Interval median = MedianInterval(samples);
  const Percentiles percentiles = PercentilesOf(samples);
  row.push_back({text(median.estimate), median.estimate});
  row.push_back({"", median.low});
  row.push_back({"", median.high});
  row.push_back({"", percentiles.p90});
  row.push_back({"", percentiles.p99});
  row.push_back({"", percentiles.greatest});
  row.push_back({"", samples});
}

void AddShownPercentileColumns(Table& table) {
  table.columns.push_back({"median [95 %]", "median_seconds"});
  table.columns.push_back({"", "median_low_seconds"});
  table.columns.push_back({"", "median_high_seconds"});
  table.columns.push_back({"", "median_is_confident"});
  table.columns.push_back({"p90", "p90_seconds"});
  table.columns.push_back({"p99", "p99_seconds"});
  table.columns.push_back({"max", "max_seconds"});
}

void AddShownPercentileCells(std::vector<Cell>& row, const std::vector<double>& samples) {
  const Interval median = MedianInterval(samples);
  const Percentiles percentiles = PercentilesOf(samples);
  row.push_back({WithInterval(median, 1e3), median.estimate});
  row.push_back({"", median.low});
  row.push_back({"", median.high});
  row.push_back({"", median.confident});
  row.push_back({Milliseconds(percentiles.p90), percentiles.p90});
  row.push_back({Milliseconds(percentiles.p99), percentiles.p99});
  row.push_back({Milliseconds(percentiles.greatest), percentiles.greatest});
}

void AddRatioColumns(Table& table, const std::string& header, const std::string& key) {
  table.columns.push_back({header, key});
  table.columns.push_back({"", key + "_low"});
  table.columns.push_back({"", key + "_high"});
}

void AddRatioCells(std::vector<Cell>& row, const Interval& ratio) {
  row.push_back({WithInterval(ratio, 1), ratio.estimate});
  row.push_back({"", ratio.low});
  row.push_back({"", ratio.high});
}

std::vector<Cell> NamesOf(const SpawnSeries& series) {
  return {{series.contender->method(), series.contender->method()},
          {series.contender->program(), series.contender->program()}};
}

std::vector<Column> NameColumns() {
  return {{"method", "method", false}, {"program", "program", false}};
}

// The same contender at the first level.
const SpawnSeries& FirstLevel(const std::vector<SpawnSeries>& all, const SpawnSeries& series) {
  return *std::ranges::find_if(
      all, [&](const SpawnSeries& other) { return other.contender == series.contender; });
}

}  // namespace

Table StagesTable(const std::vector<SpawnSeries>& all) {
  Table table{.name = "stages",
              .title = "The stages of one life, one process at a time; medians, µs",
              .columns = NameColumns()};
  for (const SpawnStage& stage : kSpawnStages) {
    AddDurationColumns(table, std::string(stage.name), std::string(stage.key));
  }
  AddDurationColumns(table, "sum", "total");
  for (const SpawnSeries& series : all) {
    std::vector<Cell> row = NamesOf(series);
    for (const SpawnStage& stage : kSpawnStages)
      AddDurationCells(row, series.Stage(stage.end), Microseconds);
    AddDurationCells(row, series.Total(), Microseconds);
    table.AddRow(std::move(row));
  }
  table.notes = {
      "Each stage lasts from the one before it that the row has; an empty cell: there is none.",
      "sum: median of the sums of each round, which is not the sum of the medians.",
      "Negative \"to main\": the child was there before the call returned to the parent.",
      "thread and fork have no exec and hence no program of their own: they echo a byte over "
      "pipes."};
  return table;
}

Table UsableTable(const std::vector<SpawnSeries>& all) {
  Table table{.name = "until_ready",
              .title = "From the beginning until READY, one process at a time; ms",
              .columns = NameColumns()};
  AddShownPercentileColumns(table);
  table.columns.push_back({"", "samples_seconds"});
  for (const SpawnSeries& series : all) {
    std::vector<Cell> row = NamesOf(series);
    AddShownPercentileCells(row, series.Usable());
    row.push_back({"", series.Usable()});
    table.AddRow(std::move(row));
  }
  table.notes = {"Of an empty program until its main()."};
  return table;
}

Table SweepTable(const SpawnSweepText& text, const std::vector<SpawnSeries>& all) {
  Table table{.name = text.name, .title = text.title, .columns = NameColumns()};
  table.columns.push_back({text.header, text.is_at_once ? "processes" : text.name});
  AddDurationColumns(table, text.is_at_once ? "all called" : "call",
                     text.is_at_once ? "all_called" : "call");
  AddShownPercentileColumns(table);
  if (text.is_at_once) table.columns.push_back({"per process", "per_process_seconds"});
  AddRatioColumns(table, text.is_at_once ? "÷ one" : "÷ first", "ratio_to_first");
  table.columns.push_back({"", "samples_seconds"});
  for (const SpawnSeries& series : all) {
    const std::vector<double> usable = series.Usable();
    std::vector<Cell> row = NamesOf(series);
    row.push_back({LevelText(series.level), series.level});
    AddDurationCells(
        row,
        text.is_at_once ? series.Until(SpawnPoint::kReturned) : series.Stage(SpawnPoint::kReturned),
        Milliseconds);
    AddShownPercentileCells(row, usable);
    if (text.is_at_once) {
      const double each = Median(usable) / series.level;
      row.push_back({Milliseconds(each), each});
    }
    AddRatioCells(row, PairedRatio(usable, FirstLevel(all, series).Usable()));
    row.push_back({"", usable});
    table.AddRow(std::move(row));
  }
  table.notes = {
      "Median to max: until READY, of the last one; with an empty program until its main(). ms"};
  return table;
}

Table MemoryFitTable(const std::vector<SpawnSeries>& all) {
  Table table{.name = "memory_fit",
              .title = "Until READY = constant + slope × resident memory of the parent",
              .columns = NameColumns()};
  table.columns.push_back({"constant, ms", "constant_seconds"});
  table.columns.push_back({"ms per GB", "seconds_per_gb"});
  table.columns.push_back({"levels", "levels"});
  for (const SpawnSeries& first : all) {
    if (&FirstLevel(all, first) != &first) continue;
    // Medians, so that a round in which somebody else had the CPU does not tilt the line.
    std::vector<std::vector<double>> terms;
    std::vector<double> medians;
    for (const SpawnSeries& series : all) {
      if (series.contender != first.contender) continue;
      terms.push_back({1, series.level});
      medians.push_back(Median(series.Usable()));
    }
    const bool several =
        std::ranges::any_of(terms, [&](const auto& term) { return term[1] != terms.front()[1]; });
    if (!several) continue;
    const std::vector<double> fit = LeastSquares(terms, medians);
    std::vector<Cell> row = NamesOf(first);
    row.push_back({Milliseconds(fit[0]), fit[0]});
    row.push_back({Milliseconds(fit[1]), fit[1]});
    row.push_back({std::to_string(medians.size()), static_cast<std::int64_t>(medians.size())});
    table.AddRow(std::move(row));
  }
  table.notes = {"Least squares over the medians of the table above, one a level."};
  return table;
}

Table PoolTable(const PoolComparison& comparison, std::size_t procs) {
  Table table{.name = "pool",
              .title = std::to_string(procs) +
                       " workers of a pool, from nothing until all are "
                       "READY; ms",
              .columns = {{"method", "method", false}, {"what", "what", false}}};
  AddShownPercentileColumns(table);
  AddRatioColumns(table, "÷ raw", "ratio_to_raw");
  table.columns.push_back({"one call", "call_p50_seconds"});
  table.columns.push_back({"to main", "to_main_p50_seconds"});
  table.columns.push_back({"to READY", "to_ready_p50_seconds"});
  table.columns.push_back({"stop", "stop_p50_seconds"});
  table.columns.push_back({"", "samples_seconds"});
  const std::vector<double> raw =
      comparison.raw.empty() ? std::vector<double>{} : comparison.raw.front().Usable();
  const auto add = [&](const std::string& method, const std::string& what,
                       const std::vector<double>& samples, const PoolStarts* pool) {
    std::vector<Cell> row{{method, method}, {what, what}};
    AddShownPercentileCells(row, samples);
    if (raw.empty()) {
      row.resize(row.size() + 3);
    } else {
      AddRatioCells(row, PairedRatio(samples, raw));
    }
    if (pool == nullptr) {
      row.resize(row.size() + 4);
    } else {
      for (const auto* times :
           {&pool->worker_call, &pool->worker_to_main, &pool->worker_to_ready, &pool->stop}) {
        const double median = Median(*times);
        row.push_back({Milliseconds(median), median});
      }
    }
    row.push_back({"", samples});
    table.AddRow(std::move(row));
  };
  for (const SpawnSeries& series : comparison.raw) {
    const std::string& program = series.contender->program();
    const bool empty = program == kEmptyProgram;
    add(series.contender->method(), program + (empty ? ", last main()" : ", last READY"),
        series.Usable(), nullptr);
    if (empty) {
      add(series.contender->method(), program + ", last reaped", series.Total(), nullptr);
    }
  }
  for (const PoolStarts& pool : comparison.pools) {
    add(pool.method, "pool over " + pool.transport, pool.all_ready, &pool);
  }
  table.notes = {"raw: the first row, as many processes at once that are nothing but a main()."};
  return table;
}

Table GoalsTable(const std::vector<SpawnSeries>& memory, const PoolComparison& comparison) {
  constexpr double kPoolLimit = 3;
  constexpr double kMemoryLimit = 1.2;
  constexpr double kLargeParent = 2;  // GB
  Table table{.name = "goals",
              .title = "Goals, as ratios within this run",
              .columns = {{"goal", "goal", false}}};
  AddRatioColumns(table, "ratio", "ratio");
  table.columns.push_back({"at most", "limit"});
  table.columns.push_back({"held", "held", false});
  const auto add = [&](const std::string& goal, const Interval& ratio, double limit) {
    std::vector<Cell> row{{goal, goal}};
    AddRatioCells(row, ratio);
    const bool held = ratio.estimate <= limit;
    row.push_back({Digits(limit, 2), limit});
    row.push_back({held ? "yes" : "no", held});
    table.AddRow(std::move(row));
  };
  const std::string standard(DefaultSpawnMethod().name);
  const bool has_raw =
      !comparison.raw.empty() && comparison.raw.front().contender->program() == kEmptyProgram;
  for (const PoolStarts& pool : comparison.pools) {
    if (!has_raw || pool.method != standard) continue;
    add("pool over " + pool.transport + " READY ÷ as many empty programs at main()",
        PairedRatio(pool.all_ready, comparison.raw.front().Usable()), kPoolLimit);
  }
  for (const SpawnSeries& series : memory) {
    if (series.contender->method() != standard || series.contender->program() != kWorker ||
        series.level != kLargeParent || FirstLevel(memory, series).level != 0) {
      continue;
    }
    add("worker READY from a parent of 2 GB ÷ of 0 GB",
        PairedRatio(series.Usable(), FirstLevel(memory, series).Usable()), kMemoryLimit);
  }
  return table;
}

}  // namespace procpool
