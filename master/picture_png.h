// A PNG picture: 8-bit gray where the picture has a palette of grays, 8-bit palette where it has
// another, else 8-bit RGB.
//
// Coloured, compressed and written row by row: beside the picture only one row of pixels is in
// memory.
#pragma once

#include "master/output_file.h"
#include "master/picture.h"

namespace procpool {

/// Throws Error{kMachine} where writing fails or libpng refuses. The caller commits the file.
void WritePng(OutputFile& file, const Picture& picture);

}  // namespace procpool
