#include "master/assembly.h"

#include <algorithm>

namespace procpool {
namespace {

std::span<std::int32_t> AsCounts(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::int32_t*>(bytes.data()), bytes.size() / sizeof(std::int32_t)};
}

}  // namespace

Assembly::Assembly(const Buffer& grid, std::uint64_t width, const std::vector<Chunk>& chunks)
    : grid_(grid.bytes()),
      row_bytes_(width * sizeof(std::int32_t)),
      chunks_(chunks),
      planned_(chunks.size()),
      entries_(chunks.size()) {}

std::span<std::byte> Assembly::BytesOf(std::uint64_t chunk) const {
  return grid_.subspan(chunks_[chunk].first_row * row_bytes_, chunks_[chunk].rows * row_bytes_);
}

void Assembly::Begin(std::uint64_t chunk) {
  Entry& entry = entries_[chunk];
  entry = Entry{};
  entry.state = State::kOpen;
}

std::optional<std::span<std::byte>> Assembly::PlaceFor(std::uint64_t chunk, std::uint64_t offset,
                                                       std::uint64_t bytes) {
  Entry& entry = entries_[chunk];
  const std::span<std::byte> all = BytesOf(chunk);
  if (entry.state != State::kOpen || offset != entry.arrived || bytes > all.size() - offset)
    return std::nullopt;
  entry.arrived += bytes;
  return all.subspan(offset, bytes);
}

bool Assembly::Complete(std::uint64_t chunk, std::uint64_t bytes,
                        std::optional<std::uint64_t> hash) {
  Entry& entry = entries_[chunk];
  if (entry.state != State::kOpen || entry.arrived != bytes || bytes != BytesOf(chunk).size())
    return false;
  entry.state = State::kComplete;
  entry.has_hash = hash.has_value();
  entry.hash = hash.value_or(0);
  ++complete_;
  return true;
}

void Assembly::GiveUp(std::uint64_t chunk) {
  entries_[chunk].state = State::kGivenUp;
  std::ranges::fill(AsCounts(BytesOf(chunk)), kGivenUpCount);
}

void Assembly::Split(std::uint64_t chunk) {
  entries_[chunk].state = State::kSplit;
  ++split_;
  entries_.resize(chunks_.size());
}

std::vector<std::uint64_t> Assembly::Finish() {
  std::vector<std::uint64_t> spoilt;
  ChecksumStream stream;
  for (const Chunk& chunk : chunks_) {
    const std::span<std::byte> bytes = BytesOf(chunk.id);
    Entry& entry = entries_[chunk.id];
    if (entry.has_hash && Hash(bytes) != entry.hash) {
      spoilt.push_back(chunk.id);
      entry = Entry{};
      --complete_;
    }
    if (chunk.id < planned_) stream.Add(AsCounts(bytes));
  }
  checksum_ = stream.Result();
  return spoilt;
}

}  // namespace procpool
