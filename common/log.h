// The log: spdlog, on standard error, so that standard output carries nothing but the result. The
// library has a logger of its own, which says nothing until it is told to: the default logger
// belongs to the program that uses the library. Spdlog itself is behind log.cc: it and its
// formatting, headers only, would cost each file that logs more to compile than its own code does.
//
// Promise: Logs and Log are thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace procpool {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Whether what is of this level is logged; asked where finding the words takes time.
bool Logs(LogLevel level);
void Log(LogLevel level, std::string_view text);

/// Levels by name: trace, debug, info, warning, error, critical, off. "" is returned for a known
/// name, else what is allowed.
std::string CheckLogLevel(std::string_view level);

/// `who` stands in every line, e.g. "master" or "worker 3". To be called before any other thread
/// logs.
void StartLog(std::string_view who, std::string_view level);

/// From now on at least what is of this level is logged. Throws Error{kUser} for an unknown one.
void LogAtLeast(std::string_view level);

}  // namespace procpool
