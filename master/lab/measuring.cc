#include "master/lab/measuring.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>

#include <procpool/error.h>
#include "common/host.h"
#include "master/attendant.h"
#include "master/lab/report.h"
#include "master/lab/statistics.h"

namespace procpool {
namespace {

// A control that spreads more than this says that the machine does something else as well.
constexpr double kNoisy = 0.05;
// A time shorter than so many readings of the clock is not to be trusted to a part in a thousand.
constexpr double kReadingsOfAFigure = 1000;
constexpr unsigned kSeed = 20;
constexpr double kSlow = 2;                  // seconds
constexpr std::size_t kRoundsOfTheSlow = 6;  // so that their median has an interval

}  // namespace

double MachineControl() {
  constexpr std::uint64_t kSteps = 1'000'000;
  const Nanoseconds begun = Now();
  std::uint64_t state = 1;
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    asm volatile("" : "+r"(state));  // NOLINT: keeps the chain of steps
  }
  return Seconds(Now() - begun);
}

double ClockFloor() {
  constexpr int kReadings = 1001;
  std::vector<double> pairs;
  pairs.reserve(kReadings);
  for (int reading = 0; reading < kReadings; ++reading) {
    const Nanoseconds before = Now();
    pairs.push_back(Seconds(Now() - before));
  }
  return Median(std::move(pairs));
}

std::vector<double> Series::Walls() const {
  std::vector<double> walls(measurements.size());
  std::ranges::transform(measurements, walls.begin(), &Measurement::wall);
  return walls;
}

Measured MeasureInRounds(
    const std::vector<std::unique_ptr<Contender>>& contenders, unsigned warm_up, unsigned rounds,
    bool progress,
    const std::function<void(std::size_t contender, const Measurement& measurement)>& check) {
  Measured measured{.series = std::vector<Series>(contenders.size())};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> done{0};
  std::atomic<unsigned> stops{0};
  const auto interrupt = [&] {
    stop = true;
    for (const auto& contender : contenders) contender->Interrupt();
  };
  const std::uint64_t runs = (std::uint64_t{warm_up} + rounds) * contenders.size();
  const Attendant attendant({.interrupt = interrupt,
                             .abort = [] { std::_Exit(ExitCode(RunStatus::kInterrupted)); },
                             .suspend = [] {},
                             .resume = [&](Nanoseconds) { ++stops; },
                             .chunks_done = [&] { return done.load(); },
                             .unit = "runs"},
                            runs, progress);
  std::vector<std::size_t> order(contenders.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(kSeed);
  try {
    for (std::size_t index = 0; index < contenders.size() && !stop; ++index) {
      if (!contenders[index]->Start()) {
        measured.series[index].missing = contenders[index]->Missing();
        std::erase(order, index);
      }
    }
    for (unsigned round = 0; round < warm_up + rounds && !stop; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      std::vector<std::optional<Measurement>> results(contenders.size());
      for (const std::size_t index : order) {
        const std::vector<Measurement>& before = measured.series[index].measurements;
        const bool slow = !before.empty() && before.front().wall > kSlow;
        if (!slow || before.size() < kRoundsOfTheSlow) {
          // A run in which the program was stopped (Ctrl-Z) is made again.
          for (std::optional<unsigned> stops_before; stops_before != stops;) {
            stops_before = stops;
            results[index] = contenders[index]->Run();
          }
          check(index, *results[index]);
        }
        ++done;
        if (stop) break;
      }
      if (stop) break;
      if (round < warm_up) continue;
      measured.control.push_back(MachineControl());
      for (const std::size_t index : order) {
        if (results[index]) {
          measured.series[index].measurements.push_back(std::move(*results[index]));
          measured.series[index].rounds.push_back(measured.control.size() - 1);
        }
      }
    }
  } catch (const Error&) {
    if (!stop) throw;
  }
  measured.interrupted = stop;
  return measured;
}

std::vector<std::string> MachineWarnings(const Measured& measured, std::size_t most_procs,
                                         double least_wall) {
  std::vector<std::string> warnings;
  if (measured.control.size() > 2) {
    const double spread = RelativeSpread(measured.control);
    if (spread > kNoisy) {
      warnings.push_back(
          "the machine is noisy: the same arithmetic, timed in every round, varies "
          "by " +
          Digits(100 * spread, 2) + " % (middle half); trust ratios, and repeat what surprises");
    }
  }
  const unsigned cpus = UsableCpus();
  if (most_procs > cpus) {
    warnings.push_back(std::to_string(most_procs) + " workers share " + std::to_string(cpus) +
                       " CPU(s): their times contain waiting for a CPU");
  }
  const double floor = ClockFloor() * kReadingsOfAFigure;
  if (least_wall > 0 && least_wall < floor) {
    warnings.push_back("a figure of " + DurationText(least_wall) +
                       " is shorter than 1000 readings of the clock: give it more work");
  }
  return warnings;
}

}  // namespace procpool
