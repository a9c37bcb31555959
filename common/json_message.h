// The messages of the task "rows" as JSON values, for the two codecs that write such values: as
// text (codec_json.cc) and as MessagePack (codec_msgpack.cc). Both come from nlohmann-json.
//
//   rows     {"first_row": 12, "rows": 3}
//   coords   {"z": [re, im, …], "c": [re, im, …]}
//   counts   {"counts": [1, 2, …]}
//
// Writing goes through a tree, for the library offers no other way. Reading does not: the library
// calls a reader for each number, which puts it where it belongs and refuses whatever is not
// expected at that place, so nothing is built from what a peer claims.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "common/codec.h"
#include "common/rows_payload.h"

namespace procpool {

using JsonValue = nlohmann::ordered_json;
using JsonFormat = JsonValue::input_format_t;

JsonValue RowsValue(const RowsItem& item);
JsonValue CoordsValue(std::span<const double> z, std::span<const double> c);
JsonValue CountsValue(std::span<const std::int32_t> counts);

/// Reads one message in `format`; nothing may follow it.
DecodeFault ReadRows(std::span<const std::byte> bytes, JsonFormat format, RowsItem& item);
DecodeFault ReadCoords(std::span<const std::byte> bytes, JsonFormat format, std::size_t most_points,
                       std::vector<double>& z, std::vector<double>& c);
DecodeFault ReadCounts(std::span<const std::byte> bytes, JsonFormat format,
                       std::span<std::int32_t> counts);

}  // namespace procpool
