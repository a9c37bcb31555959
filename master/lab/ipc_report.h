// The tables of `master ipc`.
//
// "vs raw" is the ratio to the raw primitive that a transport rests on, in the same wait mode, at
// the same size: median of the rounds' ratios with its 95 % interval.
#pragma once

#include <string>
#include <vector>

#include "master/lab/ipc_measure.h"
#include "master/lab/null_tasks.h"

namespace procpool {

Table LatencyTable(bool with_samples);
void AddLatencyRows(Table& table, const IpcContenders& contenders,
                    const std::vector<IpcSeries>& series, std::size_t bytes);

Table ThroughputTable();
void AddThroughputRows(Table& table, const IpcContenders& contenders,
                       const std::vector<IpcSeries>& series, std::size_t bytes);

Table RateTable(bool with_samples);
void AddRateRows(Table& table, const IpcContenders& contenders,
                 const std::vector<IpcSeries>& series, std::size_t bytes, double rate);

Table NullTasksTable(const std::vector<NullTasks>& rows);

/// What the clock and the timed loop cost themselves.
Table ControlsTable(double clock_floor, double empty_loop);

/// Reasons to distrust the figures: of the options, before anything was measured.
std::vector<std::string> WarningsOf(const IpcOptions& options, unsigned cpus);
/// Of one size's round trips: spread of the memcpy control, figures close to the clock's floor.
void WarnOfNoise(std::vector<std::string>& warnings, const IpcContenders& contenders,
                 const std::vector<IpcSeries>& series, std::size_t bytes, double clock_floor);

}  // namespace procpool
