// A grid as a binary PGM picture (P5, 8 bits per pixel), the plainest format that tools of all
// kinds read.
//
// Gray maps only. A map in colours is refused, not turned into luminance: several of them give the
// same luminance to very different counts, and a picture that looks right but is not is worse than
// none.
#pragma once

#include "master/colormap.h"
#include "master/grid_view.h"
#include "master/output_file.h"

namespace procpool {

/// Needs colormap.HasGray(). Throws Error{kMachine} where writing fails. The caller commits the
/// file.
void WritePgm(OutputFile& file, const GridView& grid, const Colormap& colormap);

}  // namespace procpool
