// A PNG picture: 8-bit gray where the picture has a palette of grays, 8-bit palette where it has
// another, else 8-bit RGB.
//
// Coloured and compressed in strips of some lines, by several threads, and written in order: beside
// the picture only a few strips are in memory. The file's bytes do not depend on the threads.
#pragma once

#include "master/output_file.h"
#include "master/picture.h"
#include "master/picture_times.h"

namespace procpool {

/// Throws Error{kMachine} where writing fails or libpng refuses. Ends early, leaving a file that is
/// not whole, once InterruptRequested(). The caller commits the file.
PictureTimes WritePng(OutputFile& file, const Picture& picture, unsigned threads);

}  // namespace procpool
