#include "tests/type_text_other.h"

#include <span>
#include <vector>

#include <procpool/detail/type_text.h>
#include <procpool/shared_array.h>

namespace procpool {
namespace {

// In type_text_test.cc it has two coordinates.
struct Point {
  double x, y, z;
};
enum class Kind : long { kOne };

}  // namespace

OtherSignatures SignaturesOfTheOtherProgram() {
  using detail::SignatureText;
  return {.of_point = SignatureText<int, Point>(),
          .of_points = SignatureText<int, std::vector<Point>>(),
          .of_view = SignatureText<int, std::span<const Point>>(),
          .of_array = SignatureText<int, SharedArray<Point>>(),
          .of_kind = SignatureText<Kind>()};
}

}  // namespace procpool
