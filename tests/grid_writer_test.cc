// What was written is read back by other code: PNG by libpng's reader, PGM and NPY byte by byte.
#include "master/grid_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/error.h>
#include "master/array_npy.h"
#include "master/picture_counts.h"
#include "master/picture_png.h"
#include "tests/decoded_png.h"
#include "tests/temporary_folder.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

class GridWriterTest : public testing::Test {
 protected:
  std::string Written(const std::string& name, const GridView& grid, std::string_view map) const {
    std::string path = folder_.In(name);
    OutputFile file(path);
    const CountPicture picture(grid, FindColormap(map));
    WriteGrid(file, GridFormatOf(path), grid, &picture);
    file.Commit();
    return path;
  }
  TemporaryFolder folder_;
};

/// 3 wide, 2 high; the largest count is 255, so that pure-gray shows each count as it is.
constexpr std::array<std::int32_t, 6> kCounts = {0, 1, 2, 100, 200, 255};
constexpr GridView kGrid{kCounts, 3, 2, false};
constexpr GridView kUpwards{kCounts, 3, 2, true};

TEST_F(GridWriterTest, GrayPngHasOneBytePerPixelAndRowZeroOnTop) {
  const DecodedPng picture = ReadPng(Written("a.png", kGrid, "pure-gray"));
  EXPECT_EQ(picture.width, 3U);
  EXPECT_EQ(picture.height, 2U);
  EXPECT_TRUE(picture.gray);
  EXPECT_EQ(picture.pixels, (std::vector<std::uint8_t>{0, 1, 2, 100, 200, 255}));
}

TEST_F(GridWriterTest, OriginLowerPutsRowZeroAtTheBottomOfPictures) {
  EXPECT_EQ(ReadPng(Written("a.png", kUpwards, "pure-gray")).pixels,
            (std::vector<std::uint8_t>{100, 200, 255, 0, 1, 2}));
  EXPECT_EQ(FileBytes(Written("a.pgm", kUpwards, "pure-gray")),
            std::string("P5\n3 2\n255\n\x64\xC8\xFF\x00\x01\x02", 17));
}

TEST_F(GridWriterTest, ColouredPngHoldsTheMapsColours) {
  const DecodedPng picture = ReadPng(Written("a.png", kGrid, "false-gray"));
  EXPECT_FALSE(picture.gray);
  EXPECT_EQ(picture.pixels, (std::vector<std::uint8_t>{0, 0, 0, 16, 16, 16, 32, 32, 32,  //
                                                       64, 70, 70, 128, 140, 140, 240, 255, 255}));
}

TEST_F(GridWriterTest, PointsGivenUpTurnAGrayPngIntoColours) {
  const std::vector<std::int32_t> counts = {255, -1};
  const DecodedPng picture = ReadPng(Written("a.png", {counts, 2, 1, false}, "pure-gray"));
  EXPECT_FALSE(picture.gray);
  EXPECT_EQ(picture.pixels, (std::vector<std::uint8_t>{255, 255, 255, 255, 0, 255}));
  EXPECT_EQ(FileBytes(Written("a.pgm", {counts, 2, 1, false}, "pure-gray")),
            std::string("P5\n2 1\n255\n\xFF\x00", 13));
}

