// A workload: what is computed and what must come out of it, as written in one TOML file
// (configs/*.toml).
//
// The seven workloads of configs/ are compiled in, so that a program found anywhere knows them by
// name; a file of the user's own is read by the same code. Every error names file, line, key and
// what is allowed (Error{kUser}).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fractal.h"

namespace procpool {

struct Expected {
  std::int64_t sum = 0;
  std::uint64_t digest = 0;
};

struct Workload {
  std::string name;
  std::string description;
  Fractal fractal;
  std::optional<Expected> expected;
  bool origin_lower = false;  ///< pictures: row 0 at the bottom

  /// "julia" where the pixel gives z, "mandelbrot" where it gives c.
  std::string_view FractalName() const;
};

/// What the command line may change. Each change makes the expected checksum inapplicable (unless
/// nothing differs).
struct WorkloadOverrides {
  std::optional<std::uint32_t> width = {}, height = {};
  std::optional<std::int32_t> max_iterations = {};
  std::optional<std::pair<double, double>> constant =
      {};  ///< --c RE,IM; only where the pixel gives z
  /// --center RE,IM and --extent E: another window, whose axes then follow AxisRule::kCentred with
  /// one step, so that E by E fits into the picture whatever its shape. What is not given is that
  /// of the workload's own window, and each axis runs the way it did.
  std::optional<std::pair<double, double>> center = {};
  std::optional<double> extent = {};
};

/// A built-in name, or the path of a TOML file (anything with a '/' or ending in ".toml"), with the
/// overrides applied. Steps follow from extents and points, so a finer grid shows the same window.
Workload LoadWorkload(std::string_view name_or_path, const WorkloadOverrides& overrides = {});

/// Parses TOML text; `source` is the file's name for messages.
Workload ParseWorkload(std::string_view toml, std::string_view source,
                       const WorkloadOverrides& overrides = {});

/// Names of the built-in workloads with their descriptions, in the order of configs/.
std::vector<std::pair<std::string, std::string>> BuiltinWorkloads();

}  // namespace procpool
