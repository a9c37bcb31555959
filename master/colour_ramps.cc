#include "master/colour_ramps.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace procpool {
namespace {

constexpr std::array<std::uint32_t, 25> kViridisKnots{
    0x440154, 0x471163, 0x481F71, 0x472D7B, 0x443A83, 0x404688, 0x3B528B, 0x355D8D, 0x31688E,
    0x2C728E, 0x287C8E, 0x24868E, 0x21908C, 0x1F9A8A, 0x20A486, 0x28AE80, 0x35B779, 0x47C06F,
    0x5DC963, 0x75D054, 0x8FD744, 0xABDC32, 0xC7E020, 0xE3E418, 0xFDE724};

constexpr std::array<std::uint32_t, 25> kMagmaKnots{
    0x000003, 0x050417, 0x100C2E, 0x1D1146, 0x2D1160, 0x3F0F73, 0x50127C, 0x611980, 0x721F81,
    0x822681, 0x932B80, 0xA4317E, 0xB63779, 0xC73D73, 0xD7456C, 0xE65163, 0xF1605D, 0xF8735C,
    0xFB8761, 0xFD9B6B, 0xFEAF78, 0xFEC387, 0xFED698, 0xFDE9AB, 0xFCFDBF};

constexpr std::array<std::uint32_t, 25> kInfernoKnots{
    0x000003, 0x050418, 0x110A30, 0x210C4A, 0x330A5F, 0x450A69, 0x57106D, 0x68166E, 0x781C6D,
    0x89226A, 0x9A2865, 0xAB2F5E, 0xBB3755, 0xCA404A, 0xD84C3F, 0xE35932, 0xED6925, 0xF47A18,
    0xF98D0A, 0xFCA108, 0xFCB51A, 0xF9CA32, 0xF4DE52, 0xF1F17B, 0xFBFFA5};

constexpr std::array<std::uint32_t, 25> kPlasmaKnots{
    0x0E0787, 0x270592, 0x3A049A, 0x4C02A1, 0x5D01A6, 0x6E00A8, 0x7E03A8, 0x8D0BA4, 0x9C179E,
    0xA92396, 0xB52F8C, 0xC13B82, 0xCB4778, 0xD5536F, 0xDD5F65, 0xE66C5C, 0xED7953, 0xF3864A,
    0xF89441, 0xFBA338, 0xFDB32F, 0xFDC328, 0xFBD524, 0xF6E627, 0xF0F923};

constexpr std::array<std::uint32_t, 52> kCividisKnots{
    0x00224E, 0x002656, 0x002A5F, 0x012D68, 0x003070, 0x073370, 0x173770, 0x1F3A6F, 0x273E6E,
    0x2E416D, 0x34456C, 0x3A486C, 0x3F4C6C, 0x444F6C, 0x49536C, 0x4E566C, 0x535A6D, 0x575D6D,
    0x5C616E, 0x60646F, 0x656870, 0x696B71, 0x6D6F72, 0x727274, 0x767676, 0x7A7A78, 0x7E7D78,
    0x838179, 0x888578, 0x8D8878, 0x928C78, 0x969077, 0x9B9476, 0xA09875, 0xA59C74, 0xAAA073,
    0xAFA471, 0xB5A86F, 0xBAAC6D, 0xBFB06B, 0xC4B468, 0xC9B965, 0xCFBD62, 0xD4C15F, 0xDAC65B,
    0xDFCA57, 0xE5CF52, 0xEAD34D, 0xF0D846, 0xF6DD40, 0xFCE236, 0xFEE836};

constexpr std::array<std::uint32_t, 24> kTwilightKnots{
    0xE1D9E1, 0xD1D4DA, 0xB3C6CE, 0x94B4C7, 0x7BA1C2, 0x6B8CBF, 0x6275BA, 0x5F5DB2,
    0x5E44A5, 0x5A2A90, 0x4E186E, 0x3D114C, 0x301337, 0x3F113D, 0x581647, 0x741E4F,
    0x8D2B50, 0xA23F50, 0xB25652, 0xBE6F5B, 0xC6896C, 0xCCA388, 0xD3BBAB, 0xDCD0CE};

}  // namespace

constexpr ColourRamp kViridis(kViridisKnots, ColourRamp::Ends::kApart);
constexpr ColourRamp kMagma(kMagmaKnots, ColourRamp::Ends::kApart);
constexpr ColourRamp kInferno(kInfernoKnots, ColourRamp::Ends::kApart);
constexpr ColourRamp kPlasma(kPlasmaKnots, ColourRamp::Ends::kApart);
constexpr ColourRamp kCividis(kCividisKnots, ColourRamp::Ends::kApart);
constexpr ColourRamp kTwilight(kTwilightKnots, ColourRamp::Ends::kMeet);

// Beyond ends that are apart the spline goes straight on.
double ColourRamp::Knot(std::ptrdiff_t index, unsigned shift) const {
  const auto knots = static_cast<std::ptrdiff_t>(knots_.size());
  const auto byte = [&](std::ptrdiff_t i) {
    return static_cast<double>(knots_[static_cast<std::size_t>(i)] >> shift & 0xFFU);
  };
  if (ends_ == Ends::kMeet) return byte((index + knots) % knots);
  if (index < 0) return 2 * byte(0) - byte(1);
  if (index >= knots) return 2 * byte(knots - 1) - byte(knots - 2);
  return byte(index);
}

double ColourRamp::Channel(std::size_t interval, double within, unsigned shift) const {
  const auto index = static_cast<std::ptrdiff_t>(interval);
  const double before = Knot(index - 1, shift);
  const double from = Knot(index, shift);
  const double to = Knot(index + 1, shift);
  const double after = Knot(index + 2, shift);
  // E. Catmull and R. Rom, "A class of local interpolating splines" (1974), with tension 1/2.
  const double linear = to - before;
  const double square = 2 * before - 5 * from + 4 * to - after;
  const double cube = 3 * (from - to) + after - before;
  return from + within / 2 * (linear + within * (square + within * cube));
}

Rgb ColourRamp::At(double t) const {
  const std::size_t intervals = knots_.size() - (IsCyclic() ? 0 : 1);
  const double place = std::clamp(t, 0.0, 1.0) * static_cast<double>(intervals);
  const std::size_t interval = std::min(static_cast<std::size_t>(place), intervals - 1);
  const double within = place - static_cast<double>(interval);
  const auto channel = [&](unsigned shift) {
    const double value = Channel(interval, within, shift);
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
  };
  return {channel(16), channel(8), channel(0)};
}

}  // namespace procpool
