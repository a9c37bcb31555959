#include "master/lab/ipc_measure.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <utility>

#include <procpool/error.h>
#include "common/pattern.h"
#include "master/lab/statistics.h"

namespace procpool {
namespace {

constexpr double kTargetSeconds = 2.5e-3;  // of one contender in one round
constexpr double kRateSeconds = 0.2;       // of one contender in all rounds
constexpr std::uint64_t kWarmingMessages = 10;
constexpr std::size_t kWarmingBytes = 8;
constexpr std::uint64_t kMostStreamed = 100'000;  // messages of a stream, whatever --messages says
constexpr Nanoseconds kAwakeBefore = 200 * kMicrosecond;

void RequireIntact(std::span<const std::byte> bytes, std::uint64_t first) {
  if (HasPattern(bytes, first)) return;
  throw Error(Blame::kMachine, {"measure", "a message", "it did not arrive as it was sent",
                                "report this: a transport has lost or changed bytes"});
}

void Exchange(Link& link, std::size_t bytes, std::uint64_t first) {
  FillPattern(link.Message(bytes), first);
  RequireIntact(link.RoundTrip(bytes), first);
}

// A busy machine can make a round many times as long as it was when it was calibrated.
void FewerIfSlow(std::uint64_t& count, double taken) {
  if (taken > 8 * kTargetSeconds && count > 1) count /= 2;
}

void SleepUntil(Nanoseconds time) {
  const timespec until{time / kSecond, time % kSecond};
  // Interrupted or not: who calls looks at the clock.
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

class Turn {
 public:
  explicit Turn(Link& link) : link_(link) { link_.Wake(); }
  ~Turn() { link_.Rest(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Link& link_;
};

}  // namespace

std::vector<double> TimeRoundTrips(Link& link, std::size_t bytes, std::uint64_t count) {
  std::vector<double> samples;
  samples.reserve(count);
  link.BeginRoundTrips(bytes, count);
  Nanoseconds before = Now();
  for (std::uint64_t i = 0; i < count; ++i) {
    Exchange(link, bytes, i);
    const Nanoseconds now = Now();
    samples.push_back(Seconds(now - before));
    before = now;
  }
  return samples;
}

double TimeStream(Link& link, std::size_t bytes, std::uint64_t count) {
  const Nanoseconds begun = Now();
  link.Stream(bytes, count, [](std::uint64_t number, std::span<const std::byte> message) {
    RequireIntact(message, number);
  });
  return Seconds(Now() - begun);
}

std::vector<double> TimeAtRate(Link& link, std::size_t bytes, std::uint64_t count, double rate) {
  std::vector<double> samples;
  samples.reserve(count);
  link.BeginRoundTrips(bytes, count);
  const Nanoseconds begun = Now() + kAwakeBefore;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Nanoseconds due =
        begun + static_cast<Nanoseconds>(std::llround(static_cast<double>(i) * 1e9 / rate));
    if (due - Now() > kAwakeBefore) SleepUntil(due - kAwakeBefore);
    while (Now() < due) {
    }
    Exchange(link, bytes, i);
    samples.push_back(Seconds(Now() - due));
  }
  return samples;
}

std::uint64_t CountFor(const std::function<double(std::uint64_t)>& seconds, double target,
                       std::uint64_t most) {
  for (std::uint64_t count = 1;; count *= 4) {
    count = std::min(count, most);
    double taken = seconds(count);
    if (count < most && taken < target / 4) continue;
    // The least of three: one that was disturbed would make every round too short.
    for (int again = 0; again < 2 && taken < target; ++again)
      taken = std::min(taken, seconds(count));
    const double wanted = static_cast<double>(count) * target / std::max(taken, 1e-9);
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::min(wanted, 1e12)), 1, most);
  }
}

std::vector<IpcSeries> InRounds(IpcContenders& contenders, unsigned rounds,
                                const MeasureOne& measure) {
  std::vector<IpcSeries> all(contenders.all.size());
  const auto turn = [&](std::size_t i, bool calibrate) {
    IpcContender& contender = contenders.all[i];
    const Turn awake(*contender.link);
    TimeRoundTrips(*contender.link, kWarmingBytes, kWarmingMessages);
    measure(contender, calibrate, all[i]);
  };
  for (std::size_t i = 0; i < all.size(); ++i) turn(i, true);
  for (unsigned round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) turn((i + round) % all.size(), false);
  }
  return all;
}

std::vector<IpcSeries> MeasureLatency(IpcContenders& contenders, const IpcOptions& options,
                                      std::size_t bytes) {
  std::map<const IpcContender*, std::uint64_t> counts;
  return InRounds(
      contenders, options.rounds, [&](IpcContender& who, bool calibrate, IpcSeries& series) {
        if (calibrate) {
          const auto run = [&](std::uint64_t count) {
            const std::vector<double> samples = TimeRoundTrips(*who.link, bytes, count);
            return Mean(samples) * static_cast<double>(samples.size());
          };
          counts[&who] = CountFor(run, kTargetSeconds, options.messages);
          return;
        }
        const std::vector<double> samples = TimeRoundTrips(*who.link, bytes, counts[&who]);
        FewerIfSlow(counts[&who], Mean(samples) * static_cast<double>(samples.size()));
        series.rounds.push_back(Median(samples));
        series.messages += samples.size();
        series.samples.insert(series.samples.end(), samples.begin(), samples.end());
      });
}

std::vector<IpcSeries> MeasureThroughput(IpcContenders& contenders, const IpcOptions& options,
                                         std::size_t bytes) {
  std::map<const IpcContender*, std::uint64_t> counts;
  return InRounds(
      contenders, options.rounds, [&](IpcContender& who, bool calibrate, IpcSeries& series) {
        const auto run = [&](std::uint64_t count) { return TimeStream(*who.link, bytes, count); };
        if (calibrate) {
          counts[&who] =
              CountFor(run, 2 * kTargetSeconds, std::max(kMostStreamed, options.messages));
          return;
        }
        const std::uint64_t count = counts[&who];
        const double taken = run(count);
        FewerIfSlow(counts[&who], taken);
        series.rounds.push_back(static_cast<double>(bytes) * static_cast<double>(count) / taken);
        series.messages += count;
      });
}

std::vector<IpcSeries> MeasureAtRate(IpcContenders& contenders, const IpcOptions& options,
                                     std::size_t bytes, double rate) {
  const double share = kRateSeconds * rate / options.rounds;
  const auto count = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::llround(share)), 1,
                                               options.messages);
  return InRounds(contenders, options.rounds,
                  [&](IpcContender& who, bool calibrate, IpcSeries& series) {
                    if (calibrate || who.kind == IpcContender::Kind::kControl) return;
                    const std::vector<double> samples = TimeAtRate(*who.link, bytes, count, rate);
                    series.rounds.push_back(Median(samples));
                    series.messages += samples.size();
                    series.samples.insert(series.samples.end(), samples.begin(), samples.end());
                  });
}

}  // namespace procpool
