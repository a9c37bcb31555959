#include "fragile.h"

#include <cstdlib>
#include <stdexcept>

namespace fragile {
namespace {

int calls = 0;
volatile int area = 0;
int* volatile row = nullptr;

}  // namespace

int Area(const std::string& size) {
  ++calls;
  const std::size_t sign = size.find('x');
  if (sign == std::string::npos) throw std::invalid_argument("'" + size + "' has no x");
  const int width = std::atoi(size.c_str());
  const int height = std::atoi(size.c_str() + sign + 1);
  if (width > 9999) std::_Exit(3);  // "fatal error: too large"
  if (width < 0) std::abort();      // "this cannot happen"
  row = height > 0 ? &calls : nullptr;
  area = *row;  // there is no first row
  area = 0;
  for (unsigned rows = height; rows != 0; rows -= 2) area = area + 2 * width;  // odd: no end
  return area;
}

int Calls() {
  return calls;
}

}  // namespace fragile
