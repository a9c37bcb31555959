// What the kernel `simd` needs of an instruction set: vectors of doubles and their arithmetic come
// from xsimd; here is what xsimd 8 has no word for (which lanes are set, packing, counting), and
// where its fma is none.
//
// Included by kernel_simd.h and unchecked_steps.h alone, and so by files that are compiled each for
// another instruction set: everything here is theirs alone (see kernel_simd.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

namespace procpool {
namespace {

/// Lanes<Arch>: Real and Mask; kCount of them in one vector; kRegisters of those; Bits(mask), lane
/// 0 the lowest; Doubled(p, c) = (p + p) + c; Counter, one number a lane, counting where a mask is
/// set, Of(n) with n in all lanes; Pair, two numbers a lane, each with a mask of its own: Alike
/// where both are the same, FirstsAre where the first one is n; Index, the number of a point a
/// lane; Pack writes the lanes of `bits` one after the other and may write up to kCount lanes
/// whatever they are.
template <class Arch>
struct Lanes;

template <>
struct Lanes<xsimd::sse2> {
  using Real = xsimd::batch<double, xsimd::sse2>;
  using Mask = xsimd::batch_bool<double, xsimd::sse2>;
  using Counter = __m128i;
  using Index = __m128i;
  static constexpr int kCount = 2;
  static constexpr int kRegisters = 16;

  static unsigned Bits(const Mask& mask) {
    return static_cast<unsigned>(_mm_movemask_pd(mask.data));
  }
  static int Size(unsigned bits) { return static_cast<int>((bits & 1) + (bits >> 1)); }
  static Real Doubled(Real p, Real c) { return (p + p) + c; }
  static Counter Of(std::int32_t number) { return _mm_set1_epi64x(number); }
  static Counter Count(Counter counter, const Mask& mask) {
    return _mm_sub_epi64(counter, _mm_castpd_si128(mask.data));  // a set lane is -1
  }
  static void Store(Counter counter, std::int32_t* to) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi32(counter, 0x08));
  }
  // The two firsts, then the two seconds.
  using Pair = __m128i;
  static Pair NoPair() { return _mm_setzero_si128(); }
  static Pair Count(Pair pair, const Mask& first, const Mask& second) {
    return _mm_sub_epi32(pair, _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(first.data),
                                                               _mm_castpd_ps(second.data), 0x88)));
  }
  static Mask Alike(Pair pair) {
    return Widened(_mm_cmpeq_epi32(pair, _mm_shuffle_epi32(pair, 0x4e)));
  }
  static Mask FirstsAre(Pair pair, std::int32_t number) {
    return Widened(_mm_cmpeq_epi32(pair, _mm_set1_epi32(number)));
  }
  static Mask Widened(__m128i halves) {
    return Mask(_mm_castsi128_pd(_mm_unpacklo_epi32(halves, halves)));
  }
  static void StoreFirsts(Pair pair, std::int32_t* to) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), pair);
  }
  static Index From(std::uint32_t first) {
    return _mm_add_epi32(_mm_set1_epi32(static_cast<int>(first)), _mm_setr_epi32(0, 1, 0, 0));
  }
  static Index All(std::uint32_t one) { return _mm_set1_epi32(static_cast<int>(one)); }
  static Index Load(const std::uint32_t* from) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  }
  static void Store(Index index, std::uint32_t* to) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), index);
  }
  static void Pack(double* to, unsigned bits, Real real) {
    _mm_storeu_pd(to, bits == 2 ? _mm_unpackhi_pd(real.data, real.data) : real.data);
  }
  static void Pack(std::uint32_t* to, unsigned bits, Index index) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to),
                     bits == 2 ? _mm_shuffle_epi32(index, 0x01) : index);
  }
};

#if XSIMD_WITH_FMA3_AVX2

/// For each set of lanes of four, which lane comes first, second, …
struct PackingOrders {
  alignas(32) int pairs[16][8];  // the same for halves of lanes  NOLINT
  alignas(16) int lanes[16][4];  // NOLINT
};

constexpr PackingOrders MakePackingOrders() {
  PackingOrders orders{};
  for (int bits = 0; bits < 16; ++bits) {
    int* next_half = orders.pairs[bits];
    int* next = orders.lanes[bits];
    for (int lane = 0; lane < 4; ++lane) {
      if ((bits >> lane & 1) == 0) continue;
      *next++ = lane;
      *next_half++ = 2 * lane;
      *next_half++ = 2 * lane + 1;
    }
  }
  return orders;
}

constexpr PackingOrders kPackingOrders = MakePackingOrders();

template <>
struct Lanes<xsimd::fma3<xsimd::avx2>> {
  using Arch = xsimd::fma3<xsimd::avx2>;
  using Real = xsimd::batch<double, Arch>;
  using Mask = xsimd::batch_bool<double, Arch>;
  using Counter = __m256i;
  using Index = __m128i;
  static constexpr int kCount = 4;
  static constexpr int kRegisters = 16;

