// The fractal as a job: chunks of rows become items, results become rows of the grid. This is where
// the pool's bytes get a meaning on the master's side (worker/task_rows.h is the other).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/axis.h"
#include "common/buffer.h"
#include "common/rows_payload.h"
#include "master/assembly.h"
#include "master/coded_rows.h"
#include "master/job.h"
#include "master/plan.h"

namespace procpool {

class RowsJob final : public Job {
 public:
  /// Where the job gets memory for coords payloads from, e.g. Pool::Allocate.
  using Allocate = std::function<Buffer(std::size_t bytes)>;

  /// grid and plan must outlive the job. With a codec other than raw no worker writes into the
  /// grid itself: results are decoded into it when they are complete.
  RowsJob(const Fractal& fractal, std::string_view kernel, RowsPayload payload, const Plan& plan,
          const Buffer& grid, Allocate allocate, CodecId codec = CodecId::kRaw);

  std::string_view task() const override { return kRowsTask; }
  std::span<const std::byte> context() const override {
    return std::as_bytes(std::span(&context_, 1));
  }
  std::size_t items() const override { return plan_.chunks.size(); }
  std::span<const unsigned> owners() const override { return plan_.owners; }
  bool timed() const override { return true; }
  ItemInput Begin(const GivenItem& given) override;
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override;
  bool Complete(const GivenItem& given, const ItemResult& result) override;
  void Return(const GivenItem& given) override;
  void GiveUp(std::uint64_t item, const std::string& reason) override;
  std::vector<std::uint64_t> Recheck() override;

  const Assembly& assembly() const { return assembly_; }
  Nanoseconds splitting() const { return splitting_; }  ///< computing coordinates
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
  std::uint64_t PointsOf(const Chunk& chunk) const { return chunk.rows * context_.fractal.Width(); }
  Buffer& BufferFor(std::uint64_t item);
  ItemInput CoordsOf(const Chunk& chunk);
  bool CompleteRaw(std::uint64_t item, const ItemResult& result);
  bool CompleteCoded(std::uint64_t item, const ItemResult& result);

  RowsContext context_;
  const Plan& plan_;
  const Buffer& grid_;
  Allocate allocate_;
  Assembly assembly_;
  AxisPoints row_axis_;
  AxisPoints column_axis_;
  std::vector<RowsItem> rows_;  // what travels under payload `rows`
  std::map<std::uint64_t, Buffer>
      coords_;  // what travels under `coords`, by item that is given out
  std::vector<Buffer> free_coords_;
  std::uint64_t most_points_;                  // of a chunk
  std::optional<CodedRows> coded_;             // unless the codec is raw
  std::vector<double> uncoded_z_, uncoded_c_;  // one chunk's coordinates before they are encoded
  Nanoseconds splitting_ = 0;
  Nanoseconds assembling_ = 0;
};

/// "rows 120 to 134"
std::string RowsText(const Chunk& chunk);

}  // namespace procpool
