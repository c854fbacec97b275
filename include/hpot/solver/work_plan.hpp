// What a run will hold and compute, before it does: --dry-run. Local.
#pragma once

#include "hpot/solver/solve_barycenter.hpp"
#include "hpot/solver/solve_transport.hpp"

namespace hpot {

struct PlannedArray {
  std::string name;
  Real values = 0.0;  // doubles
};

/// Of the rank with the largest share.
struct WorkPlan {
  std::vector<PlannedArray> arrays;
  Real terms_per_sweep = 0.0;  // pairs (output, input) along all axes on the finest grid

  [[nodiscard]] Real bytes() const;
};

WorkPlan plan_transport(const TransportSettings& settings, const Grid& grid, int ranks);
WorkPlan plan_barycenter(const BarycenterSettings& settings, const Grid& grid, Index measures, ProcessGridShape shape);

/// A table for people.
std::string describe(const WorkPlan& plan, int ranks);

}  // namespace hpot
