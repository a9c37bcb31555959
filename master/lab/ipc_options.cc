#include "master/lab/ipc_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/channel_factory.h"
#include "master/cli_option.h"

namespace procpool {
namespace {

constexpr std::size_t kLargestMessage = std::size_t{64} << 20;
constexpr unsigned kMostProcs = 1024;

// 8 B, then from 64 B to 16 MiB by four.
std::vector<std::size_t> DefaultSizes() {
  std::vector<std::size_t> sizes{8};
  for (std::size_t size = 64; size <= (std::size_t{16} << 20); size *= 4) sizes.push_back(size);
  return sizes;
}

}  // namespace

bool IpcOptions::Wants(IpcPart part) const {
  return std::ranges::find(parts, part) != parts.end();
}

std::size_t IpcOptions::LargestSize() const {
  return std::max(kRateBytes, std::ranges::max(sizes));
}

void AddIpcOptions(CLI::App& app, IpcOptions& options) {
  Names<std::string> transports;
  for (const Transport& transport : Transports()) {
    transports.emplace_back(transport.name, transport.name);
    options.transports.emplace_back(transport.name);
  }
  options.sizes = DefaultSizes();
  AddChoiceList(app, "--transport", options.transports, transports,
                "what is compared with its raw primitive", Listed(transports));
  AddChoiceList(
      app, "--wait", options.waits,
      Names<WaitMode>{
          {"spin", WaitMode::kSpin}, {"hybrid", WaitMode::kHybrid}, {"park", WaitMode::kPark}},
      "how a side waits for the other, one row each", "spin,hybrid,park");
  AddNumberList<std::size_t>(app, "--sizes", options.sizes, 1, kLargestMessage,
                             "bytes of a message", "8, and 64 to 16 MiB by four");
  AddChoiceList(app, "--only", options.parts,
                Names<IpcPart>{{"latency", IpcPart::kLatency},
                               {"throughput", IpcPart::kThroughput},
                               {"rate", IpcPart::kRate},
                               {"tasks", IpcPart::kTasks}},
                "what is measured", "all");
  AddChoice(app, "--place", options.place,
            Names<Place>{
                {"free", Place::kFree}, {"apart", Place::kApart}, {"together", Place::kTogether}},
            "CPUs of this process and of the peers that answer its messages", "apart");
  AddNumber<unsigned>(
      app, "--rounds", 1, 10'000, [&](unsigned n) { options.rounds = n; },
      "rounds; in each every row has its turn (default: 6)");
  AddNumber<std::uint64_t>(
      app, "--messages", 1, 10'000'000, [&](std::uint64_t n) { options.messages = n; },
      "most messages of a row in one round; slow rows get fewer (default: 1000)");
  AddNumberList<double>(app, "--rate", options.rates, 1, 1e6,
                        "messages a second that are sent at a fixed rate", "1000");
  AddNumber<unsigned>(
      app, "--procs", 1, kMostProcs, [&](unsigned n) { options.procs = n; },
      "workers of the pool that runs null tasks (default: 2)");
  AddNumber<std::uint64_t>(
      app, "--tasks", 1, 100'000'000, [&](std::uint64_t n) { options.tasks = n; },
      "most null tasks in one run (default: 200000)");
  app.add_flag("--samples", options.samples, "every single round trip into --json and --csv");
  AddName(app, "--worker", options.worker, "worker program (default: `worker` beside master)")
      ->type_name("PATH");
  AddReportOptions(app, options.targets);
}

}  // namespace procpool
