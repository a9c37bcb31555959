#include "master/png_strip.h"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <span>
#include <utility>

namespace procpool {
namespace {

/// Bytes of a strip before it is compressed. Of 128 KiB, 256 KiB, 512 KiB and 2 MiB the smallest
/// makes a file half a percent larger than the largest; so this is what two threads, or sixteen,
/// share evenly.
constexpr std::size_t kStripBytes = std::size_t{256} << 10U;

/// Runs of one byte, nothing else, after each line was replaced by its difference to the line
/// above. Escape-time counts lie in flat bands, of which that leaves zeros, with a dusty border, in
/// which a search for repetitions finds little. No strip refers to an earlier one: runs look back
/// one byte only, so nothing is lost by cutting the picture into strips. docs/decisions/0010 has
/// the figures.
constexpr int kLevel = 1;
constexpr int kStrategy = Z_RLE;
constexpr std::uint8_t kFilter = 2;  // "Up"
constexpr int kWindowBits = 15;
constexpr int kMemoryLevel = 8;

/// zlib counts in unsigned int.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;
constexpr std::size_t kFirstRoom = std::size_t{32} << 10U;

class Deflater {
 public:
  /// Writes to `out`, whatever it holds.
  explicit Deflater(std::vector<std::uint8_t>& out) : out_(out) {
    out_.resize(kFirstRoom);
    // Negative: raw, without head and check value, which the whole picture has once.
    if (deflateInit2(&stream_, kLevel, Z_DEFLATED, -kWindowBits, kMemoryLevel, kStrategy) != Z_OK)
      throw std::bad_alloc();
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  void Add(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const std::size_t now = std::min(bytes.size(), kMostAtOnce);
      Feed(bytes.first(now), Z_NO_FLUSH);
      bytes = bytes.subspan(now);
    }
  }
  void End(bool last) {
    Feed({}, last ? Z_FINISH : Z_SYNC_FLUSH);
    out_.resize(used_);
  }

 private:
  void Feed(std::span<const std::uint8_t> bytes, int flush) {
    stream_.next_in = const_cast<std::uint8_t*>(bytes.data());  // NOLINT: zlib only reads it
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      if (used_ == out_.size()) out_.resize(2 * out_.size());
      const std::size_t room = std::min(out_.size() - used_, kMostAtOnce);
      stream_.next_out = out_.data() + used_;
      stream_.avail_out = static_cast<uInt>(room);
      deflate(&stream_, flush);  // fails only where it has nothing to do
      used_ += room - stream_.avail_out;
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::vector<std::uint8_t>& out_;
  std::size_t used_ = 0;
};

/// A line as it goes into the stream: the filter's number, then the differences.
void FilterUp(std::span<const std::uint8_t> line, std::span<const std::uint8_t> above,
              std::vector<std::uint8_t>& filtered) {
  filtered[0] = kFilter;
  std::uint8_t* out = filtered.data() + 1;
  for (std::size_t i = 0; i < line.size(); ++i)
    out[i] = static_cast<std::uint8_t>(line[i] - above[i]);
}

}  // namespace

PngStrips StripsOf(std::size_t stride, std::uint32_t height) {
  const std::size_t lines = std::clamp<std::size_t>(kStripBytes / (stride + 1), 1, height);
  return {height, static_cast<std::uint32_t>(lines), (height + lines - 1) / lines};
}

std::array<std::uint8_t, 2> PngStreamHead() {
  // Deflate with a window of 32 KiB; fastest level; a multiple of 31.
  return {0x78, 0x01};
}

void PngStrip::Make(const PngPixels& pixels, const PngStrips& strips, std::size_t index) {
  const auto first = static_cast<std::uint32_t>(index * strips.lines);
  const std::uint32_t end = first + std::min(strips.lines, strips.height - first);
  std::vector<std::uint8_t> line(pixels.stride());
  std::vector<std::uint8_t> above(pixels.stride());  // zeros above the first line
  std::vector<std::uint8_t> filtered(pixels.stride() + 1);
  colouring_ = compressing_ = 0;
  Nanoseconds now = Now();
  const auto add_to = [&now](Nanoseconds& sum) {
    const Nanoseconds before = std::exchange(now, Now());
    sum += now - before;
  };

  if (first > 0) pixels.Line(first - 1, above);
  add_to(colouring_);
  Deflater deflater(bytes_);
  check_ = 1;
  for (std::uint32_t y = first; y < end; ++y) {
    pixels.Line(y, line);
    add_to(colouring_);
    FilterUp(line, above, filtered);
    check_ = static_cast<std::uint32_t>(adler32_z(check_, filtered.data(), filtered.size()));
    deflater.Add(filtered);
    line.swap(above);
    add_to(compressing_);
  }
  deflater.End(end == strips.height);
  size_ = std::uint64_t{end - first} * filtered.size();
  add_to(compressing_);
}

std::uint32_t PngStrip::CheckAfter(std::uint32_t before) const {
  return static_cast<std::uint32_t>(adler32_combine(before, check_, static_cast<z_off_t>(size_)));
}

}  // namespace procpool
