// JPEG pictures (through libjpeg): baseline and progressive, grey and colour, 8 bits. EXIF orientation plays no part. Local.
#pragma once

#include "hpot/io/image.hpp"

#include <string>

namespace hpot {

/// r = g = b where the picture is grey. InputError: unreadable, cut short, damaged, CMYK.
Raster read_jpeg(const std::string& path);

}  // namespace hpot
