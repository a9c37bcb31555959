#include "common/json_message.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace procpool {
namespace {

template <typename Number>
JsonValue ArrayOf(std::span<const Number> numbers) {
  return JsonValue::array_t(numbers.begin(), numbers.end());
}

// What the messages have in them. Add() takes a number of the field with this index, or says why
// not; Finish() is asked when all fields were there.
struct RowsSink {
  static constexpr std::array<std::string_view, 2> kKeys{"first_row", "rows"};
  static constexpr bool kArrays = false;
  RowsItem& item;

  const char* Add(std::size_t field, std::uint64_t number) {
    (field == 0 ? item.first_row : item.rows) = number;
    return nullptr;
  }
  static const char* Add(std::size_t, std::int64_t) { return "a row's number is negative"; }
  static const char* Add(std::size_t, double) { return "a row's number is not an integer"; }
  static DecodeFault Finish() { return std::nullopt; }
};

struct CoordsSink {
  static constexpr std::array<std::string_view, 2> kKeys{"z", "c"};
  static constexpr bool kArrays = true;
  std::size_t most;
  std::array<std::vector<double>*, 2> numbers;

  const char* Add(std::size_t field, double number) {
    if (numbers[field]->size() == most) return "it has more points than are expected";
    numbers[field]->push_back(number);
    return nullptr;
  }
  static const char* Add(std::size_t, std::int64_t) { return "a coordinate is an integer"; }
  static const char* Add(std::size_t, std::uint64_t) { return "a coordinate is an integer"; }
  DecodeFault Finish() const { return CoordsFault({*numbers[0], *numbers[1]}); }
};

struct CountsSink {
  static constexpr std::array<std::string_view, 1> kKeys{"counts"};
  static constexpr bool kArrays = true;
  std::span<std::int32_t> counts;
  std::size_t filled = 0;

  template <typename Integer>
  const char* Add(std::size_t, Integer number) {
    if (filled == counts.size()) return "it has more counts than are expected";
    if (!std::in_range<std::int32_t>(number)) return "a count is out of range";
    counts[filled++] = static_cast<std::int32_t>(number);
    return nullptr;
  }
  static const char* Add(std::size_t, double) { return "a count is not an integer"; }
  DecodeFault Finish() const {
    if (filled != counts.size()) return WrongNumberText(filled, counts.size());
    return std::nullopt;
  }
};

// What the library calls while it parses; `false` ends that. One object, in it each key once, and
// behind each key one number, or one array of numbers: so nothing is ever nested deeper, which
// matters as the library recurses into MessagePack.
template <typename Sink>
class MessageReader {
 public:
  explicit MessageReader(Sink& sink) : sink_(sink) {}
  const DecodeFault& fault() const { return fault_; }

  // NOLINTBEGIN(readability-identifier-naming): the library names these
  bool null() { return Refuse("it has null in it"); }
  bool boolean(bool /*value*/) { return Refuse("it has a truth value in it"); }
  bool string(std::string& /*text*/) { return Refuse("it has text in it"); }
  bool binary(JsonValue::binary_t& /*bytes*/) { return Refuse("it has bytes in it"); }
  bool number_integer(std::int64_t number) { return Take(number); }
  bool number_unsigned(std::uint64_t number) { return Take(number); }
  bool number_float(double number, const std::string& /*text*/) { return Take(number); }

  bool start_object(std::size_t /*claimed*/) {
    if (state_ != State::kBegin) return Refuse("it has an object in it");
    state_ = State::kKey;
    return true;
  }
  bool key(std::string& key) {
    const auto found = std::ranges::find(Sink::kKeys, key);
    if (found == Sink::kKeys.end()) return Refuse("it has a key that does not belong there");
    field_ = static_cast<std::size_t>(found - Sink::kKeys.begin());
    if ((seen_ & (1U << field_)) != 0) return Refuse("it has a key twice");
    seen_ |= 1U << field_;
    state_ = State::kValue;
    return true;
  }
  bool start_array(std::size_t /*claimed*/) {
    if (!Sink::kArrays || state_ != State::kValue) return Refuse("it has an array in it");
    state_ = State::kNumbers;
    return true;
  }
  bool end_array() {
    state_ = State::kKey;
    return true;
  }
  bool end_object() {
    if (seen_ != (1U << Sink::kKeys.size()) - 1) return Refuse("a key is missing");
    fault_ = sink_.Finish();
    return !fault_;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*exception*/) {
    fault_ = "it is malformed at byte " + std::to_string(position);
    return false;
  }
  // NOLINTEND(readability-identifier-naming)

 private:
  enum class State { kBegin, kKey, kValue, kNumbers };

  template <typename Number>
  bool Take(Number number) {
    if (state_ != (Sink::kArrays ? State::kNumbers : State::kValue))
      return Refuse("it has a number where none belongs");
    if (!Sink::kArrays) state_ = State::kKey;
    const char* reason = sink_.Add(field_, number);
    return reason == nullptr || Refuse(reason);
  }
  bool Refuse(const char* reason) {
    fault_ = reason;
    return false;
  }

  Sink& sink_;
  State state_ = State::kBegin;
  std::size_t field_ = 0;
  unsigned seen_ = 0;
  DecodeFault fault_;
};

template <typename Sink>
DecodeFault Read(std::span<const std::byte> bytes, JsonFormat format, Sink sink) {
  MessageReader<Sink> reader(sink);
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  if (JsonValue::sax_parse(begin, begin + bytes.size(), &reader, format)) return std::nullopt;
  return reader.fault() ? reader.fault() : "it is malformed";
}

}  // namespace

JsonValue RowsValue(const RowsItem& item) {
  return {{"first_row", item.first_row}, {"rows", item.rows}};
}

JsonValue CoordsValue(std::span<const double> z, std::span<const double> c) {
  JsonValue value;
  value["z"] = ArrayOf(z);
  value["c"] = ArrayOf(c);
  return value;
}

JsonValue CountsValue(std::span<const std::int32_t> counts) {
  JsonValue value;
  value["counts"] = ArrayOf(counts);
  return value;
}

DecodeFault ReadRows(std::span<const std::byte> bytes, JsonFormat format, RowsItem& item) {
  return Read(bytes, format, RowsSink{item});
}

DecodeFault ReadCoords(std::span<const std::byte> bytes, JsonFormat format, std::size_t most_points,
                       std::vector<double>& z, std::vector<double>& c) {
  z.clear();
  c.clear();
  return Read(bytes, format, CoordsSink{2 * most_points, {&z, &c}});
}

DecodeFault ReadCounts(std::span<const std::byte> bytes, JsonFormat format,
                       std::span<std::int32_t> counts) {
  return Read(bytes, format, CountsSink{counts});
}

}  // namespace procpool
