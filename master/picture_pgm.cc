#include "master/picture_pgm.h"

#include <string>
#include <vector>

namespace procpool {

void WritePgm(OutputFile& file, const GridView& grid, const Colormap& colormap) {
  const std::string header =
      "P5\n" + std::to_string(grid.width) + " " + std::to_string(grid.height) + "\n255\n";
  file.Write(std::as_bytes(std::span(header)));
  std::vector<std::uint8_t> pixels(grid.width);
  for (std::uint32_t line = 0; line < grid.height; ++line) {
    colormap.Gray(grid.PictureLine(line), pixels);
    file.Write(std::as_bytes(std::span(pixels)));
  }
}

}  // namespace procpool
