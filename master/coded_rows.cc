#include "master/coded_rows.h"

#include <utility>

#include "common/log.h"

namespace procpool {

CodedRows::CodedRows(std::unique_ptr<Codec> codec, std::uint64_t most_points, std::size_t items)
    : codec_(std::move(codec)), most_points_(most_points), times_(items) {}

std::span<const std::byte> CodedRows::EncodeRows(std::uint64_t item, const RowsItem& rows) {
  const Nanoseconds begun = Now();
  const std::size_t most = codec_->MostRowsBytes();
  Memory& memory = rows_[item] = std::make_unique<std::byte[]>(most);
  const std::size_t bytes = codec_->EncodeRows(rows, {memory.get(), most});
  times_[item] = {.encoding = Now() - begun};
  total_.encoding += times_[item].encoding;
  return {memory.get(), bytes};
}

std::size_t CodedRows::EncodeCoords(std::uint64_t item, std::span<const double> z,
                                    std::span<const double> c, std::span<std::byte> out) {
  const Nanoseconds begun = Now();
  const std::size_t bytes = codec_->EncodeCoords(z, c, out);
  times_[item] = {.encoding = Now() - begun};
  total_.encoding += times_[item].encoding;
  return bytes;
}

CodedRows::Staged& CodedRows::StagedFor(std::uint64_t item) {
  const auto [found, is_new] = staged_.try_emplace(item);
  Staged& staged = found->second;
  if (!is_new) return staged;
  if (free_.empty()) {
    // Not filled with zeros: pages that no result reaches are never touched.
    const std::size_t most = codec_->MostCountsBytes(most_points_);
    staged.memory = std::make_unique_for_overwrite<std::byte[]>(most);
  } else {
    staged.memory = std::move(free_.back());
    free_.pop_back();
  }
  return staged;
}

std::optional<std::span<std::byte>> CodedRows::PlaceFor(std::uint64_t item, std::uint64_t points,
                                                        std::uint64_t offset, std::uint64_t bytes) {
  Staged& staged = StagedFor(item);
  if (offset != staged.arrived || bytes > codec_->MostCountsBytes(points) - offset)
    return std::nullopt;
  staged.arrived += bytes;
  return std::span(staged.memory.get() + offset, bytes);
}

bool CodedRows::Decode(std::uint64_t item, std::uint64_t bytes, std::span<std::int32_t> counts) {
  const auto found = staged_.find(item);
  if (found == staged_.end() || found->second.arrived != bytes) return false;
  const Nanoseconds begun = Now();
  const DecodeFault fault = codec_->DecodeCounts({found->second.memory.get(), bytes}, counts);
  times_[item].decoding = Now() - begun;
  total_.decoding += times_[item].decoding;
  if (fault) {
    Log(LogLevel::kWarning, "item " + std::to_string(item) + ": the result cannot be read as " +
                                std::string(codec_->name()) + ": " + *fault);
  }
  return !fault;
}

void CodedRows::Release(std::uint64_t item) {
  rows_.erase(item);
  const auto found = staged_.find(item);
  if (found == staged_.end()) return;
  free_.push_back(std::move(found->second.memory));
  staged_.erase(found);
}

}  // namespace procpool
