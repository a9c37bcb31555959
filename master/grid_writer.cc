#include "master/grid_writer.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include <procpool/error.h>
#include "common/host.h"
#include "master/array_npy.h"
#include "master/picture_pgm.h"
#include "master/picture_png.h"

namespace procpool {
namespace {

struct Extension {
  std::string_view text;
  GridFormat format;
};
constexpr std::array kExtensions = {Extension{".png", GridFormat::kPng},
                                    Extension{".pgm", GridFormat::kPgm},
                                    Extension{".npy", GridFormat::kNpy}};

/// Letters of ASCII only, whatever the locale.
bool SameLetters(std::string_view left, std::string_view right) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace

GridFormat GridFormatOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  const std::size_t dot = name.rfind('.');
  const std::string_view extension = dot == name.npos ? std::string_view() : name.substr(dot);
  std::string allowed;
  for (const Extension& known : kExtensions) {
    if (SameLetters(extension, known.text)) return known.format;
    allowed.append(allowed.empty() ? "" : ", ").append(known.text);
  }
  const std::string cause = extension.empty()
                                ? "its name has no extension"
                                : "the format '" + std::string(extension) + "' is not known";
  throw Error(Blame::kUser, {"write", "output file '" + std::string(path) + "'", cause,
                             "give it a name that ends in one of " + allowed});
}

void RequireSuited(GridFormat format, const ColormapInfo& colormap) {
  if (format != GridFormat::kPgm || colormap.gray) return;
  throw Error(Blame::kUser, {"use", "colormap '" + std::string(colormap.name) + "'",
                             "a .pgm file holds grays only and this map is in colours",
                             "choose --colormap pure-gray, or a .png file"});
}

bool NeedsPicture(GridFormat format) {
  return format != GridFormat::kNpy;
}

PictureTimes WriteGrid(OutputFile& file, GridFormat format, const GridView& grid,
                       const Picture* picture) {
  if (grid.counts.empty() || grid.counts.size() != std::size_t{grid.width} * grid.height)
    throw std::invalid_argument("WriteGrid: the grid has not width * height counts, or none");
  if (!NeedsPicture(format)) {
    WriteNpy(file, grid);
    return {};
  }
  if (picture == nullptr || picture->width() != grid.width || picture->height() != grid.height)
    throw std::invalid_argument("WriteGrid: the picture is not the grid's");
  if (format == GridFormat::kPng) return WritePng(file, *picture, UsableCpus());
  return WritePgm(file, *picture);
}

}  // namespace procpool
