#include "common/rows_payload.h"

#include <algorithm>
#include <cstring>

namespace procpool {
namespace {

bool InRange(const Axis& axis) {
  return axis.rule <= AxisRule::kArange && axis.points > 0;
}

bool InRange(const Fractal& fractal) {
  return InRange(fractal.real) && InRange(fractal.imaginary) && fractal.rows_are_real <= 1 &&
         fractal.pixel <= PixelRole::kC && fractal.measure <= Measure::kNorm &&
         fractal.escape <= EscapeWhen::kAbove && fractal.test <= TestPlace::kAfterStep &&
         fractal.never <= NeverValue::kZero && fractal.max_iterations >= 1;
}

}  // namespace

std::string_view RowsContext::KernelName() const {
  return {kernel.data(), ::strnlen(kernel.data(), kernel.size())};
}

void RowsContext::SetKernel(std::string_view name) {
  kernel.fill('\0');
  std::copy_n(name.begin(), std::min(name.size(), kernel.size()), kernel.begin());
}

std::optional<RowsContext> DecodeRowsContext(std::span<const std::byte> bytes) {
  RowsContext context;
  if (bytes.size() != sizeof context) return std::nullopt;
  std::memcpy(&context, bytes.data(), sizeof context);
  if (!InRange(context.fractal) || context.payload > RowsPayload::kCoords ||
      context.codec > CodecId::kJson) {
    return std::nullopt;
  }
  return context;
}

bool AreRowsOf(const RowsItem& item, const Fractal& fractal) {
  const std::uint64_t height = fractal.Height();
  return item.rows > 0 && item.first_row <= height && item.rows <= height - item.first_row;
}

std::optional<RowsItem> DecodeRowsItem(std::span<const std::byte> bytes, const Fractal& fractal) {
  RowsItem item;
  if (bytes.size() != sizeof item) return std::nullopt;
  std::memcpy(&item, bytes.data(), sizeof item);
  if (!AreRowsOf(item, fractal)) return std::nullopt;
  return item;
}

}  // namespace procpool
