// A grid as a NumPy array file: format 1.0, dtype '<i4', C order, shape (height, width), points
// given up as -1.
//
// The counts are written as they lie in memory, row 0 first, after a header of a multiple of 64
// bytes, so that numpy.load(file, mmap_mode="r") maps them aligned. Format: numpy.org, "NumPy
// enhancement proposal 1" and numpy.lib.format.
#pragma once

#include <cstdint>
#include <string>

#include "master/grid_view.h"
#include "master/output_file.h"

namespace procpool {

/// The header alone.
std::string NpyHeader(std::uint32_t width, std::uint32_t height);

/// Throws Error{kMachine} where writing fails. The caller commits the file.
void WriteNpy(OutputFile& file, const GridView& grid);

}  // namespace procpool
