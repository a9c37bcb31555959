// What does it take to write a picture?
//
//   bench_picture [--side N] [--rounds N] [--threads N]
//
// Grids of side x side counts of three workloads are coloured and written as PNG to a file in the
// directory for temporary files, the contenders in rotating order: procpool's writer
// with one thread and with --threads (as many as there are CPUs), and as a control libpng alone at
// level 3 without filters, gray or RGB. "rgb" is a smooth picture of more than 256 colours.
// Printed: bytes of the file; from the counts until all is written, ms and CPU ms of all threads,
// median [quartiles]. The CPU time is what to trust where others use the machine.
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/host.h"
#include "common/kernel.h"
#include "common/workload.h"
#include "master/colormap.h"
#include "master/picture_counts.h"
#include "master/picture_png.h"

namespace {

using namespace procpool;  // NOLINT: a program

/// Waves of three lengths: no two neighbours are equal, and no colour is far from its neighbours'.
class SmoothPicture : public Picture {
 public:
  explicit SmoothPicture(std::uint32_t side) : Picture(side, side), wave_(std::size_t{3} * side) {
    for (std::size_t i = 0; i < wave_.size(); ++i)
      wave_[i] = static_cast<std::uint8_t>(std::lround(
          127.5 + 127.5 * std::sin(static_cast<double>(i) * 25 / static_cast<double>(side))));
  }
  std::span<const Rgb> palette() const override { return {}; }
  void Places(std::uint32_t /*line*/, std::span<std::uint8_t> /*places*/) const override {}
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override {
    for (std::size_t column = 0; column < width(); ++column) {
      rgb[3 * column] = wave_[column + line];
      rgb[3 * column + 1] = wave_[2 * column];
      rgb[3 * column + 2] = wave_[column + 2 * std::size_t{line}];
    }
  }

 private:
  std::vector<std::uint8_t> wave_;
};

/// libpng alone, as pictures were written before they were written in strips.
void WriteWithLibpng(const std::string& path, const Picture& picture, bool gray) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_compression_buffer_size(png, std::size_t{256} << 10U);
  png_set_compression_level(png, 3);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
  png_set_IHDR(png, info, picture.width(), picture.height(), 8,
               gray ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  std::vector<std::uint8_t> line(std::size_t{picture.width()} * (gray ? 1 : 3));
  for (std::uint32_t y = 0; y < picture.height(); ++y) {
    if (gray)
      picture.Places(y, line);
    else
      picture.Colours(y, line);
    png_write_row(png, line.data());
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

std::string Quartiles(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  char text[64];  // NOLINT
  std::snprintf(text, sizeof text, "%7.1f [%6.1f, %6.1f]", at(0.5), at(0.25), at(0.75));
  return text;
}

/// Of this process, in ms.
double CpuTime() {
  return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct Row {
  std::uintmax_t bytes = 0;
  std::vector<double> wall, cpu;
};

struct Contender {
  std::string name;
  std::function<void(const std::string& path, const Picture& picture, bool gray)> write;
};

class Bench {
 public:
  Bench(std::vector<Contender> contenders, int rounds)
      : contenders_(std::move(contenders)), rounds_(rounds) {}

  void Run(const std::string& name, bool gray,
           const std::function<std::unique_ptr<Picture>()>& make) {
    const std::string path =
        (std::filesystem::temp_directory_path() / "procpool-bench-picture.png").string();
    std::map<std::string, Row> rows;
    for (int round = -1; round < rounds_; ++round) {
      for (std::size_t i = 0; i < contenders_.size(); ++i) {
        const Contender& contender =
            contenders_[(i + static_cast<std::size_t>(round + 1)) % contenders_.size()];
        std::filesystem::remove(path);
        const double cpu_begun = CpuTime();
        const Nanoseconds begun = Now();
        contender.write(path, *make(), gray);
        const Nanoseconds taken = Now() - begun;
        Row& row = rows[contender.name];
        row.bytes = std::filesystem::file_size(path);
        if (round < 0) continue;  // warm-up
        row.wall.push_back(Seconds(taken) * 1e3);
        row.cpu.push_back(CpuTime() - cpu_begun);
      }
    }
    std::filesystem::remove(path);
    for (const auto& [contender, row] : rows)
      std::printf("%-34s %-10s %9.1f kB  %s ms  CPU %s ms\n", name.c_str(), contender.c_str(),
                  static_cast<double>(row.bytes) / 1e3, Quartiles(row.wall).c_str(),
                  Quartiles(row.cpu).c_str());
    std::fflush(stdout);
  }

 private:
  std::vector<Contender> contenders_;
  int rounds_;
};

Contender OwnWriter(unsigned threads) {
  return {std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
          [threads](const std::string& path, const Picture& picture, bool /*gray*/) {
            OutputFile file(path);
            WritePng(file, picture, threads);
            file.Commit();
          }};
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{
      {"--side", "4000"}, {"--rounds", "11"}, {"--threads", std::to_string(UsableCpus())}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!options.contains(argv[i])) {
      std::fprintf(stderr, "bench_picture: unknown option %s\n", argv[i]);
      return 2;
    }
    options[argv[i]] = argv[i + 1];
  }
  const auto side = static_cast<std::uint32_t>(std::stoul(options["--side"]));
  std::vector<Contender> contenders{{"libpng", WriteWithLibpng}, OwnWriter(1)};
  if (const auto threads = static_cast<unsigned>(std::stoul(options["--threads"])); threads > 1)
    contenders.push_back(OwnWriter(threads));
  Bench bench(std::move(contenders), std::stoi(options["--rounds"]));
  std::printf("%u x %u points, %s rounds\n", side, side, options["--rounds"].c_str());
  for (const std::string workload : {"julia-lesson", "julia-book", "mandelbrot-europython"}) {
    const Fractal fractal = LoadWorkload(workload, {.width = side, .height = side}).fractal;
    std::vector<std::int32_t> counts(std::size_t{side} * side);
    RowsComputer(fractal, *FindKernel("auto")).Compute(0, counts);
    for (const ColormapInfo& map : Colormaps()) {
      if (map.source != ColourSource::kCounts) continue;
      bench.Run(workload + " " + std::string(map.name), map.gray, [&] {
        return std::make_unique<CountPicture>(GridView{counts, side, side}, map);
      });
    }
  }
  bench.Run("rgb", false, [&] { return std::make_unique<SmoothPicture>(side); });
  return 0;
}
