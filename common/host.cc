#include "common/host.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

#include <procpool/error.h>

namespace procpool {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// The directories of this process' cgroup for one controller, from its own up to the top of what is
// mounted. `controller` is empty for version 2.
std::vector<fs::path> CgroupDirectories(const std::string& root, const std::string& controller) {
  std::string group;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> fields = Split(line, ':');
    if (fields.size() < 3) continue;
    const std::vector<std::string> controllers = Split(fields[1], ',');
    const bool matches = controller.empty()
                             ? fields[0] == "0" && fields[1].empty()
                             : std::ranges::find(controllers, controller) != controllers.end();
    if (matches) group = line.substr(fields[0].size() + fields[1].size() + 2);
  }
  if (group.empty()) return {};

  // mountinfo: id parent dev root mount-point options … - type source super-options
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::vector<std::string> fields = Split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < 5 || fields.end() - dash < 4) continue;
    const std::vector<std::string> options = Split(dash[3], ',');
    const bool matches =
        controller.empty()
            ? dash[1] == "cgroup2"
            : dash[1] == "cgroup" && std::ranges::find(options, controller) != options.end();
    if (!matches) continue;
    const fs::path top = root + fields[4];
    // A container may see only the part below `root` of the mount; a group outside it is the top
    // itself.
    const std::string& mounted_root = fields[3];
    std::string relative = group;
    if (mounted_root != "/") {
      const bool inside = group == mounted_root || group.starts_with(mounted_root + "/");
      relative = inside ? group.substr(mounted_root.size()) : "";
    }
    std::vector<fs::path> directories;
    fs::path directory = top;
    directories.push_back(directory);
    for (const std::string& part : Split(relative, '/')) {
      if (part.empty() || part == "..") continue;
      directory /= part;
      directories.push_back(directory);
    }
    return directories;
  }
  return {};
}

std::optional<std::uint64_t> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

std::uint64_t ReadKey(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t number = 0;
  while (file >> word >> number) {
    if (word == key) return number;
  }
  return 0;
}

std::uint64_t RoomBelow(const fs::path& directory, const char* limit_file, const char* usage_file,
                        const char* cache_key) {
  const std::optional<std::uint64_t> limit =
      ReadNumber(directory / limit_file);  // "max" reads as nothing
  const std::optional<std::uint64_t> usage = ReadNumber(directory / usage_file);
  if (!limit || !usage) return kUnlimited;
  const std::uint64_t cache = ReadKey(directory / "memory.stat", cache_key);
  const std::uint64_t used = *usage - std::min(*usage, cache);
  return *limit - std::min(*limit, used);
}

}  // namespace

unsigned UsableCpus(const std::string& root) {
  unsigned cpus = 1;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    cpus = std::max(1U, static_cast<unsigned>(CPU_COUNT(&mask)));
  }
  const auto limit_to = [&cpus](double quota, double period) {
    if (quota <= 0 || period <= 0) return;
    cpus = std::min(cpus, std::max(1U, static_cast<unsigned>(std::ceil(quota / period))));
  };
  for (const fs::path& directory : CgroupDirectories(root, "")) {
    std::ifstream file(directory / "cpu.max");
    double quota = 0;
    double period = 0;
    if (file >> quota >> period) limit_to(quota, period);  // "max 100000" does not parse: no limit
  }
  for (const fs::path& directory : CgroupDirectories(root, "cpu")) {
    double quota = 0;
    std::ifstream(directory / "cpu.cfs_quota_us") >> quota;  // -1: no limit
    limit_to(quota, static_cast<double>(ReadNumber(directory / "cpu.cfs_period_us").value_or(0)));
  }
  return cpus;
}

std::uint64_t AvailableMemory(const std::string& root) {
  std::uint64_t available = kUnlimited;
  std::ifstream meminfo(root + "/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    std::istringstream fields(line);
    std::string key;
    std::uint64_t kibibytes = 0;
    if (fields >> key >> kibibytes && key == "MemAvailable:") available = kibibytes * 1024;
  }
  for (const fs::path& directory : CgroupDirectories(root, "")) {
    available =
        std::min(available, RoomBelow(directory, "memory.max", "memory.current", "inactive_file"));
  }
  for (const fs::path& directory : CgroupDirectories(root, "memory")) {
    available = std::min(available, RoomBelow(directory, "memory.limit_in_bytes",
                                              "memory.usage_in_bytes", "total_inactive_file"));
  }
  return available;
}

std::uint64_t PrivateResidentBytes(pid_t pid) {
  // In pages: size, resident, of that shared (proc(5)).
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  if (!(statm >> size >> resident >> shared) || shared > resident) return 0;
  return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void RequireMemory(std::uint64_t bytes, std::string_view what) {
  const std::uint64_t available = AvailableMemory();
  if (bytes <= available) return;
  const auto mebibytes = [](std::uint64_t count) { return std::to_string(count >> 20) + " MiB"; };
  throw Error(
      Blame::kMachine,
      {"allocate", what, "it needs " + mebibytes(bytes) + ", available are " + mebibytes(available),
       "use a smaller grid, or free memory, or raise the cgroup's limit"});
}

HostInfo DescribeHost() {
  HostInfo host;
  host.cpus = UsableCpus();
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line) && host.model.empty();) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos && colon + 2 <= line.size()) {
      host.model = line.substr(colon + 2);
    }
  }
  utsname names{};
  if (::uname(&names) == 0) host.kernel = std::string(names.sysname) + " " + names.release;
  return host;
}

}  // namespace procpool
