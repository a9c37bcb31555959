#include "common/kernel.h"

#include <algorithm>
#include <array>

#include "common/kernel_functions.h"

namespace procpool {
namespace {

// A new kernel is one file, one declaration in kernel_functions.h and one line here; the reference
// stays first.
constexpr std::array kKernels{
    Kernel{"complex", "std::complex and abs, the reference", ComputeComplex},
    Kernel{"scalar", "expanded arithmetic, one point at a time", ComputeScalar},
    Kernel{"none",
           "computes nothing, but reads what it is given: what remains is the pool's own cost",
           ComputeNone},
};

// What "auto" stands for. A kernel that needs more than the CPU at hand has is to be left out here.
std::string_view FastestKernel() {
  return "scalar";
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
  return kKernels;
}

const Kernel* FindKernel(std::string_view name) {
  if (name == "auto") name = FastestKernel();
  const auto* found = std::ranges::find(kKernels, name, &Kernel::name);
  return found == kKernels.end() ? nullptr : found;
}

std::string KernelNames() {
  std::string names = "auto";
  for (const Kernel& kernel : kKernels) names.append(", ").append(kernel.name);
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
  while (!out.empty()) {
    const RowPart part = PartAt(first, out.size(), row_axis_, column_axis_, rows_, columns_);
    const Operand row{part.row, 0};
    const Operand column{part.columns, 1};
    const Operand re = fractal_.rows_are_real != 0 ? row : column;
    const Operand im = fractal_.rows_are_real != 0 ? column : row;
    const Operand constant_re{&fractal_.constant_re, 0};
    const Operand constant_im{&fractal_.constant_im, 0};
    const Points points = fractal_.pixel == PixelRole::kZ
                              ? Points{re, im, constant_re, constant_im, part.count}
                              : Points{constant_re, constant_im, re, im, part.count};
    kernel_.compute(fractal_, points, out.data());
    first += part.count;
    out = out.subspan(part.count);
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
