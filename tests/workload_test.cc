#include "common/workload.h"
#include "common/axis.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmath>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <procpool/error.h>

#include "tests/temporary_folder.h"

namespace procpool {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(BuiltinWorkloads, AreOfTheirKind) {
  EXPECT_EQ(LoadWorkload("julia-book").FractalName(), "julia");
  EXPECT_EQ(LoadWorkload("mandelbrot-workshop").FractalName(), "mandelbrot");
  EXPECT_TRUE(LoadWorkload("julia-book").origin_lower);
  EXPECT_FALSE(LoadWorkload("julia-lesson").origin_lower);
  EXPECT_TRUE(LoadWorkload("mandelbrot-workshop").origin_lower);
}

TEST(Overrides, AFinerGridShowsTheSameWindow) {
  const Fractal fractal = LoadWorkload("julia-book", {.width = 2000, .height = 500}).fractal;
  EXPECT_EQ(fractal.Width(), 2000U);
  EXPECT_EQ(fractal.Height(), 500U);
  EXPECT_EQ(fractal.real.step, 3.6 / 2000);
  EXPECT_EQ(fractal.imaginary.step, -3.6 / 500);
}

TEST(Overrides, RowsOfRealPartsTakeTheHeight) {
  const Fractal fractal = LoadWorkload("julia-lesson", {.width = 100, .height = 400}).fractal;
  EXPECT_EQ(fractal.real.points, 400U);
  EXPECT_EQ(fractal.imaginary.points, 100U);
  EXPECT_EQ(fractal.Width(), 100U);
  EXPECT_EQ(fractal.imaginary.step, 4.0 / 100);
}

TEST(Overrides, ACentredGridHasTheLargerStepOnBothAxes) {
  const Fractal fractal =
      LoadWorkload("mandelbrot-workshop", {.width = 512, .height = 128}).fractal;
  EXPECT_EQ(fractal.real.step, 3.0 / 128);
  EXPECT_EQ(fractal.imaginary.step, 3.0 / 128);
}

TEST(Overrides, KeepTheExpectedChecksumOnlyIfNothingChanges) {
  const auto has_expected = [](const WorkloadOverrides& overrides) {
    return LoadWorkload("julia-book", overrides).expected.has_value();
  };
  EXPECT_TRUE(has_expected({}));
  EXPECT_TRUE(has_expected({.width = 1000,
                            .height = 1000,
                            .max_iterations = 300,
                            .constant = std::pair(-0.62772, -0.42193)}));
  EXPECT_FALSE(has_expected({.width = 999}));
  EXPECT_FALSE(has_expected({.height = 1001}));
  EXPECT_FALSE(has_expected({.max_iterations = 299}));
  EXPECT_FALSE(has_expected({.constant = std::pair(-0.62772, 0.42193)}));
}

/// Runs `load`, which must throw, and returns its message after the checks that hold for every one.
template <typename Load>
std::string UserError(const Load& load) {
  try {
    load();
  } catch (const Error& error) {
    std::string message = error.what();
    EXPECT_EQ(error.blame(), Blame::kUser) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_NE(message.find(';'), std::string::npos) << "no remedy: " << message;
    return message;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an Error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

void ExpectParts(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  }
}

TEST(Overrides, RefuseWhatCannotBe) {
  const auto error = [](const char* workload, const WorkloadOverrides& overrides) {
    return UserError([&] { LoadWorkload(workload, overrides); });
  };
  ExpectParts(error("julia-book", {.width = 0}), {"--width 0", "julia-book", "1 to 2147483647"});
  ExpectParts(error("julia-book", {.height = 2147483648U}), {"--height 2147483648"});
  ExpectParts(error("julia-book", {.max_iterations = 0}),
              {"--max-iterations 0", "1 to 2147483647"});
  ExpectParts(error("julia-book", {.max_iterations = -5}), {"--max-iterations -5"});
  ExpectParts(error("julia-book", {.constant = std::pair(kNan, 0.0)}), {"--c", "finite"});
  ExpectParts(error("julia-book", {.constant = std::pair(0.0, -kInfinity)}), {"--c", "finite"});
  ExpectParts(error("mandelbrot-workshop", {.constant = std::pair(0.0, 0.0)}),
              {"--c", "mandelbrot-workshop", "the pixel gives c"});
}

TEST(LoadWorkload, AnUnknownNameListsTheKnownOnes) {
  for (const char* name : {"julia", "", "JULIA-BOOK"}) {
    const std::string message = UserError([&] { LoadWorkload(name); });
    ExpectParts(message, {"workload '" + std::string(name) + "'", ".toml"});
    for (const auto& [known, description] : BuiltinWorkloads()) ExpectParts(message, {known});
  }
}

// One key a line, so that the tests can name lines.
constexpr std::string_view kText = R"(name = "mine"
description = "a test"
[fractal]
pixel = "z"
constant = [0.25, -1]
max_iterations = 50
[escape]
measure = "abs"
bailout = 2.5
when = ">="
test = "before"
never = "zero"
[grid]
width = 20
height = 10
rows = "imaginary"
[grid.real]
rule = "linear"
start = -2
stop = 2
[grid.imaginary]
rule = "arange"
start = 1
stop = -1
[picture]
origin = "lower"
[expected]
sum = 123
digest = "00000000000000fF"
)";

/// kText with its line `number` (from 1) replaced; an empty text drops the line's content.
std::string WithLine(int number, std::string_view line) {
  std::string text(kText);
  std::size_t begin = 0;
  for (int i = 1; i < number; ++i) begin = text.find('\n', begin) + 1;
  return text.replace(begin, text.find('\n', begin) - begin, line);
}

TEST(ParseWorkload, ReadsEveryKey) {
  const Workload workload = ParseWorkload(kText, "mine.toml");
  EXPECT_EQ(workload.name, "mine");
  EXPECT_EQ(workload.description, "a test");
  EXPECT_TRUE(workload.origin_lower);
  ASSERT_TRUE(workload.expected);
  EXPECT_EQ(workload.expected->sum, 123);
  EXPECT_EQ(workload.expected->digest, 0xffU);
  Fractal expected;
  expected.real = {AxisRule::kLinear, 20, -2, 4.0 / 20};
  expected.imaginary = {AxisRule::kArange, 10, 1, -2.0 / 10};
  expected.pixel = PixelRole::kZ;
  expected.constant_re = 0.25;
  expected.constant_im = -1;
  expected.bailout = 2.5;
  expected.never = NeverValue::kZero;
  expected.max_iterations = 50;
  EXPECT_EQ(workload.fractal, expected);
}

TEST(ParseWorkload, ReadsTheOtherWords) {
  EXPECT_EQ(ParseWorkload(WithLine(4, "pixel = 'c'"), "x").fractal.pixel, PixelRole::kC);
  EXPECT_EQ(ParseWorkload(WithLine(8, "measure = 'norm'"), "x").fractal.measure, Measure::kNorm);
  EXPECT_EQ(ParseWorkload(WithLine(9, "bailout = inf"), "x").fractal.bailout, kInfinity);
  EXPECT_EQ(ParseWorkload(WithLine(10, "when = '>'"), "x").fractal.escape, EscapeWhen::kAbove);
  EXPECT_EQ(ParseWorkload(WithLine(11, "test = 'after'"), "x").fractal.test, TestPlace::kAfterStep);
  EXPECT_EQ(ParseWorkload(WithLine(12, "never = 'last_step'"), "x").fractal.never,
            NeverValue::kLastStep);
  EXPECT_EQ(ParseWorkload(WithLine(16, "rows = 'real'"), "x").fractal.rows_are_real, 1U);
  EXPECT_EQ(ParseWorkload(WithLine(18, "rule = 'repeated-addition'"), "x").fractal.real.rule,
            AxisRule::kRepeatedAddition);
  EXPECT_EQ(ParseWorkload(WithLine(14, "width = 2147483647"), "x").fractal.Width(), 2147483647U);
  EXPECT_FALSE(ParseWorkload(WithLine(26, "origin = 'upper'"), "x").origin_lower);
}

TEST(ParseWorkload, PictureExpectedAndDescriptionMayBeLeftOut) {
  const std::string_view shorter = kText.substr(0, kText.find("[picture]"));
  const Workload workload = ParseWorkload(shorter, "mine.toml");
  EXPECT_FALSE(workload.expected);
  EXPECT_FALSE(workload.origin_lower);
  EXPECT_EQ(ParseWorkload(WithLine(2, ""), "mine.toml").description, "");
}

struct BadLine {
  int line;
  const char* text;
  std::vector<std::string> parts;  // what the message must name besides file and line
  int reported = 0;                // the line it names, if not the same
};

TEST(ParseWorkload, NamesFileLineKeyAndWhatIsAllowed) {
  const std::string huge = "bailout = -" + std::string(400, '9') + ".0";
  const std::string long_word = "measure = \"" + std::string(5000, 'x') + "\"";
  const BadLine bad_lines[] = {
      // malformed
      {6, "max_iterations 50", {}},
      {6, "max_iterations = ", {}},
      {2, "description = \"no end", {}},
      {13, "[grid", {}},
      {6, "max_iterations = 99999999999999999999", {}},
      // twice
      {5, "pixel = \"c\"", {"pixel"}},
      {25, "[grid]", {"grid"}},
      // unknown
      {2, "describtion = \"a test\"", {"describtion", "description"}},
      {6, "max_iteration = 50", {"fractal.max_iteration ", "pixel, constant, max_iterations"}},
      {19, "begin = -2", {"grid.real.begin", "rule, start, stop"}},
      {25, "[pictures]", {"pictures"}},
      {20, "center = 0", {"grid.real.center", "start, stop"}},
      {2, "\"a\\nb\" = 1", {"a?b"}},
      // missing: the line is that of the table
      {1, "", {"name"}},
      {4, "", {"fractal.pixel", "\"z\" or \"c\""}, 3},
      {5, "", {"fractal.constant", "[re, im]"}, 3},
      {9, "", {"escape.bailout", "inf"}, 7},
      {14, "", {"grid.width", "1 to 2147483647"}, 13},
      {20, "", {"grid.real.stop", "finite"}, 17},
      {28, "", {"expected.sum"}, 27},
      // of the wrong type
      {1, "name = 3", {"name", "integer", "text in quotes"}},
      {2, "description = true", {"description", "boolean"}},
      {4, "pixel = 1", {"fractal.pixel", "\"z\" or \"c\""}},
      {5, "constant = 0.25", {"fractal.constant", "[re, im]"}},
      {5, "constant = [0.25]", {"fractal.constant", "1 element", "[re, im]"}},
      {5, "constant = [0.25, 1, 2]", {"fractal.constant", "3 elements"}},
      {5, "constant = [0.25, '1']", {"fractal.constant", "no number"}},
      {6, "max_iterations = 50.0", {"fractal.max_iterations", "integer"}},
      {9, "bailout = '2'", {"escape.bailout", "string"}},
      {14, "width = '20'", {"grid.width", "string", "integer"}},
      {14, "width = 2000-01-01", {"grid.width", "integer"}},
      {25, "picture = 1", {"grid.imaginary.picture"}},
      {29, "digest = 12", {"expected.digest", "16 hex digits"}},
      // out of range
      {1, "name = ''", {"name", "empty"}},
      {5, "constant = [nan, 0]", {"fractal.constant", "nan", "finite"}},
      {5, "constant = [0, -inf]", {"fractal.constant", "-inf", "finite"}},
      {6, "max_iterations = 0", {"fractal.max_iterations", "is 0", "1 to 2147483647"}},
      {6, "max_iterations = -1", {"is -1"}},
      {6, "max_iterations = 2147483648", {"is 2147483648"}},
      {9, "bailout = 0", {"escape.bailout", "is 0", "above 0, or inf"}},
      {9, "bailout = -2.5", {"is -2.5"}},
      {9, "bailout = nan", {"is nan"}},
      {9, huge.c_str(), {}},
      {14, "width = 0", {"grid.width", "is 0", "1 to 2147483647"}},
      {15, "height = -10", {"grid.height", "is -10"}},
      {15, "height = 2147483648", {"grid.height", "is 2147483648"}},
      {19, "start = inf", {"grid.real.start", "finite"}},
      {20, "stop = nan", {"grid.real.stop", "finite"}},
      {20, "stop = -2.0", {"grid.real.stop", "equal to start"}},
      {20, "stop = 1e-323", {}, -1},  // fine: denormal, but start is not
      {28, "sum = -1", {"expected.sum", "is -1"}},
      {29, "digest = 'abc'", {"expected.digest", "abc", "16 hex digits"}},
      {29, "digest = '00000000000000zz'", {"16 hex digits"}},
      // no such word
      {4, "pixel = 'q'", {"fractal.pixel", "\"q\"", "\"z\" or \"c\""}},
      {8, "measure = 'Abs'", {"escape.measure", "\"abs\" or \"norm\""}},
      {8, long_word.c_str(), {"escape.measure", "..."}},
      {8, "measure = \"a\\nb\"", {"a?b"}},
      {10, "when = '<'", {"escape.when", "\">=\" or \">\""}},
      {11, "test = ''", {"escape.test", "\"before\" or \"after\""}},
      {12, "never = 'never'", {"escape.never", "\"max_iterations\" or \"last_step\" or \"zero\""}},
      {16, "rows = 'x'", {"grid.rows", "\"imaginary\" or \"real\""}},
      {18, "rule = 'log'", {"grid.real.rule", "\"repeated-addition\" or \"linear\" or"}},
      {26, "origin = 'left'", {"picture.origin", "\"upper\" or \"lower\""}},
  };
  for (const BadLine& bad : bad_lines) {
    SCOPED_TRACE(std::string(bad.text).substr(0, 60));
    if (bad.reported < 0) {
      EXPECT_NO_THROW(ParseWorkload(WithLine(bad.line, bad.text), "mine.toml"));
      continue;
    }
    const std::string message =
        UserError([&] { ParseWorkload(WithLine(bad.line, bad.text), "mine.toml"); });
    const int line = bad.reported != 0 ? bad.reported : bad.line;
    ExpectParts(message, {"'mine.toml' line " + std::to_string(line) + ":"});
    ExpectParts(message, bad.parts);
    EXPECT_LT(message.size(), 500U);
  }
}

std::string WithAxes(std::string_view real, std::string_view imaginary) {
  std::string text(kText.substr(0, kText.find("[grid.real]")));
  return text.append("real = {")
      .append(real)
      .append("}\nimaginary = {")
      .append(imaginary)
      .append("}\n");
}

TEST(ParseWorkload, CentredAxesHaveOneStep) {
  const std::string text = WithAxes("rule = 'centred', center = -0.5, extent = 3",
                                    "rule = 'centred', center = 0.25, extent = 2");
  const Fractal fractal = ParseWorkload(text, "mine.toml").fractal;
  EXPECT_EQ(fractal.real, (Axis{AxisRule::kCentred, 20, -0.5, 2.0 / 10}));
  EXPECT_EQ(fractal.imaginary, (Axis{AxisRule::kCentred, 10, 0.25, 2.0 / 10}));
}

TEST(ParseWorkload, RefusesWindowsThatDoNotWork) {
  const std::string centred = "rule = 'centred', center = 0, extent = 3";
  const std::string linear = "rule = 'linear', start = 0, stop = 3";
  const auto error = [](const std::string& real, const std::string& imaginary) {
    return UserError([&] { ParseWorkload(WithAxes(real, imaginary), "mine.toml"); });
  };
  ExpectParts(error(centred, linear), {"line 18", "grid.imaginary.rule", "both axes"});
  ExpectParts(error(linear, centred), {"line 18", "grid.imaginary.rule", "both axes"});
  ExpectParts(error("rule = 'centred', center = 0, extent = 0", centred),
              {"line 17", "grid.real.extent", "above 0"});
  ExpectParts(error("rule = 'centred', center = 0, extent = inf", centred), {"grid.real.extent"});
  ExpectParts(error("rule = 'centred', center = nan, extent = 1", centred), {"grid.real.center"});
  ExpectParts(error("rule = 'centred', start = 0, stop = 1", centred),
              {"grid.real.start", "rule, center, extent"});
  ExpectParts(error("rule = 'linear', start = -1.7e308, stop = 1.7e308", linear),
              {"line 17", "grid.real.stop", "not finite"});
  ExpectParts(error("rule = 'linear', start = 0, stop = 5e-324", linear),
              {"line 17", "grid.real.stop", "zero"});
}

// Text at which the TOML library itself would stop, in builds with assertions or with the
// undefined-behaviour sanitizer.
TEST(ParseWorkload, RefusesKeysThatNobodyCanRead) {
  for (const char* text : {"[/grid]\n", "na\u00cb = 1\n", "[[[[", "\x01 = 2"}) {
    EXPECT_THROW(ParseWorkload(text, "x.toml"), Error) << text;
  }
}

TEST(ParseWorkload, RefusesWhatIsNoTable) {
  const auto error = [](const std::string& text) {
    return UserError([&] { ParseWorkload(text, "mine.toml"); });
  };
  ExpectParts(error(""), {"'mine.toml' line 1", "name"});
  ExpectParts(error("name = 'x'\nfractal = 3\n"), {"line 2", "fractal", "integer", "[fractal]"});
  ExpectParts(error("name = 'x'\n[[fractal]]\n"), {"line 2", "fractal", "array", "[fractal]"});
  ExpectParts(error(std::string("\0\xff\xfe", 3)), {"'mine.toml' line 1"});
  ExpectParts(error("name = " + std::string(100'000, '[')), {"line 1"});
}

class WorkloadFile : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.In(name); }
  std::string Write(const std::string& name, std::string_view text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }
  static std::string LoadError(const std::string& path) {
    return UserError([&] { LoadWorkload(path); });
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(WorkloadFile, IsReadWithOverrides) {
  const std::string path = Write("mine.toml", kText);
  EXPECT_EQ(LoadWorkload(path).name, "mine");
  EXPECT_EQ(LoadWorkload(path, {.width = 30}).fractal.Width(), 30U);
  EXPECT_EQ(LoadWorkload(Write("no-suffix", kText)).name, "mine") << "a '/' is enough";
}

TEST_F(WorkloadFile, MayHaveWindowsLineEnds) {
  std::string text;
  for (const char character : kText) {
    if (character == '\n') text += '\r';
    text += character;
  }
  EXPECT_EQ(LoadWorkload(Write("crlf.toml", text)).fractal, ParseWorkload(kText, "x").fractal);
}

TEST_F(WorkloadFile, IsNamedWhereItIsWrong) {
  const std::string path = Write("wrong.toml", WithLine(14, "width = 0"));
  ExpectParts(LoadError(path), {"wrong.toml' line 14:", "grid.width"});
}

TEST_F(WorkloadFile, ThatIsNotThereSaysSo) {
  ExpectParts(LoadError(Path("none.toml")), {"none.toml", "No such file", "--list-workloads"});
  ExpectParts(LoadError(Write("file.toml", kText) + "/x"), {"file.toml/x", "Not a directory"});
  ExpectParts(LoadError("julia-book.toml"), {"No such file"});
  ExpectParts(LoadError(Path("two\nlines.toml")), {"two?lines.toml"});
}

TEST_F(WorkloadFile, ThatIsNoRegularFileIsRefused) {
  std::filesystem::create_directory(Path("directory.toml"));
  ExpectParts(LoadError(Path("directory.toml")), {"directory.toml", "it is a directory"});
  ASSERT_EQ(::mkfifo(Path("pipe.toml").c_str(), 0600), 0);
  ExpectParts(LoadError(Path("pipe.toml")), {"pipe.toml", "not a regular file"});
  ExpectParts(LoadError("/dev/zero"), {"not a regular file"});
}

TEST_F(WorkloadFile, ThatMayNotBeReadSaysSo) {
  const std::string path = Write("secret.toml", kText);
  std::filesystem::permissions(path, std::filesystem::perms::none);
  // Root may read everything, so it is somebody else for a moment.
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string error = LoadError(path);
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ExpectParts(error, {"secret.toml", "Permission denied"});
}

TEST_F(WorkloadFile, ThatIsGiantIsRefused) {
  const std::string padding = "\n#" + std::string((1U << 20U) - kText.size() - 2, 'x');
  EXPECT_EQ(LoadWorkload(Write("full.toml", std::string(kText) + padding)).name, "mine");
  ExpectParts(LoadError(Write("giant.toml", std::string(kText) + padding + "x")),
              {"giant.toml", "1 MiB"});
}

TEST(WorkloadWindow, ZoomingGivesTheWorkshopsOtherRegion) {
  // The two workloads differ by nothing but their window and limit.
  const Workload zoomed =
      LoadWorkload("mandelbrot-workshop",
                   {.max_iterations = 1024, .center = std::pair{-1.1195, 0.2718}, .extent = 0.005});
  EXPECT_EQ(zoomed.fractal, LoadWorkload("mandelbrot-workshop-zoom").fractal);
  EXPECT_FALSE(zoomed.expected);
}

TEST(WorkloadWindow, FitsIntoAPictureOfAnyShapeAndRunsTheSameWay) {
  for (const auto& [width, height] : {std::pair{200U, 100U}, {100U, 200U}, {150U, 150U}}) {
    const Fractal fractal =
        LoadWorkload(
            "julia-book",
            {.width = width, .height = height, .center = std::pair{0.25, -0.5}, .extent = 0.1})
            .fractal;
    EXPECT_DOUBLE_EQ(fractal.real.step, 0.1 / 100 * (width == 150 ? 100.0 / 150 : 1));
    EXPECT_DOUBLE_EQ(fractal.imaginary.step, -fractal.real.step) << "downwards, as in the book";
    const AxisPoints columns(fractal.ColumnAxis());
    const AxisPoints rows(fractal.RowAxis());
    EXPECT_DOUBLE_EQ(columns.At(width / 2), 0.25);
    EXPECT_DOUBLE_EQ(rows.At(height / 2), -0.5);
    EXPECT_GT(rows.At(0), rows.At(height - 1));
  }
}

TEST(WorkloadWindow, WhatIsNotGivenStaysTheWorkloadsOwn) {
  const Fractal nearer = LoadWorkload("julia-book", {.extent = 0.36}).fractal;
  EXPECT_DOUBLE_EQ(nearer.real.start, 0);
  EXPECT_DOUBLE_EQ(nearer.real.step, 0.00036);
  const Fractal aside = LoadWorkload("julia-book", {.center = std::pair{1.0, 0.0}}).fractal;
  EXPECT_DOUBLE_EQ(aside.real.start, 1);
  EXPECT_DOUBLE_EQ(aside.real.step, 0.0036);
}

TEST(WorkloadWindow, RefusesWhatIsNoWindow) {
  const auto error = [](const WorkloadOverrides& overrides) {
    return UserError([&] { LoadWorkload("julia-book", overrides); });
  };
  EXPECT_NE(error({.extent = 0.0}).find("no positive finite number"), std::string::npos);
  EXPECT_NE(error({.extent = -1.0}).find("no positive finite number"), std::string::npos);
  EXPECT_NE(error({.extent = HUGE_VAL}).find("no positive finite number"), std::string::npos);
  EXPECT_NE(error({.center = std::pair{0.0, HUGE_VAL}}).find("not finite"), std::string::npos);
  EXPECT_NE(error({.center = std::pair{1.0, 0.0}, .extent = 1e-14}).find("the same number"),
            std::string::npos);
}

}  // namespace
}  // namespace procpool
