// What a parent carries while it spawns: resident memory, open descriptors, threads. Each is there
// from the beginning of its object to the end, and gone afterwards.
#pragma once

#include <sys/resource.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <procpool/error.h>
#include "common/unique_fd.h"

namespace procpool {

/// The machine does not bear it.
class BurdenTooLarge : public Error {
 public:
  using Error::Error;
};

class SpawnBurden {
 public:
  virtual ~SpawnBurden() = default;
};

/// Bytes of anonymous memory, every page of 4 KiB touched. Huge pages are declined: they would make
/// the page tables, which a fork copies, 512 times smaller. Throws BurdenTooLarge.
class ResidentMemory final : public SpawnBurden {
 public:
  explicit ResidentMemory(std::size_t bytes);
  ~ResidentMemory() override;
  ResidentMemory(const ResidentMemory&) = delete;
  ResidentMemory& operator=(const ResidentMemory&) = delete;

 private:
  std::size_t bytes_;
  void* memory_ = nullptr;
};

/// Descriptors of one file, close-on-exec; the soft limit is raised as far as needed. Throws
/// BurdenTooLarge if the hard limit is lower.
class OpenDescriptors final : public SpawnBurden {
 public:
  explicit OpenDescriptors(std::size_t count);
  ~OpenDescriptors() override;
  OpenDescriptors(const OpenDescriptors&) = delete;
  OpenDescriptors& operator=(const OpenDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<UniqueFd> descriptors_;
};

/// Threads that sleep. Throws BurdenTooLarge.
class SleepingThreads final : public SpawnBurden {
 public:
  explicit SleepingThreads(std::size_t count);
  ~SleepingThreads() override;
  SleepingThreads(const SleepingThreads&) = delete;
  SleepingThreads& operator=(const SleepingThreads&) = delete;

 private:
  void WakeAndJoin();
  std::mutex mutex_;
  std::condition_variable wake_;
  bool leave_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace procpool
