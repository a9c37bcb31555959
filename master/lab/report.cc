#include "master/lab/report.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <utility>

#include <procpool/error.h>
#include "common/build_id.h"
#include "common/host.h"
#include "common/os_error.h"
#include "master/cli_option.h"

namespace procpool {
namespace {

// Keys in the order in which they are written here: the object is read by people too.
using Json = nlohmann::ordered_json;

// What a terminal shows: code points, for nothing here combines.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t own = Width(text);
  const std::string pad(width > own ? width - own : 0, ' ');
  return right ? pad + text : text + pad;
}

struct Shown {
  std::size_t index;
  std::size_t width;
  bool right;
};

std::vector<Shown> ShownColumns(const Table& table) {
  std::vector<Shown> shown;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    if (column.header.empty()) continue;
    std::size_t width = Width(column.header);
    for (const auto& row : table.rows) width = std::max(width, Width(row[i].text));
    shown.push_back({i, width, column.numeric});
  }
  return shown;
}

void AppendTextRow(std::string& text, const std::vector<Shown>& shown,
                   const std::function<std::string(std::size_t)>& cell) {
  std::string line;
  for (const Shown& column : shown) {
    if (!line.empty()) line += "  ";
    line += Padded(cell(column.index), column.width, column.right);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + '\n';
}

std::string MarkdownCell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\\');
  }
  return text;
}

std::string NumberText(double number) {
  if (!std::isfinite(number)) return "";
  char text[32];  // NOLINT: the shortest form that reads back as the same number
  const auto [end, error] = std::to_chars(std::begin(text), std::end(text), number);
  return {std::begin(text), end};
}

std::string CsvField(const Value& value) {
  std::string field;
  if (const auto* flag = std::get_if<bool>(&value)) field = *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) field = std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) field = NumberText(*number);
  if (const auto* words = std::get_if<std::string>(&value)) field = *words;
  if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    for (const double number : *list) field += (field.empty() ? "" : " ") + NumberText(number);
  }
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

Json JsonOfValue(const Value& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

}  // namespace

void Table::AddRow(std::vector<Cell> row) {
  if (row.size() != columns.size()) {
    throw std::logic_error("a row of table '" + name + "' does not have one cell a column");
  }
  rows.push_back(std::move(row));
}

std::string TextOf(const Report& report) {
  std::string text;
  for (const Table& table : report.tables) {
    if (!text.empty()) text += '\n';
    if (!table.title.empty()) text += table.title + '\n';
    const std::vector<Shown> shown = ShownColumns(table);
    AppendTextRow(text, shown, [&](std::size_t i) { return table.columns[i].header; });
    for (const auto& row : table.rows) {
      AppendTextRow(text, shown, [&](std::size_t i) { return row[i].text; });
    }
    for (const std::string& note : table.notes) text += note + '\n';
  }
  if (!report.warnings.empty()) text += '\n';
  for (const std::string& warning : report.warnings) text += "warning: " + warning + '\n';
  return text;
}

std::string MarkdownOf(const Report& report) {
  std::string text;
  for (const Table& table : report.tables) {
    if (!text.empty()) text += '\n';
    if (!table.title.empty()) text += table.title + "\n\n";
    std::string header = "|";
    std::string rule = "|";
    for (const Column& column : table.columns) {
      if (column.header.empty()) continue;
      header.append(" ").append(MarkdownCell(column.header)).append(" |");
      rule += column.numeric ? "---:|" : "---|";
    }
    text.append(header).append("\n").append(rule).append("\n");
    for (const auto& row : table.rows) {
      text += '|';
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (!table.columns[i].header.empty()) text += ' ' + MarkdownCell(row[i].text) + " |";
      }
      text += '\n';
    }
    for (const std::string& note : table.notes) text += '\n' + note + '\n';
  }
  for (const std::string& warning : report.warnings) text += "\nWarning: " + warning + '\n';
  return text;
}

