// A codec under test, and short ways to encode with it: into exactly as much memory as it says it
// needs at most, returned cut to what it used. Decoding is done from memory of exactly the right
// size, so that the address sanitizer sees any read beyond it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/codec.h"
#include "common/rows_payload.h"

namespace procpool {

using Bytes = std::vector<std::byte>;

inline std::string CodecTestName(const testing::TestParamInfo<CodecInfo>& info) {
  return std::string(info.param.name);
}

class CodecFixture : public testing::TestWithParam<CodecInfo> {
 protected:
  Bytes EncodedRows(const RowsItem& item) {
    Bytes bytes(codec_->MostRowsBytes());
    return Cut(bytes, codec_->EncodeRows(item, bytes));
  }
  Bytes EncodedCoords(std::span<const double> z, std::span<const double> c) {
    Bytes bytes(codec_->MostCoordsBytes(z.size() / 2));
    return Cut(bytes, codec_->EncodeCoords(z, c, bytes));
  }
  Bytes EncodedCounts(std::span<const std::int32_t> counts) {
    Bytes bytes(codec_->MostCountsBytes(counts.size()));
    return Cut(bytes, codec_->EncodeCounts(counts, bytes));
  }

  std::unique_ptr<Codec> codec_ = MakeCodec(GetParam().id);

 private:
  static Bytes Cut(const Bytes& bytes, std::size_t used) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(used)};
  }
};

}  // namespace procpool
