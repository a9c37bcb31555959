// What terminals say of themselves, in their own words.
#include "master/terminal_answer.h"

#include <gtest/gtest.h>

#include <string_view>

namespace procpool {
namespace {

constexpr std::string_view kKitty = "\x1b_Gi=31;OK\x1b\\\x1b[?62;c";
constexpr std::string_view kXtermAsVt340 = "\x1b[?1;0;16S\x1b[4;480;640t\x1b[?63;1;2;4;6;9;15;22c";

TerminalAnswerReader Read(std::string_view text) {
  TerminalAnswerReader reader;
  for (const char byte : text) reader.Take(byte);
  return reader;
}

TEST(TerminalAnswerTest, Kitty) {
  const TerminalAnswerReader reader = Read(kKitty);
  EXPECT_TRUE(reader.Complete());
  EXPECT_EQ(reader.answer(), (TerminalAnswer{.kitty = true}));
}

TEST(TerminalAnswerTest, Sixel) {
  const TerminalAnswerReader reader = Read(kXtermAsVt340);
  EXPECT_TRUE(reader.Complete());
  EXPECT_EQ(reader.answer(),
            (TerminalAnswer{.sixel = true, .sixel_colours = 16, .pixels = {640, 480}}));
}

TEST(TerminalAnswerTest, Neither) {
  // The console of Linux, GNU screen, VTE.
  for (const std::string_view text : {"\x1b[?6c", "\x1b[?1;2c", "\x1b[?65;1;9c"}) {
    EXPECT_TRUE(Read(text).Complete());
    EXPECT_EQ(Read(text).answer(), TerminalAnswer());
  }
  // 4 is an attribute, not a digit of one.
  for (const std::string_view text : {"\x1b[?64;14;40c", "\x1b[?44c"})
    EXPECT_FALSE(Read(text).answer().sixel) << text;
}

TEST(TerminalAnswerTest, AnErrorIsNoSupport) {
  EXPECT_FALSE(Read("\x1b_Gi=31;EINVAL:no\x1b\\\x1b[?62c").answer().kitty);
  EXPECT_FALSE(Read("\x1b_Gi=32;OK\x1b\\\x1b[?62c").answer().kitty);
  EXPECT_EQ(Read("\x1b[?1;3;0S\x1b[?62c").answer().sixel_colours, 0U);
}

TEST(TerminalAnswerTest, NotCompleteBeforeTheLastByte) {
  TerminalAnswerReader reader;
  for (const char byte : kXtermAsVt340) {
    EXPECT_FALSE(reader.Complete());
    reader.Take(byte);
  }
  EXPECT_TRUE(reader.Complete());
}

TEST(TerminalAnswerTest, KeysInBetweenArePassedOver) {
  // Letters, an arrow, Alt with a letter, a paste, two escapes, and a report of the cursor.
  for (const std::string_view keys :
       {"ls -c\n", "\x1b[A", "\x1b[1;5c", "\x1bx", "\x1b[200~x\x1b[201~", "\x1b\x1b", "\x1b[24;80R",
        "\x1b_Gi=31;OK\x1b[A", "\x1b[?\x1b[A"}) {
    const TerminalAnswerReader before = Read(std::string(keys) + std::string(kKitty));
    EXPECT_TRUE(before.Complete()) << keys;
    EXPECT_TRUE(before.answer().kitty) << keys;
    EXPECT_FALSE(Read(keys).Complete()) << keys;
    const std::string between =
        "\x1b_Gi=31;OK\x1b\\" + std::string(keys) + std::string(kXtermAsVt340);
    EXPECT_TRUE(Read(between).answer().kitty) << keys;
    EXPECT_TRUE(Read(between).answer().sixel) << keys;
  }
}

TEST(TerminalAnswerTest, SequencesWithoutAnEndEndSomewhere) {
  for (const std::string_view begin : {"\x1b[", "\x1b_"}) {
    std::string text(begin);
    text.append(100'000, '1');
    EXPECT_FALSE(Read(text).Complete());
    EXPECT_TRUE(Read(text + std::string(kKitty)).Complete());
  }
}

TEST(TerminalAnswerTest, NumbersThatAreNone) {
  for (const std::string_view text :
       {"\x1b[?c", "\x1b[?;;c", "\x1b[?4;99999999999999999999c", "\x1b[?4x;c", "\x1b[?-4c"})
    EXPECT_FALSE(Read(text).answer().sixel) << text;
}

}  // namespace
}  // namespace procpool
