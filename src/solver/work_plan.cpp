#include "hpot/solver/work_plan.hpp"

#include <algorithm>
#include <cstdio>

namespace hpot {
namespace {

constexpr Real coarse_levels =
    1.0 / 7.0;  // of a volume: 1/8 + 1/64 + ...; more in lower dimension, where arrays are small

Real anderson_copies(const AccelerationOptions& acceleration) {
  return acceleration.type == "anderson" ? 2.0 * static_cast<Real>(acceleration.memory) + 4.0 : 0.0;
}

/// Terms of one softmin of one measure on the owned share of the rows.
Real terms_of_softmin(const KernelOptions& kernel, const Grid& grid, Real local_n) {
  if (kernel.type != "separable") return local_n * static_cast<Real>(grid.points());
  Real sides = 0.0;
  for (const Axis& axis : grid.axes) sides += static_cast<Real>(axis.n);
  return local_n * sides;
}

Real share(Index n, int parts) { return static_cast<Real>((n + parts - 1) / parts); }

Real matrix_values(const KernelOptions& kernel, const Grid& grid, Real local_n) {
  return kernel.type == "stored" ? 2.0 * local_n * static_cast<Real>(grid.points()) : 0.0;
}

}  // namespace

Real WorkPlan::bytes() const {
  Real sum = 0.0;
  for (const PlannedArray& array : arrays) sum += sizeof(Real) * array.values;
  return sum;
}

WorkPlan plan_transport(const TransportSettings& settings, const Grid& grid, int ranks) {
  const Real n = static_cast<Real>(grid.points());
  const Real local_n = share(grid.points(), ranks);
  WorkPlan plan;
  plan.arrays = {{"measures as read, their weights and coarse levels (whole)", 2.0 * n * (4.0 + coarse_levels)},
                 {"weights and their logarithms", 4.0 * local_n},
                 {"potentials and half-steps", 5.0 * local_n},
                 {"acceleration", anderson_copies(settings.acceleration) * local_n},
                 {"gathered potentials", ranks > 1 ? 2.0 * n : 0.0},
                 {"kernel work arrays", 2.0 * n / ranks + matrix_values(settings.kernel, grid, local_n)},
                 {"evaluation of the result", 8.0 * local_n + 2.0 * n}};
  plan.terms_per_sweep = 2.0 * terms_of_softmin(settings.kernel, grid, local_n);
  return plan;
}

WorkPlan plan_barycenter(const BarycenterSettings& settings, const Grid& grid, Index measures, ProcessGridShape shape) {
  const Real n = static_cast<Real>(grid.points());
  const Real local_n = share(grid.points(), shape.rows);
  const Real owned = share(measures, shape.batches);
  WorkPlan plan;
  plan.arrays = {
      {"measures as read, their weights and coarse levels (whole)", owned * n * (4.0 + coarse_levels)},
      {"log weights, potentials, half-steps", 3.0 * owned * local_n},
      {"acceleration", anderson_copies(settings.acceleration) * (owned + (settings.debiased ? 1.0 : 0.0)) * local_n},
      {"half-steps in flight", 2.0 * std::max(local_n, std::min(owned * local_n, Real{1 << 20}))},
      {"barycenter and debiasing", (settings.debiased ? 6.0 : 3.0) * local_n},
      {"gathered potentials", shape.rows > 1 ? 2.0 * n : 0.0},
      {"kernel work arrays", 2.0 * std::max(local_n, Real{1 << 22}) + matrix_values(settings.kernel, grid, local_n)}};
  plan.terms_per_sweep =
      (2.0 * owned + (settings.debiased ? 1.0 : 0.0)) * terms_of_softmin(settings.kernel, grid, local_n);
  return plan;
}

std::string describe(const WorkPlan& plan, int ranks) {
  constexpr Real mebibyte = 1024.0 * 1024.0;
  std::string text = "per rank, of " + std::to_string(ranks) + " (estimates):\n";
  char line[128];
  for (const PlannedArray& array : plan.arrays) {
    if (array.values <= 0.0) continue;
    std::snprintf(line, sizeof line, "  %10.1f MiB  %s\n", sizeof(Real) * array.values / mebibyte, array.name.c_str());
    text += line;
  }
  std::snprintf(line, sizeof line, "  %10.1f MiB  in all\n  %10.3g terms per sweep on the finest grid\n",
                plan.bytes() / mebibyte, plan.terms_per_sweep);
  return text + line;
}

}  // namespace hpot
