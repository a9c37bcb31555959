// Who takes part in `master ipc`: every transport and every raw primitive in every wait mode, and
// the controls.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "master/lab/ipc_link.h"
#include "master/lab/ipc_options.h"

namespace procpool {

struct IpcContender {
  enum class Kind { kTransport, kRaw, kControl };
  Kind kind = Kind::kControl;
  std::string name;              ///< "pipe", "shm in place", "raw pipe", "memcpy"
  std::optional<WaitMode> wait;  ///< none: a control
  std::string rests_on;          ///< the raw primitive it is compared with; empty: none
  std::unique_ptr<Link> link;

  std::string_view KindName() const;
  std::string_view WaitName() const;  ///< "-" for a control
};

struct IpcContenders {
  Buffer message, answer;  ///< what all but links in place write to and receive into
  std::vector<IpcContender> all;

  const IpcContender* RawOf(const IpcContender& contender) const;
  IpcContender& Named(const std::string& name);
};

/// Starts every peer; they rest until their turn. To be called before the program has threads.
/// Throws Error, also when there is not enough memory.
IpcContenders MakeContenders(const IpcOptions& options);

}  // namespace procpool
