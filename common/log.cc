#include "common/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace procpool {

std::string CheckLogLevel(std::string_view level) {
  const bool known =
      level == "off" || spdlog::level::from_str(std::string(level)) != spdlog::level::off;
  return known ? "" : "trace, debug, info, warning, error, critical or off";
}

void StartLog(std::string_view who, std::string_view level) {
  // https://no-color.org: any non-empty NO_COLOR means no colour.
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>(std::string(who), std::move(sink));
  logger->set_pattern("%H:%M:%S.%f [%n] %^%l%$: %v");
  logger->set_level(spdlog::level::from_str(std::string(level)));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace procpool
