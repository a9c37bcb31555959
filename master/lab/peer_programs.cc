// The list of peers: a new one is one line here and a program in tests/peers/.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <utility>

#include "common/quoted.h"
#include "master/lab/peer.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

bool Executable(const fs::path& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

bool OnPath(const std::string& program) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  std::istringstream directories(path != nullptr ? path : "");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (Executable(fs::path(directory) / program)) return true;
  }
  return false;
}

/// Debian's own Python first: python3-numpy and python3-numba belong to it.
std::string Python() {
  return Executable("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
}

PeerProgram Script(const std::string& scripts, const std::string& name,
                   const std::string& description, const std::string& file, bool arrays) {
  const fs::path path = fs::path(scripts) / file;
  PeerProgram program{name, description, {Python(), "-B", path.string()}};
  if (arrays) program.command.emplace_back("--arrays");
  std::error_code ignored;
  if (!fs::exists(path, ignored)) program.missing = Quoted(path.string()) + " does not exist";
  return program;
}

PeerProgram Binary(const std::string& binaries, const std::string& name,
                   const std::string& description, const std::string& file,
                   std::vector<std::string> launcher) {
  const fs::path path = fs::path(binaries) / file;
  PeerProgram program{name, description, std::move(launcher)};
  program.command.push_back(path.string());
  if (!Executable(path)) program.missing = Quoted(path.string()) + " was not built";
  const std::string& first = program.command.front();
  if (program.missing.empty() && first.find('/') == std::string::npos && !OnPath(first)) {
    program.missing = Quoted(first) + " is not installed";
  }
  return program;
}

std::vector<std::string> MpiLauncher() {
  std::vector<std::string> launcher{"mpirun", "--oversubscribe", "--bind-to", "none"};
  if (::geteuid() == 0) launcher.emplace_back("--allow-run-as-root");
  launcher.insert(launcher.end(), {"-n", "{ranks}"});
  return launcher;
}

}  // namespace

std::vector<PeerProgram> KnownPeers(const std::string& scripts, const std::string& binaries) {
  return {
      Script(scripts, "python-pool", "multiprocessing.Pool, plain Python", "python_pool.py", false),
      Script(scripts, "python-pool-numba", "multiprocessing.Pool, numpy and numba",
             "python_pool.py", true),
      Script(scripts, "python-futures", "ProcessPoolExecutor, plain Python", "python_futures.py",
             false),
      Script(scripts, "python-futures-numba", "ProcessPoolExecutor, numpy and numba",
             "python_futures.py", true),
      Binary(binaries, "openmp", "OpenMP threads, schedule(dynamic)", "peer_openmp", {}),
      Binary(binaries, "mpi", "MPI, rank 0 gives out chunks", "peer_mpi", MpiLauncher()),
  };
}

}  // namespace procpool
