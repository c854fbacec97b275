#include "hpot/solver/solve_transport.hpp"

#include <cmath>

namespace hpot {
namespace {

Real mass_of(const Communicator& world, const Support& support, const std::vector<Real>& weights) {
  return total(own_rows(support, world), weights);
}

}  // namespace

std::vector<OptionKey> TransportSettings::keys() {
  std::vector<OptionKey> all = {
      {"penalty.source", "balanced",
       "on the source marginal: balanced, kl:RHO, tv:RHO, range:LO,HI (multiples of the weights)", penalty_problem},
      {"penalty.target", "balanced", "on the target marginal", penalty_problem},
  };
  for (const auto& more : {KernelOptions::keys(),
                           {precision_key()},
                           EpsilonOptions::keys(),
                           ScheduleOptions::keys(),
                           AccelerationOptions::keys(),
                           FinishOptions::keys(),
                           StoppingOptions::keys()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

TransportSettings TransportSettings::from(const Options& options) {
  TransportSettings s;
  s.kernel = KernelOptions::from(options);
  s.epsilon = EpsilonOptions::from(options);
  s.schedule = ScheduleOptions::from(options, s.schedule.stage_tolerance);
  s.stopping = StoppingOptions::from(options);
  s.acceleration = AccelerationOptions::from(options);
  s.finish = FinishOptions::from(options);
  s.precision = sweep_precision(options, s.stopping.tolerance);
  if (floats_suffice(options, s.stopping.tolerance)) s.kernel.short_storage = true;
  s.source_penalty = options.text("penalty.source");
  s.target_penalty = options.text("penalty.target");
  return s;
}

void TransportSettings::check_masses(Real source, Real target) const {
  constexpr Real rounding = 1e-9;
  const auto reachable = [](const std::string& text, Real mass) -> std::pair<Real, Real> {
    const MarginalPenalty penalty = parse_penalty(text);
    if (is_balanced(penalty)) return {mass, mass};
    if (const auto* range = std::get_if<MassRange>(&penalty)) return {range->low * mass, range->high * mass};
    return {0.0, infinity};
  };
  const auto [low_a, high_a] = reachable(source_penalty, source);
  const auto [low_b, high_b] = reachable(target_penalty, target);
  if (low_a <= high_b * (1.0 + rounding) && low_b <= high_a * (1.0 + rounding)) return;
  throw InputError(error_text({}, "penalty.source", source_penalty,
                              "no plan exists: with penalty.target = " + target_penalty + ", the masses " +
                                  std::to_string(source) + " and " + std::to_string(target) + " cannot be matched",
                              "set input.normalize = true, or a penalty kl or tv on one side"));
}

namespace {

/// InputError where costs end at a radius within which the sources' mass does not reach the targets', as barycenters' does
/// (solve_barycenter.cpp).
void refuse_infeasible(const Communicator& world, const TransportSettings& settings, const TransportData& data) {
  constexpr Index most_sweeps = 100;
  constexpr Real enough = 0.01;
  if (!settings.kernel.ends_at_radius() || !settings.all_balanced()) return;
  TransportSettings brief = settings;
  brief.schedule = {.factor = 1.0, .multiscale = false};
  brief.stopping = {enough, most_sweeps, settings.stopping.time_limit};
  brief.acceleration.type = "none";
  const SolvedPair pair =
      solve_potentials(world, brief, data, settings.kernel.radius * settings.kernel.radius, {}, nullptr, Field());
  const Real mass = mass_of(world, data.source_support, data.source);
  require_reachable(settings.kernel, evaluate_transport(world, pair.problem, pair.f, pair.g).lower_cost / mass);
}

}  // namespace

SolvedPair solve_potentials(const Communicator& world, const TransportSettings& settings, TransportData data,
                            Real target_epsilon, const std::vector<Monitor*>& monitors, Keeper* keeper,
                            const Field& start) {
  check_epsilon(settings.kernel, data.target_support, target_epsilon);
  const Real diameter = largest_cost_of(settings.kernel, data.source_support, data.target_support);
  ScheduleOptions schedule = settings.schedule;
  if (start.extent(0) > 0) schedule = {.factor = 1.0, .multiscale = false};
  MultiscaleSinkhorn problem(settings.kernel, std::move(data), world, schedule.coarsest_side(), start);
  problem.set_precision(settings.precision);
  const std::vector<Real> neighbour_costs = problem.neighbour_costs();
  std::vector<Real> finer_below = problem.finer_below(neighbour_costs);
  const bool newton = settings.finish.wanted(problem.target_support(), settings.stopping.tolerance);
  const bool newton_on_cloud = newton && problem.target_support().cloud() != nullptr;
  if (!newton) problem.let_supports_go();
  if (schedule.automatic && (newton_on_cloud || finer_below != neighbour_costs))
    schedule.stage_tolerance = ScheduleOptions::in_heaps;
  if (newton_on_cloud) {
    for (Real& below : finer_below) below *= FinishOptions::finer;
  }
  const auto stages = make_schedule(schedule, target_epsilon, diameter, finer_below, settings.stopping.tolerance);
  const auto acceleration =
      newton ? make_newton_finish(settings.mixing(), settings.finish, problem) : make_acceleration(settings.mixing());
  const Outcome outcome = solve(world, problem, stages, settings.stopping, *acceleration, monitors, keeper);
  if (outcome.level != 0) {  // stopped early: the potentials at hand, on the given grid
    problem.enter(0).set_epsilon(outcome.epsilon);
    problem.map().evaluate();
  }
  return {outcome, problem.map().problem(), problem.map().f(), problem.map().g()};
}

TransportSolution solve_transport(const Communicator& world, const TransportSettings& settings, TransportData data,
                                  const std::vector<Monitor*>& monitors, Keeper* keeper) {
  settings.check_masses(mass_of(world, data.source_support, data.source),
                        mass_of(world, data.target_support, data.target));
  refuse_infeasible(world, settings, data);
  const auto unit_problem = [&] {  // only some units need a look at the cost
    return pair_unit(settings.epsilon, world, settings.kernel, data.target_support,
                     make_transport_problem(settings.kernel, data, world));
  };
  const bool simple = settings.epsilon.unit == "cost" || settings.epsilon.unit == "spacing2";
  const Real unit = simple ? support_unit(settings.epsilon, settings.kernel, data.target_support) : unit_problem();
  require(unit > 0.0, "epsilon.unit = " + settings.epsilon.unit, "it is zero for these measures",
          "use epsilon.unit = cost");
  data.source_penalty = parse_penalty(settings.source_penalty, unit);
  data.target_penalty = parse_penalty(settings.target_penalty, unit);

  TransportSolution solution{
      {}, {}, settings.epsilon.target * unit, settings.stopping.tolerance, {{}, world}, {{}, world}, {}, {}};
  const TransportProblem finest = [&] {  // what only sweeps need is freed before the evaluation
    SolvedPair solved =
        solve_potentials(world, settings, std::move(data), solution.target_epsilon, monitors, keeper, Field());
    solution.outcome = solved.outcome;
    solution.f = solved.f;
    solution.g = solved.g;
    return solved.problem;
  }();
  solution.source_rows = finest.source.rows;
  solution.target_rows = finest.target.rows;
  solution.values = evaluate_transport(world, finest, solution.f, solution.g);
  return solution;
}

bool is_solved_by_symmetry(const KernelOptions& kernel) {
  return !kernel.explicit_cost() && !kernel.is_geodesic() && has_positive_kernel(kernel.cost);
}

TransportSolution solve_self_transport(const Communicator& world, const TransportSettings& settings,
                                       SelfTransportData data, Keeper* keeper) {
  const Real unit = support_unit(settings.epsilon, settings.kernel, data.support);
  require(unit > 0.0, "epsilon.unit = " + settings.epsilon.unit, "it is zero for these measures",
          "use epsilon.unit = cost");
  data.penalty = parse_penalty(settings.source_penalty, unit);
  TransportSolution solution{
      {}, {}, settings.epsilon.target * unit, settings.stopping.tolerance, {{}, world}, {{}, world}, {}, {}};
  const Real diameter = largest_cost_of(settings.kernel, data.support, data.support);
  AccelerationOptions mixing = settings.mixing();
  if (mixing.type == "overrelaxation") mixing.type = "none";
  const TransportProblem finest = [&] {  // what only sweeps need is freed before the evaluation
    MultiscaleSelfTransport problem(settings.kernel, std::move(data), world, settings.schedule.coarsest_side(),
                                    settings.precision);
    const auto stages = make_schedule(settings.schedule, solution.target_epsilon, diameter, problem.neighbour_costs(),
                                      settings.stopping.tolerance);
    const auto acceleration = make_acceleration(mixing);
    solution.outcome = solve(world, problem, stages, settings.stopping, *acceleration, {}, keeper);
    if (solution.outcome.level != 0) problem.enter(0).set_epsilon(solution.outcome.epsilon);
    solution.f = solution.g = problem.map().f();
    return problem.map().problem();
  }();
  solution.source_rows = solution.target_rows = finest.source.rows;
  solution.values = evaluate_transport(world, finest, solution.f, solution.g);
  return solution;
}

namespace {

void visit(Archive& archive, TransportValues& values) {
  for (const auto& [name, value] : all_transport_values) archive.number(name, values.*value);
}

}  // namespace

void archive(Archive& archive, TransportSolution& solution) {
  hpot::archive(archive, solution.outcome);
  archive.number("target_epsilon", solution.target_epsilon);
  archive.number("tolerance", solution.tolerance);
  archive.field("f", solution.f);
  archive.field("g", solution.g);
  visit(archive, solution.values);
}

Divergence sinkhorn_divergence(const Communicator& world, const TransportSettings& settings, TransportData data,
                               const TransportSolution& mixed, Keeper* keeper) {
  TransportSettings self_a = settings;
  self_a.target_penalty = settings.source_penalty;
  TransportSettings self_b = settings;
  self_b.source_penalty = settings.target_penalty;
  require(settings.epsilon.unit == "cost" || settings.epsilon.unit == "spacing2",
          "epsilon.unit = " + settings.epsilon.unit, "a divergence needs one eps for three problems",
          "use epsilon.unit = cost or spacing2");
  const Real excess =
      mass_of(world, data.source_support, data.source) - mass_of(world, data.target_support, data.target);
  Keeper keeps_nothing;
  Divergence divergence;
  const auto self_cost = [&](const TransportSettings& self, const Support& support, std::vector<Real> weights) {
    Real dual_cost = 0.0;
    (keeper == nullptr ? keeps_nothing : *keeper)
        .once(
            [&] {
              const auto general = [&] {
                std::vector<Real> again = weights;
                return solve_transport(world, self, {support, support, std::move(weights), std::move(again)}, {},
                                       keeper);
              };
              const auto solution = is_solved_by_symmetry(self.kernel)
                                        ? solve_self_transport(world, self, {support, std::move(weights)}, keeper)
                                        : general();
              dual_cost = solution.values.dual_cost;
              if (solution.outcome.reason != StopReason::converged) divergence.reason = solution.outcome.reason;
              return !resumable(solution.outcome.reason);
            },
            [&](Archive& archive) {
              archive.number("dual_cost", dual_cost);
              int reason = static_cast<int>(divergence.reason);
              archive.number("reason", reason);
              divergence.reason = static_cast<StopReason>(reason);
            });
    return dual_cost;
  };
  divergence.value = mixed.values.dual_cost + 0.5 * mixed.target_epsilon * excess * excess;
  divergence.value -= 0.5 * self_cost(self_a, data.source_support, std::move(data.source));
  if (resumable(divergence.reason)) return divergence;
  divergence.value -= 0.5 * self_cost(self_b, data.target_support, std::move(data.target));
  return divergence;
}

}  // namespace hpot
