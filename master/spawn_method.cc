#include "master/spawn_method.h"

#include <algorithm>
#include <array>

namespace procpool {
namespace {

// The default stands first. Thread sanitizer makes a fork of vfork() and keeps its account of the
// parent's threads and signal handlers from inside a child on the parent's memory: a build with it
// does without these two.
constexpr std::array kMethods{
#ifndef __SANITIZE_THREAD__
    SpawnMethod{"vfork+exec", "clone() on the parent's memory until exec, pidfd included",
                SpawnByVfork},
    SpawnMethod{"boost", "Boost.Process v1 in its vfork mode", SpawnByBoost},
#endif
    SpawnMethod{"posix_spawn", "the C library's", SpawnByPosixSpawn},
    SpawnMethod{"fork+exec", "copies the parent's page tables first", SpawnByFork}};

}  // namespace

std::span<const SpawnMethod> SpawnMethods() {
  return kMethods;
}

const SpawnMethod* FindSpawnMethod(std::string_view name) {
  const auto* found = std::ranges::find(kMethods, name, &SpawnMethod::name);
  return found != kMethods.end() ? found : nullptr;
}

const SpawnMethod& DefaultSpawnMethod() {
  return kMethods.front();
}

}  // namespace procpool
