// How long until a pool's workers are READY, with nothing else to do?
//
//   bench_start [--procs N] [--rounds N]
//
// Each round starts a pool over each transport in turn, waits until every worker is ready, and
// stops it. Printed, in ms: from the beginning until the last worker is ready; one spawn as the
// master sees it (channel made, process running); from there until the worker's main(), and from
// main() until the master has its READY.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "master/pool.h"

namespace {

using namespace procpool;  // NOLINT: a program

struct Samples {
  std::vector<double> all_ready, spawn, to_main, to_ready, stop;
};

std::string Quartiles(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  char text[64];  // NOLINT
  std::snprintf(text, sizeof text, "%6.2f [%5.2f, %5.2f]", at(0.5), at(0.25), at(0.75));
  return text;
}

double Milliseconds(Nanoseconds duration) {
  return Seconds(duration) * 1e3;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{{"--procs", "8"}, {"--rounds", "21"}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!options.contains(argv[i])) {
      std::fprintf(stderr, "bench_start: unknown option %s\n", argv[i]);
      return 2;
    }
    options[argv[i]] = argv[i + 1];
  }
  const std::size_t procs = std::stoul(options["--procs"]);
  std::map<std::string, Samples> samples;
  for (int round = -1; round < std::stoi(options["--rounds"]); ++round) {
    for (const Transport& transport : Transports()) {
      const Nanoseconds begun = Now();
      Pool pool({.procs = procs, .transport = std::string(transport.name)});
      pool.WaitUntilReady(Deadline::After(10 * kSecond));
      const std::vector<SpawnRecord> records = pool.Records();
      const Nanoseconds stopping = Now();
      pool.Close();
      if (round < 0) continue;  // warm-up
      Samples& row = samples[std::string(transport.name)];
      row.stop.push_back(Milliseconds(Now() - stopping));
      Nanoseconds last = 0;
      for (const SpawnRecord& record : records) {
        last = std::max(last, record.ready);
        row.spawn.push_back(Milliseconds(record.spawn_returned - record.spawned));
        row.to_main.push_back(Milliseconds(record.main_reached - record.spawn_returned));
        row.to_ready.push_back(Milliseconds(record.ready - record.main_reached));
      }
      row.all_ready.push_back(Milliseconds(last - begun));
    }
  }
  std::printf("%zu workers, %s rounds; ms, median [quartiles]\n", procs,
              options["--rounds"].c_str());
  for (const auto& [name, row] : samples) {
    std::printf("%-6s all ready %s   one spawn %s   to main %s   main to ready %s   stop %s\n",
                name.c_str(), Quartiles(row.all_ready).c_str(), Quartiles(row.spawn).c_str(),
                Quartiles(row.to_main).c_str(), Quartiles(row.to_ready).c_str(),
                Quartiles(row.stop).c_str());
  }
  return 0;
}
