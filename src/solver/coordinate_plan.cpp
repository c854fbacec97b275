#include "hpot/solver/coordinate_plan.hpp"

#include "plan_sizes.hpp"

#include <algorithm>
#include <cstdio>

namespace hpot {

WorkPlan plan_coordinates(const CoordinateSettings& settings, const CoordinateRun& run) {
  const auto n = static_cast<Real>(run.support.points());
  const auto local_n = static_cast<Real>(divide_rows(run.support, run.shape.rows).block(0).size());
  const auto owned = static_cast<Real>((run.measures + run.shape.batches - 1) / run.shape.batches);
  const auto share = static_cast<Real>(
      BarycenterMap::measures_at_once(static_cast<Index>(owned), run.support.points(), run.shape.rows));
  const auto sweeps = static_cast<Real>(SweepRecall(settings.sweeps, settings.places).sweeps());
  const PlannedArrays base = library_buffers();
  const PlannedArrays maps = arrays("target and projections", 4.0 * local_n);
  WorkPlan plan;
  // a softmin and two means for each sweep back; for D a mean and two softmins
  const Real self = settings.debiased ? 1.0 : 0.0;
  plan.terms_per_sweep = ((2.0 * owned + self) * sweeps + 3.0 * (owned + self) * static_cast<Real>(settings.sweeps)) *
                         terms_of_softmin(settings.kernel, run.support, n, local_n);
  // read_measures, make_measures; solve_coordinates
  plan.consider("reading", {base, arrays("measures and the target, as read", (owned + 2.0) * local_n),
                            arrays("measures and the target", run.shape.rows > 1 ? owned * local_n : local_n)});
  // BarycenterSweeps; CoordinateObjective, Descent
  const PlannedArrays log_weights = arrays("log weights", owned * local_n);
  const PlannedArrays states =
      arrays("states of " + std::to_string(settings.places) + " of " + std::to_string(settings.sweeps) + " sweeps",
             static_cast<Real>(settings.places) * (owned + (settings.debiased ? 2.0 : 1.0)) * local_n);
  const PlannedArrays adjoints = arrays("adjoints", 2.0 * owned * local_n);
  const PlannedArrays flight =
      arrays("half-steps in flight, maps of the sweeps", (3.0 * share + (settings.debiased ? 8.0 : 6.0)) * local_n);
  plan.consider("sweeps there and back",
                {base, maps, log_weights, states, adjoints, flight,
                 arrays("averages", average_values(settings.kernel, run.support, share * local_n)),
                 between_ranks(settings.kernel, run.support, run.shape.rows, Reduction::average, share),
                 arrays("kernel", kernel_values(settings.kernel, run.support, share * local_n, n, local_n))});
  if (settings.loss.starts_with("wasserstein")) {  // TransportLoss: target and map; one problem at a time
    TransportRun pair{run.support, run.support, run.shape.rows, 1, false, true, {}};
    TransportSettings transport = settings.loss_at(1.0).transport;
    transport.acceleration = transport.mixing();
    plan.consider("transport of the loss",
                  {base,
                   maps,
                   log_weights,
                   states,
                   adjoints,
                   flight,
                   arrays("target and map of the loss", 3.0 * local_n),
                   {"arrays of the pair", plan_transport(transport, pair).bytes() - base.bytes}});
  }
  plan.consider("writing", {base, maps, arrays("maps, whole, on rank 0", (3.0 + (run.picture ? 1.0 : 0.0)) * n)});
  return plan;
}

AdmittedCoordinates admit_coordinates(const Communicator& world, const Options& options, CoordinateSettings settings,
                                      CoordinateRun run, const std::function<ProcessGridShape(int)>& shape_on) {
  constexpr int most_ranks = 1 << 14;
  const auto limit = ResourceOptions::from(options).memory_limit;
  const Real at_start = world.max(static_cast<Real>(memory_at_start()));
  const auto plan_of = [&](Index places, int ranks) {
    settings.places = places;
    run.shape = shape_on(ranks);
    return plan_coordinates(settings, run);
  };
  const auto fits = [&](Index places, int ranks) {
    return !limit || at_start + plan_of(places, ranks).bytes() <= *limit;
  };
  const Index fewest = SweepRecall::fewest(settings.sweeps);
  Index places = settings.sweeps;
  while (places > fewest && !fits(places, world.size())) --places;
  const WorkPlan plan = plan_of(places, world.size());
  if (options.action() == Options::Action::dry_run && world.rank() == 0) {
    const Index made = SweepRecall(settings.sweeps, places).sweeps();
    std::printf("%s  of %lld sweeps %lld are held: %lld are made for a gradient\n",
                describe(plan, world.size()).c_str(), static_cast<long long>(settings.sweeps),
                static_cast<long long>(places), static_cast<long long>(made));
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
