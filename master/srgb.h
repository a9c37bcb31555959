// Between the numbers of a picture (sRGB, 0 to 255) and the light that they stand for (linear, 0 to
// 1): colours are averaged as light, for the mean of their numbers is too dark.
//
// Source: IEC 61966-2-1, the sRGB transfer functions.
#pragma once

#include <cstdint>

namespace procpool {

/// From 0 to 1; exactly 0 for 0 and 1 for 255.
double LightOf(std::uint8_t number);
/// The number whose light is nearest, by number: NumberOf(LightOf(n)) == n, and so it is with
/// anything less than half a step away. Light beyond 0 or 1 counts as 0 or 1.
std::uint8_t NumberOf(double light);

}  // namespace procpool
