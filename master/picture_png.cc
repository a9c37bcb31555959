#include "master/picture_png.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "master/attendant.h"
#include "master/in_order.h"
#include "master/png_file.h"
#include "master/png_pixels.h"
#include "master/png_strip.h"

namespace procpool {
namespace {

std::array<std::uint8_t, 4> BigEndian(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
          static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
}

}  // namespace

PictureTimes WritePng(OutputFile& file, const Picture& picture, unsigned threads) {
  const PngPixels pixels(picture);
  PngFile png(file);
  png.Begin(picture, pixels.kind());
  png.Data(PngStreamHead());

  const PngStrips strips = StripsOf(pixels.stride(), picture.height());
  PictureTimes times{.threads =
                         static_cast<unsigned>(std::min<std::size_t>(threads, strips.count))};
  // One more than is being made waits for being written, so that no thread waits for the disk.
  std::vector<PngStrip> slots(2 * std::size_t{times.threads});
  std::uint32_t check = 1;
  bool whole = true;
  MakeInOrder(
      {.count = strips.count,
       .threads = times.threads,
       .slots = slots.size(),
       .make = [&](std::size_t i, std::size_t slot) { slots[slot].Make(pixels, strips, i); },
       .take =
           [&](std::size_t /*i*/, std::size_t slot) {
             const PngStrip& strip = slots[slot];
             png.Data(strip.bytes());
             check = strip.CheckAfter(check);
             times.colouring += strip.colouring();
             times.compressing += strip.compressing();
             whole = !InterruptRequested();
             return whole;
           }});
  if (!whole) return times;
  png.Data(BigEndian(check));
  png.End();
  return times;
}

}  // namespace procpool
