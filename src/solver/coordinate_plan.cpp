#include "hpot/solver/coordinate_plan.hpp"

#include "plan_sizes.hpp"

#include <cmath>

namespace hpot {

WorkPlan plan_coordinates(const CoordinateSettings& settings, const CoordinateRun& run) {
  const auto n = static_cast<Real>(run.support.points());
  const auto local_n = static_cast<Real>(divide_rows(run.support, run.shape.rows).block(0).size());
  const Index owned_measures = (run.measures + run.shape.batches - 1) / run.shape.batches;
  const auto owned = static_cast<Real>(owned_measures);
  const Grid* const grid = run.support.grid();  // of which every coarser copy has a half along each axis
  const bool coarsens = grid != nullptr && settings.schedule.multiscale;
  const Real coarser = coarsens ? local_n / (std::exp2(run.support.dimension()) - 1.0) : 0.0;
  const PlannedArrays base = base_of(run.support);
  const PlannedArrays maps = arrays("target and projections", 4.0 * local_n);
  const PlannedArrays copies = arrays("coarser copies", coarser * (owned + 1.0));
  WorkPlan plan;
  plan.terms_per_sweep = terms_of_gradient(settings, run.support, run.shape.rows, owned_measures);
  // read_measures, make_measures; solve_coordinates
  const Real held = held_points(run.support, n, local_n);
  plan.consider("reading", {base, arrays("measures and the target, as read", (owned + 2.0) * held),
                            arrays("measures and the target", run.shape.rows > 1 ? owned * local_n : local_n), copies,
                            arrays("cost matrix", matrix_values(settings.kernel, n, local_n)),
                            arrays("rows of it as they are read", values_of_reading(settings.kernel, n, local_n))});
  if (const Real searches = search_values(settings.kernel, run.support, local_n); searches > 0.0)
    plan.consider("search for geodesics",
                  {base, arrays("measures and the target", (owned + 1.0) * n), arrays("distances", searches),
                   arrays("kernel", kernel_values(settings.kernel, run.support, 0.0, n, local_n))});
  // BarycenterSweeps; CoordinateObjective, Descent
  const auto with = [&](std::vector<PlannedArrays> more) {
    more.insert(more.begin(), {base, maps, copies});
    return more;
  };
  const std::vector<PlannedArrays> sweeps = sweep_arrays(settings, run.support, run.shape.rows, owned_measures);
  plan.consider("sweeps there and back", with(sweeps));
  std::vector<PlannedArrays> loss = loss_arrays(settings, run.support, run.shape.rows);
  loss.insert(loss.begin(), sweeps.begin(), sweeps.begin() + 5);  // those that stay
  if (!settings.loss.starts_with("wasserstein")) loss.clear();
  plan.consider("transport of the loss", with(loss));
  plan.consider("writing",
                {base, maps, arrays("a map on its way to the files", 2.0 * local_n), surface_maps(run.support, 1.0),
                 arrays("maps of the picture, whole, on rank 0", run.picture ? 2.0 * n : 0.0)});
  return plan;
}

}  // namespace hpot
