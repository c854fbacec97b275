// What hpot-coordinates will hold and compute, and how many states of sweeps it may hold under resources.memory_limit.
#pragma once

#include "hpot/solver/coordinates.hpp"
#include "hpot/solver/work_plan.hpp"

namespace hpot {

struct CoordinateRun {
  Support support;  // the grid
  Index measures = 1;
  ProcessGridShape shape;
  bool picture = false;
};

/// With settings.places. Local.
WorkPlan plan_coordinates(const CoordinateSettings& settings, const CoordinateRun& run);

struct AdmittedCoordinates {
  WorkPlan plan;
  Index places = 0;
};

/// As many places as fit, all sweeps' at most; the plan, printed on --dry-run. InputError where not even the fewest fit: it names
/// the largest arrays and the number of ranks that would do; `shape_on(ranks)` is the process grid of so many. Collective.
AdmittedCoordinates admit_coordinates(const Communicator& world, const Options& options, CoordinateSettings settings,
                                      CoordinateRun run, const std::function<ProcessGridShape(int)>& shape_on);

}  // namespace hpot
