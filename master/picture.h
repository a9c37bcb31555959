// A picture of a job, line by line from the top, as the writers of files and the preview see it:
// what a pixel's colour comes from (a count, a smooth value, who computed it) they need not know.
//
// Pure: lines may be asked for in any order, again, and from several threads at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace procpool {

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  bool operator==(const Rgb&) const = default;
};

/// Of points that were given up. No other point of a picture has it.
inline constexpr Rgb kGivenUpColour{255, 0, 255};

class Picture {
 public:
  virtual ~Picture() = default;
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  std::uint32_t width() const { return width_; }
  std::uint32_t height() const { return height_; }

  /// All colours that occur, at most 256 of them; empty where there are more.
  virtual std::span<const Rgb> palette() const = 0;
  /// The place in palette() of each pixel of a line: places.size() == width(). Only where palette()
  /// is not empty.
  virtual void Places(std::uint32_t line, std::span<std::uint8_t> places) const = 0;
  /// Three bytes a pixel: rgb.size() == 3 * width().
  virtual void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const = 0;

 protected:
  Picture(std::uint32_t width, std::uint32_t height) : width_(width), height_(height) {}

 private:
  std::uint32_t width_;
  std::uint32_t height_;
};

}  // namespace procpool
