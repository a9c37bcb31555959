// The library's logger, for those who write into it. What it says and where: log.h.
#pragma once

#include <spdlog/spdlog.h>

namespace procpool {

/// Thread-safe.
spdlog::logger& Log();

}  // namespace procpool
