// What a hostile peer sends, as the fuzzer decides: well-formed frames with any fields, the same
// with a bit flipped, and plain bytes. The hashes are made here, for no fuzzer would guess them.
#pragma once

#include <cstddef>
#include <vector>

#include "common/wire.h"
#include "tests/fuzz/fuzz_input.h"

namespace procpool {

/// What is sent at once.
struct ScriptedBytes {
  std::vector<std::byte> bytes;
  bool is_frame = false;  ///< `header` and `payload` are what an honest sender would have sent so
  FrameHeader header{};
  std::vector<std::byte> payload{};
};

/// What goes into a header where the fuzzer does not choose it freely.
struct FrameFields {
  FrameType type = FrameType::kResult;
  std::uint32_t job = 0;
  std::uint64_t item = 0;
  std::uint32_t attempt = 0;
  std::uint64_t offset = 0;
};

/// A frame with these fields, its flags, annex and payload chosen by the input.
ScriptedBytes MakeFrame(const FrameFields& fields, FuzzInput& input);
/// Anything.
ScriptedBytes MakeBytes(FuzzInput& input);

}  // namespace procpool
