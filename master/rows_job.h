// The fractal as a job: chunks of rows become items, results become rows of the grid. This is where
// the pool's bytes get a meaning on the master's side (worker/task_rows.h is the other).
//
// A chunk that is to be given up, for it killed its workers or took too long, is done in two halves
// instead, and a half that kills one more worker again in two. So only rows that kill by themselves
// are given up, each after as many deaths as a chunk may cause, and all the others are done.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/axis.h"
#include "common/buffer.h"
#include "common/rows_payload.h"
#include "master/assembly.h"
#include "master/coded_rows.h"
#include "master/job.h"
#include "master/plan.h"
#include "master/rows_placement.h"

namespace procpool {

struct RowsJobOptions {
  std::string_view kernel = "auto";
  RowsPayload payload = RowsPayload::kRows;
  CodecId codec = CodecId::kRaw;
  /// Payload coords: the coordinates, where they were written before (prepared_coords.h), and
  /// whether a chunk's are to be copied into memory from `allocate` before they are given out.
  const Buffer* prepared = nullptr;
  bool copy_prepared = false;
  bool timed = true;
  /// Where the job gets memory for payloads from, e.g. WorkerPool::Allocate. What it returns may be
  /// longer than asked for.
  std::function<Buffer(std::size_t bytes)> allocate{};
};

class RowsJob : public Job {
 public:
  /// grid, plan and what the options point to must outlive the job. With a codec other than raw no
  /// worker writes into the grid itself: results are decoded into it when they are complete.
  RowsJob(const Fractal& fractal, const Plan& plan, const Buffer& grid, RowsJobOptions options);

  std::string_view task() const override { return kRowsTask; }
  std::span<const std::byte> context() const override {
    return std::as_bytes(std::span(&context_, 1));
  }
  std::size_t items() const override { return chunks_.size(); }
  std::span<const unsigned> owners() const override { return plan_.owners; }
  bool timed() const override { return options_.timed; }
  Nanoseconds decoding() const override { return codec_times().decoding; }
  ItemInput Begin(const GivenItem& given) override;
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override;
  bool Complete(const GivenItem& given, const ItemResult& result) override;
  void Return(const GivenItem& given) override;
  unsigned MostDeaths(std::uint64_t item, unsigned usual) const override;
  bool Split(std::uint64_t item) override;
  void GiveUp(const GivenUpItem& given_up) override;
  std::vector<std::uint64_t> Recheck() override;

  const Assembly& assembly() const { return assembly_; }
  /// By item: those of the plan, then the parts of those that were split.
  std::span<const Chunk> chunks() const { return chunks_; }
  /// Chunks of the plan that are done whole.
  std::uint64_t planned_done() const;
  /// After the job: the payloads' memory, for the next one.
  std::vector<Buffer> TakeBuffers() { return std::move(free_coords_); }
  /// Rows whose results were accepted and found spoilt by nobody.
  std::uint64_t rows_delivered() const { return rows_delivered_; }
  /// Of all chunks that are done, in order of rows. Times are counted from `begun`; what a worker
  /// says to have done before it or after `finished` is brought to that end.
  std::vector<RowsPlacement> Placements(Nanoseconds begun, Nanoseconds finished) const;
  Nanoseconds splitting() const { return splitting_; }  ///< computing or copying coordinates
  /// What the codec took here, of all items and of one item's last attempt; 0 with raw.
  CodecTimes codec_times() const { return coded_ ? coded_->total() : CodecTimes{}; }
  CodecTimes codec_times(std::uint64_t item) const {
    return coded_ ? coded_->times(item) : CodecTimes{};
  }
  Nanoseconds assembling() const {
    return assembling_;
  }  ///< the final pass: hashes, sum and digest

 private:
  void Release(std::uint64_t item);
  bool IsPart(std::uint64_t item) const { return item >= plan_.chunks.size(); }
  void Append(std::uint64_t first_row, std::uint64_t rows);
  std::uint64_t PointsOf(const Chunk& chunk) const { return chunk.rows * context_.fractal.Width(); }
  Buffer& BufferFor(std::uint64_t item);
  ItemInput CoordsOf(const Chunk& chunk);
  std::span<const double> CoordsToEncode(const Chunk& chunk);
  void WriteCoords(const Chunk& chunk, double* numbers) const;
  void Place(std::uint64_t item, const ItemResult& result);
  bool CompleteRaw(std::uint64_t item, const ItemResult& result);
  bool CompleteCoded(std::uint64_t item, const ItemResult& result);

  RowsJobOptions options_;
  RowsContext context_;
  const Plan& plan_;
  const Buffer& grid_;
  std::vector<Chunk> chunks_;  // by item
  Assembly assembly_;
  AxisPoints row_axis_;
  AxisPoints column_axis_;
  std::deque<RowsItem> rows_;  // what travels under payload `rows`; stays where it is
  std::map<std::uint64_t, Buffer>
      coords_;  // what travels under `coords`, by item that is given out
  std::vector<Buffer> free_coords_;
  std::uint64_t most_points_;       // of a chunk
  std::optional<CodedRows> coded_;  // unless the codec is raw
  std::vector<double> uncoded_;
  std::uint64_t rows_delivered_ = 0;
  std::vector<RowsPlacement> placements_;  // by item; of no rows while it is not done
  std::uint64_t placed_ = 0;
  Nanoseconds splitting_ = 0;
  Nanoseconds assembling_ = 0;
};

/// "rows 120 to 134", "row 7"
std::string RowsText(const Chunk& chunk);

}  // namespace procpool
