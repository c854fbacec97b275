#include "hpot/solver/sweep_settings.hpp"

#include "hpot/core/error.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/problem/cost_scale.hpp"
#include "hpot/solver/scales.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hpot {

std::vector<OptionKey> SweepSettings::keys(const std::string& section, const std::string& sweeps,
                                           const std::string& of_sweeps) {
  std::vector<OptionKey> all = {
      {section + ".loss", "quadratic",
       "distance of the barycenter p from the map t, both of mass 1: quadratic |p - t|^2/(2 |t|^2); l1 |p - t|_1, "
       "smooth near 0 (" +
           section +
           ".smoothing); kl KL(t|p); wasserstein: the Sinkhorn divergence at the same eps, in the unit of the cost; "
           "wasserstein_plain: the entropic transport cost",
       check::one_of(LossSettings::names())},
      {section + ".method", "plain",
       "of the barycenter: plain, blurred by about sqrt(eps); debiased, as sharp as the measures, but its sweeps "
       "converge slowly, and overshoot at sharp edges",
       check::one_of({"plain", "debiased"})},
      {section + ".sweeps", sweeps,
       "L, sweeps that make a barycenter; the first at falling eps (epsilon.schedule), at least half of them at its "
       "target" +
           of_sweeps,
       check::integer(1, 1000)},
      {section + ".gradient", "unrolled",
       "unrolled: of the L sweeps, exactly; implicit: of the map that they tend to, from the last sweep alone: in the "
       "memory of one; as far off as L sweeps are from their end",
       check::one_of({"unrolled", "implicit"})},
      {section + ".smoothing", "1e-3", "of l1: |x| becomes sqrt(x^2 + d^2) - d, d this fraction of the mean weight 1/N",
       check::positive()},
      {section + ".loss_tolerance", "1e-7", "of wasserstein: the marginal errors of its transport problems",
       check::real(1e-15, 1.0)},
  };
  for (const auto& more : {KernelOptions::keys(), {precision_key()}, EpsilonOptions::keys(), ScheduleOptions::keys()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

SweepSettings SweepSettings::from(const Options& options, const std::string& section) {
  SweepSettings s;
  s.kernel = KernelOptions::from(options);
  s.epsilon = EpsilonOptions::from(options);
  s.schedule = ScheduleOptions::from(options, s.schedule.stage_tolerance);
  s.precision = sweep_precision(options, 0.0);  // auto: differences of losses would feel float's exponentials
  s.debiased = options.text(section + ".method") == "debiased";
  s.sweeps = options.integer(section + ".sweeps");
  if (options.text(section + ".gradient") == "implicit") s.gradient = SweepGradient::implicit;
  s.places = s.most_places();
  s.loss = options.text(section + ".loss");
  s.smoothing = options.real(section + ".smoothing");
  s.loss_tolerance = options.real(section + ".loss_tolerance");
  if (is_of_directions(s.kernel.cost))
    options.reject("cost.type", "a barycenter lives on a grid, whose points have no such costs", "take another cost");
  if (s.kernel.explicit_cost() && options.text("output.picture") != "none")
    options.reject("output.picture", "a cost matrix knows no places", "leave it out");
  if (!options.flag("input.normalize"))
    options.reject("input.normalize", "barycenters here are of measures of one mass", "set it to true");
  if (options.text("input.negative") == "split")
    options.reject("input.negative", "one set of weights is sought, for the positive part", "use clip, or error");
  return s;
}

void SweepSettings::check_matrix(const Support& support, const OwnedRows& rows) const {
  const bool within = debiased || loss == "wasserstein";
  if (!kernel.explicit_cost() || !within) return;
  const auto costs = make_kernel(kernel, support, rows, support, rows);
  if (is_symmetric(*costs, rows, kernel.matrix->largest)) return;
  throw InputError(error_text({}, "cost.matrix", kernel.matrix_file,
                              "it is not symmetric, and what is debiased needs the costs within each map",
                              "take the method plain, and another loss than wasserstein, or make it symmetric"));
}

void SweepSettings::check_surface(const Options& options, const std::string& section, const Support& support) const {
  if (support.mesh() == nullptr || !loss.starts_with("wasserstein")) return;
  const Index components = support.mesh()->components;
  if (components > 1)
    options.reject(section + ".loss",
                   "it is infinite where a barycenter has not the map's mass on each of the " +
                       std::to_string(components) + " components of the surface",
                   "take quadratic, l1 or kl, or each component by itself");
  if (kernel.ends_at_radius())
    options.reject(section + ".loss", "it is infinite where a barycenter has mass beyond cost.radius from the map's",
                   "take quadratic, l1 or kl, or set cost.radius = none");
}

LossSettings SweepSettings::loss_at(Real eps) const {
  LossSettings result;
  result.name = loss;
  result.smoothing = smoothing;
  TransportSettings& transport = result.transport;
  transport.kernel = kernel;
  transport.epsilon = {eps, "cost"};
  transport.schedule = schedule;
  transport.stopping.tolerance = loss_tolerance;
  transport.stopping.interruptible = false;
  transport.finish.finish = "none";
  return result;
}

Index SweepSettings::grids_of(const Support& support) const {
  return support.grid() == nullptr || debiased || implicit() ? 1 : count_levels(support, schedule.coarsest_side());
}

BarycenterSweeps make_sweeps(const SweepSettings& settings, const std::vector<SweepGrid>& grids,
                             const Communicator& along_batches, const std::function<void()>& before_sweep) {
  const Index share = settings.sweeps_on_each(static_cast<Index>(grids.size()));
  std::unique_ptr<BarycenterSweeps> coarser;
  for (auto grid = grids.rbegin(); grid != grids.rend(); ++grid) {
    const auto kernel_from = [&](const SweepGrid& data) {
      std::shared_ptr<KernelOperator> kernel =
          make_kernel(settings.kernel, grid->support, grid->rows, data.support, data.rows);
      kernel->set_precision(settings.precision);
      return kernel;
    };
    BarycenterProblem problem{grid->rows, along_batches, grid->log_weight, {}, settings.debiased, kernel_from(*grid)};
    problem.log_reference = log_reference_of(grid->support, grid->rows);
    const Real first =
        coarser == nullptr ? largest_cost_of(settings.kernel, grid->support, grid->support) : std::prev(grid)->epsilon;
    auto sweeps = std::make_unique<BarycenterSweeps>(
        std::move(problem), sweep_epsilons(share, grid->epsilon, first, settings.schedule.factor),
        std::min(share, grid->places), before_sweep, settings.gradient);
    if (coarser != nullptr) sweeps->begin_after(std::move(coarser), kernel_from(*std::prev(grid)));
    coarser = std::move(sweeps);
  }
  return std::move(*coarser);
}

}  // namespace hpot
