// JSON: numbers as text, each in a form that reads back as the same bits. Numbers that are not
// finite have no such form and are refused; the coordinates of a workload are always finite.
#include <algorithm>
#include <cmath>
#include <string>

#include "common/codec.h"
#include "common/json_message.h"

namespace procpool {
namespace {

class JsonCodec final : public Codec {
 public:
  std::string_view name() const override { return "json"; }

  std::size_t EncodeRows(const RowsItem& item, std::span<std::byte> out) override {
    return Write(RowsValue(item), out);
  }
  std::size_t EncodeCoords(std::span<const double> z, std::span<const double> c,
                           std::span<std::byte> out) override {
    RequireFinite(z);
    RequireFinite(c);
    return Write(CoordsValue(z, c), out);
  }
  std::size_t EncodeCounts(std::span<const std::int32_t> counts,
                           std::span<std::byte> out) override {
    return Write(CountsValue(counts), out);
  }

  DecodeFault DecodeRows(std::span<const std::byte> bytes, RowsItem& item) override {
    return Checked(bytes, [&] { return ReadRows(bytes, JsonFormat::json, item); });
  }
  DecodeFault DecodeCoords(std::span<const std::byte> bytes, std::size_t most_points,
                           CoordsView& coords) override {
    const auto read = [&] { return ReadCoords(bytes, JsonFormat::json, most_points, z_, c_); };
    if (auto fault = Checked(bytes, read)) return fault;
    coords = {z_, c_};
    return std::nullopt;
  }
  DecodeFault DecodeCounts(std::span<const std::byte> bytes,
                           std::span<std::int32_t> counts) override {
    return Checked(bytes, [&] { return ReadCounts(bytes, JsonFormat::json, counts); });
  }

 protected:
  // "-1.2345678901234567e-308," and "-2147483648,"
  std::size_t MostDoubleBytes() const override { return 25; }
  std::size_t MostCountBytes() const override { return 12; }

 private:
  void RequireFinite(std::span<const double> numbers) const {
    if (std::ranges::all_of(numbers, [](double number) { return std::isfinite(number); })) return;
    Refuse("JSON cannot carry a number that is not finite", "use another --codec");
  }
  // A zero byte is the end for the library's parser, whatever follows it.
  template <typename Read>
  static DecodeFault Checked(std::span<const std::byte> bytes, const Read& read) {
    if (std::ranges::find(bytes, std::byte{0}) != bytes.end()) return "it has a zero byte in it";
    return read();
  }
  std::size_t Write(const JsonValue& value, std::span<std::byte> out) const {
    const std::string text = value.dump();
    return CopyOut(std::as_bytes(std::span(text)), out);
  }

  std::vector<double> z_, c_;
};

}  // namespace

std::unique_ptr<Codec> MakeJsonCodec() {
  return std::make_unique<JsonCodec>();
}

}  // namespace procpool
