// Built-in pictures, whose colours make measures; the same on any number of ranks (random.hpp).
//
//   synthetic:scene?key=value&...      e.g. synthetic:scene?n=192&item=1&pixels=2000
//
// scene   hills under a sky with a sun. item 0 at noon, 1 at sunset, others in colours of their own. n (192) pixels high,
//         width (4n/3), count (2), item, seed (0); pixels (10000) of them, or all, are the measure (cloud_file.hpp, colors_of).
#pragma once

#include "hpot/core/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace hpot {

/// 8-bit RGB, row by row from the top.
struct SyntheticPicture {
  Index width = 0;
  Index height = 0;
  std::vector<std::uint8_t> rgb;
};

/// Whether `source`, the text after "synthetic:", names a picture.
bool is_synthetic_picture(const std::string& source);

/// How many pictures it stands for, as synthetic_count. Local; InputError for unknown keys and values.
Index synthetic_picture_count(const std::string& source);

/// Picture number `item`, as synthetic_measure. Local; InputError likewise.
SyntheticPicture synthetic_picture(const std::string& source, Index item);

}  // namespace hpot
