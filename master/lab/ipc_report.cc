#include "master/lab/ipc_report.h"

#include <utility>

#include "master/lab/statistics.h"

namespace procpool {
namespace {

constexpr double kNoisySpread = 0.10;
constexpr double kFloorsNeeded = 10;

Cell Words(const std::string& text) {
  return {text, text};
}

Cell Whole(std::uint64_t number) {
  return {std::to_string(number), static_cast<std::int64_t>(number)};
}

Cell Time(double seconds) {
  return {DurationText(seconds), seconds};
}

std::string RateText(double bytes_per_second) {
  return BytesText(bytes_per_second) + "/s";
}

using Row = std::vector<Cell>;

void AddWho(Row& row, const IpcContender& who, std::size_t bytes) {
  row.push_back({BytesText(static_cast<double>(bytes)), static_cast<std::int64_t>(bytes)});
  row.push_back(Words(who.name));
  row.push_back({"", std::string(who.KindName())});
  row.push_back(Words(std::string(who.WaitName())));
}

std::vector<Column> WhoColumns() {
  return {{"size", "bytes"}, {"what", "name", false}, {"", "kind"}, {"wait", "wait", false}};
}

// Shown as one cell, written as estimate and interval.
void AddRatio(Row& row, const IpcContenders& contenders, const std::vector<IpcSeries>& series,
              std::size_t index) {
  const IpcContender* raw = contenders.RawOf(contenders.all[index]);
  if (raw == nullptr) {
    row.insert(row.end(), {Cell{"-", {}}, Cell{}, Cell{}, Cell{}});
    return;
  }
  const auto raw_index = static_cast<std::size_t>(raw - contenders.all.data());
  const Interval ratio = PairedRatio(series[index].rounds, series[raw_index].rounds);
  row.push_back(
      {Digits(ratio.estimate) + " [" + Digits(ratio.low) + ", " + Digits(ratio.high) + "]",
       ratio.estimate});
  row.push_back({"", ratio.low});
  row.push_back({"", ratio.high});
  row.push_back({"", raw->name});
}

void AddRatioColumns(std::vector<Column>& columns) {
  columns.insert(columns.end(),
                 {{"vs raw", "vs_raw"}, {"", "vs_raw_low"}, {"", "vs_raw_high"}, {"", "raw"}});
}

void AddPercentiles(Row& row, const std::vector<double>& samples) {
  const Percentiles at = PercentilesOf(samples);
  for (const double time : {at.p50, at.p90, at.p99, at.p999, at.greatest})
    row.push_back(Time(time));
}

std::vector<Column> PercentileColumns() {
  return {{"p50", "p50_seconds"},
          {"p90", "p90_seconds"},
          {"p99", "p99_seconds"},
          {"p99.9", "p999_seconds"},
          {"max", "max_seconds"}};
}

void Append(std::vector<Column>& columns, std::vector<Column> more) {
  columns.insert(columns.end(), more.begin(), more.end());
}

Table SampleTable(std::string name, std::string title, bool with_samples) {
  Table table{.name = std::move(name), .title = std::move(title), .columns = WhoColumns()};
  Append(table.columns, {{"n", "messages"}});
  Append(table.columns, PercentileColumns());
  Append(table.columns, {{"", "round_p50_seconds"}});
  if (with_samples) Append(table.columns, {{"", "samples_seconds"}});
  AddRatioColumns(table.columns);
  return table;
}

bool HasSamples(const Table& table) {
  for (const Column& column : table.columns) {
    if (column.key == "samples_seconds") return true;
  }
  return false;
}

Row SampleRow(const Table& table, const IpcContenders& contenders,
              const std::vector<IpcSeries>& series, std::size_t i, std::size_t bytes) {
  Row row;
  AddWho(row, contenders.all[i], bytes);
  row.push_back(Whole(series[i].messages));
  AddPercentiles(row, series[i].samples);
  row.push_back({"", series[i].rounds});
  if (HasSamples(table)) row.push_back({"", series[i].samples});
  AddRatio(row, contenders, series, i);
  return row;
}

}  // namespace

Table LatencyTable(bool with_samples) {
  Table table = SampleTable(
      "latency", "Round trips: a message there and the same bytes back, each one written and read",
      with_samples);
  table.notes = {
      "vs raw: median round trip against the raw primitive it rests on, same wait mode "
      "[95 % interval]"};
  return table;
}

void AddLatencyRows(Table& table, const IpcContenders& contenders,
                    const std::vector<IpcSeries>& series, std::size_t bytes) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (contenders.all[i].name == "empty loop") continue;
    table.AddRow(SampleRow(table, contenders, series, i, bytes));
  }
}

Table ThroughputTable() {
  Table table{.name = "throughput",
              .title = "Streams: bytes a second from the peer to here, each one written and read",
              .columns = WhoColumns()};
  Append(table.columns, {{"n", "messages"},
                         {"rate", "bytes_per_second"},
                         {"95 % interval", ""},
                         {"", "bytes_per_second_low"},
                         {"", "bytes_per_second_high"},
                         {"messages/s", "messages_per_second"},
                         {"", "round_bytes_per_second"}});
  AddRatioColumns(table.columns);
  return table;
}

