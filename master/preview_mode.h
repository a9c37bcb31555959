// How `--preview` shows the picture.
#pragma once

namespace procpool {

enum class PreviewMode {
  kAuto,  ///< as the terminal can
  kKitty,
  kSixel,
  kBlocks
};

}  // namespace procpool
