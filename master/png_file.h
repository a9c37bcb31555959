// The frame of a PNG file: signature, header, palette and chunks, written by libpng. What the
// chunks hold of the picture's lines is the caller's (png_strip.h).
//
// libpng reports errors by longjmp, which must not jump over a C++ object. So every call into
// libpng is made by Returns(), whose frame and whose step hold nothing to destroy, and what went
// wrong waits in the object. The callbacks that libpng makes keep exceptions from crossing its
// frames in the same way.
#pragma once

#include <png.h>

#include <cstdint>
#include <exception>
#include <span>
#include <string>

#include "master/output_file.h"
#include "master/picture.h"
#include "master/png_pixels.h"

namespace procpool {

/// All of it throws Error{kMachine}: where writing fails, and what libpng refuses with its words.
class PngFile {
 public:
  /// The file outlives this object.
  explicit PngFile(OutputFile& file);
  PngFile(const PngFile&) = delete;
  PngFile& operator=(const PngFile&) = delete;
  ~PngFile();

  /// All that comes before the lines; once.
  void Begin(const Picture& picture, PngPixels::Kind kind);
  /// The next piece of the stream of lines.
  void Data(std::span<const std::uint8_t> bytes);
  void End();

 private:
  template <class Step>
  void Try(Step step);
  template <class Step>
  bool Returns(Step step);
  [[noreturn]] void Throw(const std::string& cause) const;

  static void OnWrite(png_structp png, png_bytep data, std::size_t size);
  static void OnFlush(png_structp /*png*/) {}
  static void OnError(png_structp png, png_const_charp message);
  static void OnWarning(png_structp /*png*/, png_const_charp /*message*/) {}
  bool TryWrite(const std::uint8_t* data, std::size_t size) noexcept;
  void KeepMessage(const char* message) noexcept;

  OutputFile& file_;
  std::exception_ptr write_error_;
  std::string message_;
  // Last, for the callbacks may be called from here on.
  png_structp png_;
  png_infop info_ = nullptr;
};

}  // namespace procpool
