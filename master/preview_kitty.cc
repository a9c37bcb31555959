#include "master/preview_kitty.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace procpool {
namespace {

constexpr std::size_t kPieceBytes = 3072;  // 4096 characters of base64

// RFC 4648, section 4.
void AppendBase64(std::string& text, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) bits = bits << 8U | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= count ? kDigits[bits >> (18U - 6U * j) & 63U] : '=';
  }
}

}  // namespace

std::string Kitty(const RgbImage& image) {
  std::string text;
  text.reserve(image.rgb.size() / 3 * 4 + image.rgb.size() / kPieceBytes * 16 + 64);
  std::span<const std::uint8_t> left(image.rgb);
  std::string keys = "a=T,f=24,s=" + std::to_string(image.size.width) +
                     ",v=" + std::to_string(image.size.height) + ',';
  while (!left.empty()) {
    const std::size_t size = std::min(kPieceBytes, left.size());
    text += "\x1b_G" + keys + "q=2,m=" + (size < left.size() ? '1' : '0') + ';';
    AppendBase64(text, left.first(size));
    text += "\x1b\\";
    left = left.subspan(size);
    keys.clear();
  }
  // The cursor is where the picture ends, on its last line.
  text += '\n';
  return text;
}

}  // namespace procpool
