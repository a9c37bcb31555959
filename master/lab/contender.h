// One way to do the job, measured again and again: over a transport with warm workers, with workers
// made anew each time, or inside this process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "master/lab/peer.h"
#include "master/run.h"
#include "master/workers.h"

namespace procpool {

/// One run of the job by a contender.
struct Measurement {
  double wall = 0;                          ///< seconds
  std::optional<double> cpu{};              ///< seconds, of the master and all workers
  std::optional<std::uint64_t> switches{};  ///< context switches, both kinds, likewise
  std::optional<Traffic> traffic{};
  Checksum checksum{};
  std::optional<Budget> budget{};
  std::vector<std::string> warnings{};  ///< e.g. that a worker died: the time is not to be trusted
};

class Contender {
 public:
  virtual ~Contender() = default;
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;

  /// Makes ready what stays warm. False: it cannot do this job here, Missing() says why. Throws
  /// Error if it should be able to.
  virtual bool Start() = 0;
  virtual std::string Missing() const { return {}; }
  /// Runs the job once. Throws Error if it fails.
  virtual Measurement Run() = 0;
  /// From any thread: lets a run that is going on end soon, by throwing.
  virtual void Interrupt() = 0;

 protected:
  Contender() = default;
};

enum class Temperature {
  kWarm,  ///< workers and memory stay from run to run
  kCold,  ///< the wall time contains the making of the workers; memory is new
};

/// `options` name the transport and everything else. Throws Error{kUser} for what is wrong with
/// them.
std::unique_ptr<Contender> MakeContender(const RunOptions& options, Temperature temperature);
/// Another system; of the options it knows workload, procs, chunks, payload and whether anything is
/// computed.
std::unique_ptr<Contender> MakePeerContender(const PeerProgram& program, const RunOptions& options);

}  // namespace procpool
