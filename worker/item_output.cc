#include "worker/item_output.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace procpool {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;
// A wait is never unbounded: it is taken up again as long as the master lives, stopped or not.
constexpr Nanoseconds kOneWait = kSecond;

}  // namespace

void FlushToMaster(Channel& channel) {
  IoStatus status = channel.Flush();  // mostly all goes at once, and no clock is needed
  while (status == IoStatus::kBlocked) status = channel.FlushBefore(Deadline::After(kOneWait));
  if (status != IoStatus::kDone) throw MasterGone{};
}

void PostToMaster(Channel& channel, const OutFrame& frame) {
  while (!channel.Post(frame)) FlushToMaster(channel);
}

ItemOutput::ItemOutput(WorkerSide side, const Frame& item, std::vector<std::byte>& piece)
    : channel_(side.channel),
      mark_(side.mark),
      regions_(side.regions),
      item_(item),
      piece_(piece) {}

OutFrame ItemOutput::Answer(FrameType type) const {
  OutFrame frame;
  frame.header.type = type;
  frame.header.task = item_.header.task;
  frame.header.job = item_.header.job;
  frame.header.item = item_.header.item;
  frame.header.attempt = item_.header.attempt;
  frame.header.offset = offset_;
  return frame;
}

std::span<std::byte> ItemOutput::Reserve(std::size_t most) {
  if (!item_.place.empty()) {
    const std::span<std::byte> room = item_.place.subspan(placed_);
    if (room.empty() && most > 0)
      throw std::length_error("the result is longer than the place given for it");
    return room.first(std::min(most, room.size()));
  }
  if (piece_.size() < std::min(piece_used_ + most, kPieceBytes)) {
    // Grown in steps of two, so that small results keep the worker small.
    piece_.resize(std::min(kPieceBytes, std::max(piece_used_ + most, 2 * piece_.size())));
  }
  if (piece_used_ == piece_.size() && most > 0) SendPiece();
  return std::span(piece_).subspan(piece_used_, std::min(most, piece_.size() - piece_used_));
}

void ItemOutput::Commit(std::size_t bytes) {
  if (!item_.place.empty()) {
    placed_ += bytes;
    return;
  }
  piece_used_ += bytes;
  if (piece_used_ == kPieceBytes) SendPiece();
}

void ItemOutput::Spent(TaskStage stage, std::int64_t duration) {
  (stage == TaskStage::kDecode ? decoding_ : encoding_) += duration;
}

void ItemOutput::SendPiece() {
  const Nanoseconds begun = timed() ? Now() : 0;
  const Nanoseconds cpu_begun = timed() ? ThreadCpuTime() : 0;
  OutFrame frame = Answer(FrameType::kResult);
  frame.payload = std::span(piece_).first(piece_used_);
  PostToMaster(channel_, frame);
  FlushToMaster(channel_);  // the piece is used again
  offset_ += piece_used_;
  piece_used_ = 0;
  if (timed()) {
    sending_ += Now() - begun;
    sending_cpu_ += ThreadCpuTime() - cpu_begun;
  }
}

void ItemOutput::Finish(ResultAnnex times) {
  OutFrame frame = Answer(FrameType::kResult);
  frame.header.flags = kLastPart;
  frame.payload = item_.place.empty() ? std::span<const std::byte>(piece_).first(piece_used_)
                                      : std::span<const std::byte>(item_.place).first(placed_);
  if (timed()) {
    frame.header.flags |= kTimed;
    frame.times = times;
  }
  PostToMaster(channel_, frame);
  if (item_.place.empty() && piece_used_ > kSmallPayload)
    FlushToMaster(channel_);  // the piece is used again
}

void ItemOutput::PostException(FrameType type, std::string words, const ExceptionText& exception) {
  words += exception.type;
  words += '\0';
  words += exception.text;
  words.resize(std::min(words.size(), kSmallPayload));
  OutFrame frame = Answer(type);
  frame.payload = std::as_bytes(std::span(words));
  PostToMaster(channel_, frame);
}

void ItemOutput::Fail(const ExceptionText& exception) {
  PostException(FrameType::kFailed, "", exception);
}

void ItemOutput::FailStep(std::uint64_t step) {
  if (item_.header.type == FrameType::kInit) throw;  // an initializer fails as a whole
  std::string words(sizeof step, '\0');
  std::memcpy(words.data(), &step, sizeof step);
  PostException(FrameType::kStepThrew, std::move(words), DescribeException());
}

void ItemOutput::InitDone(Nanoseconds duration) {
  OutFrame frame = Answer(FrameType::kInitDone);
  frame.payload = std::as_bytes(std::span(&duration, 1));
  PostToMaster(channel_, frame);
}

}  // namespace procpool
