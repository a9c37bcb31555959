// The calls of a batch as a job: each item is a chunk of calls, each call one of its steps.
//
// What a failure does to a chunk:
//
//   a call threw         the chunk goes on; the call has failed, or is done again as a chunk of its
//                        own
//   a worker died, or    the call it was at has failed, or is done again as a chunk of its own; the
//   took too long        calls before it and those behind it become chunks anew. If it cannot be
//                        told which call it was, both halves do
//   its input cannot     likewise, and the one call whose input it is has failed
//   be made
//
// So every call ends exactly once: done or failed. One that is blamed for nothing is done again as
// often as it takes.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <procpool/call_errors.h>
#include <procpool/detail/batch.h>
#include "master/chunk_table.h"
#include "master/input_arena.h"
#include "master/job.h"
#include "master/job_report.h"
#include "master/work_log.h"

namespace procpool {

struct MapJobOptions {
  unsigned retries = 0;  ///< of each call that killed its worker or took too long
  bool retry_exceptions = false;
  Nanoseconds timeout = 0;      ///< for messages: the dispatch sees to it
  InputArena* arena = nullptr;  ///< if the transport shares memory
  WorkLog* log = nullptr;       ///< if somebody asked for statistics
};

/// What a batch is ended with whose job has ended like this; nothing, if it was done.
std::exception_ptr ErrorOfBatch(const JobReport& report, const std::exception_ptr& error);

class MapJob final : public Job {
 public:
  MapJob(std::shared_ptr<detail::Batch> batch, const MapJobOptions& options);

  std::string_view task() const override { return batch_->task(); }
  std::span<const std::byte> context() const override { return batch_->context(); }
  std::size_t items() const override;
  bool MoreMayCome() const override { return batch_->MoreMayCome(); }
  bool results_together() const override { return batch_->results_together(); }
  bool timed() const override { return options_.log != nullptr; }

  ItemInput Begin(const GivenItem& given) override;
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                               std::uint64_t bytes) override;
  bool Complete(const GivenItem& given, const ItemResult& result) override;
  void Return(const GivenItem& given) override;
  void GiveUp(const GivenUpItem& given_up) override;
  /// Input that cannot be made is its own call's error.
  bool Refused(const GivenItem& given, const std::exception_ptr& error) override;
  bool StepThrew(const GivenItem& given, std::uint64_t step, const std::string& type,
                 const std::string& text, pid_t worker) override;

  /// This call will not be tried again. The item that it is to be ended with; nothing: it has
  /// ended.
  std::optional<std::uint64_t> Abandon(std::uint64_t call);

 private:
  struct Thrown {
    std::uint64_t call;
    std::string type;
    std::string text;
    pid_t worker;
  };
  // What a chunk has while a worker has it; most need nothing.
  struct Under {
    std::optional<Buffer> block{};
    std::vector<std::byte> input{};
    std::vector<std::byte> result{};
    std::vector<Thrown> thrown{};
  };
  class Room;

  std::uint64_t ChunksOfBatch() const;
  CallChunk ChunkOf(std::uint64_t item) const { return table_.Of(item, batch_->calls()); }
  void Append(const CallChunk& chunk);
  void AppendHalves(const CallChunk& chunk);
  std::optional<Under> Leave(std::uint64_t item);
  bool MayRetry(std::uint64_t call);
  CallError::Where WhereOf(std::uint64_t call, pid_t worker) const;
  void ShareWith(ItemInput& input, std::vector<std::shared_ptr<SharedMemory>>& shared);

  std::shared_ptr<detail::Batch> batch_;
  MapJobOptions options_;
  std::size_t flat_bytes_;
  mutable ChunkTable table_;                        // grows when somebody asks how many there are
  std::unordered_map<std::uint64_t, Under> under_;  // by item
  std::map<std::uint64_t, unsigned> tries_;         // of calls that failed before
  std::vector<std::byte> scratch_;                  // inputs that are copied at once
  std::vector<Buffer> shared_;                      // of the item that is given out just now
};

}  // namespace procpool
