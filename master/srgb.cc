#include "master/srgb.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace procpool {
namespace {

double Decoded(double value) {
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

struct Tables {
  std::array<double, 256> light{};
  std::array<double, 255> between{};  // where number i ends and i + 1 begins
  Tables() {
    for (std::size_t i = 0; i < light.size(); ++i) light[i] = Decoded(static_cast<double>(i) / 255);
    for (std::size_t i = 0; i < between.size(); ++i)
      between[i] = Decoded((static_cast<double>(i) + 0.5) / 255);
  }
};

const Tables& TheTables() {
  static const Tables tables;
  return tables;
}

}  // namespace

double LightOf(std::uint8_t number) {
  return TheTables().light[number];
}

std::uint8_t NumberOf(double light) {
  const auto& between = TheTables().between;
  return static_cast<std::uint8_t>(std::ranges::upper_bound(between, light) - between.begin());
}

}  // namespace procpool
