#include "master/lab/report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include <procpool/error.h>

#include "tests/temporary_folder.h"

namespace procpool {
namespace {

Report Example() {
  Table table{.name = "rows",
              .title = "Example",
              .columns = {{"transport", "transport", false},
                          {"wall, µs", "wall_seconds"},
                          {"", "samples"},
                          {"ratio", ""}}};
  table.AddRow({{"pipe", std::string("pipe")},
                {"12.5", 1.25e-5},
                {"", std::vector<double>{1, 0.5}},
                {"1.00", {}}});
  table.AddRow({{"a,\"b\"|c", std::string("a,\"b\"|c")}, {"-", {}}, {"", {}}, {"", {}}});
  table.notes = {"a note"};
  return {.command = "example",
          .settings = {{"rounds", std::int64_t{21}}, {"checked", true}},
          .tables = {table},
          .warnings = {"noisy"}};
}

TEST(ReportTest, TextShowsWhatPeopleRead) {
  EXPECT_EQ(TextOf(Example()),
            "Example\n"
            "transport  wall, µs  ratio\n"
            "pipe           12.5   1.00\n"
            "a,\"b\"|c           -\n"
            "a note\n"
            "\n"
            "warning: noisy\n");
}

TEST(ReportTest, MarkdownEscapesItsSeparator) {
  EXPECT_EQ(MarkdownOf(Example()),
            "Example\n\n"
            "| transport | wall, µs | ratio |\n"
            "|---|---:|---:|\n"
            "| pipe | 12.5 | 1.00 |\n"
            "| a,\"b\"\\|c | - |  |\n"
            "\na note\n"
            "\nWarning: noisy\n");
}

TEST(ReportTest, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(CsvOf(Example()),
            "transport,wall_seconds,samples\r\n"
            "pipe,1.25e-05,1 0.5\r\n"
            "\"a,\"\"b\"\"|c\",,\r\n");
}

TEST(ReportTest, JsonHasTheNumbersThemselves) {
  const auto json = nlohmann::json::parse(JsonOf(Example()));
  EXPECT_EQ(json["command"], "example");
  EXPECT_EQ(json["settings"]["rounds"], 21);
  EXPECT_EQ(json["settings"]["checked"], true);
  EXPECT_EQ(json["rows"][0]["wall_seconds"], 1.25e-5);
  EXPECT_EQ(json["rows"][0]["samples"], nlohmann::json({1.0, 0.5}));
  EXPECT_TRUE(json["rows"][1]["wall_seconds"].is_null());
  EXPECT_EQ(json["warnings"][0], "noisy");
  EXPECT_TRUE(json["host"].contains("cpus"));
}

TEST(ReportTest, ARowMustFitItsTable) {
  Table table{.name = "t", .columns = {{"a", "a"}}};
  EXPECT_THROW(table.AddRow({}), std::logic_error);
}

TEST(ReportTest, WritesEachFormWhereItIsWanted) {
  const TemporaryFolder folder;
  ReportOutput output({.json = folder.In("r.json"), .csv = folder.In("r.csv"), .quiet = true});
  output.Write(Example());
  const auto content = [&](const char* name) {
    std::ostringstream text;
    text << std::ifstream(folder.In(name), std::ios::binary).rdbuf();
    return text.str();
  };
  EXPECT_EQ(content("r.csv"), CsvOf(Example()));
  EXPECT_EQ(content("r.json"), JsonOf(Example()));
}

TEST(ReportTest, APathThatCannotBeWrittenIsFoundAtOnce) {
  EXPECT_THROW(ReportOutput({.csv = "/no/such/directory/r.csv"}), Error);
  EXPECT_THROW(ReportOutput({.json = "-", .csv = "-"}), Error);
}

TEST(ReportTest, NumbersForPeople) {
  EXPECT_EQ(Digits(12.345), "12.3");
  EXPECT_EQ(Digits(0.012345), "0.0123");
  EXPECT_EQ(Digits(1234.5), "1234");
  EXPECT_EQ(Digits(0), "0.00");
  EXPECT_EQ(DurationText(8.5e-7), "850 ns");
  EXPECT_EQ(DurationText(1.234e-5), "12.3 µs");
  EXPECT_EQ(DurationText(0.00456), "4.56 ms");
  EXPECT_EQ(DurationText(2), "2.00 s");
  EXPECT_EQ(BytesText(64), "64 B");
  EXPECT_EQ(BytesText(4096), "4 KiB");
  EXPECT_EQ(BytesText(1536 * 1024), "1.5 MiB");
}

}  // namespace
}  // namespace procpool
