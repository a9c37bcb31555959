// A binary PGM picture (P5, 8 bits per pixel), the plainest format that tools of all kinds read.
//
// Pictures in grays only. One in colours is refused, not turned into luminance: several maps give
// the same luminance to very different counts, and a picture that looks right but is not is worse
// than none. Points given up, for which there is no magenta, are black and white stripes.
#pragma once

#include "master/output_file.h"
#include "master/picture.h"
#include "master/picture_times.h"

namespace procpool {

/// Throws std::invalid_argument at a pixel that is neither gray nor kGivenUpColour, and
/// Error{kMachine} where writing fails. Ends early, leaving a file that is not whole, once
/// InterruptRequested(). The caller commits the file.
PictureTimes WritePgm(OutputFile& file, const Picture& picture);

}  // namespace procpool
