// Colours by lightness, chroma and hue, equal steps of which look about equally large.
#pragma once

#include "master/picture.h"

namespace procpool {

/// lightness 0 to 1, chroma 0 (gray) to about 0.3, hue in degrees. What sRGB does not have is cut
/// off channel by channel, which changes the hue. Formula and constants: Bjorn Ottosson, "A
/// perceptual color space for image processing" (2020).
Rgb FromOklch(double lightness, double chroma, double hue_degrees);

}  // namespace procpool
