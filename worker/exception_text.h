// What an exception says of itself.
#pragma once

#include <string>

namespace procpool {

struct ExceptionText {
  std::string type;  ///< "std::runtime_error"
  std::string text;  ///< what(), or that there is none
};

/// Of the exception that is being handled.
ExceptionText DescribeException();

}  // namespace procpool
