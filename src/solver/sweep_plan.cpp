#include "hpot/solver/sweep_plan.hpp"

#include "plan_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace hpot {
namespace {

Real local_points(const Support& support, int row_ranks) {
  return static_cast<Real>(divide_rows(support, row_ranks).block(0).size());
}

}  // namespace

Real terms_of_gradient(const SweepSettings& settings, const Support& support, int row_ranks, Index owned) {
  const auto share = static_cast<Real>(settings.sweeps_on_each(settings.grids));
  const auto made = static_cast<Real>(settings.sweeps_made());
  const auto measures = static_cast<Real>(owned);
  // two means for each sweep back, and a softmin but for implicit gradients; for D a mean and two softmins
  const Real self = settings.debiased ? 1.0 : 0.0;
  const Real each = settings.implicit() ? 2.0 : 3.0;
  const auto softmins = [&](Real there, Real back) {
    return (2.0 * measures + self) * there + (each * measures + 3.0 * self) * back;
  };
  const Real terms =
      terms_of_softmin(settings.kernel, support, static_cast<Real>(support.points()), local_points(support, row_ranks));
  // half the points along each axis, and terms of each, of every coarser grid
  const Real coarser = settings.grids > 1 ? 1.0 / (std::exp2(support.dimension() + 1) - 1.0) : 0.0;
  return (softmins(made, share) + coarser * softmins(share, share)) * terms;
}

std::vector<PlannedArrays> sweep_arrays(const SweepSettings& settings, const Support& support, int row_ranks,
                                        Index owned) {
  const auto n = static_cast<Real>(support.points());
  const Real local_n = local_points(support, row_ranks);
  const auto measures = static_cast<Real>(owned);
  const auto share = static_cast<Real>(BarycenterMap::measures_at_once(owned, support.points(), row_ranks));
  const Real reference = support.mesh() != nullptr ? 1.0 : 0.0;  // log q
  const Real of_state = measures + (settings.debiased ? 2.0 : 1.0);
  // of coarser grids all states are held, most when the next coarser one is the finest that sweeps go through
  const Index grids = settings.grids;
  const Real of_coarser = grids > 1 ? local_n / (std::exp2(support.dimension()) - 1.0) : 0.0;
  const auto coarse_states = static_cast<Real>(grids == 1 ? 0 : settings.sweeps_on_each(grids - 1));
  return {arrays("log weights", measures * local_n),
          arrays("states of " + std::to_string(settings.places) + " of " +
                     std::to_string(settings.sweeps_on_each(grids)) + " sweeps",
                 static_cast<Real>(settings.places) * of_state * local_n),
          arrays("adjoints", 2.0 * measures * local_n),
          arrays("sweeps on coarser grids", (coarse_states * of_state + 2.0 * measures + 6.0) * of_coarser +
                                                (grids > 1 ? 3.0 * share * local_n : 0.0)),
          arrays("half-steps in flight, maps of the sweeps",
                 (3.0 * share + (settings.debiased ? 8.0 : 6.0) + reference) * local_n),
          arrays("averages", average_values(settings.kernel, support, local_n, share)),
          between_ranks(settings.kernel, support, row_ranks, Reduction::average, share),
          arrays("kernel", kernel_values(settings.kernel, support, share * local_n, n, local_n))};
}

std::vector<PlannedArrays> loss_arrays(const SweepSettings& settings, const Support& support, int row_ranks) {
  if (!settings.loss.starts_with("wasserstein")) return {};
  // TransportLoss: target and map; one problem at a time
  TransportRun pair{support, support, row_ranks, 1, false, true, {}};
  pair.costs_made = true;
  TransportSettings transport = settings.loss_at(1.0).transport;
  transport.acceleration = transport.mixing();
  const Real local_n = local_points(support, row_ranks);
  const Real matrix = matrix_values(transport.kernel, static_cast<Real>(support.points()), local_n);
  // those of the sweeps stay while the pair has its own heat, or the same costs
  const auto n = static_cast<Real>(support.points());
  const Real of_sweeps = support.mesh() == nullptr ? 0.0 : kernel_values(settings.kernel, support, 0.0, n, local_n);
  return {arrays("target and map of the loss", 3.0 * local_n),
          arrays("kernel of the sweeps", of_sweeps),
          arrays("cost matrix", matrix),  // of the pair and of the sweeps, one
          {"arrays of the pair",
           plan_transport(transport, pair).bytes() - base_of(support).bytes - arrays({}, matrix).bytes}};
}

AdmittedSweeps admit_sweeps(const Communicator& world, const Options& options, SweepSettings settings,
                            const SweepPlanner& plan_with, const std::function<ProcessGridShape(int)>& shape_on) {
  constexpr int most_ranks = 1 << 14;
  const auto limit = ResourceOptions::from(options).memory_limit;
  const Real at_start = world.max(static_cast<Real>(memory_at_start()));
  const auto plan_of = [&](Index places, int ranks) { return plan_with(places, shape_on(ranks)); };
  const auto fits = [&](Index places, int ranks) {
    return !limit || at_start + plan_of(places, ranks).bytes() <= *limit;
  };
  const Index fewest = settings.fewest_places();
  Index& places = settings.places;
  places = settings.most_places();
  while (places > fewest && !fits(places, world.size())) --places;
  const WorkPlan plan = plan_of(places, world.size());
  if (options.action() == Options::Action::dry_run && world.rank() == 0) {
    const auto share = static_cast<long long>(settings.sweeps_on_each(settings.grids));
    std::printf("%s  of %lld sweeps %lld are held: %lld are made for a gradient\n",
                describe(plan, world.size()).c_str(), share, static_cast<long long>(places),
                static_cast<long long>(settings.sweeps_made()));
    if (settings.grids > 1)
      std::printf("  before them %lld on each of %lld coarser grids\n", share,
                  static_cast<long long>(settings.grids - 1));
  }
  if (fits(places, world.size())) return {plan, places};
  int ranks = world.size() + 1;
  while (ranks <= most_ranks && (shape_on(ranks).rows * shape_on(ranks).batches != ranks || !fits(fewest, ranks)))
    ++ranks;
  reject_plan(options, plan, at_start,
              ranks <= most_ranks ? "what would fit: " + std::to_string(ranks) + " ranks"
                                  : "no number of ranks makes it fit: use a coarser grid, or raise the limit");
}

}  // namespace hpot
