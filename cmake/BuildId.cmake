# Script (cmake -P): hashes the files in SOURCES (joined by '|') into OUTPUT, a header with kBuildIdValue.
string(REPLACE "|" ";" sources "${SOURCES}")
set(digests "")
foreach(source IN LISTS sources)
  file(SHA256 "${source}" digest)
  string(APPEND digests "${digest}")
endforeach()
string(SHA256 all "${digests}")
string(SUBSTRING "${all}" 0 16 value)
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT
"// Generated from the sources of common/ and the public headers.
#pragma once
#include <cstdint>
namespace procpool { inline constexpr std::uint64_t kBuildIdValue = 0x${value}U; }
" NEWLINE_STYLE UNIX)
