#include "master/lab/peer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include <procpool/error.h>
#include "common/os_error.h"
#include "common/quoted.h"
#include "master/cli.h"
#include "master/lab/peer_workload.h"

namespace procpool {
namespace {

using Json = nlohmann::json;

constexpr Nanoseconds kHandOver = 5 * kSecond;

UniqueFd GridFile(const std::string& peer) {
  UniqueFd file(::memfd_create("procpool-peer-grid", MFD_CLOEXEC));
  if (!file) ThrowErrno("make the grid of", "peer " + Quoted(peer));
  return file;
}

std::vector<std::string> CommandLine(const PeerProgram& program, const PeerJob& job,
                                     const UniqueFd& grid) {
  std::vector<std::string> line = program.command;
  std::ranges::replace(line, "{ranks}", std::to_string(std::size_t{job.procs} + 1));
  const std::string path =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(grid.get());
  for (const std::string& word :
       {std::string("--workload-json"), WorkloadJson(job.workload), std::string("--procs"),
        std::to_string(job.procs), std::string("--chunks"), std::to_string(job.chunks),
        std::string("--payload"), std::string(PayloadName(job.payload)), std::string("--kernel"),
        std::string(job.compute ? "scalar" : "none"), std::string("--schedule"),
        std::string("dynamic"), std::string("--grid-file"), path}) {
    line.push_back(word);
  }
  return line;
}

/// The answer as an object; nothing if it is none.
std::optional<Json> ObjectOf(const std::string& line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::string TextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? OneLine(found->get<std::string>()) : "";
}

/// A number of seconds; nothing if there is none or it cannot be one.
std::optional<double> SecondsAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  const auto seconds = found->get<double>();
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  return seconds;
}

}  // namespace

Peer::Peer(const PeerProgram& program, const PeerJob& job, Nanoseconds timeout)
    : name_(program.name),
      points_(std::size_t{job.workload.fractal.Width()} * job.workload.fractal.Height()),
      grid_(GridFile(program.name)),
      process_(CommandLine(program, job, grid_)) {
  const std::string line = Answer(timeout);
  const std::optional<Json> answer = ObjectOf(line);
  if (answer) missing_ = TextAt(*answer, "missing");
  if (!missing_.empty()) return;
  const auto ready = answer ? answer->find("ready") : Json::const_iterator();
  if (!answer || ready == answer->end() || *ready != true) {
    Fail("it said " + Quoted(line) + " instead of being ready");
  }
  version_ = TextAt(*answer, "version");
  coords_seconds_ = SecondsAt(*answer, "coords_seconds").value_or(0);
}

PeerRun Peer::Run(Nanoseconds timeout) {
  // Nothing that an earlier run left can pass for this one's.
  if (::ftruncate(grid_.get(), 0) != 0) ThrowErrno("empty the grid of", "peer " + Quoted(name_));
  if (!process_.WriteLine("run", Deadline::After(kHandOver))) Fail("it does not take the job");
  const std::string line = Answer(timeout);
  const std::optional<Json> answer = ObjectOf(line);
  const auto wall = answer ? SecondsAt(*answer, "wall_seconds") : std::nullopt;
  if (!wall) Fail("it said " + Quoted(line) + " instead of its time");
  const PeerRun run{*wall, ReadGrid()};
  const auto sum = answer->find("sum");
  if (sum == answer->end() || !sum->is_number_integer() ||
      sum->get<std::int64_t>() != run.checksum.sum) {
    Fail("it said " + Quoted(line) + ", but its grid adds up to " +
         std::to_string(run.checksum.sum));
  }
  return run;
}

bool Peer::Quit(Nanoseconds timeout) {
  const Deadline deadline = Deadline::After(timeout);
  process_.WriteLine("quit", deadline);
  process_.CloseInput();
  return process_.WaitForEnd(deadline);
}

std::string Peer::Answer(Nanoseconds timeout) {
  std::string line;
  switch (process_.ReadLine(line, Deadline::After(timeout))) {
    case PeerProcess::Said::kLine:
      return line;
    case PeerProcess::Said::kSilence:
      Fail("it gave no answer within " + std::to_string(timeout / kMillisecond) + " ms");
    case PeerProcess::Said::kTooLong:
      Fail("it says a line without an end");
    default:
      // Its output ends a little before it does.
      process_.WaitForEnd(Deadline::After(kSecond));
      Fail(process_.EndText().empty() ? "it closed its output" : "it " + process_.EndText());
  }
}

Checksum Peer::ReadGrid() const {
  struct stat state {};
  if (::fstat(grid_.get(), &state) != 0) ThrowErrno("look at the grid of", Quoted(name_));
  const auto bytes = static_cast<std::size_t>(state.st_size);
  if (bytes != points_ * sizeof(std::int32_t)) {
    Fail("its grid has " + std::to_string(bytes) + " bytes instead of " +
         std::to_string(points_ * sizeof(std::int32_t)));
  }
  ChecksumStream checksum;
  std::vector<std::int32_t> counts(std::min<std::size_t>(points_, 65536));
  for (std::size_t done = 0; done < points_;) {
    const std::size_t wanted = std::min(counts.size(), points_ - done) * sizeof(std::int32_t);
    const ssize_t got = ::pread(grid_.get(), counts.data(), wanted,
                                static_cast<off_t>(done * sizeof(std::int32_t)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || got % static_cast<ssize_t>(sizeof(std::int32_t)) != 0) {
      Fail("its grid shrinks while it is read");
    }
    const std::size_t read = static_cast<std::size_t>(got) / sizeof(std::int32_t);
    checksum.Add({counts.data(), read});
    done += read;
  }
  return checksum.Result();
}

void Peer::Fail(const std::string& cause) const {
  const std::string last = process_.LastError();
  throw Error(Blame::kMachine, {"measure", "peer " + Quoted(name_),
                                last.empty() ? cause : cause + " (it last wrote: " + last + ")",
                                "leave this peer out or start it by hand to see more"});
}

}  // namespace procpool
