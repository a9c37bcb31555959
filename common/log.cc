#include "common/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include <procpool/error.h>

namespace procpool {
namespace {

std::shared_ptr<spdlog::logger> MakeLogger(std::string_view who, std::string_view level) {
  // https://no-color.org: any non-empty NO_COLOR means no colour.
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>(std::string(who), std::move(sink));
  logger->set_pattern("%H:%M:%S.%f [%n] %^%l%$: %v");
  logger->set_level(spdlog::level::from_str(std::string(level)));
  return logger;
}

// Never destroyed: a pool may be a global of the program, and end after everything else.
std::shared_ptr<spdlog::logger>& TheLogger() {
  static auto* const logger = new std::shared_ptr<spdlog::logger>(MakeLogger("procpool", "off"));
  return *logger;
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

bool Logs(LogLevel level) {
  return TheLogger()->should_log(LevelOf(level));
}

void Log(LogLevel level, std::string_view text) {
  TheLogger()->log(LevelOf(level), text);
}

std::string CheckLogLevel(std::string_view level) {
  const bool known =
      level == "off" || spdlog::level::from_str(std::string(level)) != spdlog::level::off;
  return known ? "" : "trace, debug, info, warning, error, critical or off";
}

void StartLog(std::string_view who, std::string_view level) {
  TheLogger() = MakeLogger(who, level);
}

void LogAtLeast(std::string_view level) {
  if (const std::string allowed = CheckLogLevel(level); !allowed.empty()) {
    throw Error(Blame::kUser, {"log at", "level '" + std::string(level) + "'",
                               "there is none of that name", "use " + allowed});
  }
  spdlog::logger& logger = *TheLogger();
  logger.set_level(std::min(logger.level(), spdlog::level::from_str(std::string(level))));
}

}  // namespace procpool
