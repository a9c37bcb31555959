#include "common/kernel.h"

#include <algorithm>
#include <array>
#include <vector>

#include "common/kernel_functions.h"

namespace procpool {
namespace {

struct Entry {
  Kernel kernel;
  bool (*runs_here)();
};

bool Anywhere() {
  return true;
}

#ifdef PROCPOOL_X86_KERNELS
bool HasAvx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}
bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0;
}
#endif

// A new kernel is one file, one declaration in kernel_functions.h and one line here; the reference
// stays first, and of the kernels "simd:TARGET" the best target last.
constexpr std::array kEntries{
    Entry{{"complex", "std::complex and abs, the reference", ComputeComplex}, Anywhere},
    Entry{{"scalar", "expanded arithmetic, one point at a time", ComputeScalar}, Anywhere},
    Entry{{"vector", "whole arrays, no early exit, as numpy does it", ComputeVector}, Anywhere},
#ifdef PROCPOOL_X86_KERNELS
    Entry{{"simd:sse2", "2 points a vector, SSE2", ComputeSimdSse2, UncheckedStepsSse2}, Anywhere},
    Entry{{"simd:avx2", "4 points a vector, AVX2 and FMA", ComputeSimdAvx2, UncheckedStepsAvx2},
          HasAvx2},
    Entry{{"simd:avx512", "8 points a vector, AVX-512", ComputeSimdAvx512, UncheckedStepsAvx512},
          HasAvx512},
#endif
    Entry{{"none",
           "computes nothing, but reads what it is given: what remains is the pool's own cost",
           ComputeNone},
          Anywhere},
};

constexpr std::string_view kSimd = "simd";

const std::vector<Kernel>& KernelsHere() {
  static const std::vector<Kernel> kernels = [] {
    std::vector<Kernel> here;
    for (const Entry& entry : kEntries) {
      if (entry.runs_here()) here.push_back(entry.kernel);
    }
    return here;
  }();
  return kernels;
}

const Kernel* BestSimd() {
  const Kernel* best = nullptr;
  for (const Kernel& kernel : KernelsHere()) {
    if (kernel.name.starts_with("simd:")) best = &kernel;
  }
  return best;
}

constexpr std::size_t kColumnStretch = 4096;
constexpr std::size_t kRowStretch = 256;

/// The points of one row from one column on, as far as their coordinates are at hand.
struct RowPart {
  const double* row;      ///< the coordinate that all share
  const double* columns;  ///< theirs, one after the other
  std::size_t count;
};

RowPart PartAt(std::uint64_t first, std::uint64_t wanted, const AxisPoints& row_axis,
               const AxisPoints& column_axis, AxisStretch& rows, AxisStretch& columns) {
  const std::uint64_t width = column_axis.size();
  const std::span<const double> row = rows.From(row_axis, first / width);
  const std::span<const double> part = columns.From(column_axis, first % width);
  return {row.data(), part.data(), std::min<std::uint64_t>(wanted, part.size())};
}

}  // namespace

std::span<const Kernel> Kernels() {
  return KernelsHere();
}

const Kernel* FindKernel(std::string_view name) {
  if (name == kSimd) return BestSimd();
  if (name == "auto") {
    const Kernel* const best = BestSimd();
    return best != nullptr ? best : FindKernel("scalar");
  }
  const auto& kernels = KernelsHere();
  const auto found = std::ranges::find(kernels, name, &Kernel::name);
  return found == kernels.end() ? nullptr : &*found;
}

std::string KernelNames() {
  std::string names = "auto";
  if (BestSimd() != nullptr) names += ", simd";
  for (const Kernel& kernel : KernelsHere()) names.append(", ").append(kernel.name);
  return names;
}

RowsComputer::RowsComputer(const Fractal& fractal, const Kernel& kernel)
    : fractal_(fractal),
      kernel_(kernel),
      row_axis_(fractal.RowAxis()),
      column_axis_(fractal.ColumnAxis()),
      rows_(kRowStretch),
      columns_(kColumnStretch) {}

void RowsComputer::Compute(std::uint64_t first, std::span<std::int32_t> out) {
  const std::uint64_t width = column_axis_.size();
  while (!out.empty()) {
    const std::span<const double> down = rows_.From(row_axis_, first / width);
    const std::span<const double> along = columns_.From(column_axis_, first % width);
    // Whole rows together, if the stretch of columns is one; else a part of one row.
    const std::uint64_t columns = std::min<std::uint64_t>(out.size(), along.size());
    const std::uint64_t rows =
        columns == width ? std::min<std::uint64_t>(out.size() / width, down.size()) : 1;
    const Operand row{down.data(), 0, 1};
    const Operand column{along.data(), 1, 0};
    const Operand re = fractal_.rows_are_real != 0 ? row : column;
    const Operand im = fractal_.rows_are_real != 0 ? column : row;
    const Operand constant_re{&fractal_.constant_re};
    const Operand constant_im{&fractal_.constant_im};
    const Points points = fractal_.pixel == PixelRole::kZ
                              ? Points{re, im, constant_re, constant_im, columns, rows}
                              : Points{constant_re, constant_im, re, im, columns, rows};
    kernel_.compute(fractal_, points, out.data());
    first += rows * columns;
    out = out.subspan(rows * columns);
  }
}

void FillCoords(const Fractal& fractal, const AxisPoints& row_axis, const AxisPoints& column_axis,
                std::uint64_t first, std::size_t count, double* z, double* c) {
  AxisStretch rows(kRowStretch);
  AxisStretch columns(kColumnStretch);
  double* pixel = fractal.pixel == PixelRole::kZ ? z : c;
  double* constant = fractal.pixel == PixelRole::kZ ? c : z;
  const std::size_t row_part = fractal.rows_are_real != 0 ? 0 : 1;
  const std::size_t column_part = 1 - row_part;
  while (count > 0) {
    const RowPart part = PartAt(first, count, row_axis, column_axis, rows, columns);
    for (std::size_t i = 0; i < part.count; ++i) {
      pixel[2 * i + row_part] = *part.row;
      pixel[2 * i + column_part] = part.columns[i];
      constant[2 * i] = fractal.constant_re;
      constant[2 * i + 1] = fractal.constant_im;
    }
    pixel += 2 * part.count;
    constant += 2 * part.count;
    first += part.count;
    count -= part.count;
  }
}

}  // namespace procpool
