// The item of the task `produce`: how many bytes it shall answer with, and where their pattern
// (pattern.h) begins.
#pragma once

#include <cstdint>

namespace procpool {

struct ProduceItem {
  std::uint64_t bytes = 0;  ///< at most kMaxPayloadBytes
  std::uint64_t first = 0;  ///< first word of the pattern
};

inline constexpr char kProduceTask[] = "produce";

}  // namespace procpool