void AddThroughputRows(Table& table, const IpcContenders& contenders,
                       const std::vector<IpcSeries>& series, std::size_t bytes) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (contenders.all[i].name == "empty loop") continue;
    Row row;
    AddWho(row, contenders.all[i], bytes);
    row.push_back(Whole(series[i].messages));
    const Interval rate = MedianInterval(series[i].rounds);
    const double messages = rate.estimate / static_cast<double>(bytes);
    row.push_back({RateText(rate.estimate), rate.estimate});
    row.push_back({RateText(rate.low) + " to " + RateText(rate.high), {}});
    row.push_back({"", rate.low});
    row.push_back({"", rate.high});
    row.push_back({Digits(messages), messages});
    row.push_back({"", series[i].rounds});
    AddRatio(row, contenders, series, i);
    table.AddRow(std::move(row));
  }
}

Table RateTable(bool with_samples) {
  Table table =
      SampleTable("fixed_rate", "Fixed rate: from when a message was due until its answer was read",
                  with_samples);
  table.columns.insert(table.columns.begin(), {"rate, 1/s", "rate_per_second"});
  return table;
}

void AddRateRows(Table& table, const IpcContenders& contenders,
                 const std::vector<IpcSeries>& series, std::size_t bytes, double rate) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (contenders.all[i].kind == IpcContender::Kind::kControl) continue;
    Row row = SampleRow(table, contenders, series, i, bytes);
    row.insert(row.begin(), {Digits(rate), rate});
    table.AddRow(std::move(row));
  }
}

Table NullTasksTable(const std::vector<NullTasks>& rows) {
  Table table{
      .name = "null_tasks",
      .title =
          "Null tasks through the pool: a stream of them, and one job of one task after the other",
      .columns = {{"transport", "transport", false},
                  {"wait", "wait", false},
                  {"tasks", "tasks"},
                  {"tasks/s", "tasks_per_second"},
                  {"95 % interval", ""},
                  {"", "tasks_per_second_low"},
                  {"", "tasks_per_second_high"},
                  {"", "round_tasks_per_second"},
                  {"single n", "single_jobs"}}};
  Append(table.columns, PercentileColumns());
  for (const NullTasks& tasks : rows) {
    const Interval rate = MedianInterval(tasks.rates);
    Row row{Words(tasks.transport),
            Words(std::string(WaitModeName(tasks.wait))),
            Whole(tasks.tasks),
            {Digits(rate.estimate), rate.estimate},
            {Digits(rate.low) + " to " + Digits(rate.high), {}},
            {"", rate.low},
            {"", rate.high},
            {"", tasks.rates},
            Whole(tasks.single.size())};
    AddPercentiles(row, tasks.single);
    table.AddRow(std::move(row));
  }
  table.notes = {"p50 to max: the round trip of a whole job of one task"};
  return table;
}

Table ControlsTable(double clock_floor, double empty_loop) {
  Table table{.name = "controls",
              .title = "What measuring costs itself",
              .columns = {{"what", "name", false}, {"time", "seconds"}}};
  table.AddRow({Words("two clock readings in a row"), Time(clock_floor)});
  table.AddRow({Words("timed loop with nothing in it"), Time(empty_loop)});
  return table;
}

std::vector<std::string> WarningsOf(const IpcOptions& options, unsigned cpus) {
  std::vector<std::string> warnings;
  bool spins = false;
  for (const WaitMode wait : options.waits) spins = spins || wait == WaitMode::kSpin;
  const auto warn = [&](unsigned processes, const std::string& what) {
    if (!spins || processes <= cpus) return;
    warnings.push_back(what + ": " + std::to_string(processes) + " processes spin on " +
                       std::to_string(cpus) +
                       " CPU(s), so the rows with wait spin measure the scheduler");
  };
  if (options.Wants(IpcPart::kLatency) || options.Wants(IpcPart::kThroughput) ||
      options.Wants(IpcPart::kRate))
    warn(2, "messages");
  if (options.Wants(IpcPart::kTasks)) warn(options.procs + 1, "null tasks");
  if (options.rounds < 6)
    warnings.emplace_back("fewer than 6 rounds: the intervals are from least to greatest");
  return warnings;
}

void WarnOfNoise(std::vector<std::string>& warnings, const IpcContenders& contenders,
                 const std::vector<IpcSeries>& series, std::size_t bytes, double clock_floor) {
  const std::string at = " at " + BytesText(static_cast<double>(bytes));
  std::string close;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const IpcContender& who = contenders.all[i];
    const bool is_memcpy = who.name == "memcpy";
    const double spread = RelativeSpread(series[i].rounds);
    if (is_memcpy && spread > kNoisySpread) {
      warnings.push_back("noisy machine" + at + ": the memcpy control varied by " +
                         Digits(100 * spread, 2) + " % from round to round");
    }
    if (who.kind != IpcContender::Kind::kControl &&
        Median(series[i].rounds) < kFloorsNeeded * clock_floor) {
      close += (close.empty() ? "" : ", ") + who.name + " (" + std::string(who.WaitName()) + ")";
    }
  }
  if (!close.empty()) {
    warnings.push_back("less than " + Digits(kFloorsNeeded, 2) + " clock readings long" + at +
                       ", so the clock is in the figure: " + close);
  }
}

}  // namespace procpool
