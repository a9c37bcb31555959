#include "common/queue_names.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <procpool/error.h>
#include "common/checksum.h"
#include "common/os_error.h"
#include "common/unique_fd.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDirectory = "/dev/shm";
constexpr std::string_view kPrefix = "procpool.";
constexpr std::string_view kLockSuffix = ".lock";

std::string RandomHex() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) ThrowErrno("read", "random numbers");
  return HexDigest(number);
}

std::string PathOf(std::string_view name) {
  return std::string(kDirectory) + "/" + std::string(name);
}

std::vector<std::string> NamesBeginningWith(std::string_view prefix) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(kDirectory, ignored)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with(prefix)) names.push_back(std::move(name));
  }
  return names;
}

// The stems of all leases that this process has had, by which its names are known.
struct Stems {
  std::mutex mutex;
  std::vector<std::string> all;
};
Stems& StemsOfThisProcess() {
  static Stems stems;
  return stems;
}

// A locked file may have been unlinked between open and flock; only one that still has its name
// counts.
bool StillNamed(const UniqueFd& fd) {
  struct stat status {};
  return ::fstat(fd.get(), &status) == 0 && status.st_nlink > 0;
}

// Tried twice: a name that is left is there until somebody finds it.
bool Unlinked(const std::string& name) {
  const std::string path = PathOf(name);
  for (int tries = 0; tries < 2; ++tries) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return true;
  }
  return false;
}

// Removes all names of a lease that makes no further ones. The lock file goes last, and only if all
// others are gone: by it the next one finds them, also those of whoever is killed in here.
int RemoveNames(const std::string& stem) {
  const std::string lock_name = stem + std::string(kLockSuffix);
  int removed = 0;
  bool all = true;
  for (const std::string& name : NamesBeginningWith(stem + ".")) {
    if (name == lock_name) continue;
    const bool gone = Unlinked(name);
    removed += gone ? 1 : 0;
    all = all && gone;
  }
  return all && Unlinked(lock_name) ? removed + 1 : removed;
}

}  // namespace

struct QueueNameLease::State {
  std::string stem;  // "procpool.<random>"
  std::string lock_path;
  UniqueFd lock;
  std::atomic<unsigned> next{0};
};

QueueNameLease::QueueNameLease() : state_(std::make_unique<State>()) {
  // A reclaimer may lock and remove the new file in the instant before it is locked here; then
  // another name is tried.
  for (int tries = 0; tries < 16; ++tries) {
    state_->stem = std::string(kPrefix) + RandomHex();
    state_->lock_path = PathOf(state_->stem + std::string(kLockSuffix));
    state_->lock.Reset(::open(state_->lock_path.c_str(),
                              O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!state_->lock) {
      if (errno == EEXIST) continue;
      ThrowErrno("create", state_->lock_path,
                 "the queue transport needs a writable /dev/shm; use --transport pipe or shm");
    }
    if (::flock(state_->lock.get(), LOCK_EX | LOCK_NB) != 0 || !StillNamed(state_->lock)) {
      ::unlink(state_->lock_path.c_str());  // nobody else makes this name
      continue;
    }
    Stems& stems = StemsOfThisProcess();
    const std::lock_guard lock(stems.mutex);
    stems.all.push_back(state_->stem + ".");
    return;
  }
  throw Error(Blame::kMachine,
              {"create", "a lock file in /dev/shm", "each new one was taken away at once",
               "look for a program that removes files there"});
}

// The queues' names are gone by now, unless removing one has failed.
QueueNameLease::~QueueNameLease() {
  try {
    RemoveNames(state_->stem);
  } catch (...) {  // the names cannot be listed
    Unlinked(state_->stem + std::string(kLockSuffix));
  }
}

std::string QueueNameLease::NewStem() {
  return state_->stem + "." + std::to_string(state_->next++);
}

std::shared_ptr<QueueNameLease> QueueNameLease::Get() {
  static std::mutex mutex;
  static std::weak_ptr<QueueNameLease> current;
  const std::lock_guard lock(mutex);
  if (std::shared_ptr<QueueNameLease> lease = current.lock()) return lease;
  ReclaimQueueNames();
  std::shared_ptr<QueueNameLease> lease(new QueueNameLease);
  current = lease;
  return lease;
}

std::vector<std::string> NamesOfThisProcess() {
  Stems& stems = StemsOfThisProcess();
  const std::lock_guard lock(stems.mutex);
  std::vector<std::string> names;
  for (const std::string& stem : stems.all) {
    for (std::string& name : NamesBeginningWith(stem)) names.push_back(std::move(name));
  }
  return names;
}

int ReclaimQueueNames() {
  int reclaimed = 0;
  for (const std::string& name : NamesBeginningWith(kPrefix)) {
    if (!name.ends_with(kLockSuffix)) continue;
    const std::string lock_path = PathOf(name);
    const UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || !StillNamed(lock)) continue;
    // With the lock held, when the owner can make no further names.
    reclaimed += RemoveNames(name.substr(0, name.size() - kLockSuffix.size()));
  }
  return reclaimed;
}

}  // namespace procpool
