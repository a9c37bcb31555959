// Compiled for AVX2, so nothing of the C++ library is used here: the linker keeps one copy of an
// inline function, and the copy of this file must not be the one that every CPU runs.
#include "common/checksum_avx2.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

namespace procpool {

std::uint64_t HashAvx2(const void* bytes, std::size_t size) {
  return XXH3_64bits(bytes, size);
}

void AddToHashAvx2(void* state, const void* bytes, std::size_t size) {
  XXH3_64bits_update(static_cast<XXH3_state_t*>(state), bytes, size);
}

}  // namespace procpool
