// PGM images: P2 (text) and P5 (bytes), maximal value 1 to 65535, comments. Local.
#pragma once

#include "hpot/measure/grid.hpp"

#include <string>

namespace hpot {

/// Axes [y, x], values in [0, 1].
GridData read_pgm(const std::string& path);

}  // namespace hpot
