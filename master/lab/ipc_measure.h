// The timed loops of `master ipc`, one for each question, the same for every link.
//
// Every message is written before it is sent and compared when it is there, inside the timed part:
// so for every link, and for the memcpy control too. A message that arrives spoilt is an
// Error{kMachine}. Times are seconds.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "master/lab/ipc_contenders.h"

namespace procpool {

/// What one contender showed at one message size.
struct IpcSeries {
  std::vector<double> samples;  ///< round trips, or from when a message was due until its answer
  std::vector<double> rounds;   ///< median of each round; of a stream: bytes a second
  std::uint64_t messages = 0;   ///< of all rounds
};

/// Each round trip's time; the clock is read once for each.
std::vector<double> TimeRoundTrips(Link& link, std::size_t bytes, std::uint64_t count);
/// From the order until the last message was read.
double TimeStream(Link& link, std::size_t bytes, std::uint64_t count);
/// Messages are due every 1 / rate seconds; each time counts from when the message was due, so that
/// a late answer also delays those behind it. The sender sleeps in between and is awake when a
/// message is due.
std::vector<double> TimeAtRate(Link& link, std::size_t bytes, std::uint64_t count, double rate);

/// How many messages make a run of about `target` seconds: at least 1, at most `most`.
/// `seconds(count)` measures a run.
std::uint64_t CountFor(const std::function<double(std::uint64_t)>& seconds, double target,
                       std::uint64_t most);

/// One series for each contender, in their order. In each round every contender has its turn, in an
/// order that rotates; before it is measured it exchanges a few short messages, so that its peer is
/// awake.
using MeasureOne = std::function<void(IpcContender& contender, bool calibrate, IpcSeries& series)>;
std::vector<IpcSeries> InRounds(IpcContenders& contenders, unsigned rounds,
                                const MeasureOne& measure);

/// The three tables' contents at one size.
std::vector<IpcSeries> MeasureLatency(IpcContenders& contenders, const IpcOptions& options,
                                      std::size_t bytes);
std::vector<IpcSeries> MeasureThroughput(IpcContenders& contenders, const IpcOptions& options,
                                         std::size_t bytes);
std::vector<IpcSeries> MeasureAtRate(IpcContenders& contenders, const IpcOptions& options,
                                     std::size_t bytes, double rate);

}  // namespace procpool
