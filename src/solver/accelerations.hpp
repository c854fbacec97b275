// The kinds of acceleration; make_acceleration() knows their names.
#pragma once

#include "hpot/solver/acceleration.hpp"

namespace hpot {

std::unique_ptr<Acceleration> make_anderson(Index memory);
std::unique_ptr<Acceleration> make_momentum();
std::unique_ptr<Acceleration> make_overrelaxation();

}  // namespace hpot
