// MessagePack, as nlohmann-json writes it: integers in the fewest bytes, and a double that fits
// into a float without loss as a float.
//
// The libraries of MessagePack's own project are not used: their Debian packages ask for Boost
// 1.74, which excludes the 1.81 that everything else here needs.
#include <limits>

#include "common/codec.h"
#include "common/json_message.h"

namespace procpool {
namespace {

// The format counts the numbers of an array in 32 bits.
constexpr std::size_t kMostNumbers = std::numeric_limits<std::uint32_t>::max();

class MsgpackCodec final : public Codec {
 public:
  std::string_view name() const override { return "msgpack"; }

  std::size_t EncodeRows(const RowsItem& item, std::span<std::byte> out) override {
    return Write(RowsValue(item), out);
  }
  std::size_t EncodeCoords(std::span<const double> z, std::span<const double> c,
                           std::span<std::byte> out) override {
    RequireCountable(std::max(z.size(), c.size()));
    return Write(CoordsValue(z, c), out);
  }
  std::size_t EncodeCounts(std::span<const std::int32_t> counts,
                           std::span<std::byte> out) override {
    RequireCountable(counts.size());
    return Write(CountsValue(counts), out);
  }

  DecodeFault DecodeRows(std::span<const std::byte> bytes, RowsItem& item) override {
    return ReadRows(bytes, JsonFormat::msgpack, item);
  }
  DecodeFault DecodeCoords(std::span<const std::byte> bytes, std::size_t most_points,
                           CoordsView& coords) override {
    if (auto fault = ReadCoords(bytes, JsonFormat::msgpack, most_points, z_, c_)) return fault;
    coords = {z_, c_};
    return std::nullopt;
  }
  DecodeFault DecodeCounts(std::span<const std::byte> bytes,
                           std::span<std::int32_t> counts) override {
    return ReadCounts(bytes, JsonFormat::msgpack, counts);
  }

 protected:
  // A byte for the type, then the number.
  std::size_t MostDoubleBytes() const override { return 1 + sizeof(double); }
  std::size_t MostCountBytes() const override { return 1 + sizeof(std::int32_t); }

 private:
  void RequireCountable(std::size_t numbers) const {
    if (numbers > kMostNumbers)
      Refuse("an array holds less than 2^32 numbers", "use more --chunks");
  }
  std::size_t Write(const JsonValue& value, std::span<std::byte> out) {
    encoded_.clear();
    JsonValue::to_msgpack(value, encoded_);
    return CopyOut(std::as_bytes(std::span(encoded_)), out);
  }

  std::vector<std::uint8_t> encoded_;
  std::vector<double> z_, c_;
};

}  // namespace

std::unique_ptr<Codec> MakeMsgpackCodec() {
  return std::make_unique<MsgpackCodec>();
}

}  // namespace procpool
