// What is known of a process that was spawned, for statistics and reports.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "common/clock.h"
#include "common/fault_tally.h"

namespace procpool {

/// One spawned process, also after it is gone.
struct SpawnRecord {
  std::size_t slot = 0;
  pid_t pid = -1;
  Nanoseconds spawned = 0;  ///< the spawn began
  Nanoseconds spawn_returned = 0;
  Nanoseconds main_reached = 0;  ///< as the worker says
  Nanoseconds ready = 0;         ///< READY seen here; if there is an initializer, when it was done
  Nanoseconds initializing = 0;  ///< how long the initializer ran
  Nanoseconds stop_sent = 0;     ///< told to stop; 0: it was not
  Nanoseconds ended = 0;         ///< reaped; 0: it lives
  std::string exit;              ///< empty while it lives
  bool told_to_leave = false;    ///< it ended as it was told to
  FaultTally::Value faults{};    ///< that it committed because it was asked to
};

}  // namespace procpool
