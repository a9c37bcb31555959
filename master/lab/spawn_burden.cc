#include "master/lab/spawn_burden.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "common/host.h"
#include "common/os_error.h"
#include "master/lab/report.h"

namespace procpool {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSpareDescriptors = 256;  // for what the measuring itself opens

constexpr std::string_view kSmaller = "give smaller sizes with --memory";

[[noreturn]] void Refuse(const std::string& what, const std::string& cause,
                         std::string_view remedy) {
  throw BurdenTooLarge(Blame::kMachine, {"measure a parent with", what, cause, remedy});
}

}  // namespace

ResidentMemory::ResidentMemory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const std::string what = BytesText(static_cast<double>(bytes)) + " of memory";
  const std::uint64_t available = AvailableMemory();
  if (bytes > available) {
    Refuse(what, "only " + BytesText(static_cast<double>(available)) + " are available", kSmaller);
  }
  memory_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) {
    memory_ = nullptr;
    Refuse(what, ErrnoText(errno), kSmaller);
  }
  ::madvise(memory_, bytes, MADV_NOHUGEPAGE);
  auto* bytes_of = static_cast<volatile std::byte*>(memory_);
  for (std::size_t at = 0; at < bytes; at += kPage) bytes_of[at] = std::byte{1};
}

ResidentMemory::~ResidentMemory() {
  if (memory_ != nullptr) ::munmap(memory_, bytes_);
}

OpenDescriptors::OpenDescriptors(std::size_t count) {
  ::getrlimit(RLIMIT_NOFILE, &before_);
  rlimit needed = before_;
  needed.rlim_cur = std::max<rlim_t>(needed.rlim_cur, count + kSpareDescriptors);
  if (needed.rlim_cur > before_.rlim_max) {
    Refuse(std::to_string(count) + " descriptors",
           "the hard limit is " + std::to_string(before_.rlim_max),
           "give fewer with --descriptors, or raise the limit (ulimit -Hn)");
  }
  ::setrlimit(RLIMIT_NOFILE, &needed);
  while (descriptors_.size() < count) {
    descriptors_.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (descriptors_.back()) continue;
    const int reason = errno;
    descriptors_.clear();
    ::setrlimit(RLIMIT_NOFILE, &before_);
    Refuse(std::to_string(count) + " descriptors", ErrnoText(reason),
           "give fewer with --descriptors");
  }
}

OpenDescriptors::~OpenDescriptors() {
  descriptors_.clear();
  ::setrlimit(RLIMIT_NOFILE, &before_);
}

SleepingThreads::SleepingThreads(std::size_t count) {
  try {
    while (threads_.size() < count) {
      threads_.emplace_back([this] {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return leave_; });
      });
    }
  } catch (const std::system_error& error) {
    WakeAndJoin();
    Refuse(std::to_string(count) + " threads", error.what(), "give fewer with --threads");
  }
}

SleepingThreads::~SleepingThreads() {
  WakeAndJoin();
}

void SleepingThreads::WakeAndJoin() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace procpool
