// A PNG file as libpng's reader shows it, and as its chunks say it.
#pragma once

#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace procpool {

struct DecodedPng {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool gray = false;  ///< one byte a pixel, else three
  std::vector<std::uint8_t> pixels;
};

inline DecodedPng ReadPng(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_file(&image, path.c_str()), 0) << image.message;
  // A palette is read as the colours that it holds.
  image.format &= ~static_cast<png_uint_32>(PNG_FORMAT_FLAG_COLORMAP);
  DecodedPng picture{image.width, image.height, image.format == PNG_FORMAT_GRAY, {}};
  EXPECT_TRUE(picture.gray || image.format == PNG_FORMAT_RGB) << image.format;
  picture.pixels.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr), 0)
      << image.message;
  return picture;
}

inline std::string FileBytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// PNG_COLOR_TYPE_..., where the header has it.
inline int ColourTypeOf(const std::string& file) {
  return static_cast<std::uint8_t>(file.at(25));
}

/// The bytes of all IDAT chunks together.
inline std::string StreamOf(const std::string& file) {
  std::string stream;
  for (std::size_t at = 8; at + 12 <= file.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length = length << 8U | static_cast<std::uint8_t>(file[at + i]);
    if (file.compare(at + 4, 4, "IDAT") == 0) stream += file.substr(at + 8, length);
    at += 12 + length;
  }
  return stream;
}

/// What the stream says, its check value checked: libpng's reader makes do without. Empty where it
/// is not right, or not `size` bytes long.
inline std::string Inflated(const std::string& stream, std::size_t size) {
  std::string plain(size, '\0');
  uLongf got = size;
  const int result = uncompress(reinterpret_cast<Bytef*>(plain.data()), &got,
                                reinterpret_cast<const Bytef*>(stream.data()), stream.size());
  return result == Z_OK && got == size ? plain : std::string();
}

}  // namespace procpool
