// The built-in workloads' texts: configs/*.toml, written into a source file when the project is
// built.
#pragma once

#include <span>
#include <string_view>

namespace procpool {

struct BuiltinWorkloadText {
  std::string_view name;  ///< the file's name without ".toml"
  std::string_view toml;
};

std::span<const BuiltinWorkloadText> BuiltinWorkloadTexts();

}  // namespace procpool
