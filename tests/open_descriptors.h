// How many descriptors this process has open, for tests that nothing may leak from.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace procpool {

/// The one that the count itself takes included.
inline std::size_t OpenDescriptors() {
  using Entries = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Entries("/proc/self/fd"), Entries()));
}

}  // namespace procpool