std::string CsvOf(const Report& report) {
  std::string text;
  const bool several = report.tables.size() > 1;
  for (const Table& table : report.tables) {
    std::string line = several ? "table" : "";
    for (const Column& column : table.columns) {
      if (!column.key.empty()) line += (line.empty() ? "" : ",") + column.key;
    }
    text += line + "\r\n";
    for (const auto& row : table.rows) {
      bool first = true;
      if (several) {
        text += table.name;
        first = false;
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (table.columns[i].key.empty()) continue;
        text += (first ? "" : ",") + CsvField(row[i].value);
        first = false;
      }
      text += "\r\n";
    }
  }
  return text;
}

std::string JsonOf(const Report& report) {
  Json json;
  json["command"] = report.command;
  json["settings"] = Json::object();
  for (const auto& [key, value] : report.settings) json["settings"][key] = JsonOfValue(value);
  for (const Table& table : report.tables) {
    Json rows = Json::array();
    for (const auto& row : table.rows) {
      Json object = Json::object();
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (!table.columns[i].key.empty()) object[table.columns[i].key] = JsonOfValue(row[i].value);
      }
      rows.push_back(std::move(object));
    }
    json[table.name] = std::move(rows);
  }
  const HostInfo host = DescribeHost();
  json["warnings"] = report.warnings;
  json["host"] = {{"cpus", host.cpus}, {"model", host.model}, {"kernel", host.kernel}};
  json["version"] = Version();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void AddReportOptions(CLI::App& app, ReportTargets& targets) {
  AddName(app, "--json", targets.json,
          "write it all as JSON, raw samples included; - for standard output")
      ->type_name("FILE|-");
  AddName(app, "--csv", targets.csv, "write it as CSV; - for standard output")->type_name("FILE|-");
  AddName(app, "--markdown", targets.markdown,
          "write the tables as Markdown; - for standard output")
      ->type_name("FILE|-");
  app.add_flag("--quiet", targets.quiet, "no table on standard output, no progress");
}

ReportOutput::ReportOutput(const ReportTargets& targets) {
  bool printed = false;
  const auto add = [&](const std::string& path, Form form) {
    if (path.empty()) return;
    if (path == "-" && std::exchange(printed, true)) {
      throw Error(Blame::kUser,
                  {"write", "the report to standard output",
                   "more than one form of it was sent there", "give the others a file"});
    }
    targets_.push_back({form, path == "-" ? nullptr : std::make_unique<OutputFile>(path)});
  };
  add(targets.json, JsonOf);
  add(targets.csv, CsvOf);
  add(targets.markdown, MarkdownOf);
  if (!printed && !targets.quiet) targets_.push_back({TextOf, nullptr});
}

void ReportOutput::Write(const Report& report) {
  for (Target& target : targets_) {
    const std::string text = target.form(report);
    if (target.file != nullptr) {
      target.file->Write(std::as_bytes(std::span(text)));
      target.file->Commit();
    } else if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
      ThrowErrno("write", "the report to standard output", "look at what reads it");
    }
  }
}

std::string Digits(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  const int before = value == 0 ? 1 : static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  char text[64];  // NOLINT: a number
  std::snprintf(text, sizeof text, "%.*f", std::clamp(digits - before, 0, 12), value);
  return text;
}

std::string DurationText(double seconds) {
  const double size = std::abs(seconds);
  if (size < 1e-6) return Digits(seconds * 1e9) + " ns";
  if (size < 1e-3) return Digits(seconds * 1e6) + " µs";
  if (size < 1) return Digits(seconds * 1e3) + " ms";
  return Digits(seconds) + " s";
}

std::string BytesText(double bytes) {
  constexpr double kStep = 1024;
  const char* unit = " B";
  for (const char* larger : {" KiB", " MiB", " GiB"}) {
    if (bytes < kStep) break;
    bytes /= kStep;
    unit = larger;
  }
  std::string number = Digits(bytes, bytes < 1000 ? 3 : 4);
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return number + unit;
}

}  // namespace procpool
