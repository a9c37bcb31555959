// Faults that a worker is asked to commit, by name, at named steps of the protocol: what
// `master --chaos SPEC` passes on. docs/faults.md explains it to users.
//
//   SPEC  = RULE [';' RULE]…                      at most kMostFaultRules
//   RULE  = FAULT ['=' ARGUMENT] '@' STEP [':' KEY '=' VALUE [',' KEY '=' VALUE]…]  |  'seed=' N
//
// "kill@computing:chunk=3,attempt=0; delay=20@received:probability=0.1; seed=7"
//
// Promise: whether a rule strikes depends on the seed, the rule's place, the chunk and the attempt
// only (before a worker is ready and when it leaves: on its slot, and the how-manieth process of
// the slot it is), not on timing: a run can be repeated. What cannot be read is an Error{kUser}
// that names the part and what would be allowed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace procpool {

inline constexpr std::size_t kMostFaultRules = 16;

enum class FaultStep : std::uint8_t {
  kStart,      ///< the worker was launched and has said nothing yet
  kReady,      ///< READY is about to be sent
  kReceived,   ///< a chunk is here, its task has not begun
  kComputing,  ///< the task has written the first part of its result
  kSending,    ///< the answer is on its way: half of it has left
  kSent,       ///< the answer has left
  kStopping,   ///< the worker was told to stop
};

enum class FaultKind : std::uint8_t {
  kKill,        ///< SIGKILL
  kSignal,      ///< =NAME or number: dies by that signal
  kExit,        ///< =CODE (0): _exit
  kStop,        ///< SIGSTOP: does nothing more until somebody continues it
  kHang,        ///< ignores SIGTERM and does nothing more
  kDelay,       ///< =MILLISECONDS (10)
  kThrow,       ///< the task throws
  kPrint,       ///< to standard output and standard error
  kGrandchild,  ///< leaves a process that holds every descriptor, then SIGKILL
  kScribble,    ///< writes over other rows of the shared grid
  kShrink,      ///< tries to make the memory that it shares with the master smaller
  kRewrite,     ///< writes over the memory of the channel, while the master may be reading it
  kStorm,       ///< a signal that interrupts system calls, 1000 times a second from now on
  kTrickle,     ///< at `start`: reads and writes one byte at a time; at `sending`: this answer
  kCorrupt,     ///< =header or payload (payload): one bit is flipped
  kTruncate,    ///< half of the frame, then the end of the channel
  kDuplicate,   ///< the frame twice
  kReorder,     ///< the frame after the next one
  kForge,       ///< =WHAT: a sealed frame that says something untrue
};

/// What kForge can lie about.
enum class Forgery : std::uint8_t {
  kChunk,     ///< a chunk that does not exist
  kAttempt,   ///< another attempt
  kJob,       ///< another job
  kOffset,    ///< another place in the result
  kLength,    ///< a payload of 2^32 - 1 bytes
  kOverflow,  ///< offset and length whose sum overflows
  kVersion,   ///< READY: another version of the protocol
  kBuild,     ///< READY: another build
};

struct FaultRule {
  FaultKind kind{};
  FaultStep step{};
  std::int64_t argument = 0;  ///< signal, code, milliseconds; kCorrupt: 1 is the header; a Forgery
  std::optional<std::uint64_t> chunk{};
  std::optional<std::uint64_t> worker{};   ///< its slot
  std::optional<std::uint64_t> attempt{};  ///< or the how-manieth process of its slot, from 0
  double probability = 1;
  std::uint64_t times = 0;  ///< at most so often in one process; 0: no limit
  std::string text;         ///< as it was written
};

struct FaultPlan {
  std::vector<FaultRule> rules;
  std::uint64_t seed = 0;
};

FaultPlan ParseFaultPlan(std::string_view spec);

/// What a fault may strike: a chunk, or where there is none yet or any more the process.
struct FaultTarget {
  std::uint64_t slot = 0;
  std::uint64_t chunk = 0;    ///< kStart, kReady, kStopping: the slot
  std::uint64_t attempt = 0;  ///< likewise: which process of the slot, from 0
};
/// Whether the rule with that number strikes there, whatever its `times`.
bool Strikes(const FaultPlan& plan, std::size_t rule, FaultStep step, const FaultTarget& target);

/// For help texts: "kill, signal=NAME, …".
std::string FaultNames();
std::string FaultStepNames();

}  // namespace procpool
