// Who can be compared by `master spawn`, and the one list of them.
//
// A contender is a method and a program. Methods: `thread` and `fork` run a small echo inside this
// program, without exec; `zygote` is a fork server; the others are those of the pool
// (master/spawn_method.h). Programs: `worker`, the same with shared libraries (`worker_dynamic`),
// and `empty_program`, which is nothing but a main().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/shared_region.h"
#include "master/lab/spawn_life.h"
#include "master/worker_setup.h"

namespace procpool {

inline constexpr std::string_view kThreadMethod = "thread";
inline constexpr std::string_view kForkMethod = "fork";
inline constexpr std::string_view kZygoteMethod = "zygote";
inline constexpr std::string_view kEcho = "echo";
inline constexpr std::string_view kWorker = "worker";
inline constexpr std::string_view kWorkerDynamic = "worker_dynamic";
inline constexpr std::string_view kEmptyProgram = "empty_program";

/// Memory in which children say when they reached main(): shared, of the contender's own.
class MainPage {
 public:
  MainPage();
  /// A fresh place; the earliest one is used again after so many that none of them lives any more.
  std::size_t Take();
  static std::size_t OffsetOf(std::size_t place) { return place * sizeof(Nanoseconds); }
  volatile Nanoseconds* at(std::size_t place) const;
  int fd() const { return memory_.fd(); }

 private:
  SharedRegion memory_;
  std::size_t next_ = 0;
};

/// Whether the method copies the parent's page tables.
bool CopiesParent(const SpawnContender& contender);

std::vector<std::string> SpawnContenderMethods();
std::vector<std::string> SpawnContenderPrograms();

/// Where the programs are.
struct SpawnPrograms {
  std::string worker;  ///< path; the others lie beside it
  std::string Path(std::string_view program) const;
};

/// Every sensible pair of these methods and programs, in the order of the lists. A program that is
/// not there, or a method that this system refuses, is left out and named in `missing`.
std::vector<std::unique_ptr<SpawnContender>> MakeSpawnContenders(
    const std::vector<std::string>& methods, const std::vector<std::string>& programs,
    const SpawnPrograms& paths, std::vector<std::string>& missing);

// One file each.
std::unique_ptr<SpawnContender> MakeThreadContender();
std::unique_ptr<SpawnContender> MakeForkContender();
std::unique_ptr<SpawnContender> MakeEmptyContender(const SpawnMethod& method, std::string program);
std::unique_ptr<SpawnContender> MakeWorkerContender(std::string method, std::string program,
                                                    std::string path, MakeProcess make);

}  // namespace procpool
