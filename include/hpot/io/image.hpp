// PNG (through libpng), JPEG (through libjpeg) and PGM images.
#pragma once

#include "hpot/measure/grid.hpp"

#include <cstdint>
#include <string>

namespace hpot {

/// .png of any kind (1 to 16 bit, grey, palette, RGB, with or without alpha), .jpg and .jpeg (grey or colour, 8 bit) or .pgm
/// (P2, P5, 8 or 16 bit). Samples as they are stored, divided by the largest sample of their depth, so in [0, 1]; no gamma. Axes [y, x], y downwards,
/// spacing 1. `channel`: r, g, b, a or luminance = 0.299 r + 0.587 g + 0.114 b (alpha plays no part); r, g and b of a
/// grey image are its grey. `invert` gives 1 - value. InputError: unreadable, cut short, no such channel. Local.
GridData read_image(const std::string& path, const std::string& channel = "luminance", bool invert = false);

/// 8-bit RGB raster, row by row from the top.
struct Raster {
  Index width = 0;
  Index height = 0;
  std::vector<std::uint8_t> rgb;
};

/// The picture of a .png, .jpg or .jpeg: samples of 16 bits rounded to 8, alpha left out, r = g = b where it is grey.
/// InputError as read_image. Local.
Raster read_raster(const std::string& path);

/// Through a temporary name that is renamed when complete. Local: call it on one rank.
void write_png(const std::string& path, const Raster& raster);

}  // namespace hpot
