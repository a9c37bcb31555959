#include "tests/peers/native_peer.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "common/clock.h"
#include "master/plan.h"

namespace procpool {
namespace {

using Json = nlohmann::json;

template <typename T>
T Choice(const Json& object, const char* key,
         std::initializer_list<std::pair<std::string_view, T>> choices) {
  const auto word = object.at(key).get<std::string>();
  for (const auto& [name, value] : choices) {
    if (name == word) return value;
  }
  throw std::invalid_argument(std::string(key) + " is \"" + word + "\", which is not known");
}

Axis AxisOf(const Json& json) {
  return {Choice<AxisRule>(json, "rule",
                           {{"repeated-addition", AxisRule::kRepeatedAddition},
                            {"linear", AxisRule::kLinear},
                            {"centred", AxisRule::kCentred},
                            {"arange", AxisRule::kArange}}),
          json.at("points").get<std::uint32_t>(), json.at("start").get<double>(),
          json.at("step").get<double>()};
}

/// The value that follows `name`, which must be there.
std::string Option(const std::map<std::string, std::string>& options, const std::string& name) {
  const auto found = options.find(name);
  if (found == options.end()) throw std::invalid_argument(name + " is missing");
  return found->second;
}

/// What read coordinates add up to; kept where the compiler cannot see that nobody looks.
volatile double sink = 0;

}  // namespace

Fractal FractalOfJson(const std::string& text) {
  const Json json = Json::parse(text);
  Fractal fractal;
  fractal.real = AxisOf(json.at("real"));
  fractal.imaginary = AxisOf(json.at("imaginary"));
  fractal.rows_are_real = Choice<std::uint32_t>(json, "rows", {{"imaginary", 0}, {"real", 1}});
  fractal.pixel = Choice<PixelRole>(json, "pixel", {{"z", PixelRole::kZ}, {"c", PixelRole::kC}});
  fractal.constant_re = json.at("constant").at(0).get<double>();
  fractal.constant_im = json.at("constant").at(1).get<double>();
  const Json& bailout = json.at("bailout");
  fractal.bailout =
      bailout == "inf" ? std::numeric_limits<double>::infinity() : bailout.get<double>();
  fractal.measure =
      Choice<Measure>(json, "measure", {{"abs", Measure::kAbs}, {"norm", Measure::kNorm}});
  fractal.escape =
      Choice<EscapeWhen>(json, "when", {{">=", EscapeWhen::kNotBelow}, {">", EscapeWhen::kAbove}});
  fractal.test = Choice<TestPlace>(
      json, "test", {{"before", TestPlace::kBeforeStep}, {"after", TestPlace::kAfterStep}});
  fractal.never = Choice<NeverValue>(json, "never",
                                     {{"max_iterations", NeverValue::kMaxIterations},
                                      {"last_step", NeverValue::kLastStep},
                                      {"zero", NeverValue::kZero}});
  fractal.max_iterations = json.at("max_iterations").get<std::int32_t>();
  return fractal;
}

PeerTask ParsePeerTask(std::span<char* const> arguments) {
  std::map<std::string, std::string> options;
  for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
    options[arguments[i]] = arguments[i + 1];
  }
  PeerTask task;
  task.fractal = FractalOfJson(Option(options, "--workload-json"));
  const std::string kernel = Option(options, "--kernel");
  const Kernel* found = FindKernel(kernel);
  if (found == nullptr) throw std::invalid_argument("there is no kernel '" + kernel + "'");
  task.kernel = *found;
  task.payload =
      Option(options, "--payload") == "coords" ? RowsPayload::kCoords : RowsPayload::kRows;
  task.procs = std::stoi(Option(options, "--procs"));
  if (task.procs < 1) throw std::invalid_argument("--procs is less than 1");
  task.grid_file = Option(options, "--grid-file");
  if (const std::string schedule = Option(options, "--schedule"); schedule != "dynamic") {
    throw std::invalid_argument("schedule " + schedule + ": chunks go to whoever is free");
  }
  const std::uint64_t chunks = std::stoull(Option(options, "--chunks"));
  task.chunks = MakePlan(task.fractal.Height(), std::max<std::uint64_t>(chunks, 1),
                         static_cast<unsigned>(task.procs), Schedule::kDynamic)
                    .chunks;
  return task;
}

std::vector<double> CoordsOf(const PeerTask& task) {
  if (task.payload == RowsPayload::kRows) return {};
  std::vector<double> coords(4 * task.points());
  const AxisPoints rows(task.fractal.RowAxis());
  const AxisPoints columns(task.fractal.ColumnAxis());
  for (const Chunk& chunk : task.chunks) {
    double* z = coords.data() + 4 * task.PointOf(chunk);
    FillCoords(task.fractal, rows, columns, task.PointOf(chunk), task.PointsIn(chunk), z,
               z + 2 * task.PointsIn(chunk));
  }
  return coords;
}

void ComputeCoords(const PeerTask& task, const double* coords, std::span<std::int32_t> counts) {
  const double* z = coords;
  const double* c = coords + 2 * counts.size();
  if (task.kernel.name == "none") {
    // Four sums, so that the latency of one addition is not what is measured.
    std::array<double, 4> sums{};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      for (std::size_t part = 0; part < sums.size(); ++part) sums[part] += coords[4 * i + part];
    }
    sink = std::accumulate(sums.begin(), sums.end(), 0.0);
  }
  task.kernel.compute(task.fractal, {{z, 2}, {z + 1, 2}, {c, 2}, {c + 1, 2}, counts.size()},
                      counts.data());
}

void ServePeer(std::string_view name, std::string_view version, const PeerTask& task,
               double coords_seconds, const std::function<void()>& prepare,
               const std::function<void(std::span<std::int32_t> grid)>& run) {
  const auto say = [](const Json& answer) { std::cout << answer.dump() << std::endl; };
  std::vector<std::int32_t> grid(task.points());
  say({{"peer", name}, {"version", version}, {"ready", true}, {"coords_seconds", coords_seconds}});
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    prepare();
    std::ranges::fill(grid, -1);  // nothing that an earlier run left can pass for this one's
    const Nanoseconds begun = Now();
    run(grid);
    const std::int64_t sum = std::accumulate(grid.begin(), grid.end(), std::int64_t{0});
    const Nanoseconds wall = Now() - begun;
    std::ofstream file(task.grid_file, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(grid.data()),
               static_cast<std::streamsize>(grid.size() * sizeof(std::int32_t)));
    file.close();
    if (!file) throw std::runtime_error("cannot write the grid to " + task.grid_file);
    say({{"wall_seconds", Seconds(wall)}, {"sum", sum}});
  }
}

void SayMissing(std::string_view reason) {
  std::cout << Json({{"missing", reason}}).dump() << std::endl;
}

}  // namespace procpool
