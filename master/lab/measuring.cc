#include "master/lab/measuring.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "common/error.h"
#include "common/host.h"
#include "master/attendant.h"
#include "master/lab/report.h"
#include "master/lab/statistics.h"

namespace procpool {
namespace {

// A control that spreads more than this says that the machine does something else as well.
constexpr double kNoisy = 0.05;
// A time below so many steps of the clock is mostly the clock's own.
constexpr double kStepsOfAFigure = 1000;
constexpr unsigned kSeed = 20;

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
  constexpr int kReadings = 2000;
  Nanoseconds least = kSecond;
  Nanoseconds last = Now();
  for (int reading = 0; reading < kReadings; ++reading) {
    const Nanoseconds now = Now();
    if (now > last) least = std::min(least, now - last);
    last = now;
  }
  return Seconds(least);
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
  const auto interrupt = [&] {
    stop = true;
    for (const auto& contender : contenders) contender->Interrupt();
  };
  const std::uint64_t runs = (std::uint64_t{warm_up} + rounds) * contenders.size();
  const Attendant attendant({.interrupt = interrupt,
                             .abort = [] { std::_Exit(ExitCode(RunStatus::kInterrupted)); },
                             .suspend = [] {},
                             .resume = [](Nanoseconds) {},
                             .chunks_done = [&] { return done.load(); },
                             .unit = "runs"},
                            runs, progress);
  std::vector<std::size_t> order(contenders.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(kSeed);
  try {
    for (const auto& contender : contenders) contender->Start();
    for (unsigned round = 0; round < warm_up + rounds; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      std::vector<Measurement> results(contenders.size());
      for (const std::size_t index : order) {
        results[index] = contenders[index]->Run();
        check(index, results[index]);
        ++done;
        if (stop) break;
      }
      if (stop) break;
      if (round < warm_up) continue;
      measured.control.push_back(MachineControl());
      for (std::size_t index = 0; index < contenders.size(); ++index) {
        measured.series[index].measurements.push_back(std::move(results[index]));
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
  const double floor = ClockFloor() * kStepsOfAFigure;
  if (least_wall > 0 && least_wall < floor) {
    warnings.push_back("a figure of " + DurationText(least_wall) +
                       " is less than 1000 steps of the clock: give it more work");
  }
  return warnings;
}

}  // namespace procpool