TEST_F(GridWriterTest, NpyHeaderIsWhatNumpyWrites) {
  const std::string header = NpyHeader(1000, 500);
  ASSERT_EQ(header.size(), 128U);
  EXPECT_EQ(header.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  const std::string text = "{'descr': '<i4', 'fortran_order': False, 'shape': (500, 1000), }";
  EXPECT_EQ(header.substr(10), text + std::string(117 - text.size(), ' ') + "\n");
  // Whatever the number of digits, the counts begin at a multiple of 64 bytes and the length is
  // right.
  for (const std::uint32_t side : {1U, 10U, 12345U, 4294967295U}) {
    const std::string other = NpyHeader(side, side);
    EXPECT_EQ(other.size() % 64, 0U);
    EXPECT_EQ(other.back(), '\n');
    EXPECT_EQ(static_cast<std::uint8_t>(other[8]) + 256U * static_cast<std::uint8_t>(other[9]),
              other.size() - 10);
  }
}

TEST_F(GridWriterTest, NpyKeepsTheRowsInOrderWhateverPicturesDo) {
  const std::string bytes = FileBytes(Written("a.npy", kUpwards, "power"));
  const std::string header = NpyHeader(3, 2);
  ASSERT_EQ(bytes.size(), header.size() + 24);
  EXPECT_EQ(bytes.substr(0, header.size()), header);
  EXPECT_EQ(std::memcmp(bytes.data() + header.size(), kCounts.data(), 24), 0);
}

TEST_F(GridWriterTest, TheExtensionChoosesTheFormat) {
  EXPECT_EQ(GridFormatOf("a.png"), GridFormat::kPng);
  EXPECT_EQ(GridFormatOf("dir.x/A.PnG"), GridFormat::kPng);
  EXPECT_EQ(GridFormatOf("a.png.pgm"), GridFormat::kPgm);
  EXPECT_EQ(GridFormatOf(".NPY"), GridFormat::kNpy);
  for (const std::string_view path : {"a.jpg", "a", "dir.png/a", "a.png/", "", "png", "a.", "."}) {
    try {
      GridFormatOf(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(error.blame(), Blame::kUser);
      EXPECT_NE(text.find("one of .png, .pgm, .npy"), text.npos) << text;
    }
  }
}

TEST_F(GridWriterTest, PgmRefusesMapsInColours) {
  RequireSuited(GridFormat::kPgm, FindColormap("pure-gray"));
  RequireSuited(GridFormat::kPng, FindColormap("power"));
  RequireSuited(GridFormat::kNpy, FindColormap("power"));
  EXPECT_THROW(RequireSuited(GridFormat::kPgm, FindColormap("power")), Error);
  EXPECT_THROW(Written("a.pgm", kGrid, "power"), std::invalid_argument);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(GridWriterTest, AGridThatIsNotOneIsRefused) {
  for (const GridView& grid : {GridView{kCounts, 3, 3}, GridView{kCounts, 0, 2}, GridView{}})
    EXPECT_THROW(Written("a.png", grid, "power"), std::invalid_argument);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(GridWriterTest, AnotherGridsPictureIsRefused) {
  const CountPicture other({kCounts, 2, 3, false}, FindColormap("pure-gray"));
  OutputFile file(folder_.In("a.png"));
  EXPECT_THROW(WriteGrid(file, GridFormat::kPng, kGrid, &other), std::invalid_argument);
  EXPECT_THROW(WriteGrid(file, GridFormat::kPng, kGrid, nullptr), std::invalid_argument);
  WriteGrid(file, GridFormat::kNpy, kGrid, nullptr);
}

TEST_F(GridWriterTest, PointsGivenUpAreStripesInAPgm) {
  const std::vector<std::int32_t> counts = {7, -1, -1, -1, -1, -1, -1, -1, -1, 255};
  const std::string text = FileBytes(Written("a.pgm", {counts, 10, 1, false}, "pure-gray"));
  EXPECT_EQ(text.substr(text.size() - 10), std::string("\7\0\0\0\xFF\xFF\xFF\xFF\0\xFF", 10));
}

TEST_F(GridWriterTest, NoSpaceIsAnErrorInEveryFormat) {
  std::vector<std::int32_t> counts(1000000, 7);
  for (const GridFormat format : {GridFormat::kPng, GridFormat::kPgm, GridFormat::kNpy}) {
    OutputFile file("/dev/full");
    try {
      const GridView grid{counts, 1000, 1000, false};
      const CountPicture picture(grid, FindColormap("pure-gray"));
      WriteGrid(file, format, grid, &picture);
      ADD_FAILURE() << "written";
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::kMachine);
      EXPECT_NE(std::string(error.what()).find("No space left on device"), std::string::npos)
          << error.what();
    }
  }
}

TEST_F(GridWriterTest, WhatLibpngRefusesIsAnErrorWithItsWords) {
  // One more than the width that a PNG header can hold. The header comes first: no count is read.
  const CountPicture wide({kCounts, 0x80000000U, 1, false}, FindColormap("pure-gray"));
  OutputFile file(folder_.In("a.png"));
  try {
    WritePng(file, wide, 2);
    ADD_FAILURE() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kMachine);
    EXPECT_NE(std::string(error.what()).find("Invalid IHDR data"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace procpool
