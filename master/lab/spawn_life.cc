#include "master/lab/spawn_life.h"

#include <algorithm>
#include <vector>

namespace procpool {
namespace {

constexpr Nanoseconds kDeadline = 20 * kSecond;

}  // namespace

std::optional<Nanoseconds> SpawnTimes::Until(SpawnPoint point) const {
  if (!Has(point)) return std::nullopt;
  return (*this)[point] - (*this)[SpawnPoint::kBegun];
}

std::optional<Nanoseconds> SpawnTimes::Stage(SpawnPoint end) const {
  if (!Has(end)) return std::nullopt;
  std::size_t before = static_cast<std::size_t>(end) - 1;
  while (before > 0 && points[before] == 0) --before;
  return (*this)[end] - points[before];
}

SpawnTimes Together(const SpawnTimes& one, const SpawnTimes& other) {
  SpawnTimes both;
  for (std::size_t i = 0; i < kSpawnPoints; ++i) {
    both.points[i] = std::max(one.points[i], other.points[i]);
  }
  both[SpawnPoint::kBegun] = std::min(one[SpawnPoint::kBegun], other[SpawnPoint::kBegun]);
  return both;
}

SpawnTimes LiveThrough(SpawnContender& contender, std::size_t count) {
  const Deadline deadline = Deadline::After(kDeadline);
  std::vector<std::unique_ptr<SpawnLife>> lives;
  lives.reserve(count);
  while (lives.size() < count) lives.push_back(contender.Start());
  for (const auto& life : lives) life->AwaitReady(deadline);
  for (const auto& life : lives) life->AwaitResult(deadline);
  for (const auto& life : lives) life->AskToEnd();
  for (const auto& life : lives) life->AwaitEnd(deadline);
  SpawnTimes times = lives.front()->times();
  for (const auto& life : lives) times = Together(times, life->times());
  return times;
}

}  // namespace procpool
