// The job over MPI: rank 0 gives chunks to whoever is free, the other ranks compute. README.md says
// how it is asked.
//
// Start it with one rank more than --procs. A rank that waits in MPI_Recv spins, which would
// disturb whatever is measured beside this peer; so between runs the workers look for a message
// once a millisecond, and before the clock starts rank 0 wakes them and hears from each.
#include <mpi.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "tests/peers/native_peer.h"

namespace procpool {
namespace {

// Tags of messages. To a worker: the run begins, a chunk by number, its coordinates, the run is
// over, leave. From a worker: awake, counts.
enum Tag { kWake, kChunk, kCoords, kRunOver, kLeave, kAwake, kCounts };

int Elements(std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw std::runtime_error("a chunk is too large for one message: use more chunks");
  }
  return static_cast<int>(count);
}

void Signal(int rank, Tag tag) {
  MPI_Send(nullptr, 0, MPI_BYTE, rank, tag, MPI_COMM_WORLD);
}

/// Waits without spinning.
MPI_Status SleepUntilMessage() {
  for (;;) {
    int arrived = 0;
    MPI_Status status;
    MPI_Iprobe(0, MPI_ANY_TAG, MPI_COMM_WORLD, &arrived, &status);
    if (arrived != 0) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class Worker {
 public:
  explicit Worker(const PeerTask& task) : task_(task), computer_(task.fractal, task.kernel) {}

  void Serve() {
    while (SleepUntilMessage().MPI_TAG == kWake) {
      MPI_Recv(nullptr, 0, MPI_BYTE, 0, kWake, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      Signal(0, kAwake);
      while (OneChunk()) {
      }
    }
    MPI_Recv(nullptr, 0, MPI_BYTE, 0, kLeave, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }

 private:
  /// False when the run is over.
  bool OneChunk() {
    std::uint64_t id = 0;
    MPI_Status status;
    MPI_Recv(&id, 1, MPI_UINT64_T, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    if (status.MPI_TAG != kChunk) return false;
    const Chunk& chunk = task_.chunks.at(id);
    counts_.resize(task_.PointsIn(chunk));
    if (task_.payload == RowsPayload::kCoords) {
      coords_.resize(4 * counts_.size());
      MPI_Recv(coords_.data(), Elements(coords_.size()), MPI_DOUBLE, 0, kCoords, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
      ComputeCoords(task_, coords_.data(), counts_);
    } else {
      computer_.Compute(task_.PointOf(chunk), counts_);
    }
    MPI_Send(counts_.data(), Elements(counts_.size()), MPI_INT32_T, 0, kCounts, MPI_COMM_WORLD);
    return true;
  }

  const PeerTask& task_;
  RowsComputer computer_;
  std::vector<double> coords_;
  std::vector<std::int32_t> counts_;
};

class Master {
 public:
  Master(const PeerTask& task, int workers)
      : task_(task), workers_(workers), given_(static_cast<std::size_t>(workers) + 1) {}

  void Serve() {
    const Nanoseconds begun = Now();
    coords_ = CoordsOf(task_);
    const double coords_seconds = Seconds(Now() - begun);
    int length = 0;
    std::string library(MPI_MAX_LIBRARY_VERSION_STRING, '\0');
    MPI_Get_library_version(library.data(), &length);
    const std::string version = library.substr(0, library.find(','));
    ServePeer(
        "MPI", version, task_, coords_seconds, [this] { Wake(); },
        [this](std::span<std::int32_t> grid) { Run(grid); });
  }

  void Leave() const {
    for (int rank = 1; rank <= workers_; ++rank) Signal(rank, kLeave);
  }

 private:
  void Wake() const {
    for (int rank = 1; rank <= workers_; ++rank) Signal(rank, kWake);
    for (int rank = 1; rank <= workers_; ++rank) {
      MPI_Recv(nullptr, 0, MPI_BYTE, rank, kAwake, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
  }

  void Give(int rank, std::size_t id) {
    const std::uint64_t number = id;
    MPI_Send(&number, 1, MPI_UINT64_T, rank, kChunk, MPI_COMM_WORLD);
    const Chunk& chunk = task_.chunks[id];
    if (!coords_.empty()) {
      MPI_Send(coords_.data() + 4 * task_.PointOf(chunk), Elements(4 * task_.PointsIn(chunk)),
               MPI_DOUBLE, rank, kCoords, MPI_COMM_WORLD);
    }
    given_[static_cast<std::size_t>(rank)] = id;
  }

  /// Counts are received straight into their place.
  void Run(std::span<std::int32_t> grid) {
    std::size_t next = 0;
    const std::size_t chunks = task_.chunks.size();
    for (int rank = 1; rank <= workers_ && next < chunks; ++rank) Give(rank, next++);
    for (std::size_t done = 0; done < chunks; ++done) {
      MPI_Status status;
      MPI_Probe(MPI_ANY_SOURCE, kCounts, MPI_COMM_WORLD, &status);
      const int rank = status.MPI_SOURCE;
      const Chunk& chunk = task_.chunks[given_[static_cast<std::size_t>(rank)]];
      MPI_Recv(grid.data() + task_.PointOf(chunk), Elements(task_.PointsIn(chunk)), MPI_INT32_T,
               rank, kCounts, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      if (next < chunks) Give(rank, next++);
    }
    for (int rank = 1; rank <= workers_; ++rank) Signal(rank, kRunOver);
  }

  const PeerTask& task_;
  int workers_;
  std::vector<std::size_t> given_;  // by rank: the chunk it has
  std::vector<double> coords_;
};

int Main(int argc, char** argv) {
  // mpirun gives every rank a process group of its own: who kills mpirun's would not reach them.
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) return 1;
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  std::optional<PeerTask> task;
  try {
    task = ParsePeerTask({argv, static_cast<std::size_t>(argc)});
    if (ranks != task->procs + 1) throw std::runtime_error("needs one rank more than --procs");
    for (const Chunk& chunk : task->chunks) Elements(4 * task->PointsIn(chunk));
  } catch (const std::exception& error) {
    // The command line is the same everywhere: every rank gets here or none.
    if (rank == 0) SayMissing(error.what());
    MPI_Finalize();
    return 0;
  }
  try {
    if (rank == 0) {
      Master master(*task, ranks - 1);
      master.Serve();
      master.Leave();
    } else {
      Worker(*task).Serve();
    }
  } catch (const std::exception& error) {
    std::cerr << "peer_mpi: " << error.what() << std::endl;
    MPI_Abort(MPI_COMM_WORLD, 1);  // the other ranks would wait for this one for ever
  }
  MPI_Finalize();
  return 0;
}

}  // namespace
}  // namespace procpool

int main(int argc, char** argv) {
  return procpool::Main(argc, argv);
}
