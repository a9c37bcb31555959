// A terminal's side of sixels, strict: what it does not know is an error of the test.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "master/quantised.h"

namespace procpool {

struct DecodedSixel {
  PixelSize size;  ///< as the raster attributes say
  std::map<unsigned, Percents> palette;
  std::vector<Percents> pixels;
};

class SixelDecoder {
 public:
  explicit SixelDecoder(std::string_view text) : text_(text) {}

  DecodedSixel Decode() {
    Expect("\x1bP");
    const std::vector<unsigned> parameters = Numbers();
    if (parameters != std::vector<unsigned>{0, 1, 0}) throw std::runtime_error("parameters");
    Expect("q\"");
    const std::vector<unsigned> raster = Numbers();
    if (raster.size() != 4 || raster[0] != 1 || raster[1] != 1) throw std::runtime_error("raster");
    picture_.size = {raster[2], raster[3]};
    picture_.pixels.resize(std::size_t{raster[2]} * raster[3]);
    drawn_.resize(picture_.pixels.size());
    while (!text_.starts_with('\x1b')) Next();
    Expect("\x1b\\\n");
    if (!text_.empty()) throw std::runtime_error("something follows the picture");
    for (const bool drawn : drawn_) {
      if (!drawn) throw std::runtime_error("a pixel was not drawn");
    }
    return picture_;
  }

 private:
  void Expect(std::string_view what) {
    if (!text_.starts_with(what))
      throw std::runtime_error("not expected: " + std::string(text_.substr(0, 20)));
    text_.remove_prefix(what.size());
  }
  char Byte() {
    const char byte = text_.at(0);
    text_.remove_prefix(1);
    return byte;
  }
  unsigned Number() {
    if (text_.empty() || text_[0] < '0' || text_[0] > '9') throw std::runtime_error("no number");
    unsigned number = 0;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9')
      number = number * 10 + static_cast<unsigned>(Byte() - '0');
    return number;
  }
  std::vector<unsigned> Numbers() {
    std::vector<unsigned> numbers{Number()};
    while (text_.starts_with(';')) {
      text_.remove_prefix(1);
      numbers.push_back(Number());
    }
    return numbers;
  }

  void Next() {
    const char byte = Byte();
    if (byte == '#') {
      const std::vector<unsigned> numbers = Numbers();
      register_ = numbers[0];
      if (register_ > 255) throw std::runtime_error("a register too many");
      if (numbers.size() == 1) return;
      if (numbers.size() != 5 || numbers[1] != 2) throw std::runtime_error("colour");
      for (std::size_t i = 2; i < 5; ++i) {
        if (numbers[i] > 100) throw std::runtime_error("percent");
      }
      picture_.palette[register_] = {static_cast<std::uint8_t>(numbers[2]),
                                     static_cast<std::uint8_t>(numbers[3]),
                                     static_cast<std::uint8_t>(numbers[4])};
    } else if (byte == '$') {
      x_ = 0;
    } else if (byte == '-') {
      x_ = 0;
      top_ += 6;
    } else if (byte == '!') {
      const unsigned count = Number();
      Draw(Byte(), count);
    } else {
      Draw(byte, 1);
    }
  }

  void Draw(char byte, unsigned count) {
    if (byte < '?' || byte > '~') throw std::runtime_error("no sixel");
    const auto bits = static_cast<unsigned>(byte - '?');
    for (; count > 0; --count, ++x_) {
      for (std::uint32_t line = 0; line < 6; ++line) {
        if ((bits >> line & 1U) == 0) continue;
        const std::uint32_t y = top_ + line;
        if (x_ >= picture_.size.width || y >= picture_.size.height)
          throw std::runtime_error("outside of the picture");
        const std::size_t pixel = std::size_t{y} * picture_.size.width + x_;
        if (drawn_[pixel]) throw std::runtime_error("drawn twice");
        drawn_[pixel] = true;
        picture_.pixels[pixel] = picture_.palette.at(register_);
      }
    }
  }

  std::string_view text_;
  DecodedSixel picture_;
  std::vector<bool> drawn_;
  unsigned register_ = 0;
  std::uint32_t x_ = 0;
  std::uint32_t top_ = 0;
};

}  // namespace procpool
