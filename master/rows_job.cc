#include "master/rows_job.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/clock.h"
#include "common/kernel.h"
#include "common/log.h"
#include "master/prepared_coords.h"

namespace procpool {
namespace {

RowsContext MakeContext(const Fractal& fractal, std::string_view kernel, RowsPayload payload,
                        CodecId codec) {
  RowsContext context;
  context.fractal = fractal;
  context.SetKernel(kernel);
  context.payload = payload;
  context.codec = codec;
  return context;
}

std::uint64_t MostRows(const Plan& plan) {
  const auto largest = std::ranges::max_element(plan.chunks, {}, &Chunk::rows);
  return largest == plan.chunks.end() ? 0 : largest->rows;
}

std::span<std::int32_t> AsCounts(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::int32_t*>(bytes.data()), bytes.size() / sizeof(std::int32_t)};
}

}  // namespace

std::string RowsText(const Chunk& chunk) {
  if (chunk.rows == 1) return "row " + std::to_string(chunk.first_row);
  return "rows " + std::to_string(chunk.first_row) + " to " +
         std::to_string(chunk.first_row + chunk.rows - 1);
}

RowsJob::RowsJob(const Fractal& fractal, const Plan& plan, const Buffer& grid,
                 RowsJobOptions options)
    : options_(std::move(options)),
      context_(MakeContext(fractal, options_.kernel, options_.payload, options_.codec)),
      plan_(plan),
      grid_(grid),
      chunks_(plan.chunks),
      assembly_(grid, fractal.Width(), chunks_),
      row_axis_(fractal.RowAxis()),
      column_axis_(fractal.ColumnAxis()),
      most_points_(MostRows(plan) * fractal.Width()),
      placements_(chunks_.size()) {
  for (const Chunk& chunk : chunks_) rows_.push_back({chunk.first_row, chunk.rows});
  if (auto made = MakeCodec(options_.codec))
    coded_.emplace(std::move(made), most_points_, rows_.size());
}

ItemInput RowsJob::Begin(const GivenItem& given) {
  assembly_.Begin(given.item);
  ItemInput input;
  if (context_.payload == RowsPayload::kCoords) {
    input = CoordsOf(chunks_[given.item]);
  } else if (coded_) {
    input.input = coded_->EncodeRows(given.item, rows_[given.item]);
  } else {
    input.input = std::as_bytes(std::span(&rows_[given.item], 1));
  }
  if (coded_) return input;
  input.place = assembly_.BytesOf(given.item);
  input.place_buffer = &grid_;
  return input;
}

// Buffers are reused, so there are only as many as there are items outstanding at once; each fits
// the largest chunk.
Buffer& RowsJob::BufferFor(std::uint64_t item) {
  if (free_coords_.empty()) {
    free_coords_.push_back(options_.allocate(coded_ ? coded_->codec().MostCoordsBytes(most_points_)
                                                    : most_points_ * kCoordsBytesPerPoint));
  }
  Buffer& buffer = coords_[item] = std::move(free_coords_.back());
  free_coords_.pop_back();
  return buffer;
}

ItemInput RowsJob::CoordsOf(const Chunk& chunk) {
  // A part's coordinates do not lie together there: they are computed anew.
  const bool prepared = options_.prepared != nullptr && !IsPart(chunk.id);
  if (prepared && !options_.copy_prepared && !coded_) {
    return {.input = PreparedBytes(*options_.prepared, context_.fractal, chunk),
            .input_buffer = options_.prepared};
  }
  const Nanoseconds begun = Now();
  const std::size_t points = PointsOf(chunk);
  Buffer& buffer = BufferFor(chunk.id);
  if (coded_) {
    const std::span<const double> coords = CoordsToEncode(chunk);
    splitting_ += Now() - begun;
    const std::size_t bytes = coded_->EncodeCoords(chunk.id, coords.first(2 * points),
                                                   coords.subspan(2 * points), buffer.bytes());
    return {.input = buffer.bytes().first(bytes), .input_buffer = &buffer};
  }
  if (prepared) {
    std::ranges::copy(PreparedBytes(*options_.prepared, context_.fractal, chunk),
                      buffer.bytes().begin());
  } else {
    WriteCoords(chunk, buffer.as<double>().data());
  }
  splitting_ += Now() - begun;
  return {.input = buffer.bytes().first(points * kCoordsBytesPerPoint), .input_buffer = &buffer};
}

// z[n] then c[n], where they lie already or in memory that the next chunk will use again.
std::span<const double> RowsJob::CoordsToEncode(const Chunk& chunk) {
  const std::size_t numbers = 4 * PointsOf(chunk);
  if (options_.prepared != nullptr && !IsPart(chunk.id)) {
    const auto bytes = PreparedBytes(*options_.prepared, context_.fractal, chunk);
    return {reinterpret_cast<const double*>(bytes.data()), numbers};
  }
  uncoded_.resize(4 * most_points_);
  WriteCoords(chunk, uncoded_.data());
  return std::span(uncoded_).first(numbers);
}

