// What a laboratory command found: settings, tables, warnings; shown as text, Markdown, CSV or
// JSON.
//
// A table is for two readers at once. People see the columns with a header, one short text a cell;
// programs get the columns with a key, with full precision, in base units (seconds, bytes), raw
// samples included. A column may be for both.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "master/output_file.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace procpool {

/// A value for programs. monostate: there is none (null in JSON, empty in CSV).
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<double>>;

struct Cell {
  std::string text{};  ///< for people
  Value value{};       ///< for programs
};

struct Column {
  std::string header{};  ///< for people, with the unit; empty: not shown
  std::string key{};     ///< for programs, snake_case, with the unit; empty: not written
  bool numeric = true;   ///< shown right-aligned
};

struct Table {
  std::string name{};   ///< key of the table in JSON, snake_case
  std::string title{};  ///< one line above it
  std::vector<Column> columns{};
  std::vector<std::vector<Cell>> rows{};  ///< as many cells as there are columns
  std::vector<std::string> notes{};       ///< lines below it

  /// Throws std::logic_error unless there is one cell for each column.
  void AddRow(std::vector<Cell> row);
};

struct Report {
  std::string command{};                                  ///< "compare"
  std::vector<std::pair<std::string, Value>> settings{};  ///< what was asked for, in order
  std::vector<Table> tables{};
  std::vector<std::string> warnings{};
};

std::string TextOf(const Report& report);
std::string MarkdownOf(const Report& report);
/// One header line and one line a row; a column `table` leads if there are several tables. Lists
/// are joined by spaces. RFC 4180 quoting.
std::string CsvOf(const Report& report);
/// {"command", "settings", "host", "warnings", "version", and each table's name: [rows]}
std::string JsonOf(const Report& report);

/// Where a report goes: as text to standard output, unless another form goes there.
struct ReportTargets {
  std::string json{};  ///< FILE or "-"; empty: not wanted. Likewise:
  std::string csv{};
  std::string markdown{};
  bool quiet = false;  ///< no text
};
/// --json, --csv, --markdown, --quiet.
void AddReportOptions(CLI::App& app, ReportTargets& targets);

/// Opens the files before the measuring begins, so that a path that cannot be written is found at
/// once.
class ReportOutput {
 public:
  /// Throws Error{kUser}.
  explicit ReportOutput(const ReportTargets& targets);
  /// Writes whole files or none. To be called once.
  void Write(const Report& report);

 private:
  using Form = std::string (*)(const Report&);
  struct Target {
    Form form;
    std::unique_ptr<OutputFile> file;  // null: standard output
  };
  std::vector<Target> targets_;
};

/// "12.34" with `digits` significant ones; never in exponent form for what people measure.
std::string Digits(double value, int digits = 3);
/// "850 ns", "12.3 µs", "4.56 ms", "1.23 s".
std::string DurationText(double seconds);
/// "64 B", "4 KiB", "1.5 MiB".
std::string BytesText(double bytes);

}  // namespace procpool
