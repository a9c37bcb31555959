#include "master/plan.h"

#include <algorithm>

namespace procpool {
namespace {

// Chunk i of n covers rows [i*rows/n, (i+1)*rows/n): sizes differ by at most one. 128 bits hold
// every product.
__extension__ using Product = unsigned __int128;

std::uint64_t Boundary(std::uint64_t rows, std::uint64_t chunk, std::uint64_t chunks) {
  return static_cast<std::uint64_t>(static_cast<Product>(rows) * chunk / chunks);
}

std::vector<Chunk> EqualChunks(std::uint64_t rows, std::uint64_t chunks) {
  std::vector<Chunk> result;
  result.reserve(chunks);
  for (std::uint64_t id = 0; id < chunks; ++id) {
    const std::uint64_t first = Boundary(rows, id, chunks);
    result.push_back({id, first, Boundary(rows, id + 1, chunks) - first});
  }
  return result;
}

std::vector<Chunk> ShrinkingChunks(std::uint64_t rows, std::uint64_t chunks, unsigned procs) {
  std::vector<Chunk> result;
  const std::uint64_t least = std::max<std::uint64_t>(1, rows / chunks);
  for (std::uint64_t first = 0; first < rows;) {
    const std::uint64_t remaining = rows - first;
    const std::uint64_t size =
        std::min(remaining, std::max(least, remaining / (2 * std::uint64_t{procs})));
    result.push_back({result.size(), first, size});
    first += size;
  }
  return result;
}

}  // namespace

std::optional<Schedule> ParseSchedule(std::string_view name) {
  for (const Schedule schedule : {Schedule::kDynamic, Schedule::kStatic, Schedule::kGuided}) {
    if (ScheduleName(schedule) == name) return schedule;
  }
  return std::nullopt;
}

std::string_view ScheduleName(Schedule schedule) {
  switch (schedule) {
    case Schedule::kStatic:
      return "static";
    case Schedule::kGuided:
      return "guided";
    default:
      return "dynamic";
  }
}

Plan MakePlan(std::uint64_t rows, std::uint64_t chunks, unsigned procs, Schedule schedule) {
  Plan plan;
  plan.clamped = chunks > rows;
  chunks = std::min(chunks, rows);
  plan.chunks = schedule == Schedule::kGuided ? ShrinkingChunks(rows, chunks, procs)
                                              : EqualChunks(rows, chunks);
  if (schedule == Schedule::kStatic) {
    plan.owners.reserve(chunks);
    for (std::uint64_t id = 0; id < chunks; ++id) {
      plan.owners.push_back(static_cast<unsigned>(Boundary(procs, id, chunks)));
    }
  }
  return plan;
}

}  // namespace procpool
