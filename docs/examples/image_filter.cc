// Blurs a picture in bands. The workers read the picture and write the result where they lie, in
// memory that they share with this program: no pixel travels.
//
//   image_filter [FILE.pgm]     where the result goes; blurred.pgm
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <span>
#include <tuple>
#include <vector>

#include <procpool/pool.h>
#include <procpool/worker.h>

using Pixels = procpool::SharedArray<std::uint8_t>;

constexpr int kWidth = 640;
constexpr int kHeight = 400;
constexpr int kRadius = 6;

struct Band {
  int first_row, rows;
};

// Each pixel of the band becomes the mean of the square around it, as far as that lies in the
// picture. `to` is the band alone.
void Blur(std::span<const std::uint8_t> from, std::span<std::uint8_t> to, Band band) {
  for (int y = band.first_row; y < band.first_row + band.rows; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      unsigned sum = 0;
      unsigned count = 0;
      for (int v = std::max(y - kRadius, 0); v <= std::min(y + kRadius, kHeight - 1); ++v) {
        for (int u = std::max(x - kRadius, 0); u <= std::min(x + kRadius, kWidth - 1); ++u) {
          sum += from[v * kWidth + u];
          ++count;
        }
      }
      to[(y - band.first_row) * kWidth + x] = static_cast<std::uint8_t>(sum / count);
    }
  }
}

const procpool::Task blur{"blur", [](const Pixels& from, const Pixels& to, Band band) {
                            Blur(from.span(), to.span(), band);
                          }};

// Rings and a board of squares.
void Draw(const Pixels& picture) {
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const int dx = x - kWidth / 3;
      const int dy = y - kHeight / 2;
      const int ring = (dx * dx + dy * dy) / 900 % 2;
      const int square = (x / 40 + y / 40) % 2;
      picture[y * kWidth + x] = static_cast<std::uint8_t>(90 * ring + 150 * square);
    }
  }
}

// FNV-1a.
std::uint32_t Checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 2166136261U;
  for (const std::uint8_t byte : bytes) sum = (sum ^ byte) * 16777619U;
  return sum;
}

bool WritePgm(const char* path, std::span<const std::uint8_t> pixels) {
  std::ofstream file(path, std::ios::binary);
  file << "P5\n" << kWidth << ' ' << kHeight << "\n255\n";
  file.write(reinterpret_cast<const char*>(pixels.data()),
             static_cast<std::streamsize>(pixels.size()));
  return static_cast<bool>(file.flush());
}

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  if (argc > 2) {
    std::fprintf(stderr, "usage: image_filter [FILE.pgm]\n");
    return 2;
  }
  const char* path = argc == 2 ? argv[1] : "blurred.pgm";

  const Pixels picture(std::size_t{kWidth} * kHeight);
  const Pixels blurred(picture.size());
  Draw(picture);

  constexpr int kRowsOfBand = 25;
  std::vector<std::tuple<Pixels, Pixels, Band>> bands;
  for (int row = 0; row < kHeight; row += kRowsOfBand) {
    const Pixels part = blurred.part(std::size_t{kWidth} * row, std::size_t{kWidth} * kRowsOfBand);
    bands.emplace_back(picture, part, Band{row, kRowsOfBand});
  }
  procpool::Pool pool;
  pool.starmap(blur, bands);

  std::vector<std::uint8_t> alone(picture.size());
  Blur(picture.span(), alone, {0, kHeight});
  const bool equal = std::ranges::equal(blurred, alone);
  std::printf("%d x %d pixels in %zu bands\n", kWidth, kHeight, bands.size());
  std::printf("checksum before %08x, blurred %08x\n", Checksum(picture.span()),
              Checksum(blurred.span()));
  std::printf("%s what one process makes of it\n", equal ? "equals" : "differs from");
  if (!WritePgm(path, blurred.span())) {
    std::fprintf(stderr, "image_filter: cannot write %s\n", path);
    return 1;
  }
  std::printf("written to %s\n", path);
  return equal ? 0 : 1;
}
