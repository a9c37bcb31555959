#include "common/shared_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>

#include <procpool/error.h>
#include "common/os_error.h"

namespace procpool {
namespace {

// mapped_region asks its memory device for a handle; a memfd is nothing but a descriptor.
class DescriptorDevice {
 public:
  explicit DescriptorDevice(int fd) : fd_(fd) {}
  // NOLINTNEXTLINE(readability-identifier-naming): the name is Boost's.
  boost::interprocess::mapping_handle_t get_mapping_handle() const { return {fd_, false}; }

 private:
  int fd_;
};

std::string Describe(std::size_t bytes) {
  return "shared region of " + std::to_string(bytes) + " bytes";
}

}  // namespace

SharedRegion::SharedRegion(UniqueFd fd, std::size_t bytes)
    : fd_(std::move(fd)),
      mapping_(DescriptorDevice(fd_.get()), boost::interprocess::read_write, 0, bytes) {}

SharedRegion SharedRegion::Create(std::size_t bytes) {
  UniqueFd fd(::memfd_create("procpool", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) ThrowErrno("create", Describe(bytes), "raise the descriptor limit (ulimit -n)");
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    ThrowErrno("size", Describe(bytes), "use a smaller grid");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    ThrowErrno("seal", Describe(bytes), "procpool needs a kernel with memfd seals (3.17 or later)");
  }
  try {
    return SharedRegion(std::move(fd), bytes);
  } catch (const boost::interprocess::interprocess_exception& exception) {
    throw Error(Blame::kMachine,
                {"map", Describe(bytes), exception.what(), "free memory or use a smaller grid"});
  }
}

SharedRegion SharedRegion::Open(UniqueFd fd, std::size_t bytes) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) ThrowErrno("examine", Describe(bytes));
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (static_cast<std::size_t>(status.st_size) < bytes || seals < 0 ||
      (seals & F_SEAL_SHRINK) == 0) {
    throw Error(Blame::kMachine,
                {"map", Describe(bytes), "it is shorter than announced or not sealed",
                 "master and worker must be of the same build"});
  }
  try {
    return SharedRegion(std::move(fd), bytes);
  } catch (const boost::interprocess::interprocess_exception& exception) {
    throw Error(Blame::kMachine, {"map", Describe(bytes), exception.what(), "free memory"});
  }
}

void RegionTable::Add(std::uint32_t id, std::shared_ptr<SharedRegion> region) {
  entries_.push_back({id, std::move(region)});
}

void RegionTable::Remove(std::uint32_t id) {
  std::erase_if(entries_, [id](const Entry& entry) { return entry.id == id; });
}

std::shared_ptr<SharedRegion> RegionTable::Find(std::uint32_t id) const {
  for (const Entry& entry : entries_) {
    if (entry.id == id) return entry.region;
  }
  return nullptr;
}

std::optional<Locator> RegionTable::Locate(std::span<const std::byte> bytes) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  for (const Entry& entry : entries_) {
    const std::span<std::byte> all = entry.region->bytes();
    const auto region_begin = reinterpret_cast<std::uintptr_t>(all.data());
    if (begin < region_begin || begin - region_begin > all.size()) continue;
    const std::size_t offset = begin - region_begin;
    if (bytes.size() > all.size() - offset) continue;
    return Locator{entry.id, 0, offset, bytes.size()};
  }
  return std::nullopt;
}

std::optional<std::span<std::byte>> RegionTable::Resolve(const Locator& locator) const {
  const std::shared_ptr<SharedRegion> region = Find(locator.region);
  if (region == nullptr) return std::nullopt;
  const std::span<std::byte> all = region->bytes();
  if (locator.offset > all.size() || locator.bytes > all.size() - locator.offset)
    return std::nullopt;
  return all.subspan(locator.offset, locator.bytes);
}

}  // namespace procpool
