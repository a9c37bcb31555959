// The worker's side of a program.
//
// A program that is its own worker begins its main() with worker_main_if_asked(). A worker program
// of one's own, which is smaller and starts faster, defines its tasks (procpool/task.h) and is
// nothing else:
//
//   int main(int argc, char** argv) { return procpool::worker_main(argc, argv); }
#pragma once

#include <procpool/detail/export.h>

namespace procpool {

/// Serves the master that started this process until that says stop or is gone. Returns the exit
/// code: 0; 1 if something went wrong, with a line on standard error; 2 if it was not started by a
/// pool.
PROCPOOL_EXPORT int worker_main(int argc, char** argv);

/// Where a pool has started this program as its worker: worker_main(), and exits. Else it returns
/// at once. To be called first in main(): what stands before it, each worker does as well.
PROCPOOL_EXPORT void worker_main_if_asked(int argc, char** argv);

}  // namespace procpool
