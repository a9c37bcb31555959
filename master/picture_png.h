// A grid as a PNG picture: 8-bit gray where the colormap and the grid allow it, else 8-bit RGB.
//
// Coloured, compressed and written row by row: beside the grid only one row of pixels is in memory.
#pragma once

#include "master/colormap.h"
#include "master/grid_view.h"
#include "master/output_file.h"

namespace procpool {

/// Throws Error{kMachine} where writing fails or libpng refuses. The caller commits the file.
void WritePng(OutputFile& file, const GridView& grid, const Colormap& colormap);

}  // namespace procpool
