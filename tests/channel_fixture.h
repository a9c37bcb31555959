// What the channel tests share: both ends of a connection over any transport or the loopback, a
// sink that keeps what it is given, and a way to send bytes that no honest peer would.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "common/channel_factory.h"
#include "common/checksum.h"
#include "tests/channel_loopback.h"

namespace procpool {

inline constexpr Nanoseconds kWatchdog = 60 * kSecond;  // no wait of these tests comes near it
// No transport takes so much at once, nor does a loopback. The throttled one, where bytes go one by
// one, is small: what is more than it takes still goes through soon.
inline constexpr std::size_t kMoreThanFits = std::size_t{16} << 20;
inline constexpr std::size_t kMoreThanFitsThrottled = std::size_t{32} << 10;

using Bytes = std::vector<std::byte>;

inline Bytes RandomBytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(size);
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, std::min<std::size_t>(8, size - at));
  }
  return bytes;
}

/// Reaches the transport's own calls, to send what no honest peer would and to sleep when told.
class RawAccess : public Channel {
 public:
  static std::ptrdiff_t Write(Channel& channel, std::span<const std::byte> bytes) {
    const iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
    return (channel.*&RawAccess::WriteSome)({&piece, 1});
  }
  static void WriteAll(Channel& channel, std::span<const std::byte> bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::ptrdiff_t moved = Write(channel, bytes.subspan(at));
      ASSERT_GT(moved, 0);
      at += static_cast<std::size_t>(moved);
    }
  }
  static void Wait(Channel& channel, bool for_bytes, bool for_room, Deadline deadline) {
    (channel.*&RawAccess::WaitFor)(for_bytes, for_room, deadline);
  }
};

struct Arrived {
  FrameHeader header;
  Bytes payload;
  std::span<std::byte> place;
  std::optional<ResultAnnex> times;
};

class Collector : public FrameSink {
 public:
  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override {
    ++asked;
    if (refuses) return std::nullopt;
    if ((header.flags & kInRegion) != 0) return named = shared_place;
    buffer_.assign(header.payload_bytes + surplus, std::byte{0});
    return named = buffer_;
  }
  void Take(const Frame& frame) override {
    seen = frame.payload;
    frames.push_back({frame.header, Bytes(frame.payload.begin(), frame.payload.end()), frame.place,
                      frame.times});
  }
  std::string Refusal() const override { return "the collector refuses"; }

  std::vector<Arrived> frames;
  std::size_t asked = 0;
  bool refuses = false;
  std::size_t surplus = 0;            ///< by how much a place is too long
  std::span<std::byte> shared_place;  ///< where a result in a region already lies
  std::span<std::byte> named;         ///< what PlaceFor() said last
  std::span<const std::byte> seen;    ///< the payload Take() saw last

 private:
  Bytes buffer_;
};

inline OutFrame ItemFrame(std::uint64_t item, std::span<const std::byte> payload) {
  OutFrame frame;
  frame.header.type = FrameType::kItem;
  frame.header.item = item;
  frame.payload = payload;
  return frame;
}

/// A sealed frame as it lies in the stream.
inline Bytes Sealed(FrameHeader header, std::span<const std::byte> annex,
                    std::span<const std::byte> payload) {
  header.annex_bytes = static_cast<std::uint32_t>(annex.size());
  if (header.payload_bytes == 0) header.payload_bytes = payload.size();
  header.payload_hash = Hash(payload);
  Seal(header);
  const auto head = std::as_bytes(std::span(&header, 1));
  Bytes bytes(head.begin(), head.end());
  for (const std::byte byte : annex) bytes.push_back(byte);
  for (const std::byte byte : payload) bytes.push_back(byte);
  return bytes;
}

template <typename Annex>
std::array<std::byte, sizeof(Annex)> SealedAnnex(const Annex& annex) {
  std::array<std::byte, sizeof(Annex)> bytes{};
  std::memcpy(bytes.data(), &annex, sizeof annex);
  SealAnnex(bytes);
  return bytes;
}

struct Kind {
  std::string name;
  const Transport* transport = nullptr;  ///< nullptr: loopback
  bool throttled = false;                ///< loopback: small, one byte per call
};

inline void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

