#include "master/quantised.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace procpool {
namespace {

constexpr std::size_t kSteps = 101;

std::size_t NumberOf(const Percents& colour) {
  return (colour[0] * kSteps + colour[1]) * kSteps + colour[2];
}

struct Counted {
  Percents colour{};
  std::uint64_t pixels = 0;
};

// Some colours of the picture, all of which one colour will stand for.
struct Box {
  std::span<Counted> colours;
  std::size_t axis = 0;  // along which they differ most
  unsigned extent = 0;   // by how much
  std::uint64_t pixels = 0;

  explicit Box(std::span<Counted> all) : colours(all) {
    for (const Counted& counted : all) pixels += counted.pixels;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto [least, most] =
          std::ranges::minmax(all, {}, [i](const Counted& counted) { return counted.colour[i]; });
      const unsigned difference = most.colour[i] - least.colour[i];
      if (difference > extent) {
        extent = difference;
        axis = i;
      }
    }
  }

  // Wide boxes and full ones are cut first; a box of one colour never.
  double Urgency() const { return static_cast<double>(extent) * static_cast<double>(pixels); }

  // Leaves the lower half, by pixels, in this box and returns the upper one; neither is empty.
  Box Cut() {
    std::ranges::sort(colours, {}, [this](const Counted& counted) {
      return std::pair(counted.colour[axis], NumberOf(counted.colour));
    });
    std::uint64_t below = 0;
    std::size_t count = 0;
    do {
      below += colours[count++].pixels;
    } while (count + 1 < colours.size() && below + colours[count].pixels <= pixels / 2);
    const Box upper(colours.subspan(count));
    *this = Box(colours.first(count));
    return upper;
  }

  Percents Mean() const {
    std::array<std::uint64_t, 3> sums{};
    for (const Counted& counted : colours) {
      for (std::size_t i = 0; i < 3; ++i) sums[i] += counted.colour[i] * counted.pixels;
    }
    Percents mean{};
    for (std::size_t i = 0; i < 3; ++i)
      mean[i] = static_cast<std::uint8_t>((sums[i] + pixels / 2) / pixels);
    return mean;
  }
};

std::vector<Box> Boxes(std::span<Counted> colours, std::size_t most) {
  std::vector<Box> boxes;
  if (colours.size() <= most) {
    for (std::size_t i = 0; i < colours.size(); ++i) boxes.emplace_back(colours.subspan(i, 1));
    return boxes;
  }
  boxes.emplace_back(colours);
  while (boxes.size() < most) {
    const auto next = std::ranges::max_element(boxes, {}, &Box::Urgency);
    const Box upper = next->Cut();
    boxes.push_back(upper);
  }
  return boxes;
}

}  // namespace

Percents PercentsOf(Rgb colour) {
  const auto percent = [](unsigned number) {
    return static_cast<std::uint8_t>((number * 100 + 127) / 255);
  };
  return {percent(colour.red), percent(colour.green), percent(colour.blue)};
}

Quantised Quantise(const RgbImage& image, std::size_t most) {
  std::vector<std::uint64_t> pixels(kSteps * kSteps * kSteps);
  std::vector<Percents> colour_of_pixel;
  std::vector<Counted> colours;
  colour_of_pixel.reserve(image.rgb.size() / 3);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    const Percents colour = PercentsOf({image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]});
    colour_of_pixel.push_back(colour);
    if (pixels[NumberOf(colour)]++ == 0) colours.push_back({colour, 0});
  }
  for (Counted& counted : colours) counted.pixels = pixels[NumberOf(counted.colour)];

  Quantised quantised;
  std::vector<std::uint8_t> place_of_colour(pixels.size());
  for (const Box& box : Boxes(colours, most)) {
    for (const Counted& counted : box.colours)
      place_of_colour[NumberOf(counted.colour)] =
          static_cast<std::uint8_t>(quantised.palette.size());
    quantised.palette.push_back(box.Mean());
  }
  quantised.places.reserve(colour_of_pixel.size());
  for (const Percents& colour : colour_of_pixel)
    quantised.places.push_back(place_of_colour[NumberOf(colour)]);
  return quantised;
}

}  // namespace procpool
