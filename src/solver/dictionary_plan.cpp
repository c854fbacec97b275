#include "hpot/solver/dictionary_plan.hpp"

#include "plan_sizes.hpp"

#include <algorithm>

namespace hpot {

WorkPlan plan_dictionary(const DictionarySettings& settings, const DictionaryRun& run) {
  const auto n = static_cast<Real>(run.support.points());
  const auto local_n = static_cast<Real>(divide_rows(run.support, run.shape.rows).block(0).size());
  const auto owned = static_cast<Real>((run.maps + run.shape.batches - 1) / run.shape.batches);
  const auto atoms = static_cast<Real>(settings.atoms);
  const Real variables = atoms * (n + static_cast<Real>(run.maps));
  const bool transport = settings.loss.starts_with("wasserstein");
  const PlannedArrays base = base_of(run.support);
  WorkPlan plan;
  // of one map: times the maps, in a gradient of all
  plan.terms_per_sweep = terms_of_gradient(settings, run.support, run.shape.rows, settings.atoms);
  // read_measures, make_measures; solve_dictionary
  const Real held = held_points(run.support, n, local_n);
  plan.consider("reading", {base, arrays("maps, as read", (owned + 1.0) * held),
                            arrays("maps", run.shape.rows > 1 ? owned * local_n : local_n),
                            arrays("atoms to begin with", 2.0 * atoms * held),
                            arrays("cost matrix", matrix_values(settings.kernel, n, local_n)),
                            arrays("rows of it as they are read", values_of_reading(settings.kernel, n, local_n))});
  if (const Real searches = search_values(settings.kernel, run.support, local_n); searches > 0.0)
    plan.consider("search for geodesics",
                  {base, arrays("maps", owned * n), arrays("distances", searches),
                   arrays("kernel", kernel_values(settings.kernel, run.support, 0.0, n, local_n))});
  // DictionaryObjective; Fit, minimise() and EvaluationRecord, or Adam
  const auto steps = static_cast<Real>(std::min(settings.memory, settings.stopping.max_iterations));
  const auto evaluations =
      static_cast<Real>(std::min(settings.evaluations_held(), settings.stopping.max_iterations + 2));
  std::vector<PlannedArrays> fit{
      base, arrays("maps", (owned + 1.0) * local_n + (transport ? owned * n : 0.0)),
      arrays("slope by the atoms, its sum, and both whole", 4.0 * atoms * local_n + 2.0 * atoms * n),
      settings.batch > 0 ? arrays("Adam: point, gradient, means", 9.0 * variables)
                         : arrays("L-BFGS: points, gradients, " + std::to_string(static_cast<Index>(steps)) + " steps",
                                  (2.0 * steps + 9.0) * variables),
      arrays("gradients on record, and their copy in a checkpoint",
             settings.batch > 0 ? 0.0 : 2.0 * evaluations * variables)};
  std::vector<PlannedArrays> sweeps = sweep_arrays(settings, run.support, run.shape.rows, settings.atoms);
  const std::vector<PlannedArrays> loss = loss_arrays(settings, run.support, run.shape.rows);
  if (transport) {  // as in plan_coordinates: those of the sweeps that stay
    std::vector<PlannedArrays> with_loss = fit;
    with_loss.insert(with_loss.end(), sweeps.begin(), sweeps.begin() + 4);
    with_loss.insert(with_loss.end(), loss.begin(), loss.end());
    plan.consider("transport of the loss", with_loss);
  }
  fit.insert(fit.end(), sweeps.begin(), sweeps.end());
  plan.consider("sweeps there and back", fit);
  plan.consider("writing", {base, arrays("maps", owned * local_n), arrays("atoms and weights", 3.0 * variables),
                            surface_maps(run.support, 1.0), arrays("pictures", (run.picture ? 1.0 : 0.0) * n)});
  return plan;
}

}  // namespace hpot
