#include "common/quoted.h"

#include <algorithm>

namespace procpool {
namespace {

constexpr std::size_t kLongest = 160;

bool IsControl(char character) {
  const auto code = static_cast<unsigned char>(character);
  return code < 0x20 || code == 0x7f;
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string line(text);
  if (line.size() > kLongest) line.replace(kLongest / 2, line.size() - kLongest, "...");
  std::ranges::replace_if(line, IsControl, '?');
  return line;
}

std::string Quoted(std::string_view text) {
  return OneLine(text).insert(0, 1, '\'').append("'");
}

}  // namespace procpool
