#include "common/launch.h"

#include <charconv>
#include <map>

#include <procpool/error.h>

namespace procpool {
namespace {

[[noreturn]] void Refuse(std::string_view argument, std::string_view cause) {
  throw Error(Blame::kUser,
              {"start", "worker", "'" + std::string(argument) + "' " + std::string(cause),
               "a worker is started by master; run master instead"});
}

template <typename Number>
Number ParseNumber(std::string_view argument, const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    Refuse(argument, "has a malformed number");
  return number;
}

}  // namespace

std::string EncodeLaunch(const Launch& launch) {
  std::string argument(kLaunchOption);
  argument += "transport=" + launch.transport;
  argument += ",name=" + launch.channel_name;
  argument += ",slot=" + std::to_string(launch.slot);
  argument += ",parent=" + std::to_string(launch.parent);
  argument += ",spin=" + std::to_string(launch.spin);
  argument += ",log=" + launch.log_level;
  argument += ",life=" + std::to_string(launch.life);
  argument += ",faults=" + launch.faults;
  return argument;
}

Launch DecodeLaunch(std::string_view argument) {
  if (!argument.starts_with(kLaunchOption)) Refuse(argument, "is no launch description");
  std::map<std::string, std::string, std::less<>> fields;
  std::string_view rest = argument.substr(kLaunchOption.size());
  for (bool more = true; more;) {
    // The faults stand last, for they contain commas.
    const bool is_last = rest.starts_with("faults=");
    const std::size_t comma = is_last ? std::string_view::npos : rest.find(',');
    const std::string_view field = rest.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) rest = rest.substr(comma + 1);
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos) Refuse(argument, "has a field without '='");
    if (!fields.emplace(field.substr(0, equals), field.substr(equals + 1)).second) {
      Refuse(argument, "says something twice");
    }
  }
  const auto take = [&](std::string_view key) {
    const auto found = fields.find(key);
    if (found == fields.end()) Refuse(argument, "lacks '" + std::string(key) + "'");
    std::string value = found->second;
    fields.erase(found);
    return value;
  };
  Launch launch;
  launch.transport = take("transport");
  launch.channel_name = take("name");
  launch.slot = ParseNumber<unsigned>(argument, take("slot"));
  launch.parent = ParseNumber<pid_t>(argument, take("parent"));
  launch.spin = ParseNumber<Nanoseconds>(argument, take("spin"));
  launch.log_level = take("log");
  launch.life = ParseNumber<std::uint64_t>(argument, take("life"));
  launch.faults = take("faults");
  if (launch.transport.empty() || launch.parent <= 0 || launch.spin < 0) {
    Refuse(argument, "has a value that is out of range");
  }
  if (!fields.empty()) Refuse(argument, "has the unknown field '" + fields.begin()->first + "'");
  return launch;
}

}  // namespace procpool
