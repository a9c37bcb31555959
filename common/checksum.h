// Sum and digest of counts, and the hash that every frame carries.
//
// Hash: XXH3-64 (https://xxhash.com), seed 0. Digest: the same of the whole grid as row-major
// little-endian int32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace procpool {

std::uint64_t Hash(std::span<const std::byte> bytes);

/// 16 lower-case hex digits, as the workloads' files write a digest.
std::string HexDigest(std::uint64_t digest);

struct Checksum {
  std::int64_t sum = 0;
  std::uint64_t digest = 0;
  bool operator==(const Checksum&) const = default;
};

/// Checksum of a grid that is handed over piece by piece, in order.
class ChecksumStream {
 public:
  ChecksumStream();
  ~ChecksumStream();
  ChecksumStream(const ChecksumStream&) = delete;
  ChecksumStream& operator=(const ChecksumStream&) = delete;

  void Add(std::span<const std::int32_t> counts);
  Checksum Result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::int64_t sum_ = 0;
};

Checksum ChecksumOf(std::span<const std::int32_t> counts);

}  // namespace procpool
