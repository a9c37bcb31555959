// The shared memory that the master has let this worker know of, over whatever transport: it comes
// through the control socket.
#pragma once

#include <cstdint>
#include <memory>

#include "common/control_socket.h"
#include "common/shared_memory.h"
#include "common/shared_region.h"

namespace procpool {

class WorkerRegions {
 public:
  WorkerRegions(const ControlSocket& control, RegionTable& table)
      : control_(control), table_(table) {}

  /// Takes in what the master said meanwhile: new regions, and ones to let go of.
  void Fetch() { control_.ReceiveInto(table_); }
  /// Throws std::invalid_argument if the master gave none of that number.
  std::shared_ptr<SharedMemory> Find(std::uint32_t id);

 private:
  const ControlSocket& control_;
  RegionTable& table_;
};

}  // namespace procpool
