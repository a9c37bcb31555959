#include "worker/faulty_tasks.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

namespace procpool {
namespace {

constexpr std::size_t kScribbled = 4096;

void Commit(const FaultySide& side, const FaultRule& rule, std::span<std::byte> place) {
  if (side.faults.Act(rule)) return;
  if (rule.kind == FaultKind::kThrow) {
    side.faults.Count(rule);
    throw std::runtime_error("a fault that was asked for: " + rule.text);
  }
  if (rule.kind != FaultKind::kScribble) return;
  // Over what lies before the place of this result, or behind it if it is the first. Where no
  // memory is shared there is nothing to write over.
  const auto where = side.regions.Locate(place);
  if (!where) return;
  const std::span<std::byte> region = side.regions.Find(where->region)->bytes();
  const std::size_t begin =
      where->offset >= kScribbled ? where->offset - kScribbled : where->offset + where->bytes;
  const std::size_t bytes = std::min(kScribbled, region.size() - begin);
  if (bytes == 0) return;
  side.faults.Count(rule);
  std::memset(region.data() + begin, 0xEE, bytes);
}

class FaultyOutput final : public TaskOutput {
 public:
  FaultyOutput(TaskOutput& inner, const FaultySide& side) : inner_(inner), side_(side) {}

  std::span<std::byte> Reserve(std::size_t most) override { return room_ = inner_.Reserve(most); }
  void Commit(std::size_t bytes) override {
    const std::span<std::byte> written = room_.first(bytes);
    inner_.Commit(bytes);
    if (bytes == 0) return;
    if (side_.regions.Locate(written)) side_.placed_at(written);
    Computing(written);
  }
  void BeginStep(std::uint64_t step) override { inner_.BeginStep(step); }
  void FailStep(std::uint64_t step) override { inner_.FailStep(step); }
  std::shared_ptr<SharedMemory> Shared(std::uint32_t id) override { return inner_.Shared(id); }
  bool timed() const override { return inner_.timed(); }
  void Spent(TaskStage stage, std::int64_t duration) override { inner_.Spent(stage, duration); }

  /// Once for each item: when something of its result is there, or at its end.
  void Computing(std::span<std::byte> written) {
    if (std::exchange(computing_, true)) return;
    for (const FaultRule* rule :
         side_.faults.Struck(FaultStep::kComputing, side_.faults.ThisChunk()))
      procpool::Commit(side_, *rule, written);
  }

 private:
  TaskOutput& inner_;
  const FaultySide& side_;
  std::span<std::byte> room_;
  bool computing_ = false;
};

class FaultyTask final : public ByteTask {
 public:
  FaultyTask(std::unique_ptr<ByteTask> task, const FaultySide& side)
      : task_(std::move(task)), side_(side) {}

  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    side_.placed_at({});
    for (const FaultRule* rule :
         side_.faults.Struck(FaultStep::kReceived, side_.faults.ThisChunk()))
      Commit(side_, *rule, {});
    FaultyOutput faulty(output, side_);
    task_->Run(input, faulty);
    faulty.Computing({});
  }

 private:
  std::unique_ptr<ByteTask> task_;
  const FaultySide& side_;
};

}  // namespace

TaskRegistry FaultyTasks(const TaskRegistry& tasks, const FaultySide& side) {
  return tasks.Wrapped([&side](const TaskFactory& factory) -> TaskFactory {
    return [factory, &side](std::span<const std::byte> context) {
      return std::make_unique<FaultyTask>(factory(context), side);
    };
  });
}

}  // namespace procpool
