#include "common/checksum.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <bit>
#include <string_view>

#include "common/checksum_avx2.h"

namespace procpool {
namespace {

// Up to here XXH3 mixes whole words, and vectors are of no use.
constexpr std::size_t kShort = 240;

bool HasAvx2() {
  return __builtin_cpu_supports("avx2") != 0;
}

static_assert(std::endian::native == std::endian::little,
              "the digest is defined over little-endian counts, and is taken of memory as it is");

std::int64_t SumOf(std::span<const std::int32_t> counts) {
  std::int64_t sum = 0;
  for (const std::int32_t count : counts) sum += count;
  return sum;
}

}  // namespace

std::uint64_t Hash(std::span<const std::byte> bytes) {
  if (bytes.size() > kShort && HasAvx2()) return HashAvx2(bytes.data(), bytes.size());
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string HexDigest(std::uint64_t digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit) {
    *digit = kDigits[digest & 15U];
    digest >>= 4U;
  }
  return text;
}

struct ChecksumStream::State {
  XXH3_state_t hash;
};

ChecksumStream::ChecksumStream() : state_(std::make_unique<State>()) {
  XXH3_64bits_reset(&state_->hash);
}

ChecksumStream::~ChecksumStream() = default;

void ChecksumStream::Add(std::span<const std::int32_t> counts) {
  if (HasAvx2()) {
    AddToHashAvx2(&state_->hash, counts.data(), counts.size_bytes());
  } else {
    XXH3_64bits_update(&state_->hash, counts.data(), counts.size_bytes());
  }
  sum_ += SumOf(counts);
}

Checksum ChecksumStream::Result() const {
  return {.sum = sum_, .digest = XXH3_64bits_digest(&state_->hash)};
}

Checksum ChecksumOf(std::span<const std::int32_t> counts) {
  return {.sum = SumOf(counts), .digest = Hash(std::as_bytes(counts))};
}

}  // namespace procpool
