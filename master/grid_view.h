// A finished grid of counts as the writers of files see it: borrowed, never copied.
#pragma once

#include <cstdint>
#include <span>

namespace procpool {

struct GridView {
  /// Row-major, width * height of them, owned by the caller. -1 stands for a point that was given
  /// up.
  std::span<const std::int32_t> counts;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool origin_lower =
      false;  ///< pictures show row 0 at the bottom; arrays keep the order of the rows

  std::span<const std::int32_t> Row(std::uint32_t row) const {
    return counts.subspan(std::size_t{row} * width, width);
  }
  /// The row of the grid that a picture shows as its `line`-th from the top.
  std::span<const std::int32_t> PictureLine(std::uint32_t line) const {
    return Row(origin_lower ? height - 1 - line : line);
  }
};

}  // namespace procpool
