// Single calls that travel together: the calls of one task with the same options, made one by one
// as callers make them. For the dispatch they are one batch that goes on growing, so that a call
// costs no job of its own.
//
// Used on the pool's thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/detail/batch.h>

namespace procpool {

class CallLine final : public detail::Batch {
 public:
  /// Of calls like this one. `call_ended` is told after each call's own Ended().
  CallLine(const detail::Batch& call, std::function<void()> call_ended);

  /// Whether it is of the same task, of the same types.
  bool Suits(const detail::Batch& call) const;
  /// A batch of one call joins. Its number here.
  std::uint64_t Add(std::shared_ptr<detail::Batch> call);
  /// No more will join; it ends once those that did have ended.
  void Seal() { sealed_ = true; }
  bool has_ended() const { return ended_; }
  /// Calls from the first one that has no end to the last.
  std::size_t length() const { return line_.size(); }
  /// Whether a call has never been given out.
  bool AnyoneWaits() const { return given_ < calls(); }

  std::string_view task() const override { return task_; }
  const std::vector<std::byte>& context() const override { return context_; }
  std::uint64_t calls() const override { return first_ + line_.size(); }
  bool MoreMayCome() const override { return !sealed_; }
  std::uint64_t chunk_size() const override { return 1; }
  std::uint64_t NumberOf(std::uint64_t /*call*/) const override { return 0; }

  std::span<const std::byte> Input(std::uint64_t first, std::uint64_t count,
                                   detail::InputRoom& room,
                                   std::vector<std::shared_ptr<SharedMemory>>& shared) override;
  std::size_t FlatResultBytes() const override { return flat_bytes_; }
  std::span<std::byte> FlatResults(std::uint64_t first, std::uint64_t count) override;
  void Done(detail::DoneChunk chunk) override;
  void Failed(std::uint64_t call, std::exception_ptr error) override;
  void Ended(std::exception_ptr error) override;

 private:
  std::shared_ptr<detail::Batch>& At(std::uint64_t call) { return line_[call - first_]; }
  std::shared_ptr<detail::Batch> Leave(std::uint64_t call);

  std::string task_;
  std::vector<std::byte> context_;
  std::size_t flat_bytes_;
  std::function<void()> call_ended_;
  std::deque<std::shared_ptr<detail::Batch>> line_;  // null: has ended
  std::uint64_t first_ = 0;                          // number of the first in it
  std::uint64_t given_ = 0;                          // those before have been given out
  bool sealed_ = false;
  bool ended_ = false;
};

}  // namespace procpool
