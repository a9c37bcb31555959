// What travels for the task "rows": the counts of some points of a fractal. Only this task and its
// job know it.
//
//   context (once per job):   RowsContext
//   item, payload `rows`:     RowsItem                               16 bytes
//   item, payload `coords`:   z[n] then c[n] as (re, im) doubles     32 bytes a point
//   result:                   counts as int32, row-major             4 bytes a point
//
// These sizes are those of codec `raw`; the other codecs (codec.h) write items and results in forms
// of their own. The context is always as it is here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/codec.h"
#include "common/fractal.h"

namespace procpool {

inline constexpr std::string_view kRowsTask = "rows";

enum class RowsPayload : std::uint32_t { kRows, kCoords };
inline constexpr std::size_t kCoordsBytesPerPoint = 32;

struct RowsContext {
  Fractal fractal;
  std::array<char, 24> kernel{};  ///< name, zero-padded
  RowsPayload payload = RowsPayload::kRows;
  CodecId codec = CodecId::kRaw;

  std::string_view KernelName() const;
  void SetKernel(std::string_view name);
};
static_assert(std::is_trivially_copyable_v<RowsContext>);

struct RowsItem {
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;
};

/// Nothing if the bytes are not a context whose numbers are all in range.
std::optional<RowsContext> DecodeRowsContext(std::span<const std::byte> bytes);
/// Whether they are at least one row and lie inside the fractal.
bool AreRowsOf(const RowsItem& item, const Fractal& fractal);
/// An item of codec `raw`. Nothing unless AreRowsOf().
std::optional<RowsItem> DecodeRowsItem(std::span<const std::byte> bytes, const Fractal& fractal);

}  // namespace procpool
