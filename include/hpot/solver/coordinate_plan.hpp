// What hpot-coordinates will hold and compute.
#pragma once

#include "hpot/solver/coordinates.hpp"
#include "hpot/solver/sweep_plan.hpp"

namespace hpot {

struct CoordinateRun {
  Support support;
  Index measures = 1;
  ProcessGridShape shape;
  bool picture = false;
};

/// With settings.places. Local.
WorkPlan plan_coordinates(const CoordinateSettings& settings, const CoordinateRun& run);

}  // namespace hpot
