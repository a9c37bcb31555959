#include "master/map_job.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include <procpool/call_errors.h>
#include <procpool/error.h>
#include "common/channel.h"
#include "common/host.h"
#include "common/shared_memory.h"

namespace procpool {
namespace {

// From here on memory that both sides see is faster than a copy on each.
constexpr std::size_t kPlacedInput = std::size_t{16} * 1024;
// Before so much is allocated on a worker's word it is asked whether it is there.
constexpr std::uint64_t kMuch = std::uint64_t{64} << 20U;

std::string HowItEnded(const GivenUpItem& given_up) {
  return (given_up.exit.kind == ProcessExit::Kind::kSignalled ? "was " : "") + given_up.how;
}

std::exception_ptr ErrorOf(const GivenUpItem& given_up, const CallError::Where& where,
                           Nanoseconds timeout) {
  using Cause = GivenUpItem::Cause;
  if (given_up.cause == Cause::kCancelled) return std::make_exception_ptr(Cancelled());
  if (given_up.cause == Cause::kThrew) {
    if (given_up.type == "procpool::SignatureMismatch") {
      return std::make_exception_ptr(
          SignatureRefused(where, "the worker has it with other types: " + given_up.text,
                           "declare the task once, in a header that both programs include"));
    }
    return std::make_exception_ptr(TaskFailed(where, given_up.type, given_up.text));
  }
  if (given_up.cause == Cause::kTimedOut) {
    char cause[64];  // NOLINT: a short sentence
    std::snprintf(cause, sizeof cause, "it took longer than %g s", Seconds(timeout));
    return std::make_exception_ptr(TimedOut(where, cause, "allow it more time"));
  }
  const ProcessExit& exit = given_up.exit;
  std::optional<int> signal;
  std::optional<int> code;
  if (exit.kind == ProcessExit::Kind::kSignalled) signal = exit.value;
  if (exit.kind == ProcessExit::Kind::kExited) code = exit.value;
  return std::make_exception_ptr(WorkerDied(where, HowItEnded(given_up), signal, code));
}

}  // namespace

std::exception_ptr ErrorOfBatch(const JobReport& report, const std::exception_ptr& error) {
  if (error) return error;
  switch (report.status) {
    case JobReport::Status::kDone:
      return nullptr;
    case JobReport::Status::kInterrupted:
      return std::make_exception_ptr(Cancelled());
    default:
      return std::make_exception_ptr(
          Error(Blame::kMachine, {"run", "calls", report.error, "look at what the workers log"}));
  }
}

// Gives a chunk's input its place.
class MapJob::Room final : public detail::InputRoom {
 public:
  Room(MapJob& job, Under& under) : job_(job), under_(under) {}

  std::span<std::byte> Exactly(std::size_t bytes) override {
    if (bytes >= kPlacedInput && job_.options_.arena != nullptr) {
      under_.block = job_.options_.arena->Take(bytes);
      return under_.block->bytes().first(bytes);
    }
    // A short input is copied as soon as it is given out; a longer one stays until it is answered.
    std::vector<std::byte>& place = bytes <= kSmallPayload ? job_.scratch_ : under_.input;
    place.resize(bytes);
    return place;
  }
  std::vector<std::byte>& Growing() override {
    job_.scratch_.clear();
    return job_.scratch_;
  }

  // Moves what must not stay where it is.
  std::span<const std::byte> Settle(std::span<const std::byte> input) {
    if (under_.block || input.data() == under_.input.data()) return input;
    if (input.size() >= kPlacedInput && job_.options_.arena != nullptr) {
      const std::span<std::byte> place = Exactly(input.size());
      std::memcpy(place.data(), input.data(), input.size());
      return place;
    }
    if (input.data() == job_.scratch_.data() && input.size() > kSmallPayload) {
      under_.input = std::move(job_.scratch_);
      job_.scratch_ = {};
      return under_.input;
    }
    return input;
  }

