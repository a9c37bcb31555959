// Writes a finished grid in the format that the file's name asks for.
//
// Everything that can be wrong with the request is found before the work starts: the name by
// GridFormatOf(), the map by FindColormap(), both together by RequireSuited(), the place by opening
// the OutputFile.
#pragma once

#include <string_view>

#include "master/colormap.h"
#include "master/grid_view.h"
#include "master/output_file.h"
#include "master/picture.h"
#include "master/picture_times.h"

namespace procpool {

enum class GridFormat { kPng, kPgm, kNpy };

/// By the extension, upper or lower case; Error{kUser} naming the ones that there are.
GridFormat GridFormatOf(std::string_view path);

/// Error{kUser} where the format cannot show the map: PGM and a map in colours. An array takes no
/// map, so any is right.
void RequireSuited(GridFormat format, const ColormapInfo& colormap);

/// Whether the format shows the grid as a picture; else it holds the counts.
bool NeedsPicture(GridFormat format);

/// Writes all of the grid; the caller commits the file. `picture` is the grid's, or null where
/// NeedsPicture() says no. Needs RequireSuited(), and a grid that is not empty and has
/// width * height counts (std::invalid_argument). Throws Error{kMachine} where writing fails. Once
/// InterruptRequested() the file may not be whole.
PictureTimes WriteGrid(OutputFile& file, GridFormat format, const GridView& grid,
                       const Picture* picture);

}  // namespace procpool
