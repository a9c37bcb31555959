#include "master/lab/compare.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <procpool/error.h>
#include "master/lab/compare_report.h"

namespace procpool {
namespace {

std::vector<std::string> Names(const std::vector<Variant>& variants) {
  std::vector<std::string> names;
  names.reserve(variants.size());
  for (const Variant& variant : variants) {
    names.push_back(variant.options.transport + " " + std::to_string(variant.options.procs) + " " +
                    std::to_string(variant.options.chunks) + " " + variant.options.codec);
  }
  return names;
}

TEST(CompareVariantsTest, EveryCombinationThatMeansSomethingOnce) {
  CompareOptions options;
  options.transports = {"threads", "pipe", "serial"};
  options.procs = {2, 4};
  options.codecs = {"raw", "json"};
  EXPECT_EQ(Names(VariantsOf(options)),
            (std::vector<std::string>{"threads 2 16 raw", "pipe 2 16 raw", "pipe 2 16 json",
                                      "serial 1 16 raw", "threads 4 32 raw", "pipe 4 32 raw",
                                      "pipe 4 32 json", "serial 1 32 raw"}));
}

TEST(CompareVariantsTest, OnlyCoordsHaveAnInput) {
  CompareOptions options;
  options.transports = {"shm"};
  options.procs = {2};
  options.payloads = {RowsPayload::kRows, RowsPayload::kCoords};
  options.inputs = {CoordsInput::kComputed, CoordsInput::kArray, CoordsInput::kShared};
  EXPECT_EQ(VariantsOf(options).size(), 4U);
}

TEST(CompareVariantsTest, TooManyAreRefused) {
  CompareOptions options;
  options.procs = {1, 2, 3, 4, 5};
  options.chunks = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THROW(VariantsOf(options), Error);
}

TEST(CompareVariantsTest, TheBaselineIsThreadsWithTheSameSettings) {
  CompareOptions options;
  options.transports = {"pipe", "threads"};
  options.procs = {2, 4};
  const std::vector<Variant> variants = VariantsOf(options);
  EXPECT_EQ(BaselineOf(variants, 0), 1U);
  EXPECT_EQ(BaselineOf(variants, 1), 1U);
  EXPECT_EQ(BaselineOf(variants, 2), 3U);
  options.transports = {"pipe", "shm"};
  EXPECT_EQ(BaselineOf(VariantsOf(options), 3), 0U);
}

Measured Measure(const std::vector<std::vector<double>>& walls) {
  Measured measured;
  measured.control.assign(walls.front().size(), 1e-3);
  for (const std::vector<double>& own : walls) {
    Series series;
    for (const double wall : own) {
      series.measurements.push_back(
          {.wall = wall, .cpu = 2 * wall, .switches = 7, .traffic = Traffic{1000, 24}});
      series.rounds.push_back(series.rounds.size());
    }
    measured.series.push_back(series);
  }
  return measured;
}

std::string CellOf(const Table& table, std::size_t row, const std::string& header) {
  const auto found = std::ranges::find(table.columns, header, &Column::header);
  return table.rows[row][static_cast<std::size_t>(found - table.columns.begin())].text;
}

TEST(CompareTableTest, SaysWhetherThereIsADifference) {
  CompareOptions options;
  options.transports = {"threads", "pipe", "shm"};
  options.procs = {2};
  const Table table = CompareTable(
      options, VariantsOf(options),
      Measure(
          {{1, 2, 3, 4, 5, 6}, {1.1, 2.2, 3.3, 4.4, 5.5, 6.6}, {1.1, 1.9, 3.1, 3.9, 5.1, 5.9}}));
  EXPECT_EQ(CellOf(table, 0, "x baseline"), "baseline");
  EXPECT_EQ(CellOf(table, 1, "x baseline"), "1.10 [1.10, 1.10]");
  EXPECT_EQ(CellOf(table, 2, "x baseline"), "no detectable difference");
  EXPECT_EQ(CellOf(table, 0, "copied"), "2 KiB") << "in and out";
  EXPECT_EQ(CellOf(table, 0, "CPU, ms"), "7000");
}

TEST(CompareTableTest, FiveRoundsCannotShowADifference) {
  CompareOptions options;
  options.transports = {"threads", "pipe"};
  options.procs = {2};
  const Table table =
      CompareTable(options, VariantsOf(options), Measure({{1, 2, 3, 4, 5}, {2, 4, 6, 8, 10}}));
  EXPECT_EQ(CellOf(table, 1, "x baseline"), "2.00 (5 rounds)");
}

TEST(CompareTableTest, OnlyTheSameRoundsArePairs) {
  CompareOptions options;
  options.transports = {"threads", "serial"};
  options.procs = {2};
  Measured measured = Measure({{1, 2, 3, 4, 5, 6, 7, 8}, {2, 4, 6, 8, 10, 12, 14, 16}});
  // The slow row was left out of the first two rounds, the baseline of the last one.
  for (int i = 0; i < 2; ++i) {
    measured.series[1].measurements.erase(measured.series[1].measurements.begin());
    measured.series[1].rounds.erase(measured.series[1].rounds.begin());
  }
  measured.series[0].measurements.pop_back();
  measured.series[0].rounds.pop_back();
  const Table table = CompareTable(options, VariantsOf(options), measured);
  EXPECT_EQ(CellOf(table, 1, "x baseline"), "2.00 (5 rounds)");
  EXPECT_EQ(table.notes.size(), 3U) << "it is said that rows were left out";
}

TEST(CompareTableTest, OnlySettingsThatDifferAreColumns) {
  CompareOptions options;
  options.transports = {"threads", "pipe", "serial"};
  options.procs = {2};
  const auto headers = [](const Table& table) {
    std::string all;
    for (const Column& column : table.columns) all += column.header + "|";
    return all;
  };
  const std::vector<std::vector<double>> three{{1, 1}, {1, 1}, {1, 1}};
  EXPECT_EQ(headers(CompareTable(options, VariantsOf(options), Measure(three))).find("procs"),
            std::string::npos);
  options.transports = {"pipe"};
  options.chunks = {4, 8, 16};
  EXPECT_NE(headers(CompareTable(options, VariantsOf(options), Measure(three))).find("chunks"),
            std::string::npos);
}

}  // namespace
}  // namespace procpool
