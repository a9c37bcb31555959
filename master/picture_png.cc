#include "master/picture_png.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <procpool/error.h>

namespace procpool {
namespace {

/// Escape-time counts lie in flat bands with a dusty border: a filter, which predicts from
/// neighbours, makes such pictures larger as well as slower. Written on one Sapphire Rapids CPU, in
/// ms and kB:
///
///   level, filter    book, gray 1000^2   lesson, gray 4000^2   lesson, RGB 4000^2
///   1, none              5.1 |  81            68 |  672             157 | 1161
///   3, none              5.9 |  73            70 |  591             160 | 1022
///   3, all              10.4 |  85           136 |  700             352 | 1401
///   6, none             10.1 |  63           115 |  463             248 |  738
constexpr int kCompressionLevel = 3;
constexpr int kFilters = PNG_FILTER_NONE;
/// libpng hands out compressed data in pieces of this many bytes; its own 8 KiB would be a system
/// call each.
constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;

/// What is written of each pixel.
class Pixels {
 public:
  explicit Pixels(const Picture& picture) : picture_(picture) {
    const std::span<const Rgb> palette = picture.palette();
    if (palette.empty()) return;
    const bool gray = std::ranges::all_of(
        palette, [](const Rgb& c) { return c.red == c.green && c.green == c.blue; });
    colour_type_ = gray ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_PALETTE;
    for (std::size_t i = 0; gray && i < palette.size(); ++i) {
      grays_[i] = palette[i].red;
      places_are_grays_ = places_are_grays_ && grays_[i] == i;
    }
  }

  int colour_type() const { return colour_type_; }
  std::size_t bytes() const { return colour_type_ == PNG_COLOR_TYPE_RGB ? 3 : 1; }
  void Line(std::uint32_t line, std::span<std::uint8_t> pixels) const {
    if (colour_type_ == PNG_COLOR_TYPE_RGB) return picture_.Colours(line, pixels);
    picture_.Places(line, pixels);
    if (colour_type_ == PNG_COLOR_TYPE_PALETTE || places_are_grays_) return;
    for (std::uint8_t& pixel : pixels) pixel = grays_[pixel];
  }

 private:
  const Picture& picture_;
  int colour_type_ = PNG_COLOR_TYPE_RGB;
  bool places_are_grays_ = true;
  std::array<std::uint8_t, 256> grays_{};
};

std::vector<png_color> PngColours(std::span<const Rgb> palette) {
  std::vector<png_color> colours;
  for (const Rgb& colour : palette) colours.push_back({colour.red, colour.green, colour.blue});
  return colours;
}

/// libpng reports errors by longjmp, which must not jump over a C++ object. So every call into
/// libpng is made by Returns(), whose frame and whose step hold nothing to destroy, and what went
/// wrong waits in this object. The callbacks that libpng makes keep exceptions from crossing its
/// frames in the same way.
class PngEncoder {
 public:
  explicit PngEncoder(OutputFile& file)
      : file_(file),
        png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning)) {
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_write_struct(&png_, nullptr);
      Throw("no memory for the encoder");
    }
  }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;
  ~PngEncoder() { png_destroy_write_struct(&png_, &info_); }

  void Begin(std::uint32_t width, std::uint32_t height, int colour_type,
             std::span<const Rgb> palette) {
    const std::vector<png_color> colours = PngColours(palette);
    const png_color* const first = colours.data();
    const int count = static_cast<int>(colours.size());
    Try([=, this] {
      png_set_write_fn(png_, this, OnWrite, OnFlush);
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_compression_buffer_size(png_, kPieceBytes);
      png_set_compression_level(png_, kCompressionLevel);
      png_set_filter(png_, PNG_FILTER_TYPE_BASE, kFilters);
      png_set_IHDR(png_, info_, width, height, 8, colour_type, PNG_INTERLACE_NONE,
                   PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
      if (colour_type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png_, info_, first, count);
      png_write_info(png_, info_);
    });
  }
  void Row(const std::uint8_t* pixels) {
    Try([=, this] { png_write_row(png_, pixels); });
  }
  void End() {
    Try([this] { png_write_end(png_, info_); });
  }

 private:
  template <class Step>
  void Try(Step step) {
    static_assert(std::is_trivially_destructible_v<Step>);
    if (!Returns(step)) {
      if (write_error_) std::rethrow_exception(write_error_);
      Throw(message_);
    }
  }
  template <class Step>
  bool Returns(Step step) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    step();
    return true;
  }
  [[noreturn]] void Throw(const std::string& cause) const {
    throw Error(Blame::kMachine, {"encode", "PNG picture '" + file_.path() + "'", cause,
                                  "write a .npy file instead"});
  }

  static void OnWrite(png_structp png, png_bytep data, std::size_t size) {
    auto& encoder = *static_cast<PngEncoder*>(png_get_io_ptr(png));
    if (!encoder.TryWrite(data, size)) png_error(png, "write failed");
  }
  static void OnFlush(png_structp /*png*/) {}
  static void OnError(png_structp png, png_const_charp message) {
    static_cast<PngEncoder*>(png_get_error_ptr(png))->KeepMessage(message);
    png_longjmp(png, 1);
  }
  static void OnWarning(png_structp /*png*/, png_const_charp /*message*/) {}

  bool TryWrite(const std::uint8_t* data, std::size_t size) noexcept {
    try {
      file_.Write(std::as_bytes(std::span(data, size)));
      return true;
    } catch (...) {
      write_error_ = std::current_exception();
      return false;
    }
  }
  void KeepMessage(const char* message) noexcept {
    try {
      message_ = message;
    } catch (...) {
      message_.clear();
    }
  }

  OutputFile& file_;
  std::exception_ptr write_error_;
  std::string message_;
  // Last, for the callbacks may be called from here on.
  png_structp png_;
  png_infop info_ = nullptr;
};

}  // namespace

void WritePng(OutputFile& file, const Picture& picture) {
  const Pixels pixels(picture);
  PngEncoder encoder(file);
  encoder.Begin(picture.width(), picture.height(), pixels.colour_type(), picture.palette());
  std::vector<std::uint8_t> line(std::size_t{picture.width()} * pixels.bytes());
  for (std::uint32_t y = 0; y < picture.height(); ++y) {
    pixels.Line(y, line);
    encoder.Row(line.data());
  }
  encoder.End();
}

}  // namespace procpool
