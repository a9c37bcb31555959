// Kitty's graphics protocol: bytes of a small picture, and larger ones put together again as a
// terminal does.
#include "master/preview_kitty.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/rgb_images.h"

namespace procpool {
namespace {

std::vector<std::uint8_t> FromBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char digit : text.substr(0, text.find('='))) {
    bits = bits << 6U | static_cast<std::uint32_t>(kDigits.find(digit));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> count & 255U));
  }
  return bytes;
}

struct Command {
  std::map<std::string, std::string> keys;
  std::string payload;
};

// The commands; whatever else there is, but a line feed at the end, is an error.
std::vector<Command> CommandsOf(std::string_view text) {
  std::vector<Command> commands;
  while (text != "\n") {
    EXPECT_TRUE(text.starts_with("\x1b_G")) << text.substr(0, 20);
    const std::size_t end = text.find("\x1b\\");
    if (end == text.npos) {
      ADD_FAILURE() << "it does not end";
      return commands;
    }
    std::string_view body = text.substr(3, end - 3);
    Command command;
    command.payload = body.substr(body.find(';') + 1);
    body = body.substr(0, body.find(';'));
    while (!body.empty()) {
      const std::string_view pair = body.substr(0, body.find(','));
      command.keys[std::string(pair.substr(0, 1))] = pair.substr(2);
      body.remove_prefix(std::min(body.size(), pair.size() + 1));
    }
    commands.push_back(command);
    text.remove_prefix(end + 2);
  }
  return commands;
}

TEST(KittyTest, Golden) {
  const RgbImage image = ImageOf({2, 1}, [](std::uint32_t x, std::uint32_t) {
    return x == 0 ? Rgb{1, 2, 3} : Rgb{255, 254, 253};
  });
  EXPECT_EQ(Kitty(image), "\x1b_Ga=T,f=24,s=2,v=1,q=2,m=0;AQID//79\x1b\\\n");
}

TEST(KittyTest, PiecesArePutTogether) {
  // 1024 pixels are one full piece.
  for (const PixelSize size : {PixelSize{1, 1}, PixelSize{1024, 1}, PixelSize{1025, 1},
                               PixelSize{32, 64}, PixelSize{300, 211}}) {
    const RgbImage image = RandomImage(size, 5);
    const std::vector<Command> commands = CommandsOf(Kitty(image));
    ASSERT_EQ(commands.size(), (image.rgb.size() + 3071) / 3072);
    EXPECT_EQ(commands[0].keys.at("a"), "T");
    EXPECT_EQ(commands[0].keys.at("f"), "24");
    EXPECT_EQ(commands[0].keys.at("s"), std::to_string(size.width));
    EXPECT_EQ(commands[0].keys.at("v"), std::to_string(size.height));
    std::string payload;
    for (std::size_t i = 0; i < commands.size(); ++i) {
      EXPECT_EQ(commands[i].keys.at("m"), i + 1 < commands.size() ? "1" : "0");
      EXPECT_EQ(commands[i].keys.at("q"), "2");
      EXPECT_EQ(commands[i].keys.size(), i == 0 ? 6U : 2U);
      EXPECT_LE(commands[i].payload.size(), 4096U);
      payload += commands[i].payload;
    }
    EXPECT_EQ(FromBase64(payload), image.rgb);
  }
}

}  // namespace
}  // namespace procpool
