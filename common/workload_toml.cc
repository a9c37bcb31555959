// What a workload's text says: every key is read and checked here, then the command line's
// overrides are applied, then the axes' steps follow.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <procpool/error.h>
#include "common/quoted.h"
#include "common/toml_table.h"
#include "common/workload.h"

namespace procpool {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

/// One axis as the file gives it, before the number of its points is known.
struct Window {
  AxisRule rule;
  double start;   ///< kCentred: the center
  double extent;  ///< stop - start; kCentred: the whole extent, negative if it runs downwards

  double Center() const { return rule == AxisRule::kCentred ? start : start + extent / 2; }
};

/// Everything the fractal follows from.
struct Definition {
  Fractal fractal;  // all but the axes
  std::uint32_t width;
  std::uint32_t height;
  Window real;
  Window imaginary;
};

Window ReadWindow(const TomlTable& table) {
  table.AllowOnly({"rule", "start", "stop", "center", "extent"});
  const auto rule =
      table.Choice<AxisRule>("rule", {{"repeated-addition", AxisRule::kRepeatedAddition},
                                      {"linear", AxisRule::kLinear},
                                      {"centred", AxisRule::kCentred},
                                      {"arange", AxisRule::kArange}});
  if (rule == AxisRule::kCentred) {
    table.AllowOnly({"rule", "center", "extent"});
    return {rule, table.Number("center", NumberRange::kFinite),
            table.Number("extent", NumberRange::kPositive)};
  }
  table.AllowOnly({"rule", "start", "stop"});
  const double start = table.Number("start", NumberRange::kFinite);
  const double stop = table.Number("stop", NumberRange::kFinite);
  if (start == stop) table.Refuse("stop", "is equal to start", "give another finite number");
  return {rule, start, stop - start};
}

void ReadFractal(const TomlTable& table, Fractal& fractal) {
  table.AllowOnly({"pixel", "constant", "max_iterations"});
  fractal.pixel = table.Choice<PixelRole>("pixel", {{"z", PixelRole::kZ}, {"c", PixelRole::kC}});
  std::tie(fractal.constant_re, fractal.constant_im) = table.Complex("constant");
  fractal.max_iterations = static_cast<std::int32_t>(table.Integer("max_iterations", 1, kLargest));
}

void ReadEscape(const TomlTable& table, Fractal& fractal) {
  table.AllowOnly({"measure", "bailout", "when", "test", "never"});
  fractal.measure =
      table.Choice<Measure>("measure", {{"abs", Measure::kAbs}, {"norm", Measure::kNorm}});
  fractal.bailout = table.Number("bailout", NumberRange::kPositiveOrInfinite);
  fractal.escape =
      table.Choice<EscapeWhen>("when", {{">=", EscapeWhen::kNotBelow}, {">", EscapeWhen::kAbove}});
  fractal.test = table.Choice<TestPlace>(
      "test", {{"before", TestPlace::kBeforeStep}, {"after", TestPlace::kAfterStep}});
  fractal.never = table.Choice<NeverValue>("never", {{"max_iterations", NeverValue::kMaxIterations},
                                                     {"last_step", NeverValue::kLastStep},
                                                     {"zero", NeverValue::kZero}});
}

void ReadGrid(const TomlTable& table, Definition& definition) {
  table.AllowOnly({"width", "height", "rows", "real", "imaginary"});
  definition.width = static_cast<std::uint32_t>(table.Integer("width", 1, kLargest));
  definition.height = static_cast<std::uint32_t>(table.Integer("height", 1, kLargest));
  definition.fractal.rows_are_real =
      table.Choice<std::uint32_t>("rows", {{"imaginary", 0}, {"real", 1}});
  definition.real = ReadWindow(table.Table("real"));
  definition.imaginary = ReadWindow(table.Table("imaginary"));
  if ((definition.real.rule == AxisRule::kCentred) !=
      (definition.imaginary.rule == AxisRule::kCentred)) {
    table.Table("imaginary")
        .Refuse("rule", "is \"centred\" for one axis only",
                "a centred grid has one step: give it for both axes or none");
  }
}

Expected ReadExpected(const TomlTable& table) {
  table.AllowOnly({"sum", "digest"});
  constexpr std::string_view kAllowed = "16 hex digits in quotes";
  Expected expected;
  expected.sum = table.Integer("sum", 0, std::numeric_limits<std::int64_t>::max());
  const std::string digest = table.String("digest", kAllowed);
  const bool hex = digest.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (digest.size() != 16 || !hex) {
    table.Refuse("digest", "is \"" + digest + "\"", "give " + std::string(kAllowed));
  }
  expected.digest = std::stoull(digest, nullptr, 16);
  return expected;
}

/// The fractal with its axes. `grid` is the table to blame where a step is no usable number.
Fractal Build(const Definition& definition, const TomlTable& grid) {
  Fractal fractal = definition.fractal;
  const bool rows_are_real = fractal.rows_are_real != 0;
  const std::uint32_t real_points = rows_are_real ? definition.height : definition.width;
  const std::uint32_t imaginary_points = rows_are_real ? definition.width : definition.height;
  const auto axis = [](const Window& window, std::uint32_t points) {
    return Axis{window.rule, points, window.start, window.extent / points};
  };
  fractal.real = axis(definition.real, real_points);
  fractal.imaginary = axis(definition.imaginary, imaginary_points);
  if (fractal.real.rule == AxisRule::kCentred) {
    const double step = std::max(std::abs(fractal.real.step), std::abs(fractal.imaginary.step));
    fractal.real.step = std::copysign(step, fractal.real.step);
    fractal.imaginary.step = std::copysign(step, fractal.imaginary.step);
  }
  const auto check = [&grid](std::string_view name, const Axis& built) {
    if (std::isfinite(built.step) && built.step != 0) return;
    const bool centred = built.rule == AxisRule::kCentred;
    grid.Table(name).Refuse(centred ? "extent" : "stop", "gives a step that is zero or not finite",
                            "give a window that doubles can divide into that many points");
  };
  check("real", fractal.real);
  check("imaginary", fractal.imaginary);
  return fractal;
}

[[noreturn]] void FailOverride(const std::string& option, const std::string& workload,
                               std::string_view cause, std::string_view remedy) {
  throw Error(Blame::kUser, {"use", option + " with workload " + Quoted(workload), cause, remedy});
}

void OverrideInteger(const char* option, std::int64_t value, const std::string& workload) {
  if (value >= 1 && value <= kLargest) return;
  FailOverride(option + std::string(" ") + std::to_string(value), workload, "it is out of range",
               "give an integer from 1 to " + std::to_string(kLargest));
}

void ApplyWindow(const WorkloadOverrides& overrides, const std::string& workload,
                 Definition& definition) {
  Window& real = definition.real;
  Window& imaginary = definition.imaginary;
  const auto [re, im] = overrides.center.value_or(std::pair{real.Center(), imaginary.Center()});
  if (!std::isfinite(re) || !std::isfinite(im))
    FailOverride("--center", workload, "it is not finite", "give RE,IM, two finite numbers");
  if (overrides.extent && !(*overrides.extent > 0 && std::isfinite(*overrides.extent))) {
    FailOverride("--extent", workload, "it is no positive finite number",
                 "give the width of the window, e.g. 0.005");
  }
  const auto centred = [&](const Window& window, double center) {
    const double extent = overrides.extent.value_or(std::abs(window.extent));
    return Window{AxisRule::kCentred, center, std::copysign(extent, window.extent)};
  };
  real = centred(real, re);
  imaginary = centred(imaginary, im);
  // Neighbours that round to the same number would draw blocks.
  const double points = std::min(definition.width, definition.height);
  const double step = std::max(std::abs(real.extent), std::abs(imaginary.extent)) / points;
  const double largest = std::max(std::abs(re), std::abs(im));
  if (largest + step == largest) {
    FailOverride("--extent", workload, "neighbouring points would be the same number",
                 "give a larger window, or fewer points");
  }
}

void Apply(const WorkloadOverrides& overrides, const std::string& workload,
           Definition& definition) {
  if (overrides.width) {
    OverrideInteger("--width", *overrides.width, workload);
    definition.width = *overrides.width;
  }
  if (overrides.height) {
    OverrideInteger("--height", *overrides.height, workload);
    definition.height = *overrides.height;
  }
  if (overrides.max_iterations) {
    OverrideInteger("--max-iterations", *overrides.max_iterations, workload);
    definition.fractal.max_iterations = *overrides.max_iterations;
  }
  if (overrides.constant) {
    const auto [re, im] = *overrides.constant;
    if (definition.fractal.pixel != PixelRole::kZ) {
      FailOverride("--c", workload, "the pixel gives c there",
                   "leave --c out, or take a Julia set");
    }
    if (!std::isfinite(re) || !std::isfinite(im)) {
      FailOverride("--c", workload, "it is not finite", "give RE,IM, two finite numbers");
    }
    definition.fractal.constant_re = re;
    definition.fractal.constant_im = im;
  }
  if (overrides.center || overrides.extent) ApplyWindow(overrides, workload, definition);
}

}  // namespace

