// A channel that commits faults on the way of what is sent, in front of the one that really sends.
// It frames as every channel does and hands each whole frame on, spoilt or not; only then, or in
// between, the worker dies, stops or waits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/channel.h"
#include "worker/fault_injector.h"

namespace procpool {

class FaultyChannel final : public Channel {
 public:
  /// Both must outlive this one.
  FaultyChannel(Channel& inner, FaultInjector& faults) : inner_(inner), faults_(faults) {}

  int readable_fd() const override { return inner_.readable_fd(); }
  int writable_fd() const override { return inner_.writable_fd(); }
  bool Arm() override { return inner_.Arm(); }
  std::optional<bool> Peek() const override { return inner_.Peek(); }
  void AcknowledgeWake() override { inner_.AcknowledgeWake(); }
  bool FlushIsCheap() const override { return inner_.FlushIsCheap(); }
  void FetchRegions() override { inner_.FetchRegions(); }
  bool Stalled() const override { return inner_.Stalled(); }

  /// Where the result that is sent next lies, if it lies in shared memory: to be spoilt there.
  void PlacedAt(std::span<std::byte> place) { place_ = place; }

 protected:
  std::ptrdiff_t WriteSome(std::span<const iovec> pieces) override;
  std::ptrdiff_t ReadSome(std::span<const iovec> pieces) override;
  void WaitFor(bool for_bytes, bool for_room, Deadline deadline) override;
  const RegionTable* regions() override { return RegionsOf(inner_); }

 private:
  using Bytes = std::vector<std::byte>;
  struct Sending;

  std::ptrdiff_t Send(Bytes frame);
  void Spoil(const FaultRule& rule, Sending& sending);
  std::ptrdiff_t Write(std::span<const std::byte> bytes, bool trickle);
  std::ptrdiff_t ReleaseHeld();

  Channel& inner_;
  FaultInjector& faults_;
  Bytes out_;   // the beginning of a frame whose rest comes with the next call
  Bytes held_;  // a frame that goes after the next one
  std::span<std::byte> place_;
};

}  // namespace procpool
