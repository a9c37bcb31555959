// How the laboratory measures: contenders in rounds, and a look at the machine beside them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "master/lab/contender.h"

namespace procpool {

/// A piece of arithmetic that does not depend on anything, of about 2 ms: how long it takes varies
/// only with the machine. Measured once a round.
double MachineControl();
/// What two readings of the clock in a row lie apart, in seconds: the median of many.
double ClockFloor();

struct Series {
  std::vector<Measurement> measurements;  ///< one for each round; slow ones leave the last out
  std::vector<std::size_t> rounds;        ///< in which round each was made
  std::string missing;                    ///< not empty: it could not take part, and why
  std::vector<double> Walls() const;
};

struct Measured {
  std::vector<Series> series;   ///< in the order of the contenders
  std::vector<double> control;  ///< seconds of MachineControl(), one for each round
  bool interrupted = false;     ///< a signal came; the rounds before it are complete
};

/// Runs each contender `warm_up` times and then once in each round, in an order shuffled for each
/// round. Who takes more than 2 s a run takes part in the first 6 rounds only. Shows progress on
/// standard error if it is a terminal and `progress`. The first SIGINT ends it after the run that
/// goes on. `check` sees every measurement, warm-ups included. Call BlockAttendedSignals() before
/// any thread is started.
Measured MeasureInRounds(
    const std::vector<std::unique_ptr<Contender>>& contenders, unsigned warm_up, unsigned rounds,
    bool progress,
    const std::function<void(std::size_t contender, const Measurement& measurement)>& check);

/// What a reader should know before believing the figures: noise, more workers than CPUs, times
/// near the clock's floor.
std::vector<std::string> MachineWarnings(const Measured& measured, std::size_t most_procs,
                                         double least_wall);

}  // namespace procpool
