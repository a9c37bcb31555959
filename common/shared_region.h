// Memory that processes share without a name: a memfd of fixed size, mapped. Nothing in the file
// system can leak; the memory goes with its last mapping and descriptor.
//
// Promise: Create() seals the size, so a hostile peer cannot shrink it under our feet (no SIGBUS);
// its pages are zero and cost memory when first touched. Whether there is enough memory is asked
// before (host.h), because a memfd over the limit does not fail: its toucher gets killed.
#pragma once

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/unique_fd.h"
#include "common/wire.h"

namespace procpool {

class SharedRegion {
 public:
  /// A new region, zero-filled. Throws Error{kMachine}.
  static SharedRegion Create(std::size_t bytes);
  /// Maps a region received from the process that created it. Refuses one that is shorter than it
  /// claims or whose size is not sealed.
  static SharedRegion Open(UniqueFd fd, std::size_t bytes);

  std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(mapping_.get_address()), mapping_.get_size()};
  }
  int fd() const { return fd_.get(); }
  /// Keeps the mapping, gives up the descriptor (once every process that needs it has it).
  void CloseDescriptor() { fd_.Reset(); }

 private:
  SharedRegion(UniqueFd fd, std::size_t bytes);
  UniqueFd fd_;
  boost::interprocess::mapped_region mapping_;
};

/// The shared regions one side knows, by number. Not thread-safe: each side has its own, used by
/// one thread.
class RegionTable {
 public:
  void Add(std::uint32_t id, std::shared_ptr<SharedRegion> region);
  void Remove(std::uint32_t id);
  std::shared_ptr<SharedRegion> Find(std::uint32_t id) const;
  /// Where a span lies, if it lies wholly in a known region.
  std::optional<Locator> Locate(std::span<const std::byte> bytes) const;
  /// The span a locator names; nothing if the region is unknown or the stretch is not inside it.
  std::optional<std::span<std::byte>> Resolve(const Locator& locator) const;

 private:
  struct Entry {
    std::uint32_t id;
    std::shared_ptr<SharedRegion> region;
  };
  std::vector<Entry> entries_;
};

}  // namespace procpool
