// What stands behind the frame decoder, fed by hostile workers: the dispatch, the ledger and the
// calls of a map.
//
// What must hold whatever they send, claim and however they die: each call ends once, and all of
// them when the job is done; what was taken as a call's result is not changed any more; nobody
// writes where a job was that has ended (the address sanitizer's word); it comes to an end.
#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "master/dispatch.h"
#include "master/map_job.h"
#include "tests/fuzz/frame_script.h"
#include "tests/fuzz/hostile_workers.h"

namespace procpool {
namespace {

// Calls of which each must end once.
class StrictBatch final : public detail::Batch {
 public:
  enum class Results { kInPlace, kFlat, kOther };
  static constexpr std::size_t kResultBytes = 3;

  StrictBatch(std::uint64_t calls, std::uint64_t chunk, Results results)
      : calls_(calls), chunk_(chunk), results_(results), place_(calls * kResultBytes) {}

  std::string_view task() const override { return "task"; }
  const std::vector<std::byte>& context() const override { return context_; }
  std::uint64_t calls() const override { return calls_; }
  std::uint64_t chunk_size() const override { return chunk_; }
  std::span<const std::byte> Input(std::uint64_t, std::uint64_t count, detail::InputRoom& room,
                                   std::vector<std::shared_ptr<SharedMemory>>&) override {
    return room.Exactly(count * 8);
  }
  std::size_t FlatResultBytes() const override {
    return results_ == Results::kOther ? 0 : kResultBytes;
  }
  std::span<std::byte> FlatResults(std::uint64_t first, std::uint64_t count) override {
    if (results_ != Results::kInPlace) return {};
    return std::span(place_).subspan(first * kResultBytes, count * kResultBytes);
  }
  void Done(detail::DoneChunk chunk) override {
    if (results_ == Results::kFlat) {
      Require(chunk.bytes.size() == chunk.count * kResultBytes, "flat results of another length");
    }
    for (std::uint64_t call = chunk.first; call < chunk.first + chunk.count; ++call) {
      if (std::ranges::find(chunk.without, call) != chunk.without.end()) continue;
      EndOnce(call);
      if (results_ == Results::kInPlace) taken_[call] = BytesOf(call);
    }
  }
  void Failed(std::uint64_t call, std::exception_ptr error) override {
    Require(error != nullptr, "a call fails without an error");
    EndOnce(call);
  }
  void Ended(std::exception_ptr) override {}

  void RequireAllEnded() const { Require(ended_.size() == calls_, "a call that has not ended"); }
  void RequireUnchanged() const {
    for (const auto& [call, bytes] : taken_) {
      Require(bytes == BytesOf(call), "a result that was changed after it was taken");
    }
  }

 private:
  using Bytes = std::vector<std::byte>;

  void EndOnce(std::uint64_t call) {
    Require(call < calls_, "a call that there is not");
    Require(++ended_[call] == 1, "a call that ends twice");
  }
  Bytes BytesOf(std::uint64_t call) const {
    const auto* begin = place_.data() + call * kResultBytes;
    return {begin, begin + kResultBytes};
  }

  std::uint64_t calls_;
  std::uint64_t chunk_;
  Results results_;
  Bytes context_;
  Bytes place_;
  std::map<std::uint64_t, int> ended_;
  std::map<std::uint64_t, Bytes> taken_;
};

/// A map of a few calls, on its way through the dispatch.
class Map {
 public:
  Map(Dispatch& dispatch, FuzzInput& input) {
    const std::uint64_t calls = 1 + input.Pick(24);
    const std::uint64_t chunk = 1 + input.Pick(4);
    const auto results = static_cast<StrictBatch::Results>(input.Pick(3));
    batch_ = std::make_shared<StrictBatch>(calls, chunk, results);
    const MapJobOptions options{.retries = static_cast<unsigned>(input.Pick(3)),
                                .retry_exceptions = input.Flip()};
    job_ = std::make_unique<MapJob>(batch_, options);
    id_ = dispatch.Begin(*job_, {.most_deaths = 1, .quiet_failures = true, .budgeted = false},
                         [this](const JobReport& report, const std::exception_ptr& error) {
                           if (!error && report.status == JobReport::Status::kDone) {
                             batch_->RequireAllEnded();
                           }
                           batch_->RequireUnchanged();
                           // As the pool does: nothing of it may be touched from here on.
                           job_.reset();
                           batch_.reset();
                         });
  }
  std::uint32_t id() const { return id_; }
  bool ended() const { return batch_ == nullptr; }
  void RequireUnchanged() const {
    if (!ended()) batch_->RequireUnchanged();
  }

 private:
  std::shared_ptr<StrictBatch> batch_;
  std::unique_ptr<MapJob> job_;
  std::uint32_t id_ = 0;
};

FrameFields MakeFields(const HostileWorkers& workers, std::size_t worker, FuzzInput& input) {
  constexpr FrameType kTypes[] = {FrameType::kResult,    FrameType::kResult, FrameType::kResult,
                                  FrameType::kStepThrew, FrameType::kFailed, FrameType::kReady};
  const JobItem& item = workers.Given(worker, input.Pick(8));
  FrameFields fields{.type = kTypes[input.Pick(6)],
                     .job = item.job,
                     .item = item.given.item,
                     .attempt = item.given.attempt};
  const std::uint8_t lie = input.Byte();
  if ((lie & 15U) == 1) fields.item = input.Number();
  if ((lie & 15U) == 2) fields.attempt = input.Byte();
  if ((lie & 15U) == 3) fields.job = input.Byte() % 4;
  if ((lie & 15U) > 11) fields.offset = input.Number();
  return fields;
}

void Act(HostileWorkers& workers, Dispatch& dispatch, const Map& map, FuzzInput& input) {
  const std::size_t worker = input.Pick(HostileWorkers::kSlots);
  switch (input.Pick(10)) {
    case 0:
      return workers.Die(worker);
    case 1:
      return dispatch.CancelItem(map.id(), input.Pick(32));
    case 2:
      return workers.Begin(worker, input.Number());
    case 3:
      return workers.Claim(worker, {{map.id(), {input.Number(), input.Byte() % 3U}},
                                    input.Number(),
                                    static_cast<Nanoseconds>(input.Word())});
    case 4:
      if (input.Byte() < 32) dispatch.Cancel(map.id());
      return;
    case 5:
      return workers.Send(worker, MakeBytes(input).bytes);
    case 6: {  // a frame that is left unfinished
      const ScriptedBytes made = MakeFrame(MakeFields(workers, worker, input), input);
      return workers.Send(worker,
                          std::span(made.bytes).first(made.bytes.size() - 1 - input.Pick(3)));
    }
    default:
      return workers.Send(worker, MakeFrame(MakeFields(workers, worker, input), input).bytes);
  }
}

void Play(FuzzInput input) {
  HostileWorkers workers;
  Dispatch dispatch(workers);
  Map first(dispatch, input);
  Map second(dispatch, input);
  dispatch.Turn(Deadline::After(0));
  dispatch.Turn(Deadline::After(0));
  while (!input.AtEnd() && !(first.ended() && second.ended())) {
    Act(workers, dispatch, input.Flip() ? first : second, input);
    dispatch.Turn(Deadline::After(0));
    first.RequireUnchanged();
    second.RequireUnchanged();
  }
  dispatch.EndJobs();
  Require(first.ended() && second.ended(), "a job that does not end");
  dispatch.Turn(Deadline::After(0));  // what is still on its way belongs to nobody
}

}  // namespace
}  // namespace procpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::Play(procpool::FuzzInput(data, size));
  return 0;
}
