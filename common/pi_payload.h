// The task `pi`: how many of some points, thrown at random into the square from -1 to 1, lie inside
// the circle of radius 1. Item: a PiItem; result: the number, a std::uint64_t.
#pragma once

#include <cstdint>

namespace procpool {

struct PiItem {
  std::uint64_t seed = 0;
  std::uint64_t first = 0;  ///< number of its first point; point n of a seed is always the same
  std::uint64_t points = 0;
};

inline constexpr char kPiTask[] = "pi";

/// Hits of an item. Pure.
std::uint64_t PointsInCircle(const PiItem& item);

}  // namespace procpool
