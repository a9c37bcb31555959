// One process (or thread) that is started, used once and ended, with the times of its life; and who
// starts such lives. What `master spawn` compares.
//
// Promise: all times are of one clock (common/clock.h). The stages of a life lie end to end, so
// they sum to the whole. A point that a life does not have (an empty program is never READY) is 0,
// and its stage is absent; the time is then in the next stage.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace procpool {

enum class SpawnPoint : std::size_t {
  kBegun,     ///< nothing done yet
  kCalled,    ///< channel made, the spawning call begins
  kReturned,  ///< the call has returned
  kMain,      ///< main() reached, as the child says; may be before the call returned
  kReady,     ///< READY seen
  kResult,    ///< the first result seen
  kAsked,     ///< asked to leave
  kEnded,     ///< its end seen (pidfd)
  kReaped,    ///< reaped
};
inline constexpr std::size_t kSpawnPoints = 9;

/// A stage ends at its point and begins at the last point before it that the life has.
struct SpawnStage {
  SpawnPoint end;
  std::string_view key;   ///< for programs
  std::string_view name;  ///< for people
};
inline constexpr std::array<SpawnStage, kSpawnPoints - 1> kSpawnStages{
    {{SpawnPoint::kCalled, "setup", "setup"},
     {SpawnPoint::kReturned, "call", "call"},
     {SpawnPoint::kMain, "to_main", "to main"},
     {SpawnPoint::kReady, "to_ready", "to READY"},
     {SpawnPoint::kResult, "first_result", "result"},
     {SpawnPoint::kAsked, "exit_asked", "asked"},
     {SpawnPoint::kEnded, "exit_seen", "ended"},
     {SpawnPoint::kReaped, "reaped", "reaped"}}};

struct SpawnTimes {
  std::array<Nanoseconds, kSpawnPoints> points{};  ///< 0: this life has no such point

  Nanoseconds& operator[](SpawnPoint point) { return points[static_cast<std::size_t>(point)]; }
  Nanoseconds operator[](SpawnPoint point) const { return points[static_cast<std::size_t>(point)]; }

  bool Has(SpawnPoint point) const { return (*this)[point] != 0; }
  /// Since the beginning.
  std::optional<Nanoseconds> Until(SpawnPoint point) const;
  std::optional<Nanoseconds> Stage(SpawnPoint end) const;
  Nanoseconds Total() const { return (*this)[SpawnPoint::kReaped] - (*this)[SpawnPoint::kBegun]; }
  /// Until it can be given work: READY; an empty program's main().
  Nanoseconds Usable() const {
    return *Until(Has(SpawnPoint::kReady) ? SpawnPoint::kReady : SpawnPoint::kMain);
  }
};

/// Of several lives as one: from the first beginning, to the last of each point.
SpawnTimes Together(const SpawnTimes& one, const SpawnTimes& other);

/// To be called in this order, each once. All but AskToEnd() wait until the deadline at most and
/// throw Error{kMachine} when it has passed or the child did not do as it should. The destructor
/// ends and reaps what still lives.
class SpawnLife {
 public:
  virtual ~SpawnLife() = default;
  virtual void AwaitReady(Deadline deadline) = 0;
  virtual void AwaitResult(Deadline deadline) = 0;
  virtual void AskToEnd() = 0;
  virtual void AwaitEnd(Deadline deadline) = 0;
  const SpawnTimes& times() const { return times_; }

 protected:
  SpawnTimes times_;
};

/// One way to start one program. A life must not outlive who started it.
class SpawnContender {
 public:
  SpawnContender(std::string method, std::string program)
      : method_(std::move(method)), program_(std::move(program)) {}
  virtual ~SpawnContender() = default;
  const std::string& method() const { return method_; }
  const std::string& program() const { return program_; }
  virtual std::unique_ptr<SpawnLife> Start() = 0;

 private:
  std::string method_, program_;
};

/// Starts `count` lives at once, takes them through their stages side by side, and gives their
/// times together.
SpawnTimes LiveThrough(SpawnContender& contender, std::size_t count);

}  // namespace procpool