  static unsigned Bits(const Mask& mask) {
    return static_cast<unsigned>(_mm256_movemask_pd(mask.data));
  }
  static int Size(unsigned bits) { return __builtin_popcount(bits); }
  static Real Doubled(Real p, Real c) {
    return Real(_mm256_fmadd_pd(p.data, _mm256_set1_pd(2.0), c.data));
  }
  static Counter Of(std::int32_t number) { return _mm256_set1_epi64x(number); }
  static Counter Count(Counter counter, const Mask& mask) {
    return _mm256_sub_epi64(counter, _mm256_castpd_si256(mask.data));  // a set lane is -1
  }
  static void Store(Counter counter, std::int32_t* to) {
    const __m256i low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(counter, low_halves)));
  }
  // The first one in the lower half of each lane: one register serves both.
  using Pair = __m256i;
  static Pair NoPair() { return _mm256_setzero_si256(); }
  static Pair Count(Pair pair, const Mask& first, const Mask& second) {
    return _mm256_sub_epi32(pair, _mm256_blend_epi32(_mm256_castpd_si256(first.data),
                                                     _mm256_castpd_si256(second.data), 0xaa));
  }
  static Mask Alike(Pair pair) {
    const __m256i equal = _mm256_cmpeq_epi32(pair, _mm256_shuffle_epi32(pair, 0xb1));
    return Mask(_mm256_castsi256_pd(equal));
  }
  static Mask FirstsAre(Pair pair, std::int32_t number) {
    const __m256i equal = _mm256_cmpeq_epi32(pair, _mm256_set1_epi32(number));
    return Mask(_mm256_castsi256_pd(_mm256_shuffle_epi32(equal, 0xa0)));
  }
  static void StoreFirsts(Pair pair, std::int32_t* to) { Store(pair, to); }
  static Index From(std::uint32_t first) {
    return _mm_add_epi32(_mm_set1_epi32(static_cast<int>(first)), _mm_setr_epi32(0, 1, 2, 3));
  }
  static Index All(std::uint32_t one) { return _mm_set1_epi32(static_cast<int>(one)); }
  static Index Load(const std::uint32_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  static void Store(Index index, std::uint32_t* to) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), index);
  }
  static void Pack(double* to, unsigned bits, Real real) {
    const auto* order = reinterpret_cast<const __m256i*>(kPackingOrders.pairs[bits]);
    const __m256i packed =
        _mm256_permutevar8x32_epi32(_mm256_castpd_si256(real.data), _mm256_load_si256(order));
    _mm256_storeu_pd(to, _mm256_castsi256_pd(packed));
  }
  static void Pack(std::uint32_t* to, unsigned bits, Index index) {
    const auto* order = reinterpret_cast<const __m128i*>(kPackingOrders.lanes[bits]);
    const __m128 packed = _mm_permutevar_ps(_mm_castsi128_ps(index), _mm_load_si128(order));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_castps_si128(packed));
  }
};

#endif

#if XSIMD_WITH_AVX512DQ && defined(__AVX512VL__)

template <>
struct Lanes<xsimd::avx512dq> {
  using Arch = xsimd::avx512dq;
  using Real = xsimd::batch<double, Arch>;
  using Mask = xsimd::batch_bool<double, Arch>;
  using Counter = __m512i;
  using Index = __m256i;
  static constexpr int kCount = 8;
  static constexpr int kRegisters = 32;

  static unsigned Bits(const Mask& mask) { return mask.data; }
  static int Size(unsigned bits) { return __builtin_popcount(bits); }
  static Real Doubled(Real p, Real c) {
    return Real(_mm512_fmadd_pd(p.data, _mm512_set1_pd(2.0), c.data));
  }
  static Counter Of(std::int32_t number) { return _mm512_set1_epi64(number); }
  static Counter Count(Counter counter, const Mask& mask) {
    return _mm512_mask_add_epi64(counter, mask.data, counter, _mm512_set1_epi64(1));
  }
  static void Store(Counter counter, std::int32_t* to) {
    // The form without a mask begins with a value that is not set, which GCC 12 warns of.
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_maskz_cvtepi64_epi32(0xff, counter));
  }
  // Registers are plenty here, and a masked count is one operation.
  struct Pair {
    Counter first, second;
  };
  static Pair NoPair() { return {Of(0), Of(0)}; }
  static Pair Count(Pair pair, const Mask& first, const Mask& second) {
    return {Count(pair.first, first), Count(pair.second, second)};
  }
  static Mask Alike(Pair pair) { return Mask(_mm512_cmpeq_epi64_mask(pair.first, pair.second)); }
  static Mask FirstsAre(Pair pair, std::int32_t number) {
    return Mask(_mm512_cmpeq_epi64_mask(pair.first, _mm512_set1_epi64(number)));
  }
  static void StoreFirsts(Pair pair, std::int32_t* to) { Store(pair.first, to); }
  static Index From(std::uint32_t first) {
    return _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(first)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Index All(std::uint32_t one) { return _mm256_set1_epi32(static_cast<int>(one)); }
  static Index Load(const std::uint32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void Store(Index index, std::uint32_t* to) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), index);
  }
  static void Pack(double* to, unsigned bits, Real real) {
    _mm512_storeu_pd(to, _mm512_maskz_compress_pd(static_cast<__mmask8>(bits), real.data));
  }
  static void Pack(std::uint32_t* to, unsigned bits, Index index) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm256_maskz_compress_epi32(static_cast<__mmask8>(bits), index));
  }
};

#endif

}  // namespace
}  // namespace procpool