Workload ParseWorkload(std::string_view toml, std::string_view source,
                       const WorkloadOverrides& overrides) {
  const TomlTable top = TomlTable::Parse(toml, source);
  top.AllowOnly({"name", "description", "fractal", "escape", "grid", "picture", "expected"});
  Workload workload;
  workload.name = top.String("name");
  if (workload.name.empty()) top.Refuse("name", "is empty", "give a text in quotes");
  if (top.Has("description")) workload.description = top.String("description");

  Definition definition{};
  ReadFractal(top.Table("fractal"), definition.fractal);
  ReadEscape(top.Table("escape"), definition.fractal);
  const TomlTable grid = top.Table("grid");
  ReadGrid(grid, definition);
  if (top.Has("picture")) {
    const TomlTable picture = top.Table("picture");
    picture.AllowOnly({"origin"});
    workload.origin_lower = picture.Choice<bool>("origin", {{"upper", false}, {"lower", true}});
  }
  if (top.Has("expected")) workload.expected = ReadExpected(top.Table("expected"));

  const Fractal as_written = Build(definition, grid);
  Apply(overrides, workload.name, definition);
  workload.fractal = Build(definition, grid);
  if (workload.fractal != as_written) workload.expected.reset();
  return workload;
}

}  // namespace procpool
