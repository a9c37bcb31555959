#include "worker/task_rows_coded.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/codec.h"
#include "worker/task_rows.h"

namespace procpool {
namespace {

// Tells the output how long a stage took, if anybody wants to know.
class StageClock {
 public:
  StageClock(TaskOutput& output, TaskStage stage)
      : output_(output), stage_(stage), begun_(output.timed() ? Now() : 0) {}
  void Stop() {
    if (output_.timed()) output_.Spent(stage_, Now() - begun_);
  }

 private:
  TaskOutput& output_;
  TaskStage stage_;
  Nanoseconds begun_;
};

class CodedRowsTask final : public ByteTask {
 public:
  explicit CodedRowsTask(const RowsContext& context)
      : fractal_(context.fractal),
        payload_(context.payload),
        codec_(MakeCodec(context.codec)),
        kernel_(KernelOrThrow(context.KernelName())),
        computer_(context.fractal, kernel_) {}

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    if (payload_ == RowsPayload::kRows) {
      ComputeRows(input, output);
    } else {
      ComputeCoords(input, output);
    }
    Send(output);
  }

 private:
  void ComputeRows(std::span<const std::byte> input, TaskOutput& output) {
    StageClock decoding(output, TaskStage::kDecode);
    RowsItem item;
    RequireDecoded(codec_->DecodeRows(input, item));
    if (!AreRowsOf(item, fractal_))
      throw std::invalid_argument("the rows asked for do not lie in the grid");
    decoding.Stop();
    counts_.resize(item.rows * fractal_.Width());
    computer_.Compute(item.first_row * fractal_.Width(), counts_);
  }

  void ComputeCoords(std::span<const std::byte> input, TaskOutput& output) {
    StageClock decoding(output, TaskStage::kDecode);
    CoordsView coords;
    const std::size_t most_points = std::size_t{fractal_.Width()} * fractal_.Height();
    RequireDecoded(codec_->DecodeCoords(input, most_points, coords));
    decoding.Stop();
    const double* z = coords.z.data();
    const double* c = coords.c.data();
    counts_.resize(coords.z.size() / 2);
    kernel_.compute(fractal_, {{z, 2}, {z + 1, 2}, {c, 2}, {c + 1, 2}, counts_.size()},
                    counts_.data());
  }

  void Send(TaskOutput& output) {
    StageClock encoding(output, TaskStage::kEncode);
    const std::size_t most = codec_->MostCountsBytes(counts_.size());
    if (room_ < most) {
      // Not filled with zeros: most results are far shorter than the longest one possible.
      encoded_ = std::make_unique_for_overwrite<std::byte[]>(most);
      room_ = most;
    }
    const std::size_t bytes = codec_->EncodeCounts(counts_, {encoded_.get(), most});
    encoding.Stop();
    output.Write({encoded_.get(), bytes});
  }

  static void RequireDecoded(const DecodeFault& fault) {
    if (fault) throw std::invalid_argument("the item cannot be decoded: " + *fault);
  }

  Fractal fractal_;
  RowsPayload payload_;
  std::unique_ptr<Codec> codec_;
  Kernel kernel_;
  RowsComputer computer_;
  std::vector<std::int32_t> counts_;
  std::unique_ptr<std::byte[]> encoded_;
  std::size_t room_ = 0;
};

}  // namespace

std::unique_ptr<ByteTask> MakeCodedRowsTask(const RowsContext& context) {
  return std::make_unique<CodedRowsTask>(context);
}

}  // namespace procpool