/// Both ends of one connection, with what belongs to them.
class ChannelPair {
 public:
  explicit ChannelPair(const Kind& kind) {
    std::signal(SIGPIPE, SIG_IGN);  // as both programs do
    if (kind.transport == nullptr) {
      LoopbackOptions options;
      if (kind.throttled) options = {.capacity = kMoreThanFitsThrottled / 4, .most_per_call = 1};
      std::tie(master, worker) = MakeLoopback(options);
      return;
    }
    auto [near, far] = ControlSocket::MakePair();
    master_control.emplace(std::move(near));
    worker_control.emplace(std::move(far));
    MadeChannel made = kind.transport->make({*master_control, master_table});
    EXPECT_EQ(made.far_fds.size(), kind.transport->far_fd_count);
    master = std::move(made.near);
    worker = kind.transport->open(std::move(made.far_fds), made.far_name,
                                  {*worker_control, worker_table});
    made.far_opened();
  }
  void KillMaster() {
    master.reset();
    master_control.reset();
  }
  void KillWorker() {
    worker.reset();
    worker_control.reset();
  }

  std::optional<ControlSocket> master_control, worker_control;
  RegionTable master_table, worker_table;
  std::unique_ptr<Channel> master, worker;
};

enum class Direction { kToWorker, kToMaster };

class ChannelTest : public testing::TestWithParam<std::tuple<Kind, Direction>> {
 protected:
  const Kind& kind() const { return std::get<0>(GetParam()); }
  bool to_worker() const { return std::get<1>(GetParam()) == Direction::kToWorker; }
  Channel& sender() { return to_worker() ? *link_->master : *link_->worker; }
  Channel& receiver() { return to_worker() ? *link_->worker : *link_->master; }
  void KillSender() { to_worker() ? link_->KillMaster() : link_->KillWorker(); }
  void KillReceiver() { to_worker() ? link_->KillWorker() : link_->KillMaster(); }
  void Renew() {
    link_.reset();
    link_.emplace(kind());
    sink_ = Collector();
  }

  /// Moves bytes from one thread until nothing is left to move.
  void Pump() {
    for (const Deadline watchdog = Deadline::After(kWatchdog); !watchdog.Passed();) {
      const IoStatus sent = sender().Flush();
      const IoStatus received = receiver().Receive(sink_);
      ASSERT_LE(received, IoStatus::kBlocked) << receiver().fault();
      if (sent == IoStatus::kDone && received == IoStatus::kBlocked) return;
    }
    FAIL() << "bytes got stuck";
  }
  void PostAndFlush(const OutFrame& frame) {
    ASSERT_TRUE(sender().Post(frame));
    ASSERT_EQ(sender().FlushBefore(Deadline::After(kWatchdog)), IoStatus::kDone);
  }
  /// Receives in blocking calls until the channel ends. Returns how.
  IoStatus ReceiveToTheEnd() {
    for (const Deadline watchdog = Deadline::After(kWatchdog);;) {
      const IoStatus status = receiver().ReceiveBefore(sink_, watchdog);
      if (status != IoStatus::kDone) return status;
    }
  }
  /// Fills the channel. `long_payload_` is still on its way then.
  void Fill() {
    ASSERT_TRUE(sender().Post(ItemFrame(0, long_payload_)));
    ASSERT_EQ(sender().Flush(), IoStatus::kBlocked);
    ASSERT_TRUE(sender().HasUnsent());
  }
  void ExpectItems(std::size_t count) const {
    ASSERT_EQ(sink_.frames.size(), count);
    for (std::size_t item = 0; item < count; ++item)
      ASSERT_EQ(sink_.frames[item].header.item, item);
  }

  std::optional<ChannelPair> link_{std::in_place, kind()};
  Collector sink_;
  const Bytes long_payload_ =
      RandomBytes(kind().throttled ? kMoreThanFitsThrottled : kMoreThanFits, 1);
};

inline std::string NameOf(const testing::TestParamInfo<std::tuple<Kind, Direction>>& info) {
  const auto& [kind, direction] = info.param;
  return kind.name + (direction == Direction::kToWorker ? "ToWorker" : "ToMaster");
}

inline std::vector<Kind> Kinds() {
  std::vector<Kind> kinds{{"loopback", nullptr, false}, {"throttled", nullptr, true}};
  for (const Transport& transport : Transports()) {
    kinds.push_back({std::string(transport.name), &transport, false});
  }
  return kinds;
}

}  // namespace procpool
