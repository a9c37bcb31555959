// What a preview takes for granted of its surroundings, and how large it becomes. What a terminal
// sees is tests/e2e/test_preview.py's.
#include "master/preview.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "common/unique_fd.h"
#include "tests/rgb_images.h"

namespace procpool {
namespace {

using preview::ColoursFor;
using preview::RoomForBlocks;
using preview::RoomForPixels;

TEST(PreviewColoursTest, ByTheEnvironment) {
  EXPECT_EQ(ColoursFor({}), BlockColours::k24Bit);
  EXPECT_EQ(ColoursFor({.term = "xterm"}), BlockColours::k24Bit);
  EXPECT_EQ(ColoursFor({.term = "xterm-kitty"}), BlockColours::k24Bit);
  EXPECT_EQ(ColoursFor({.term = "xterm-256color"}), BlockColours::k256);
  EXPECT_EQ(ColoursFor({.term = "screen.xterm-256color", .colorterm = ""}), BlockColours::k256);
  EXPECT_EQ(ColoursFor({.term = "xterm-256color", .colorterm = "truecolor"}), BlockColours::k24Bit);
  EXPECT_EQ(ColoursFor({.term = "tmux-256color", .colorterm = "24bit"}), BlockColours::k24Bit);
  EXPECT_EQ(ColoursFor({.term = "xterm-256color", .colorterm = "rxvt"}), BlockColours::k256);
}

TEST(PreviewColoursTest, NoneWhereNoneAreWanted) {
  EXPECT_EQ(ColoursFor({.no_color = "1", .term = "xterm", .utf8 = true}), BlockColours::kShades);
  EXPECT_EQ(ColoursFor({.no_color = "1", .term = "xterm"}), BlockColours::kShadesAscii);
  EXPECT_EQ(ColoursFor({.no_color = "", .term = "xterm"}), BlockColours::k24Bit);
  EXPECT_EQ(ColoursFor({.term = "dumb", .colorterm = "truecolor", .utf8 = true}),
            BlockColours::kShades);
  EXPECT_EQ(ColoursFor({.no_color = "0", .term = "xterm-256color", .colorterm = "truecolor"}),
            BlockColours::kShadesAscii);
}

TEST(PreviewRoomTest, OfBlocks) {
  EXPECT_EQ(RoomForBlocks(std::nullopt), (PixelSize{80, 200}));
  EXPECT_EQ(RoomForBlocks(TerminalSize{132, 50, {}}), (PixelSize{132, 96}));
  EXPECT_EQ(RoomForBlocks(TerminalSize{20, 5, {}}), (PixelSize{20, 6}));
  EXPECT_EQ(RoomForBlocks(TerminalSize{}), (PixelSize{80, 44}));
  for (std::uint32_t rows = 1; rows <= 3; ++rows)
    EXPECT_EQ(RoomForBlocks(TerminalSize{1, rows, {}}), (PixelSize{1, 2}));
}

TEST(PreviewRoomTest, OfPixels) {
  EXPECT_EQ(RoomForPixels(std::nullopt), (PixelSize{800, 600}));
  EXPECT_EQ(RoomForPixels(TerminalSize{80, 24, {}}), (PixelSize{800, 600}));
  EXPECT_EQ(RoomForPixels(TerminalSize{80, 24, {1280, 1000}}), (PixelSize{1280, 800}));
  EXPECT_EQ(RoomForPixels(TerminalSize{80, 24, {3, 3}}), (PixelSize{3, 1}));
}

// A stream to read what was shown: a pipe that holds all of it.
std::string Shown(PreviewMode mode, std::string& words) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  const ImagePicture picture(RandomImage({20, 20}, 9));
  words = ShowPreview(picture, mode, in.get());
  in.Reset();
  std::string text(65536, '\0');
  const ssize_t size = ::read(out.get(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

TEST(PreviewTest, APipeGetsWhatWasAskedFor) {
  std::string words;
  EXPECT_TRUE(Shown(PreviewMode::kAuto, words).starts_with("\x1b[38;"));
  EXPECT_EQ(words, "half blocks, 20 x 20 pixels");
  EXPECT_TRUE(Shown(PreviewMode::kBlocks, words).starts_with("\x1b[38;"));
  EXPECT_TRUE(Shown(PreviewMode::kSixel, words).starts_with("\x1bP"));
  EXPECT_EQ(words, "sixel, 20 x 20 pixels");
  EXPECT_TRUE(Shown(PreviewMode::kKitty, words).starts_with("\x1b_G"));
  EXPECT_EQ(words, "kitty's graphics protocol, 20 x 20 pixels");
}

TEST(PreviewTest, SaysNothingOfAStreamThatCannotBeWritten) {
  const UniqueFd read_only(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const ImagePicture picture(RandomImage({20, 20}, 9));
  EXPECT_EQ(ShowPreview(picture, PreviewMode::kBlocks, read_only.get()), "");
  EXPECT_EQ(ShowPreview(picture, PreviewMode::kBlocks, 12345), "");
}

}  // namespace
}  // namespace procpool
