#include "master/call_line.h"

#include <algorithm>
#include <utility>

namespace procpool {

CallLine::CallLine(const detail::Batch& call, std::function<void()> call_ended)
    : task_(call.task()),
      context_(call.context()),
      flat_bytes_(call.FlatResultBytes()),
      call_ended_(std::move(call_ended)) {}

bool CallLine::Suits(const detail::Batch& call) const {
  return call.FlatResultBytes() == flat_bytes_ && call.task() == task_ &&
         call.context() == context_;
}

std::uint64_t CallLine::Add(std::shared_ptr<detail::Batch> call) {
  line_.push_back(std::move(call));
  return calls() - 1;
}

std::span<const std::byte> CallLine::Input(std::uint64_t first, std::uint64_t /*count*/,
                                           detail::InputRoom& room,
                                           std::vector<std::shared_ptr<SharedMemory>>& shared) {
  given_ = std::max(given_, first + 1);
  return At(first)->Input(0, 1, room, shared);
}

std::span<std::byte> CallLine::FlatResults(std::uint64_t first, std::uint64_t /*count*/) {
  return At(first)->FlatResults(0, 1);
}

// Where the call has no result it has failed by now, or will be done again: as if for the first
// time, as far as it can tell.
void CallLine::Done(detail::DoneChunk chunk) {
  if (!chunk.without.empty()) return;
  const std::shared_ptr<detail::Batch> call = Leave(chunk.first);
  call->Done({.first = 0, .count = 1, .bytes = std::move(chunk.bytes)});
  call->Ended(nullptr);
  call_ended_();
}

void CallLine::Failed(std::uint64_t call, std::exception_ptr error) {
  const std::shared_ptr<detail::Batch> left = Leave(call);
  left->Failed(0, std::move(error));
  left->Ended(nullptr);
  call_ended_();
}

void CallLine::Ended(std::exception_ptr error) {
  ended_ = true;
  const auto left = std::exchange(line_, {});
  for (const std::shared_ptr<detail::Batch>& call : left) {
    if (call == nullptr) continue;
    call->Ended(error);
    call_ended_();
  }
}

std::shared_ptr<detail::Batch> CallLine::Leave(std::uint64_t call) {
  std::shared_ptr<detail::Batch> left = std::move(At(call));
  while (!line_.empty() && line_.front() == nullptr) {
    line_.pop_front();
    ++first_;
  }
  given_ = std::max(given_, first_);
  return left;
}

}  // namespace procpool
