// Commits the faults that this worker was asked for (common/fault_plan.h). Made only where some
// were: a worker that shall do no wrong has nothing of this in its way.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/fault_plan.h"
#include "common/unique_fd.h"
#include "common/work_mark.h"

namespace procpool {

class FaultInjector {
 public:
  /// shared: descriptors of memory shared with the master, for kShrink. Throws Error{kUser}.
  FaultInjector(std::string_view spec, std::uint64_t slot, std::uint64_t life, WorkMark& mark,
                std::span<const int> shared);

  /// The rules that strike here, in their order. None of them counts before Count() or Act().
  std::vector<const FaultRule*> Struck(FaultStep step, const FaultTarget& target);
  /// Where there is no chunk: all that strikes is done.
  void At(FaultStep step);
  FaultTarget ThisProcess() const { return {slot_, slot_, life_}; }
  FaultTarget Chunk(std::uint64_t chunk, std::uint64_t attempt) const {
    return {slot_, chunk, attempt};
  }
  /// The chunk that the worker is at, as its mark says.
  FaultTarget ThisChunk() const;

  /// To be called just before the rule's fault is committed.
  void Count(const FaultRule& rule);
  /// Commits what concerns the process as a whole. False: the fault is not of that kind, and
  /// nothing was done.
  bool Act(const FaultRule& rule);
  /// Whether the process does not outlive the fault.
  static bool IsDeadly(const FaultRule& rule);
  /// Commits a deadly fault; async-signal-safe, but for kGrandchild.
  [[noreturn]] static void Die(const FaultRule& rule);

  /// The rule `trickle@start` has struck: everything goes byte by byte.
  bool trickles() const { return trickles_; }

 private:
  void Shrink() const;
  void Rewrite() const;

  FaultPlan plan_;
  std::uint64_t slot_;
  std::uint64_t life_;
  WorkMark& mark_;
  std::vector<UniqueFd> shared_;
  bool trickles_ = false;
};

}  // namespace procpool