void RowsJob::WriteCoords(const Chunk& chunk, double* numbers) const {
  const std::size_t points = PointsOf(chunk);
  FillCoords(context_.fractal, row_axis_, column_axis_, chunk.first_row * context_.fractal.Width(),
             points, numbers, numbers + 2 * points);
}

void RowsJob::Release(std::uint64_t item) {
  if (coded_) coded_->Release(item);
  const auto found = coords_.find(item);
  if (found == coords_.end()) return;
  free_coords_.push_back(std::move(found->second));
  coords_.erase(found);
}

std::optional<std::span<std::byte>> RowsJob::PlaceFor(const GivenItem& given, std::uint64_t offset,
                                                      std::uint64_t bytes) {
  if (coded_) {
    const std::uint64_t points = PointsOf(chunks_[given.item]);
    return coded_->PlaceFor(given.item, points, offset, bytes);
  }
  return assembly_.PlaceFor(given.item, offset, bytes);
}

bool RowsJob::Complete(const GivenItem& given, const ItemResult& result) {
  if (!(coded_ ? CompleteCoded(given.item, result) : CompleteRaw(given.item, result))) return false;
  rows_delivered_ += chunks_[given.item].rows;
  Place(given.item, result);
  Release(given.item);
  return true;
}

void RowsJob::Place(std::uint64_t item, const ItemResult& result) {
  const Chunk& chunk = chunks_[item];
  placements_[item] = {
      .first_row = chunk.first_row, .rows = chunk.rows, .slot = result.worker, .order = placed_++};
  if (!result.times) return;
  placements_[item].begun = result.times->begun;
  placements_[item].finished = result.times->finished;
}

std::vector<RowsPlacement> RowsJob::Placements(Nanoseconds begun, Nanoseconds finished) const {
  std::vector<RowsPlacement> placements;
  std::ranges::copy_if(placements_, std::back_inserter(placements),
                       [](const RowsPlacement& placement) { return placement.rows > 0; });
  std::ranges::sort(placements, {}, &RowsPlacement::first_row);
  // Without times both ends are 0, and stay so.
  for (RowsPlacement& placement : placements) {
    placement.begun = std::clamp(placement.begun, begun, finished) - begun;
    placement.finished = std::clamp(placement.finished - begun, placement.begun, finished - begun);
  }
  return placements;
}

bool RowsJob::CompleteRaw(std::uint64_t item, const ItemResult& result) {
  const auto hash = result.in_place ? std::optional(result.hash) : std::nullopt;
  return assembly_.Complete(item, result.bytes, hash);
}

bool RowsJob::CompleteCoded(std::uint64_t item, const ItemResult& result) {
  // No place was given, so nothing can lie in one.
  if (result.in_place) return false;
  const std::uint64_t bytes = assembly_.BytesOf(item).size();
  const auto rows = assembly_.PlaceFor(item, 0, bytes);
  return rows && coded_->Decode(item, result.bytes, AsCounts(*rows)) &&
         assembly_.Complete(item, bytes, std::nullopt);
}

void RowsJob::Return(const GivenItem& given) {
  Release(given.item);
}

// What is left of a chunk that has killed so often needs no more proof: it is halved at each death.
unsigned RowsJob::MostDeaths(std::uint64_t item, unsigned usual) const {
  return IsPart(item) && chunks_[item].rows > 1 ? 1 : usual;
}

bool RowsJob::Split(std::uint64_t item) {
  const Chunk chunk = chunks_[item];
  if (chunk.rows < 2) return false;
  const std::uint64_t half = chunk.rows / 2;
  Append(chunk.first_row, half);
  Append(chunk.first_row + half, chunk.rows - half);
  assembly_.Split(item);
  if (coded_) coded_->GrowTo(chunks_.size());
  Log(LogLevel::kInfo, RowsText(chunk) + ": done in two halves from now on");
  return true;
}

void RowsJob::Append(std::uint64_t first_row, std::uint64_t rows) {
  chunks_.push_back({chunks_.size(), first_row, rows});
  placements_.emplace_back();
  rows_.push_back({first_row, rows});
}

std::uint64_t RowsJob::planned_done() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      plan_.chunks, [this](const Chunk& chunk) { return assembly_.IsComplete(chunk.id); }));
}

void RowsJob::GiveUp(const GivenUpItem& given_up) {
  assembly_.GiveUp(given_up.item);
  Release(given_up.item);
}

std::vector<std::uint64_t> RowsJob::Recheck() {
  const Nanoseconds begun = Now();
  std::vector<std::uint64_t> spoilt = assembly_.Finish();
  for (const std::uint64_t item : spoilt) {
    rows_delivered_ -= chunks_[item].rows;
    placements_[item] = {};
  }
  assembling_ += Now() - begun;
  return spoilt;
}

}  // namespace procpool
