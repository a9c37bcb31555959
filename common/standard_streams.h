// The standard streams of a program that somebody started with some of them closed. The next
// descriptor that is opened takes the number of a closed one, and whatever is printed goes there: a
// progress line into a result's file, a warning into the memory that is shared with a worker.
#pragma once

namespace procpool {

/// Opens those of descriptors 0 to 2 that are closed, so that no other gets their numbers. Reading
/// from and writing to them fails (EBADF) as it would have failed. To be called before anything is
/// opened.
void FillStandardStreams();

/// Whether standard error is one, and not a descriptor of this program that got its number: those
/// are close-on-exec.
bool HasStandardError();

/// Whether `fd` is open for writing.
bool CanBeWritten(int fd);

}  // namespace procpool
