// Protocol Buffers, lite runtime; the messages are in common/rows_message.proto. The message
// objects are kept: their arrays are reused, and coordinates are computed from where they were
// parsed to.
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <limits>

#include "common/codec.h"
#include "common/rows_payload.h"
#include "rows_message.pb.h"

namespace procpool {
namespace {

// The library counts a message's bytes in an int.
constexpr std::size_t kMostMessage = std::numeric_limits<int>::max();
constexpr std::string_view kTooLong = "a message holds less than 2 GiB";

template <typename Number>
std::span<const Number> SpanOf(const google::protobuf::RepeatedField<Number>& field) {
  return {field.data(), static_cast<std::size_t>(field.size())};
}

using google::protobuf::io::CodedOutputStream;

// A packed array whose numbers take `bytes`, with its tag and length; an empty one is left out.
std::size_t ArraySize(std::size_t bytes) {
  return bytes == 0 ? 0 : 1 + CodedOutputStream::VarintSize64(bytes) + bytes;
}

std::size_t ScalarSize(std::uint64_t number) {
  return number == 0 ? 0 : 1 + CodedOutputStream::VarintSize64(number);
}

// The bytes in which a message's own fields are encoded at their shortest.
std::size_t OwnSize(const message::Rows& rows) {
  return ScalarSize(rows.first_row()) + ScalarSize(rows.rows());
}

std::size_t OwnSize(const message::Coords& coords) {
  return ArraySize(coords.z().size() * sizeof(double)) +
         ArraySize(coords.c().size() * sizeof(double));
}

std::size_t OwnSize(const message::Counts& counts) {
  std::size_t bytes = 0;
  for (const std::int32_t count : counts.counts()) {
    const auto bits = static_cast<std::uint32_t>(count);
    bytes += CodedOutputStream::VarintSize32(bits << 1 ^ (count < 0 ? ~0U : 0U));
  }
  return ArraySize(bytes);
}

class ProtobufCodec final : public Codec {
 public:
  std::string_view name() const override { return "protobuf"; }

  std::size_t EncodeRows(const RowsItem& item, std::span<std::byte> out) override {
    rows_.set_first_row(item.first_row);
    rows_.set_rows(item.rows);
    return Write(rows_, out);
  }
  std::size_t EncodeCoords(std::span<const double> z, std::span<const double> c,
                           std::span<std::byte> out) override {
    Assign(*coords_.mutable_z(), z);
    Assign(*coords_.mutable_c(), c);
    return Write(coords_, out);
  }
  std::size_t EncodeCounts(std::span<const std::int32_t> counts,
                           std::span<std::byte> out) override {
    Assign(*counts_.mutable_counts(), counts);
    return Write(counts_, out);
  }

  DecodeFault DecodeRows(std::span<const std::byte> bytes, RowsItem& item) override {
    if (auto fault = Parse(bytes, rows_)) return fault;
    item = {rows_.first_row(), rows_.rows()};
    return std::nullopt;
  }
  DecodeFault DecodeCoords(std::span<const std::byte> bytes, std::size_t most_points,
                           CoordsView& coords) override {
    if (auto fault = Parse(bytes, coords_)) return fault;
    coords = {SpanOf(coords_.z()), SpanOf(coords_.c())};
    if (coords.z.size() > 2 * most_points) return WrongNumberText(coords.z.size(), 2 * most_points);
    return CoordsFault(coords);
  }
  DecodeFault DecodeCounts(std::span<const std::byte> bytes,
                           std::span<std::int32_t> counts) override {
    if (auto fault = Parse(bytes, counts_)) return fault;
    const std::span<const std::int32_t> parsed = SpanOf(counts_.counts());
    if (parsed.size() != counts.size()) return WrongNumberText(parsed.size(), counts.size());
    std::ranges::copy(parsed, counts.begin());
    return std::nullopt;
  }

 protected:
  std::size_t MostDoubleBytes() const override { return sizeof(double); }
  std::size_t MostCountBytes() const override { return 5; }

 private:
  template <typename Number>
  void Assign(google::protobuf::RepeatedField<Number>& field,
              std::span<const Number> numbers) const {
    if (numbers.size() > kMostMessage / sizeof(Number)) Refuse(kTooLong, "use more --chunks");
    field.Clear();
    field.Add(numbers.begin(), numbers.end());
  }

  template <typename Message>
  std::size_t Write(const Message& message, std::span<std::byte> out) const {
    const std::size_t bytes = message.ByteSizeLong();  // keeps what is needed below
    if (bytes > kMostMessage) Refuse(kTooLong, "use more --chunks");
    if (bytes > out.size()) Refuse("it is longer than the memory for it", "");
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()));
    return bytes;
  }

  // The library also takes fields that the message does not have, fields that come twice and
  // numbers written longer than need be. All of these make the bytes more than the message's own
  // size.
  template <typename Message>
  static DecodeFault Parse(std::span<const std::byte> bytes, Message& message) {
    if (bytes.size() > kMostMessage) return std::string(kTooLong);
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      return "it is not a message of this kind";
    if (OwnSize(message) != bytes.size()) return "it has more in it than belongs there";
    return std::nullopt;
  }

  message::Rows rows_;
  message::Coords coords_;
  message::Counts counts_;
};

}  // namespace

std::unique_ptr<Codec> MakeProtobufCodec() {
  return std::make_unique<ProtobufCodec>();
}

}  // namespace procpool
