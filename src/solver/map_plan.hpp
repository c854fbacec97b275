// What a transport's plan, map, gradient, colours and frames take. Private to solver.
#pragma once

#include "hpot/solver/work_plan.hpp"

namespace hpot {

/// write_maps, in phases: barycentric_displacement and write_map; make_plan_search; write_plan and write_interpolation.
void consider_maps(const TransportSettings& settings, const TransportRun& run, const PlannedArrays& base,
                   const PlannedArrays& whole, WorkPlan& plan);

}  // namespace hpot
