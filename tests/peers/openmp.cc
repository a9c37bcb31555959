// The job over OpenMP: threads that take the next chunk, schedule(dynamic), as one would write it
// without a pool. README.md says how it is asked.
//
// Nothing travels: the threads write into one grid and, under `coords`, read one array of
// coordinates. This is what processes have to be compared with.
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "common/clock.h"
#include "tests/peers/native_peer.h"

namespace procpool {
namespace {

void ComputeChunks(const PeerTask& task, const std::vector<double>& coords,
                   std::span<std::int32_t> grid) {
  const auto chunks = static_cast<std::int64_t>(task.chunks.size());
#pragma omp parallel num_threads(task.procs)
  {
    RowsComputer computer(task.fractal, task.kernel);
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < chunks; ++i) {
      const Chunk& chunk = task.chunks[static_cast<std::size_t>(i)];
      const auto counts = grid.subspan(task.PointOf(chunk), task.PointsIn(chunk));
      if (coords.empty()) {
        computer.Compute(task.PointOf(chunk), counts);
      } else {
        ComputeCoords(task, coords.data() + 4 * task.PointOf(chunk), counts);
      }
    }
  }
}

int Main(std::span<char* const> arguments) {
  PeerTask task;
  try {
    task = ParsePeerTask(arguments);
  } catch (const std::exception& error) {
    SayMissing(error.what());
    return 0;
  }
  try {
    const Nanoseconds begun = Now();
    const std::vector<double> coords = CoordsOf(task);
    const double coords_seconds = Seconds(Now() - begun);
    std::vector<std::int32_t> warming(task.points());
    ComputeChunks(task, coords, warming);  // the threads live from here on
    ServePeer(
        "OpenMP", "OpenMP " + std::to_string(_OPENMP), task, coords_seconds, [] {},
        [&](std::span<std::int32_t> grid) { ComputeChunks(task, coords, grid); });
  } catch (const std::exception& error) {
    std::cerr << "peer_openmp: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace procpool

int main(int argc, char** argv) {
  return procpool::Main({argv, static_cast<std::size_t>(argc)});
}
