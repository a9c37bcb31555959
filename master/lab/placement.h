// Which CPUs the two sides of a measurement run on. Left to itself the scheduler puts a woken
// process now beside its waker, now on another CPU, and which of the two it was decides more than
// what is measured.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace procpool {

enum class Place {
  kFree,      ///< as the scheduler likes
  kApart,     ///< this process on one CPU, the peers on another
  kTogether,  ///< all on one CPU: no two ever run at the same time
};

/// Pins this process (the calling thread) and unpins it when it goes.
class Placement {
 public:
  /// Apart needs two CPUs; with fewer it is the same as free.
  explicit Placement(Place place);
  ~Placement();
  Placement(const Placement&) = delete;
  Placement& operator=(const Placement&) = delete;

  /// Pins a peer; one that has just died is left alone.
  void Put(pid_t peer) const;
  /// "apart: CPU 0 and 1", "free"
  std::string Text() const;

 private:
  Place place_;
  cpu_set_t before_{};
  std::vector<std::size_t> cpus_;  // own, the peers'; empty: free
};

}  // namespace procpool
