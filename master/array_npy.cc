#include "master/array_npy.h"

#include <bit>
#include <string_view>

namespace procpool {

static_assert(std::endian::native == std::endian::little, "the counts are written as '<i4'");

std::string NpyHeader(std::uint32_t width, std::uint32_t height) {
  constexpr std::size_t kAlignment = 64;
  // Magic, version 1.0, and two bytes for the length of what follows them.
  std::string header("\x93NUMPY\x01\x00??", 10);
  header.append("{'descr': '<i4', 'fortran_order': False, 'shape': (")
      .append(std::to_string(height))
      .append(", ")
      .append(std::to_string(width))
      .append("), }");
  const std::size_t with_newline = header.size() + 1;
  header.append((kAlignment - with_newline % kAlignment) % kAlignment, ' ').append("\n");
  const std::size_t length = header.size() - 10;
  header[8] = static_cast<char>(length & 0xFFU);
  header[9] = static_cast<char>(length >> 8U);
  return header;
}

void WriteNpy(OutputFile& file, const GridView& grid) {
  const std::string header = NpyHeader(grid.width, grid.height);
  file.Write(std::as_bytes(std::span(header)));
  file.Write(std::as_bytes(grid.counts));
}

}  // namespace procpool
