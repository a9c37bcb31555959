// What was written is read back by libpng's reader, and the stream by zlib's.
#include "master/picture_png.h"

#include <gtest/gtest.h>
#include <png.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/error.h>
#include "master/png_pixels.h"
#include "master/png_strip.h"
#include "tests/decoded_png.h"
#include "tests/temporary_folder.h"

namespace procpool {
namespace {

enum class Sort { kGrays, kMixedGrays, kPalette, kRgb };

/// Bands with noise in every seventh line, as different from line to line as can be.
class FakePicture : public Picture {
 public:
  FakePicture(std::uint32_t width, std::uint32_t height, Sort sort)
      : Picture(width, height), sort_(sort) {
    const std::size_t size = sort == Sort::kRgb ? 0 : sort == Sort::kMixedGrays ? 5 : 256;
    for (std::size_t place = 0; place < size; ++place) palette_.push_back(ColourOf(place));
  }

  std::span<const Rgb> palette() const override { return palette_; }
  void Places(std::uint32_t line, std::span<std::uint8_t> places) const override {
    for (std::uint32_t column = 0; column < width(); ++column)
      places[column] = static_cast<std::uint8_t>(Value(line, column) % palette_.size());
  }
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override {
    for (std::uint32_t column = 0; column < width(); ++column) {
      const std::uint32_t value = Value(line, column);
      const Rgb colour = ColourOf(palette_.empty() ? value : value % palette_.size());
      const std::size_t at = std::size_t{3} * column;
      rgb[at] = colour.red;
      rgb[at + 1] = colour.green;
      rgb[at + 2] = colour.blue;
    }
  }
  /// As a reader shows them: one byte a pixel where they are grays.
  std::vector<std::uint8_t> Pixels() const {
    std::vector<std::uint8_t> all;
    std::vector<std::uint8_t> rgb(std::size_t{width()} * 3);
    const bool gray = sort_ == Sort::kGrays || sort_ == Sort::kMixedGrays;
    for (std::uint32_t line = 0; line < height(); ++line) {
      Colours(line, rgb);
      for (std::size_t i = 0; i < rgb.size(); i += gray ? 3 : 1) all.push_back(rgb[i]);
    }
    return all;
  }

 private:
  static std::uint32_t Value(std::uint32_t line, std::uint32_t column) {
    const std::uint32_t noise = (line * 2654435761U ^ column * 2246822519U) >> 7U;
    return line % 7 == 0 ? noise : line / 5 * 131U + column / 9;
  }
  Rgb ColourOf(std::size_t number) const {
    const auto byte = static_cast<std::uint8_t>(number);
    const auto mixed = static_cast<std::uint8_t>(number * 101 + 3);
    if (sort_ == Sort::kGrays) return {byte, byte, byte};
    if (sort_ == Sort::kMixedGrays) return {mixed, mixed, mixed};
    return {mixed, static_cast<std::uint8_t>(number >> 3U), static_cast<std::uint8_t>(255 - byte)};
  }

  Sort sort_;
  std::vector<Rgb> palette_;
};

class PicturePngTest : public testing::Test {
 protected:
  std::string Written(const Picture& picture, unsigned threads = 2) const {
    std::string path = folder_.In("a.png");
    OutputFile file(path);
    WritePng(file, picture, threads);
    file.Commit();
    return path;
  }

