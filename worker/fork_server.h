// The worker program as a fork server: makes workers by clone() instead of exec, on the master's
// word. Used by the laboratory, not by the pool (docs/decisions/0012-spawn-method.md says why).
//
// Promise: a child is the master's own (CLONE_PARENT), in a process group of its own, and has no
// descriptor but 0–2 and those sent along, which become 3, 4, …. It inherits dispositions and mask
// of the server, which are the defaults.
#pragma once

#include <optional>
#include <string>

namespace procpool {

/// Serves until the master is gone. In the server: nothing. In each child: its launch argument.
std::optional<std::string> ServeForks(int socket);

}  // namespace procpool
