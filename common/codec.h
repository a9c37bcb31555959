// Codecs: how the messages of the task "rows" become bytes and come back. One object serves one
// side of one job; it keeps its scratch memory from message to message and is not thread-safe.
//
//   rows     RowsItem                        master to worker, payload `rows`
//   coords   z[n], c[n] as (re, im) doubles  master to worker, payload `coords`
//   counts   n int32                         worker to master
//
// Promise:
//   E1  What was encoded decodes to the same bits, every double and every int32 among them; what a
//       format cannot carry (JSON: numbers that are not finite) is refused by an Error when
//       encoding.
//   E2  Encode…() writes into the caller's memory, at most Most…Bytes() of it, and returns how
//   much. E3  Decode…() accepts exactly one message of the length expected and nothing behind it.
//   Any
//       other bytes give a reason, never an exception, a crash or a read beyond them.
//   E4  Memory for decoding grows with the bytes that are there, never with a length that they
//       claim.
//
// `raw` has no object: the numbers themselves travel, and where memory is shared nothing is copied.
// docs/protocol.md has each codec's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace procpool {

struct RowsItem;

enum class CodecId : std::uint32_t { kRaw, kCereal, kProtobuf, kMsgpack, kJson };

struct CodecInfo {
  CodecId id;
  std::string_view name;
  std::string_view description;
};

/// The one list of codecs, raw first.
std::span<const CodecInfo> Codecs();
/// nullptr if there is no such codec.
const CodecInfo* FindCodec(std::string_view name);

/// Coordinates in the memory of the codec that decoded them, valid until its next call.
struct CoordsView {
  std::span<const double> z;  ///< two doubles a point
  std::span<const double> c;  ///< as many
};

/// Nothing if all is well, else the reason.
using DecodeFault = std::optional<std::string>;

class Codec {
 public:
  /// Bytes of a RowsItem, at most, and of what stands around the numbers of the other messages.
  static constexpr std::size_t kMostFrame = 128;

  virtual ~Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;

  virtual std::string_view name() const = 0;

  std::size_t MostRowsBytes() const { return kMostFrame; }
  std::size_t MostCoordsBytes(std::size_t points) const {
    return kMostFrame + 4 * points * MostDoubleBytes();
  }
  std::size_t MostCountsBytes(std::size_t points) const {
    return kMostFrame + points * MostCountBytes();
  }

  /// Throw Error{kMachine} if the message is beyond what the format or `out` can hold.
  virtual std::size_t EncodeRows(const RowsItem& item, std::span<std::byte> out) = 0;
  virtual std::size_t EncodeCoords(std::span<const double> z, std::span<const double> c,
                                   std::span<std::byte> out) = 0;
  virtual std::size_t EncodeCounts(std::span<const std::int32_t> counts,
                                   std::span<std::byte> out) = 0;

  [[nodiscard]] virtual DecodeFault DecodeRows(std::span<const std::byte> bytes,
                                               RowsItem& item) = 0;
  /// At most `most_points` points; z and c of as many each.
  [[nodiscard]] virtual DecodeFault DecodeCoords(std::span<const std::byte> bytes,
                                                 std::size_t most_points, CoordsView& coords) = 0;
  /// Exactly counts.size() counts; what is in them is unspecified after a fault.
  [[nodiscard]] virtual DecodeFault DecodeCounts(std::span<const std::byte> bytes,
                                                 std::span<std::int32_t> counts) = 0;

 protected:
  Codec() = default;
  virtual std::size_t MostDoubleBytes() const = 0;
  virtual std::size_t MostCountBytes() const = 0;

  /// Throws the Error for a message that cannot be encoded.
  [[noreturn]] void Refuse(std::string_view cause, std::string_view remedy) const;
  /// Copies a library's own output into `out`.
  std::size_t CopyOut(std::span<const std::byte> encoded, std::span<std::byte> out) const;
};

/// nullptr for raw, which needs none.
std::unique_ptr<Codec> MakeCodec(CodecId id);

std::unique_ptr<Codec> MakeCerealCodec();
std::unique_ptr<Codec> MakeProtobufCodec();
std::unique_ptr<Codec> MakeMsgpackCodec();
std::unique_ptr<Codec> MakeJsonCodec();

// For the codecs' own use.
/// "it has 12 numbers where 16 are expected"
std::string WrongNumberText(std::uint64_t found, std::uint64_t expected);
/// Whether z and c have as many numbers, two for each point.
DecodeFault CoordsFault(const CoordsView& coords);

}  // namespace procpool
