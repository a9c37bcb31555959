#include "master/rows_job.h"

#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "common/kernel.h"
#include "master/prepared_coords.h"

namespace procpool {
namespace {

RowsContext MakeContext(const Fractal& fractal, std::string_view kernel, RowsPayload payload) {
  RowsContext context;
  context.fractal = fractal;
  context.SetKernel(kernel);
  context.payload = payload;
  return context;
}

}  // namespace

std::string RowsText(const Chunk& chunk) {
  return "rows " + std::to_string(chunk.first_row) + " to " +
         std::to_string(chunk.first_row + chunk.rows - 1);
}

RowsJob::RowsJob(const Fractal& fractal, const Plan& plan, const Buffer& grid,
                 RowsJobOptions options)
    : options_(std::move(options)),
      context_(MakeContext(fractal, options_.kernel, options_.payload)),
      plan_(plan),
      grid_(grid),
      assembly_(grid, fractal.Width(), plan.chunks),
      row_axis_(fractal.RowAxis()),
      column_axis_(fractal.ColumnAxis()) {
  for (const Chunk& chunk : plan_.chunks) rows_.push_back({chunk.first_row, chunk.rows});
}

ItemInput RowsJob::Begin(const GivenItem& given) {
  assembly_.Begin(given.item);
  ItemInput input;
  if (context_.payload == RowsPayload::kCoords) {
    input = CoordsOf(plan_.chunks[given.item]);
  } else {
    input.input = std::as_bytes(std::span(&rows_[given.item], 1));
  }
  input.place = assembly_.BytesOf(given.item);
  input.place_buffer = &grid_;
  return input;
}

// Buffers are reused, so there are only as many as there are items outstanding at once; each fits
// the largest chunk.
ItemInput RowsJob::CoordsOf(const Chunk& chunk) {
  if (options_.prepared != nullptr && !options_.copy_prepared) {
    return {.input = PreparedBytes(*options_.prepared, context_.fractal, chunk),
            .input_buffer = options_.prepared};
  }
  const Nanoseconds begun = Now();
  const std::uint64_t width = context_.fractal.Width();
  if (free_coords_.empty()) {
    const auto largest = std::ranges::max_element(plan_.chunks, {}, &Chunk::rows);
    free_coords_.push_back(options_.allocate(largest->rows * width * kCoordsBytesPerPoint));
  }
  Buffer& buffer = coords_[chunk.id] = std::move(free_coords_.back());
  free_coords_.pop_back();
  const std::size_t points = chunk.rows * width;
  if (options_.prepared != nullptr) {
    std::ranges::copy(PreparedBytes(*options_.prepared, context_.fractal, chunk),
                      buffer.bytes().begin());
  } else {
    const std::span<double> numbers = buffer.as<double>();
    FillCoords(context_.fractal, row_axis_, column_axis_, chunk.first_row * width, points,
               numbers.data(), numbers.data() + 2 * points);
  }
  splitting_ += Now() - begun;
  return {.input = buffer.bytes().first(points * kCoordsBytesPerPoint), .input_buffer = &buffer};
}

void RowsJob::Release(std::uint64_t item) {
  const auto found = coords_.find(item);
  if (found == coords_.end()) return;
  free_coords_.push_back(std::move(found->second));
  coords_.erase(found);
}

std::optional<std::span<std::byte>> RowsJob::PlaceFor(const GivenItem& given, std::uint64_t offset,
                                                      std::uint64_t bytes) {
  return assembly_.PlaceFor(given.item, offset, bytes);
}

bool RowsJob::Complete(const GivenItem& given, const ItemResult& result) {
  const auto hash = result.in_place ? std::optional(result.hash) : std::nullopt;
  if (!assembly_.Complete(given.item, result.bytes, hash)) return false;
  Release(given.item);
  return true;
}

void RowsJob::Return(const GivenItem& given) {
  Release(given.item);
}

void RowsJob::GiveUp(std::uint64_t item, const std::string& /*reason*/) {
  assembly_.GiveUp(item);
  Release(item);
}

std::vector<std::uint64_t> RowsJob::Recheck() {
  const Nanoseconds begun = Now();
  std::vector<std::uint64_t> spoilt = assembly_.Finish();
  assembling_ += Now() - begun;
  return spoilt;
}

}  // namespace procpool
