#include "master/cli_choices.h"

#include <charconv>
#include <iostream>

#include "common/channel_factory.h"
#include "common/codec.h"
#include "common/kernel.h"
#include "master/spawn_method.h"

namespace procpool {
namespace {

constexpr std::uint32_t kMostPoints = 2'147'483'647;

std::pair<double, double> ParseComplex(const std::string& option, const std::string& text) {
  const std::size_t comma = text.find(',');
  std::pair<double, double> parts;
  const auto parse = [](const std::string& part, double& number) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    return error == std::errc() && end == part.data() + part.size();
  };
  if (comma == std::string::npos || !parse(text.substr(0, comma), parts.first) ||
      !parse(text.substr(comma + 1), parts.second)) {
    throw CLI::ValidationError(option, "'" + text + "' is not RE,IM, e.g. -0.8,0.156");
  }
  return parts;
}

void ListWorkloads() {
  for (const auto& [name, description] : BuiltinWorkloads()) {
    std::cout << name << std::string(name.size() < 26 ? 26 - name.size() : 1, ' ') << description
              << '\n';
  }
}

}  // namespace

Names<std::string> KernelChoices() {
  Names<std::string> names{{"auto", "auto"}};
  if (FindKernel("simd") != nullptr) names.emplace_back("simd", "simd");
  for (const Kernel& kernel : Kernels()) names.emplace_back(kernel.name, kernel.name);
  return names;
}

Names<std::string> TransportChoices() {
  Names<std::string> names;
  for (const Transport& transport : Transports())
    names.emplace_back(transport.name, transport.name);
  names.emplace_back("threads", "threads");
  names.emplace_back("serial", "serial");
  return names;
}

Names<std::string> CodecChoices() {
  Names<std::string> names;
  for (const CodecInfo& codec : Codecs()) names.emplace_back(codec.name, codec.name);
  return names;
}

Names<std::string> SpawnChoices() {
  Names<std::string> names;
  for (const SpawnMethod& method : SpawnMethods()) names.emplace_back(method.name, method.name);
  return names;
}

Names<Schedule> ScheduleChoices() {
  return {{"dynamic", Schedule::kDynamic},
          {"static", Schedule::kStatic},
          {"guided", Schedule::kGuided}};
}

Names<RowsPayload> PayloadChoices() {
  return {{"rows", RowsPayload::kRows}, {"coords", RowsPayload::kCoords}};
}

Names<CoordsInput> InputChoices() {
  return {{"computed", CoordsInput::kComputed},
          {"array", CoordsInput::kArray},
          {"shared", CoordsInput::kShared}};
}

Names<WaitMode> WaitChoices() {
  return {{"auto", WaitMode::kAuto},
          {"spin", WaitMode::kSpin},
          {"hybrid", WaitMode::kHybrid},
          {"park", WaitMode::kPark}};
}

std::string_view PayloadName(RowsPayload payload) {
  return payload == RowsPayload::kRows ? "rows" : "coords";
}

std::string_view InputName(CoordsInput input) {
  static const Names<CoordsInput> names = InputChoices();
  return names[static_cast<std::size_t>(input)].first;
}

void AddWorkloadOptions(CLI::App& app, RunOptions& options) {
  app.add_option("--workload", options.workload, "a built-in workload, or a TOML file")
      ->type_name("NAME|FILE.toml")
      ->default_str("julia-book");
  app.add_flag_callback(
      "--list-workloads",
      [] {
        ListWorkloads();
        throw CLI::Success();
      },
      "names of the built-in workloads");
  WorkloadOverrides& change = options.overrides;
  AddNumber<std::uint32_t>(
      app, "--width", 1, kMostPoints, [&](std::uint32_t n) { change.width = n; },
      "columns of the grid");
  AddNumber<std::uint32_t>(
      app, "--height", 1, kMostPoints, [&](std::uint32_t n) { change.height = n; },
      "rows of the grid");
  AddNumber<std::int32_t>(
      app, "--max-iterations", 1, 2'147'483'647, [&](std::int32_t n) { change.max_iterations = n; },
      "iteration limit");
  app.add_option_function<std::string>(
         "--c", [&](const std::string& text) { change.constant = ParseComplex("--c", text); },
         "constant c of a Julia set, e.g. -0.8,0.156")
      ->type_name("RE,IM");
  app.add_option_function<std::string>(
         "--center",
         [&](const std::string& text) { change.center = ParseComplex("--center", text); },
         "what the middle of the picture shows, e.g. -1.1195,0.2718")
      ->type_name("RE,IM");
  AddNumber<double>(
      app, "--extent", 1e-300, 1e100, [&](double extent) { change.extent = extent; },
      "width and height of what has to fit into the picture, e.g. 0.005");
}

}  // namespace procpool