 private:
  MapJob& job_;
  Under& under_;
};

MapJob::MapJob(std::shared_ptr<detail::Batch> batch, const MapJobOptions& options)
    : batch_(std::move(batch)),
      options_(options),
      flat_bytes_(batch_->FlatResultBytes()),
      table_(batch_->chunk_size()) {
  table_.TakeIn(ChunksOfBatch());
}

// ---- chunks

// Asked in this order: what comes between the two questions is found by the next one to ask.
std::uint64_t MapJob::ChunksOfBatch() const {
  const std::uint64_t chunk = batch_->chunk_size();
  const std::uint64_t incomplete = batch_->MoreMayCome() ? 0 : chunk - 1;
  return (batch_->calls() + incomplete) / chunk;
}

std::size_t MapJob::items() const {
  table_.TakeIn(ChunksOfBatch());
  return table_.items();
}

void MapJob::Append(const CallChunk& chunk) {
  if (chunk.count == 0) return;
  table_.TakeIn(ChunksOfBatch());
  table_.Append(chunk);
}

void MapJob::AppendHalves(const CallChunk& chunk) {
  const std::uint64_t half = chunk.count / 2;
  Append({chunk.first, half});
  Append({chunk.first + half, chunk.count - half});
}

std::optional<MapJob::Under> MapJob::Leave(std::uint64_t item) {
  shared_.clear();  // or it would keep them until the next item, which may be long in coming
  auto node = under_.extract(item);
  if (node.empty()) return std::nullopt;
  Under under = std::move(node.mapped());
  if (under.block) options_.arena->GiveBack(std::move(*under.block));
  return under;
}

bool MapJob::MayRetry(std::uint64_t call) {
  if (options_.retries == 0) return false;
  const unsigned tries = ++tries_[call];
  if (tries <= options_.retries) return true;
  tries_.erase(call);
  return false;
}

std::optional<std::uint64_t> MapJob::Abandon(std::uint64_t call) {
  table_.TakeIn(ChunksOfBatch());
  const std::optional<std::uint64_t> item = table_.ItemOf(call);
  if (item && options_.retries != 0) tries_[call] = options_.retries;
  return item;
}

// ---- giving

ItemInput MapJob::Begin(const GivenItem& given) {
  const CallChunk chunk = ChunkOf(given.item);
  Under under;
  Room room(*this, under);
  std::vector<std::shared_ptr<SharedMemory>> shared;
  ItemInput input{.input = room.Settle(batch_->Input(chunk.first, chunk.count, room, shared)),
                  .tasks = chunk.count};
  ShareWith(input, shared);
  if (under.block || !under.input.empty()) {
    const auto [place, inserted] = under_.insert_or_assign(given.item, std::move(under));
    if (place->second.block) input.input_buffer = &*place->second.block;
  }
  return input;
}

void MapJob::ShareWith(ItemInput& input, std::vector<std::shared_ptr<SharedMemory>>& shared) {
  if (shared.empty()) return;
  std::sort(shared.begin(), shared.end());
  shared.erase(std::unique(shared.begin(), shared.end()), shared.end());
  shared_.clear();
  for (const auto& memory : shared) {
    if (memory->buffer.region()->fd() < 0) {
      throw Error(Blame::kUser, {"give", "shared array to a worker",
                                 "it came from another process, which alone can give it",
                                 "make a shared array of your own and copy it"});
    }
    shared_.push_back(memory->buffer);
  }
  input.shared = shared_;
}

// ---- taking

std::optional<std::span<std::byte>> MapJob::PlaceFor(const GivenItem& given, std::uint64_t offset,
                                                     std::uint64_t bytes) {
  const CallChunk chunk = ChunkOf(given.item);
  if (flat_bytes_ != 0) {
    const std::uint64_t all = chunk.count * flat_bytes_;
    if (offset > all || bytes > all - offset) return std::nullopt;
    const std::span<std::byte> place = batch_->FlatResults(chunk.first, chunk.count);
    if (!place.empty()) return place.subspan(offset, bytes);
  }
  // An empty last piece must fit as well: what it completes is cut into results by its length.
  const auto under = under_.find(given.item);
  if (offset != (under == under_.end() ? 0 : under->second.result.size())) return std::nullopt;
  if (bytes == 0) return std::span<std::byte>();
  if (bytes >= kMuch && bytes > AvailableMemory()) return std::nullopt;
  std::vector<std::byte>& result = under_[given.item].result;
  result.resize(offset + bytes);
  return std::span(result).subspan(offset);
}

bool MapJob::Complete(const GivenItem& given, const ItemResult& result) {
  const CallChunk chunk = ChunkOf(given.item);
  if (flat_bytes_ != 0 && result.bytes != chunk.count * flat_bytes_) return false;
  if (options_.log != nullptr && result.times) {
    options_.log->Add(batch_->task(), {batch_->NumberOf(chunk.first), chunk.count}, *result.times,
                      result.record);
  }
  std::optional<Under> under = Leave(given.item);
  if (!under) under.emplace();
  detail::DoneChunk done{.first = chunk.first,
                         .count = chunk.count,
                         .bytes = std::move(under->result),
                         .again = chunk.again};
  std::vector<std::uint64_t> without;
  std::vector<std::uint64_t> retry;
  for (Thrown& thrown : under->thrown) {
    without.push_back(thrown.call);
    if (options_.retry_exceptions && MayRetry(thrown.call)) {
      retry.push_back(thrown.call);
    } else {
      batch_->Failed(thrown.call, std::make_exception_ptr(
                                      TaskFailed(WhereOf(thrown.call, thrown.worker),
                                                 std::move(thrown.type), std::move(thrown.text))));
    }
  }
  done.without = without;
  batch_->Done(std::move(done));
  table_.Ended(given.item);
  if (!tries_.empty() && chunk.count == 1 && retry.empty()) tries_.erase(chunk.first);
  for (const std::uint64_t call : retry) Append({call, 1, true});
  return true;
}

bool MapJob::StepThrew(const GivenItem& given, std::uint64_t step, const std::string& type,
                       const std::string& text, pid_t worker) {
  const CallChunk chunk = ChunkOf(given.item);
  if (step >= chunk.count) return false;
  std::vector<Thrown>& thrown = under_[given.item].thrown;
  const std::uint64_t call = chunk.first + step;
  if (!thrown.empty() && thrown.back().call >= call) return false;  // each says so once, in order
  thrown.push_back({call, type, text, worker});
  return true;
}

void MapJob::Return(const GivenItem& given) {
  Leave(given.item);
}

bool MapJob::Refused(const GivenItem& given, const std::exception_ptr& error) {
  const CallChunk chunk = ChunkOf(given.item);
  Leave(given.item);
  table_.Ended(given.item);
  if (chunk.count == 1) {
    tries_.erase(chunk.first);
    batch_->Failed(chunk.first, error);
  } else {
    AppendHalves(chunk);
  }
  return true;
}

CallError::Where MapJob::WhereOf(std::uint64_t call, pid_t worker) const {
  return {std::string(batch_->task()), batch_->NumberOf(call), worker};
}

void MapJob::GiveUp(const GivenUpItem& given_up) {
  const CallChunk chunk = ChunkOf(given_up.item);
  Leave(given_up.item);
  table_.Ended(given_up.item);
  const auto fail = [&](std::uint64_t call) {
    tries_.erase(call);
    batch_->Failed(call, ErrorOf(given_up, WhereOf(call, given_up.pid), options_.timeout));
  };
  using Cause = GivenUpItem::Cause;
  if (given_up.cause == Cause::kThrew || given_up.cause == Cause::kCancelled) {
    for (std::uint64_t call = chunk.first; call < chunk.first + chunk.count; ++call) fail(call);
    return;
  }
  std::optional<std::uint64_t> step = given_up.step;
  if (step && *step >= chunk.count) step.reset();  // a worker's word
  if (!step && chunk.count == 1) step = 0;
  if (!step) return AppendHalves(chunk);
  const std::uint64_t call = chunk.first + *step;
  Append({chunk.first, *step});
  if (MayRetry(call)) {
    Append({call, 1, chunk.again});
  } else {
    fail(call);
  }
  Append({call + 1, chunk.count - *step - 1});
}

}  // namespace procpool
