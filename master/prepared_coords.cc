#include "master/prepared_coords.h"

#include "common/kernel.h"
#include "common/rows_payload.h"

namespace procpool {

Buffer PrepareCoords(const Fractal& fractal, const Plan& plan,
                     const std::function<Buffer(std::size_t bytes)>& allocate) {
  const std::uint64_t width = fractal.Width();
  Buffer prepared = allocate(width * fractal.Height() * kCoordsBytesPerPoint);
  const AxisPoints rows(fractal.RowAxis());
  const AxisPoints columns(fractal.ColumnAxis());
  for (const Chunk& chunk : plan.chunks) {
    const std::size_t points = chunk.rows * width;
    auto* z = reinterpret_cast<double*>(PreparedBytes(prepared, fractal, chunk).data());
    FillCoords(fractal, rows, columns, chunk.first_row * width, points, z, z + 2 * points);
  }
  return prepared;
}

std::span<std::byte> PreparedBytes(const Buffer& prepared, const Fractal& fractal,
                                   const Chunk& chunk) {
  const std::uint64_t row_bytes = fractal.Width() * kCoordsBytesPerPoint;
  return prepared.bytes().subspan(chunk.first_row * row_bytes, chunk.rows * row_bytes);
}

}  // namespace procpool
