// What does a codec cost, without any transport?
//
//   bench_codec [--points N] [--rounds N]
//
// Coordinates and counts of the middle N points of julia-book are encoded and decoded in memory by
// one thread, the codecs in rotating order. Printed: bytes a point, and ns a point, median
// [quartiles]. `copy` is the control: the same numbers copied as they are.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/codec.h"
#include "common/kernel.h"
#include "common/workload.h"

namespace {

using namespace procpool;  // NOLINT: a program

struct Samples {
  std::size_t bytes = 0;
  std::vector<double> encode, decode;
};

std::string Quartiles(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  char text[64];  // NOLINT
  std::snprintf(text, sizeof text, "%8.2f [%7.2f, %7.2f]", at(0.5), at(0.25), at(0.75));
  return text;
}

// One chunk, its copies, and memory to encode into.
struct Bench {
  std::vector<double> z, c, z_copy, c_copy;
  std::vector<std::int32_t> counts, decoded;
  std::vector<std::byte> encoded;
  std::map<std::string, Samples> samples;

  template <typename Encode, typename Decode>
  void Run(const std::string& name, const Encode& encode, const Decode& decode) {
    const Nanoseconds begun = Now();
    const std::size_t bytes = encode();
    const Nanoseconds between = Now();
    if (!decode(std::span<const std::byte>(encoded).first(bytes))) std::exit(1);
    const Nanoseconds ended = Now();
    const auto points = static_cast<double>(counts.size());
    Samples& row = samples[name];
    row.bytes = bytes;
    row.encode.push_back(static_cast<double>(between - begun) / points);
    row.decode.push_back(static_cast<double>(ended - between) / points);
  }

  void RunCodec(Codec& codec) {
    const std::string name(codec.name());
    encoded.resize(codec.MostCoordsBytes(counts.size()));
    Run(
        "coords " + name, [&] { return codec.EncodeCoords(z, c, encoded); },
        [&](std::span<const std::byte> bytes) {
          CoordsView coords;
          return !codec.DecodeCoords(bytes, counts.size(), coords);
        });
    Run(
        "counts " + name, [&] { return codec.EncodeCounts(counts, encoded); },
        [&](std::span<const std::byte> bytes) { return !codec.DecodeCounts(bytes, decoded); });
  }

  void RunCopy() {
    const std::size_t half = z.size() * sizeof(double);
    encoded.resize(2 * half);
    Run(
        "coords copy",
        [&] {
          std::memcpy(encoded.data(), z.data(), half);
          std::memcpy(encoded.data() + half, c.data(), half);
          return 2 * half;
        },
        [&](std::span<const std::byte> bytes) {
          std::memcpy(z_copy.data(), bytes.data(), half);
          std::memcpy(c_copy.data(), bytes.data() + half, half);
          return true;
        });
    const std::size_t size = counts.size() * sizeof(std::int32_t);
    Run(
        "counts copy",
        [&] {
          std::memcpy(encoded.data(), counts.data(), size);
          return size;
        },
        [&](std::span<const std::byte> bytes) {
          std::memcpy(decoded.data(), bytes.data(), size);
          return true;
        });
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{{"--points", "15625"}, {"--rounds", "61"}};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!options.contains(argv[i])) {
      std::fprintf(stderr, "bench_codec: unknown option %s\n", argv[i]);
      return 2;
    }
    options[argv[i]] = argv[i + 1];
  }
  const std::size_t points = std::min<std::size_t>(std::stoul(options["--points"]), 1'000'000);
  const Fractal fractal = LoadWorkload("julia-book", {}).fractal;
  Bench bench;
  for (auto* numbers : {&bench.z, &bench.c, &bench.z_copy, &bench.c_copy})
    numbers->resize(2 * points);
  bench.counts.resize(points);
  bench.decoded.resize(points);
  // From the middle of the picture, where the counts are various.
  const std::size_t first = 500'000 - points / 2;
  FillCoords(fractal, AxisPoints(fractal.RowAxis()), AxisPoints(fractal.ColumnAxis()), first,
             points, bench.z.data(), bench.c.data());
  RowsComputer(fractal, *FindKernel("auto")).Compute(first, bench.counts);

  std::vector<std::unique_ptr<Codec>> codecs;
  for (const CodecInfo& info : Codecs()) codecs.push_back(MakeCodec(info.id));
  for (int round = -3; round < std::stoi(options["--rounds"]); ++round) {
    if (round == 0) bench.samples.clear();  // what came before was warm-up
    for (std::size_t i = 0; i < codecs.size(); ++i) {
      const auto& codec = codecs[(i + static_cast<std::size_t>(round + 3)) % codecs.size()];
      if (codec) {
        bench.RunCodec(*codec);
      } else {
        bench.RunCopy();
      }
    }
  }
  std::printf("%zu points, %s rounds; ns a point, median [quartiles]\n", points,
              options["--rounds"].c_str());
  for (const auto& [name, row] : bench.samples) {
    std::printf("%-16s %7.2f bytes   encode %s   decode %s\n", name.c_str(),
                static_cast<double>(row.bytes) / static_cast<double>(points),
                Quartiles(row.encode).c_str(), Quartiles(row.decode).c_str());
  }
  return 0;
}
