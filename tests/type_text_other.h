// The same names as in type_text_test.cc, of another program as it were: a type of its own that
// looks alike and is laid out otherwise.
#pragma once

#include <string>

namespace procpool {

/// What SignatureText() makes, there, of the types that type_text_test.cc calls the same.
struct OtherSignatures {
  std::string of_point;
  std::string of_points;
  std::string of_view;
  std::string of_array;
  std::string of_kind;
};
OtherSignatures SignaturesOfTheOtherProgram();

}  // namespace procpool
