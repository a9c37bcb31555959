// The log: spdlog, on standard error, so that standard output carries nothing but the result.
#pragma once

#include <string>
#include <string_view>

namespace procpool {

/// Levels by name: trace, debug, info, warning, error, critical, off. "" is returned for a known
/// name, else what is allowed.
std::string CheckLogLevel(std::string_view level);

/// `who` stands in every line, e.g. "master" or "worker 3".
void StartLog(std::string_view who, std::string_view level);

}  // namespace procpool
