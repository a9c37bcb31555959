#include "master/png_file.h"

#include <algorithm>
#include <csetjmp>
#include <type_traits>
#include <vector>

#include <procpool/error.h>

namespace procpool {
namespace {

constexpr png_byte kDataName[] = "IDAT";  // NOLINT: as libpng takes it
constexpr png_byte kEndName[] = "IEND";   // NOLINT
/// The largest length that a chunk can say is PNG_UINT_31_MAX.
constexpr std::size_t kMostData = std::size_t{1} << 30U;

int ColourType(PngPixels::Kind kind) {
  switch (kind) {
    case PngPixels::Kind::kGray:
      return PNG_COLOR_TYPE_GRAY;
    case PngPixels::Kind::kPalette:
      return PNG_COLOR_TYPE_PALETTE;
    case PngPixels::Kind::kRgb:
      break;
  }
  return PNG_COLOR_TYPE_RGB;
}

}  // namespace

PngFile::PngFile(OutputFile& file)
    : file_(file), png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning)) {
  if (png_ != nullptr) info_ = png_create_info_struct(png_);
  if (info_ == nullptr) {
    png_destroy_write_struct(&png_, nullptr);
    Throw("no memory for the encoder");
  }
}

PngFile::~PngFile() {
  png_destroy_write_struct(&png_, &info_);
}

void PngFile::Begin(const Picture& picture, PngPixels::Kind kind) {
  std::vector<png_color> colours;
  if (kind == PngPixels::Kind::kPalette) {
    for (const Rgb& colour : picture.palette())
      colours.push_back({colour.red, colour.green, colour.blue});
  }
  const png_color* const palette = colours.data();
  const int count = static_cast<int>(colours.size());
  const std::uint32_t width = picture.width();
  const std::uint32_t height = picture.height();
  const int type = ColourType(kind);
  Try([=, this] {
    png_set_write_fn(png_, this, OnWrite, OnFlush);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png_, info_, width, height, 8, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (count > 0) png_set_PLTE(png_, info_, palette, count);
    png_write_info(png_, info_);
  });
}

void PngFile::Data(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const std::span<const std::uint8_t> now = bytes.first(std::min(bytes.size(), kMostData));
    Try([=, this] { png_write_chunk(png_, kDataName, now.data(), now.size()); });
    bytes = bytes.subspan(now.size());
  }
}

void PngFile::End() {
  // png_write_end() would miss the lines, of which libpng knows nothing.
  Try([this] { png_write_chunk(png_, kEndName, nullptr, 0); });
}

template <class Step>
void PngFile::Try(Step step) {
  static_assert(std::is_trivially_destructible_v<Step>);
  if (Returns(step)) return;
  if (write_error_) std::rethrow_exception(write_error_);
  Throw(message_);
}

template <class Step>
bool PngFile::Returns(Step step) {
  if (setjmp(png_jmpbuf(png_)) != 0) return false;
  step();
  return true;
}

void PngFile::Throw(const std::string& cause) const {
  throw Error(Blame::kMachine,
              {"encode", "PNG picture '" + file_.path() + "'", cause, "write a .npy file instead"});
}

void PngFile::OnWrite(png_structp png, png_bytep data, std::size_t size) {
  auto& file = *static_cast<PngFile*>(png_get_io_ptr(png));
  if (!file.TryWrite(data, size)) png_error(png, "write failed");
}

void PngFile::OnError(png_structp png, png_const_charp message) {
  static_cast<PngFile*>(png_get_error_ptr(png))->KeepMessage(message);
  png_longjmp(png, 1);
}

bool PngFile::TryWrite(const std::uint8_t* data, std::size_t size) noexcept {
  try {
    file_.Write(std::as_bytes(std::span(data, size)));
    return true;
  } catch (...) {
    write_error_ = std::current_exception();
    return false;
  }
}

void PngFile::KeepMessage(const char* message) noexcept {
  try {
    message_ = message;
  } catch (...) {
    message_.clear();
  }
}

}  // namespace procpool
