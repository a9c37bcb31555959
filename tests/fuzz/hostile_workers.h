// Two workers that are the fuzzer: what each sends, how it dies and what it scribbles over the page
// that tells what it works on. The dispatch sees them as it sees processes.
//
// What ProcessWorkers does with what a worker sends is done here in the same way; but for the
// processes this is the master's receiving side.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "common/revocations.h"
#include "master/workers.h"
#include "tests/fuzz/script_channel.h"

namespace procpool {

class HostileWorkers final : public Workers {
 public:
  static constexpr std::size_t kSlots = 2;

  std::size_t slots() const override { return kSlots; }
  bool CanTake(std::size_t worker) const override { return slots_[worker].life == Life::kReady; }
  bool IsReady(std::size_t worker) const override { return CanTake(worker); }
  std::size_t record(std::size_t worker) const override { return worker; }
  std::optional<BegunItem> WorkingOn(std::size_t worker) const override {
    return slots_[worker].claimed;
  }
  std::size_t alive() const override { return kSlots; }
  void BeginJob(const JobTicket&) override {}
  void EndJob(std::uint32_t job) override;
  std::uint64_t TasksGiven(std::size_t) const override { return 0; }
  std::uint64_t ItemsGiven(std::size_t worker) const override { return slots_[worker].items; }
  bool Revoke(std::size_t worker, std::uint64_t number) override;
  bool HasUnsent(std::size_t) const override { return false; }
  bool Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
            const ItemInput& input) override;
  void Stop(std::size_t worker) override { Kill(worker, "told to stop"); }
  void Kill(std::size_t worker, const std::string& reason) override;
  using Workers::Replace;
  void Replace(std::size_t worker, Nanoseconds earliest) override;
  void Resize(std::size_t) override {}
  void Wait(Deadline deadline, WorkerEvents& events) override;

  /// What the worker sends next.
  void Send(std::size_t worker, std::span<const std::byte> bytes);
  void Die(std::size_t worker) { Kill(worker, ""); }
  /// What it says that it works on.
  void Claim(std::size_t worker, const BegunItem& begun) { slots_[worker].claimed = begun; }
  /// It says that it begins its item of that number.
  void Begin(std::size_t worker, std::uint64_t number);
  /// What it was given last and may not have answered.
  const JobItem& Given(std::size_t worker, std::size_t back) const;

 private:
  enum class Life { kEmpty, kReady, kDying };
  struct Slot {
    Life life = Life::kEmpty;
    bool is_new = false;
    std::unique_ptr<ScriptChannel> channel{};
    std::unique_ptr<Revocations> revocations{};
    std::optional<BegunItem> claimed{};
    std::uint64_t items = 0;
    std::deque<JobItem> given{};
    std::string reason{};
    std::array<std::byte, kSmallPayload> scratch{};
  };
  class Sink;

  void Receive(std::size_t worker, WorkerEvents& events);

  std::array<Slot, kSlots> slots_;
};

}  // namespace procpool
