// How long a picture took, besides the writing of its file (output_file.h).
#pragma once

#include "common/clock.h"

namespace procpool {

struct PictureTimes {
  unsigned threads = 1;
  /// Wall time, summed over the threads.
  Nanoseconds colouring = 0;
  Nanoseconds compressing = 0;
};

}  // namespace procpool