  TemporaryFolder folder_;
};

struct Shape {
  std::uint32_t width;
  std::uint32_t height;
};
/// A pixel; a column and a line; odd; exactly two strips of gray, and a line more; several strips
/// of a line each.
constexpr Shape kShapes[] = {{1, 1},      {1, 5000},   {5000, 1},   {61, 47},   {1, 300000},
                             {1023, 512}, {1023, 513}, {777, 1001}, {300001, 3}};
constexpr Sort kSorts[] = {Sort::kGrays, Sort::kMixedGrays, Sort::kPalette, Sort::kRgb};

TEST_F(PicturePngTest, ShowsEveryLineOfThePicture) {
  for (const Sort sort : kSorts) {
    for (const Shape& shape : kShapes) {
      const FakePicture picture(shape.width, shape.height, sort);
      const std::string path = Written(picture);
      const DecodedPng decoded = ReadPng(path);
      EXPECT_EQ(decoded.width, shape.width);
      EXPECT_EQ(decoded.height, shape.height);
      EXPECT_EQ(decoded.gray, sort == Sort::kGrays || sort == Sort::kMixedGrays);
      // Not EXPECT_EQ: it would print millions of pixels.
      EXPECT_TRUE(decoded.pixels == picture.Pixels()) << shape.width << " x " << shape.height;
      const PngPixels pixels(picture);
      EXPECT_FALSE(
          Inflated(StreamOf(FileBytes(path)), (pixels.stride() + 1) * shape.height).empty())
          << shape.width << " x " << shape.height << ": the stream or its check value";
    }
  }
}

TEST_F(PicturePngTest, AKindForEachPalette) {
  EXPECT_EQ(ColourTypeOf(FileBytes(Written(FakePicture(9, 9, Sort::kGrays)))), PNG_COLOR_TYPE_GRAY);
  EXPECT_EQ(ColourTypeOf(FileBytes(Written(FakePicture(9, 9, Sort::kMixedGrays)))),
            PNG_COLOR_TYPE_GRAY);
  EXPECT_EQ(ColourTypeOf(FileBytes(Written(FakePicture(9, 9, Sort::kPalette)))),
            PNG_COLOR_TYPE_PALETTE);
  EXPECT_EQ(ColourTypeOf(FileBytes(Written(FakePicture(9, 9, Sort::kRgb)))), PNG_COLOR_TYPE_RGB);
}

TEST_F(PicturePngTest, TheBytesDoNotDependOnTheThreads) {
  for (const Sort sort : kSorts) {
    const FakePicture picture(777, 1001, sort);
    const std::string one = FileBytes(Written(picture, 1));
    for (const unsigned threads : {2U, 3U, 16U})
      EXPECT_TRUE(FileBytes(Written(picture, threads)) == one) << threads;
  }
}

TEST_F(PicturePngTest, SaysHowManyThreadsThereWereAndWhatTheyTook) {
  OutputFile file(folder_.In("a.png"));
  const PictureTimes times = WritePng(file, FakePicture(777, 1001, Sort::kRgb), 3);
  EXPECT_EQ(times.threads, 3U);
  EXPECT_GT(times.colouring, 0);
  EXPECT_GT(times.compressing, 0);
  OutputFile small(folder_.In("b.png"));
  EXPECT_EQ(WritePng(small, FakePicture(7, 7, Sort::kRgb), 3).threads, 1U);
}

TEST(PngStripsTest, CoverThePictureWhateverItsShape) {
  for (const std::size_t stride : {1U, 4000U, 12000U, 262143U, 262144U, 10000000U}) {
    for (const std::uint32_t height : {1U, 2U, 63U, 4000U}) {
      const PngStrips strips = StripsOf(stride, height);
      EXPECT_GE(strips.lines, 1U);
      EXPECT_GE(strips.count * strips.lines, height);
      EXPECT_LT((strips.count - 1) * strips.lines, height);
    }
  }
}

/// One that fails when asked for its 900th line.
class BrokenPicture : public FakePicture {
 public:
  BrokenPicture() : FakePicture(1001, 1001, Sort::kRgb) {}
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override {
    if (line == 900) throw std::runtime_error("line 900");
    FakePicture::Colours(line, rgb);
  }
};

TEST_F(PicturePngTest, WhatThePictureThrowsIsThrownOn) {
  for (const unsigned threads : {1U, 4U})
    EXPECT_THROW(Written(BrokenPicture(), threads), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

/// While it lives no file may grow beyond some bytes.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(PicturePngTest, AWriteThatFailsInTheMiddleIsAnError) {
  const FakePicture picture(1001, 2001, Sort::kRgb);
  const std::size_t size = FileBytes(Written(picture)).size();
  std::filesystem::remove(folder_.In("a.png"));
  for (const unsigned threads : {1U, 4U}) {
    const FileLimit limit(size / 2);
    try {
      Written(picture, threads);
      ADD_FAILURE() << "written";
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::kMachine);
      EXPECT_NE(std::string_view(error.what()).find("File too large"), std::string_view::npos)
          << error.what();
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace procpool
