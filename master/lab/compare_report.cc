#include "master/lab/compare_report.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>

#include "master/lab/statistics.h"

namespace procpool {
namespace {

// A setting: how it is called, and how a variant's value reads.
struct Setting {
  std::string key;
  std::function<std::string(const Variant&)> value;
  bool numeric = false;
};

std::vector<Setting> Settings() {
  const auto of = [](auto member) {
    return [member](const Variant& v) { return std::string(v.options.*member); };
  };
  return {
      {"procs", [](const Variant& v) { return std::to_string(v.options.procs); }, true},
      {"chunks", [](const Variant& v) { return std::to_string(v.options.chunks); }, true},
      {"schedule", [](const Variant& v) { return std::string(ScheduleName(v.options.schedule)); }},
      {"payload", [](const Variant& v) { return std::string(PayloadName(v.options.payload)); }},
      {"input", [](const Variant& v) { return std::string(InputName(v.options.input)); }},
      {"codec", of(&RunOptions::codec)},
      {"kernel", of(&RunOptions::kernel)},
      {"wait", [](const Variant& v) { return std::string(WaitModeName(v.options.wait)); }},
      {"times", [](const Variant& v) { return std::string(v.options.times ? "on" : "off"); }},
      {"start",
       [](const Variant& v) {
         return std::string(v.start == Temperature::kWarm ? "warm" : "cold");
       }},
  };
}

// What was measured in the same rounds: slow rows take part in some only.
struct Pairs {
  std::vector<double> own, base;
};

Pairs PairsOf(const Series& series, const Series& base) {
  Pairs pairs;
  for (std::size_t i = 0, j = 0; i < series.rounds.size() && j < base.rounds.size();) {
    if (series.rounds[i] == base.rounds[j]) {
      pairs.own.push_back(series.measurements[i++].wall);
      pairs.base.push_back(base.measurements[j++].wall);
    } else {
      ++(series.rounds[i] < base.rounds[j] ? i : j);
    }
  }
  return pairs;
}

bool Differs(const Setting& setting, const std::vector<Variant>& variants) {
  std::set<std::string> values;
  for (const Variant& variant : variants) {
    // `serial` has one worker whatever is asked for; that alone makes no column.
    if (setting.key == "procs" && variant.options.transport == "serial" && variants.size() > 1) {
      continue;
    }
    values.insert(setting.value(variant));
  }
  return values.size() > 1;
}

// Of what was measured in all rounds; nothing where it was not.
template <typename Number>
std::optional<double> MedianOf(const Series& series, std::optional<Number> Measurement::*member) {
  std::vector<double> values;
  for (const Measurement& measurement : series.measurements) {
    if (!(measurement.*member)) return std::nullopt;
    values.push_back(static_cast<double>(*(measurement.*member)));
  }
  if (values.empty()) return std::nullopt;
  return Median(std::move(values));
}

// Making bytes of inputs and results, and sense of bytes, on both sides.
double EncodeSeconds(const Budget& budget) {
  return Seconds(budget.master.encode +
                 budget.Total()[static_cast<std::size_t>(BudgetPart::kResultEncode)]);
}

double DecodeSeconds(const Budget& budget) {
  return Seconds(budget.master.decode +
                 budget.Total()[static_cast<std::size_t>(BudgetPart::kDecode)]);
}

std::optional<double> MedianOfBudget(const Series& series, double (*part)(const Budget&)) {
  std::vector<double> values;
  for (const Measurement& measurement : series.measurements) {
    if (!measurement.budget) return std::nullopt;
    values.push_back(part(*measurement.budget));
  }
  if (values.empty()) return std::nullopt;
  return Median(std::move(values));
}

std::optional<double> MedianCopied(const Series& series) {
  std::vector<double> values;
  for (const Measurement& measurement : series.measurements) {
    if (!measurement.traffic) return std::nullopt;
    // Into the transport and out of it.
    values.push_back(
        2.0 * static_cast<double>(measurement.traffic->sent + measurement.traffic->received));
  }
  if (values.empty()) return std::nullopt;
  return Median(std::move(values));
}

Value ValueOf(const std::optional<double>& number) {
  return number ? Value(*number) : Value();
}

std::string IntervalText(const Interval& interval, double scale) {
  return Digits(interval.estimate * scale) + " [" + Digits(interval.low * scale) + ", " +
         Digits(interval.high * scale) + "]";
}

// Where the settings differ, a column each; the rest is said once.
struct Shown {
  std::vector<Column> columns;
  std::string same;
};

Shown ShownOf(const std::vector<Setting>& settings, const std::vector<Variant>& variants) {
  Shown shown;
  for (const Setting& setting : settings) {
    const bool differs = Differs(setting, variants);
    shown.columns.push_back({differs ? setting.key : "", setting.key, setting.numeric});
    if (differs) continue;
    if (!shown.same.empty()) shown.same += ", ";
    shown.same += setting.key;
    shown.same += ' ';
    shown.same += setting.value(variants[0]);
  }
  return shown;
}

std::vector<Column> FigureColumns(bool codecs) {
  return {{"wall, ms", "wall_seconds"},
          {"", "wall_low_seconds"},
          {"", "wall_high_seconds"},
          {"", "wall_samples_seconds"},
          {"minus baseline, ms", "minus_baseline_seconds"},
          {"", "minus_baseline_low_seconds"},
          {"", "minus_baseline_high_seconds"},
          {"x baseline", "ratio"},
          {"", "ratio_low"},
          {"", "ratio_high"},
          {"", "baseline"},
          {"", "difference_detected"},
          {codecs ? "encode, ms" : "", "encode_seconds"},
          {codecs ? "decode, ms" : "", "decode_seconds"},
          {"CPU, ms", "cpu_seconds"},
          {"switches", "context_switches"},
          {"copied", "copied_bytes"}};
}

void AddInterval(std::vector<Cell>& row, std::string text, const Interval& interval) {
  row.push_back({std::move(text), interval.estimate});
  row.push_back({"", interval.low});
  row.push_back({"", interval.high});
}

void AddComparison(std::vector<Cell>& row, const Series& series, const Series& base,
                   std::size_t base_row) {
  const bool is_base = &series == &base;
  const std::vector<double> walls = series.Walls();
  const Pairs pairs = PairsOf(series, base);
  const Interval wall = MedianInterval(walls);
  const Interval difference = PairedDifference(pairs.own, pairs.base);
  const Interval ratio = PairedRatio(pairs.own, pairs.base);
  const bool detected = !is_base && ratio.confident && !ratio.Contains(1);
  std::string verdict = IntervalText(ratio, 1);
  if (is_base) {
    verdict = "baseline";
  } else if (!ratio.confident) {
    verdict = Digits(ratio.estimate) + " (" + std::to_string(pairs.own.size()) + " rounds)";
  } else if (!detected) {
    verdict = "no detectable difference";
  }
  AddInterval(row, IntervalText(wall, 1e3), wall);
  row.push_back({"", walls});
  AddInterval(row, is_base ? "" : IntervalText(difference, 1e3), difference);
  AddInterval(row, std::move(verdict), ratio);
  row.push_back({"", static_cast<std::int64_t>(base_row)});
  row.push_back({"", ratio.confident ? Value(detected) : Value()});
}

void AddCosts(std::vector<Cell>& row, const Series& series) {
  for (const auto part : {EncodeSeconds, DecodeSeconds}) {
    const auto seconds = MedianOfBudget(series, part);
    row.push_back({seconds ? Digits(*seconds * 1e3) : "-", ValueOf(seconds)});
  }
  const auto cpu = MedianOf(series, &Measurement::cpu);
  const auto switches = MedianOf(series, &Measurement::switches);
  const auto copied = MedianCopied(series);
  row.push_back({cpu ? Digits(*cpu * 1e3) : "-", ValueOf(cpu)});
  row.push_back({switches ? Digits(*switches) : "-", ValueOf(switches)});
  row.push_back({copied ? BytesText(*copied) : "-", ValueOf(copied)});
}

void AddNotes(Table& table, const Measured& measured, bool peers, bool codecs) {
  table.notes.emplace_back(
      "Baseline: threads with the same settings, or the most alike; without threads the first "
      "row.");
  if (peers) {
    table.notes.emplace_back(
        "Other systems are timed by themselves, until the grid is in order and its sum known; "
        "making the coordinates is not in their time, nor is a digest.");
  }
  const bool some_left_early = std::ranges::any_of(measured.series, [&](const Series& series) {
    return series.missing.empty() && series.measurements.size() < measured.control.size();
  });
  if (some_left_early) {
    table.notes.emplace_back(
        "Rows that take more than 2 s a run were measured in the first rounds only.");
  }
  if (codecs) {
    table.notes.emplace_back(
        "Encode, decode: of inputs and results, in the master and all workers together; writing "
        "raw coordinates counts as encoding.");
  }
  table.notes.emplace_back(
      "CPU and context switches: master and workers, in one run. Copied: bytes into the transport "
      "plus bytes out of it; rows written in place are in neither.");
}

}  // namespace

Table CompareTable(const CompareOptions& options, const std::vector<Variant>& variants,
                   const Measured& measured) {
  const std::vector<Setting> settings = Settings();
  const auto [setting_columns, same] = ShownOf(settings, variants);
  const bool codecs = std::ranges::any_of(
      variants, [](const Variant& variant) { return variant.options.codec != "raw"; });
  Table table{.name = "rows",
              .title = "workload " + options.base.workload + ", " + same + "; " +
                       std::to_string(measured.control.size()) + " rounds; median [95 % interval]",
              .columns = {{"transport", "transport", false}}};
  std::ranges::copy(setting_columns, std::back_inserter(table.columns));
  std::ranges::copy(FigureColumns(codecs), std::back_inserter(table.columns));
  for (std::size_t index = 0; index < variants.size(); ++index) {
    const Variant& variant = variants[index];
    const Series& series = measured.series[index];
    if (!series.missing.empty()) continue;
    std::vector<Cell> row{{variant.Name(), variant.Name()}};
    for (const Setting& setting : settings) {
      const std::string value = setting.value(variant);
      row.push_back(
          {value, setting.numeric ? Value(std::int64_t{std::stoll(value)}) : Value(value)});
    }
    const std::size_t base = BaselineOf(variants, index);
    AddComparison(row, series, measured.series[base], base);
    AddCosts(row, series);
    table.AddRow(std::move(row));
  }
  AddNotes(table, measured, options.peers, codecs);
  return table;
}

}  // namespace procpool
