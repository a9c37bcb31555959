// The plan: rows into chunks. Pure.
//
// Promise: every row is in exactly one chunk; ids count from 0 in order of rows.
//   static, dynamic   `chunks` chunks whose sizes differ by at most one
//   guided            each chunk takes remaining / (2 * procs) rows, but at least rows / chunks, so
//   sizes shrink
// More chunks than rows are clamped to one row each (`clamped` tells).
// Under static every worker owns a contiguous share of the chunks, given by `owners`; otherwise
// `owners` is empty and a chunk goes to whoever is free.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/chunk.h"

namespace procpool {

enum class Schedule { kDynamic, kStatic, kGuided };

std::optional<Schedule> ParseSchedule(std::string_view name);
std::string_view ScheduleName(Schedule schedule);

struct Plan {
  std::vector<Chunk> chunks;
  std::vector<unsigned> owners;  ///< static: owners[id] is the worker that owns chunk id
  bool clamped = false;
};

/// rows, chunks and procs are at least 1.
Plan MakePlan(std::uint64_t rows, std::uint64_t chunks, unsigned procs, Schedule schedule);

}  // namespace procpool
