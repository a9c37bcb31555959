// What the peers written in C++ share: their command line, the workload, the lines of the protocol.
//
// README.md beside this file is the protocol. The kernel, the axes and the plan's boundaries are
// procpool's own code, so that what differs from procpool is what carries the work and nothing
// else.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/chunk.h"
#include "common/fractal.h"
#include "common/kernel.h"
#include "common/rows_payload.h"

namespace procpool {

/// The fractal of a workload's JSON text. Throws std::exception with the reason.
Fractal FractalOfJson(const std::string& text);

/// What the command line asks for.
struct PeerTask {
  Fractal fractal;
  Kernel kernel;
  RowsPayload payload = RowsPayload::kRows;
  int procs = 1;
  std::vector<Chunk> chunks;
  std::string grid_file;

  std::size_t points() const { return std::size_t{fractal.Width()} * fractal.Height(); }
  std::size_t PointOf(const Chunk& chunk) const { return chunk.first_row * fractal.Width(); }
  std::size_t PointsIn(const Chunk& chunk) const { return chunk.rows * fractal.Width(); }
};

/// Throws std::exception with the reason.
PeerTask ParsePeerTask(std::span<char* const> arguments);

/// z and c of the whole grid, chunk after chunk as the payload `coords` has them: z[2n] then c[2n]
/// of the chunk's n points. Empty under `rows`.
std::vector<double> CoordsOf(const PeerTask& task);

/// Counts of the points whose coordinates `coords` holds; reads every one of them, whatever the
/// kernel.
void ComputeCoords(const PeerTask& task, const double* coords, std::span<std::int32_t> counts);

/// Announces the peer, then calls `run` for every "run" that is asked for, times it, writes the
/// grid and answers; returns at "quit" or when the master is gone. `prepare` is called before each
/// run, outside its time.
void ServePeer(std::string_view name, std::string_view version, const PeerTask& task,
               double coords_seconds, const std::function<void()>& prepare,
               const std::function<void(std::span<std::int32_t> grid)>& run);

/// One line: why this peer cannot do the job here.
void SayMissing(std::string_view reason);

}  // namespace procpool
