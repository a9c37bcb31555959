// How much longer than threads does the same job take with worker processes, when all of them are
// warm?
//
//   bench_warm [--procs N] [--chunks N] [--rounds N] [--kernel NAME] [--payload rows|coords]
//   [--wait MODE]
//
// Threads and one pool for each transport are started once and stay alive. Each round runs the same
// job (julia-book) once on each, in an order that rotates, so that drift of the machine falls on
// all alike. Wall time is from handing the job over until sum and digest are known. Printed: median
// and quartiles, and those of the difference to the threads of the same round.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "common/error.h"
#include "common/workload.h"
#include "master/pool.h"
#include "master/rows_job.h"
#include "master/thread_team.h"

namespace {

using namespace procpool;  // NOLINT: a program

struct Contender {
  std::string name;
  std::function<Nanoseconds()> run;
  std::vector<Nanoseconds> walls;
};

double Quantile(std::vector<Nanoseconds> values, double q) {
  std::ranges::sort(values);
  const double position = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  const double part = position - static_cast<double>(low);
  return (1 - part) * static_cast<double>(values[low]) + part * static_cast<double>(values[high]);
}

std::string Quartiles(const std::vector<Nanoseconds>& values) {
  char text[64];  // NOLINT
  std::snprintf(text, sizeof text, "%8.2f [%6.2f, %6.2f]", Quantile(values, 0.5) * 1e-6,
                Quantile(values, 0.25) * 1e-6, Quantile(values, 0.75) * 1e-6);
  return text;
}

void Check(const Checksum& checksum, const Workload& workload, const Kernel& kernel) {
  if (kernel.name == "none") return;
  if (checksum != Checksum{workload.expected->sum, workload.expected->digest}) {
    std::fprintf(stderr, "bench_warm: the checksum does not match\n");
    std::exit(3);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{{"--procs", "2"},      {"--chunks", "64"},
                                             {"--rounds", "41"},    {"--kernel", "scalar"},
                                             {"--payload", "rows"}, {"--wait", "auto"}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!options.contains(argv[i]))
      return std::fprintf(stderr, "bench_warm: unknown option %s\n", argv[i]), 2;
    options[argv[i]] = argv[i + 1];
  }
  const auto procs = static_cast<unsigned>(std::stoul(options["--procs"]));
  const int rounds = std::stoi(options["--rounds"]);
  const Workload workload = LoadWorkload("julia-book");
  const Kernel kernel = *FindKernel(options["--kernel"]);
  const RowsPayload payload =
      options["--payload"] == "coords" ? RowsPayload::kCoords : RowsPayload::kRows;
  const Fractal& fractal = workload.fractal;
  const Plan plan =
      MakePlan(fractal.Height(), std::stoull(options["--chunks"]), procs, Schedule::kDynamic);
  const std::size_t grid_bytes =
      std::size_t{fractal.Width()} * fractal.Height() * sizeof(std::int32_t);

  std::vector<Contender> contenders;
  ThreadTeam team(procs);
  const Buffer team_grid = Buffer::Private(grid_bytes);
  contenders.push_back({"threads",
                        [&] {
                          const Nanoseconds begun = Now();
                          team.Run({fractal, kernel, payload, plan, team_grid});
                          const Checksum checksum = ChecksumOf(team_grid.as<std::int32_t>());
                          const Nanoseconds wall = Now() - begun;
                          Check(checksum, workload, kernel);
                          return wall;
                        },
                        {}});
  std::vector<std::unique_ptr<Pool>> pools;
  std::vector<Buffer> grids;
  grids.reserve(Transports().size());
  for (const Transport& transport : Transports()) {
    pools.push_back(std::make_unique<Pool>(PoolOptions{.procs = procs,
                                                       .transport = std::string(transport.name),
                                                       .wait = *ParseWaitMode(options["--wait"])}));
    Pool& pool = *pools.back();
    grids.push_back(pool.Allocate(grid_bytes, "grid"));
    Buffer& grid = grids.back();
    contenders.push_back({std::string(transport.name),
                          [&] {
                            const Nanoseconds begun = Now();
                            RowsJob job(fractal, plan, grid,
                                        {.kernel = kernel.name,
                                         .payload = payload,
                                         .allocate = [&](std::size_t bytes) {
                                           return pool.Allocate(bytes, "payload");
                                         }});
                            const JobReport report = pool.Run(job, {});
                            const Nanoseconds wall = Now() - begun;
                            if (report.status != JobReport::Status::kDone) std::exit(1);
                            Check(job.assembly().checksum(), workload, kernel);
                            return wall;
                          },
                          {}});
  }

  for (Contender& contender : contenders) contender.run();  // warm-up
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      Contender& contender = contenders[(i + static_cast<std::size_t>(round)) % contenders.size()];
      contender.walls.push_back(contender.run());
    }
  }

  std::printf(
      "julia-book, %u workers, %zu chunks, payload %s, kernel %s, wait %s, %d rounds; ms, median "
      "[quartiles]\n",
      procs, plan.chunks.size(), options["--payload"].c_str(), options["--kernel"].c_str(),
      std::string(WaitModeName(pools[0]->wait_mode())).c_str(), rounds);
  for (const Contender& contender : contenders) {
    std::vector<Nanoseconds> differences;
    for (std::size_t i = 0; i < contender.walls.size(); ++i) {
      differences.push_back(contender.walls[i] - contenders[0].walls[i]);
    }
    std::printf("%-8s wall %s   minus threads %s\n", contender.name.c_str(),
                Quartiles(contender.walls).c_str(), Quartiles(differences).c_str());
  }
  return 0;
}
