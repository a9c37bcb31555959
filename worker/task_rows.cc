#include "worker/task_rows.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "worker/task_rows_coded.h"

namespace procpool {
namespace {

std::span<std::int32_t> AsCounts(std::span<std::byte> bytes) {
  if (bytes.size() < sizeof(std::int32_t)) throw std::length_error("there is no room for a count");
  return {reinterpret_cast<std::int32_t*>(bytes.data()), bytes.size() / sizeof(std::int32_t)};
}

class RowsTask final : public ByteTask {
 public:
  explicit RowsTask(const RowsContext& context)
      : fractal_(context.fractal),
        computer_(context.fractal, KernelOrThrow(context.KernelName())) {}

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    const auto item = DecodeRowsItem(input, fractal_);
    if (!item) throw std::invalid_argument("the rows asked for do not lie in the grid");
    std::uint64_t point = item->first_row * fractal_.Width();
    const std::uint64_t end = point + item->rows * fractal_.Width();
    while (point < end) {
      const std::span<std::byte> room = output.Reserve((end - point) * sizeof(std::int32_t));
      const std::span<std::int32_t> counts = AsCounts(room);
      computer_.Compute(point, counts);
      output.Commit(counts.size_bytes());
      point += counts.size();
    }
  }

 private:
  Fractal fractal_;
  RowsComputer computer_;
};

class CoordsTask final : public ByteTask {
 public:
  explicit CoordsTask(const RowsContext& context)
      : fractal_(context.fractal), kernel_(KernelOrThrow(context.KernelName())) {}

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    const std::size_t points = input.size() / kCoordsBytesPerPoint;
    if (points * kCoordsBytesPerPoint != input.size() ||
        reinterpret_cast<std::uintptr_t>(input.data()) % alignof(double) != 0) {
      throw std::invalid_argument("the payload is not made of whole points");
    }
    const auto* z = reinterpret_cast<const double*>(input.data());
    const double* c = z + 2 * points;
    for (std::size_t done = 0; done < points;) {
      const std::span<std::byte> room = output.Reserve((points - done) * sizeof(std::int32_t));
      const std::span<std::int32_t> counts = AsCounts(room);
      const Points part{{z + 2 * done, 2},
                        {z + 2 * done + 1, 2},
                        {c + 2 * done, 2},
                        {c + 2 * done + 1, 2},
                        counts.size()};
      kernel_.compute(fractal_, part, counts.data());
      output.Commit(counts.size_bytes());
      done += counts.size();
    }
  }

 private:
  Fractal fractal_;
  Kernel kernel_;
};

}  // namespace

const Kernel& KernelOrThrow(std::string_view name) {
  const Kernel* kernel = FindKernel(name);
  if (kernel == nullptr)
    throw std::invalid_argument("there is no kernel '" + std::string(name) + "'");
  return *kernel;
}

std::unique_ptr<ByteTask> MakeRowsTask(std::span<const std::byte> context_bytes) {
  const auto context = DecodeRowsContext(context_bytes);
  if (!context) throw std::invalid_argument("the context is not one of the task 'rows'");
  if (context->codec != CodecId::kRaw) return MakeCodedRowsTask(*context);
  if (context->payload == RowsPayload::kCoords) return std::make_unique<CoordsTask>(*context);
  return std::make_unique<RowsTask>(*context);
}

}  // namespace procpool
