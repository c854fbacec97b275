#include "hpot/solver/solve_barycenter.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace hpot {

std::vector<OptionKey> BarycenterSettings::keys() {
  std::vector<OptionKey> all = {
      {"barycenter.method", "debiased",
       "plain: blurred by eps [Benamou 2015]; debiased: as sharp as the measures [Janati 2020]; entropy_bounded: the "
       "one "
       "of least cost whose entropy is not above barycenter.entropy_bound [Solomon 2015] (not debiased, too: what that "
       "minimises has no entropy to take away); of clouds free_support: the "
       "places of points of fixed weights, narrower than the measures by eps/2 of each variance [Cuturi 2014], and "
       "debiased_free_support: as wide as they are [Luise 2019]",
       check::one_of({"plain", "debiased", "entropy_bounded", "free_support", "debiased_free_support"})},
      {"barycenter.entropy_bound", "max",
       "of entropy_bounded: H = -sum p log(p/q) in nats, p the map scaled to mass 1, q the uniform one: 0 that of q, "
       "less that of "
       "sharper maps; max: the largest of the measures of lambda > 0; below that of measures narrower by eps/2 of each "
       "variance, about, sweeps do not converge",
       check::word_or({"max"}, check::real(-1e3, 0.0))},
      {"barycenter.tv", "0",
       "tau >= 0: tau TV(mu) is added to what any method on grids minimises, for plateaus with sharp edges [Cuturi, "
       "Peyre 2016]; TV the "
       "sum of the Euclidean norms of differences of the map (of its mass) to the next points, on axes of wider "
       "spacing divided by "
       "spacing/(smallest spacing); tau in the unit of epsilon",
       check::real(0.0, 1e300)},
      {"penalty.measures", "balanced",
       "on the marginal of every measure: balanced, kl:RHO, tv:RHO, range:LO,HI (multiples of the weights); without "
       "balanced, masses may differ (input.normalize = false), and with kl that of the barycenter lies between "
       "G exp(-max C/(RHO + eps)) and G, the weighted geometric mean of theirs",
       penalty_problem},
      {"barycenter.weights", "uniform",
       "lambda_1, lambda_2, ... (>= 0, scaled to sum 1); rows separated by ';' give one result each"},
      {"barycenter.points", "auto", "of a free support: number of its points; auto: those of the largest cloud",
       check::word_or({"auto"}, check::integer(1, Index{1} << 40))},
      {"barycenter.start", "sample",
       "of a free support: sample, drawn from the clouds' points by lambda and weight; or a cloud (a file, or "
       "synthetic:...), whose weights "
       "the points then have"},
      {"barycenter.seed", "0", "of that sample", check::integer(0, Index{1} << 53)},
  };
  for (const auto& more : {KernelOptions::keys(),
                           {precision_key()},
                           EpsilonOptions::keys(),
                           ScheduleOptions::keys(),
                           AccelerationOptions::keys(),
                           StoppingOptions::keys()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

BarycenterSettings BarycenterSettings::from(const Options& options) {
  BarycenterSettings s;
  s.kernel = KernelOptions::from(options);
  s.epsilon = EpsilonOptions::from(options);
  s.schedule = ScheduleOptions::from(options, s.schedule.stage_tolerance);
  s.stopping = StoppingOptions::from(options);
  s.acceleration = AccelerationOptions::from(options);
  if (s.acceleration.type == "overrelaxation")
    options.reject("acceleration.type", "barycenters have no over-relaxed half-steps", "take anderson or momentum");
  const std::string& method = options.text("barycenter.method");
  s.debiased = method.starts_with("debiased");
  s.free_support = method.ends_with("free_support");
  s.entropy_bounded = method == "entropy_bounded";
  if (!s.entropy_bounded && options.given("barycenter.entropy_bound"))
    options.reject("barycenter.entropy_bound", "barycenter.method = " + method + " bounds no entropy",
                   "set barycenter.method = entropy_bounded, or leave it out");
  if (options.text("barycenter.entropy_bound") != "max") s.entropy_bound = options.real("barycenter.entropy_bound");
  s.precision = sweep_precision(options, (s.free_support ? share_of_a_solve : 1.0) * s.stopping.tolerance);
  for (const char* key : {"barycenter.points", "barycenter.start", "barycenter.seed"}) {
    if (!s.free_support && options.given(key))
      options.reject(key, "barycenter.method = " + method + " has its points on a grid",
                     "set barycenter.method = free_support, or leave it out");
  }
  s.variation = options.real("barycenter.tv");
  if (s.free_support && s.variation > 0.0)
    options.reject("barycenter.tv", "points that move have no neighbours", "set it to 0, or take another method");
  s.penalty = options.text("penalty.measures");
  if (s.all_balanced() && !options.flag("input.normalize"))
    options.reject("input.normalize", "balanced barycenters are of measures of one mass",
                   "set it to true, or penalty.measures = kl:RHO");
  if (!s.free_support) return s;
  if (s.kernel.explicit_cost() || !std::holds_alternative<SquaredEuclidean>(s.kernel.cost))
    options.reject("cost.type", "the points of a free support move to means, which minimise squared distances only",
                   "use squared_euclidean; on grids barycenter.method = plain or debiased takes other costs");
  if (!s.all_balanced())
    options.reject("penalty.measures", "plans to a free support meet their marginals",
                   "use balanced; on grids barycenter.method = plain or debiased takes penalties");
  if (s.epsilon.unit == "mean_cost")
    options.reject("epsilon.unit", "the points of a barycenter are not known yet", "use cost, spacing2 or max_cost");
  return s;
}

TransportSettings BarycenterSettings::of_pair() const {
  TransportSettings pair;
  pair.kernel = kernel;
  pair.schedule = schedule;
  pair.stopping = stopping;
  pair.acceleration = acceleration;
  pair.finish.finish = "none";
  pair.precision = precision;
  return pair;
}

void BarycenterSettings::check_masses(const std::vector<Real>& masses) const {
  const MarginalPenalty parsed = parse_penalty(penalty);
  const auto* range = std::get_if<MassRange>(&parsed);
  if (range == nullptr) return;
  const auto [least, most] = std::minmax_element(masses.begin(), masses.end());
  if (range->low * *most <= range->high * *least) return;
  throw InputError(error_text({}, "penalty.measures", penalty,
                              "no barycenter exists: masses from " + std::to_string(*least) + " to " +
                                  std::to_string(*most) + " have no such multiple in common",
                              "widen the range, or set input.normalize = true"));
}

void BarycenterSettings::check_variation(const Support& support) const {
  if (variation == 0.0 || support.grid() != nullptr) return;
  throw InputError(error_text({}, "barycenter.tv", std::to_string(variation), "the total variation is taken on grids",
                              "set it to 0"));
}

namespace {

std::vector<Real> parse_row(const Options& options, const std::string& row, Index count) {
  std::vector<Real> lambda;
  Real sum = 0.0;
  for (std::size_t begin = 0; begin <= row.size();) {
    const std::size_t end = std::min(row.find(',', begin), row.size());
    std::string item = row.substr(begin, end - begin);
    item.erase(0, item.find_first_not_of(" \t"));
    item.erase(item.find_last_not_of(" \t") + 1);
    Real value = 0.0;
    const auto [rest, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc{} || rest != item.data() + item.size() || !std::isfinite(value) || value < 0.0) {
      options.reject("barycenter.weights", "'" + item + "' is no number >= 0", "e.g. 0.5, 0.25, 0.25");
    }
    lambda.push_back(value);
    sum += value;
    begin = end + 1;
  }
  if (static_cast<Index>(lambda.size()) != count) {
    options.reject("barycenter.weights",
                   "a row of " + std::to_string(lambda.size()) + " weights for " + std::to_string(count) + " measures");
  }
  if (!(sum > 0.0) || !std::isfinite(sum))
    options.reject("barycenter.weights", "a row must have a positive, finite sum");
  for (Real& value : lambda) value /= sum;
  return lambda;
}

}  // namespace

std::vector<std::vector<Real>> barycenter_weights(const Options& options, Index count) {
  if (options.text("barycenter.weights") == "uniform")
    return {std::vector<Real>(count, 1.0 / static_cast<Real>(count))};
  std::vector<std::vector<Real>> rows;
  for (const std::string& row : options.list("barycenter.weights", ';')) rows.push_back(parse_row(options, row, count));
  if (rows.empty()) options.reject("barycenter.weights", "no weights", "use uniform");
  return rows;
}

void BarycenterSettings::check_entropy_bound(const Support& support) const {
  if (!entropy_bounded || entropy_bound > least_entropy(support)) return;
  throw InputError(error_text({}, "barycenter.entropy_bound", std::to_string(entropy_bound),
                              "a map of one point has an entropy of " + std::to_string(least_entropy(support)),
                              "raise it, or take max"));
}

namespace {

/// InputError where costs end at a radius within which no measure can meet the others: a few plain sweeps at eps = the largest
/// cost bound the cost of all plans from below, and beyond the largest cost there is no plan. A small lack of mass is not seen.
void refuse_infeasible(const ProcessGrid& processes, const BarycenterSettings& settings, const Support& support,
                       const std::vector<std::vector<Real>>& measures, const std::vector<Real>& lambda) {
  constexpr Index most_sweeps = 100;
  constexpr Real enough = 0.01;
  if (!settings.kernel.ends_at_radius() || !settings.all_balanced()) return;
  const Real largest = settings.kernel.radius * settings.kernel.radius;
  MultiscaleBarycenter problem(settings.kernel, {support, measures, lambda, false, false}, processes, support.points());
  const auto plain = make_acceleration({"none", 1});
  const StoppingOptions short_run{enough, most_sweeps, settings.stopping.time_limit};
  solve(processes.world(), problem, {{0, largest, enough}}, short_run, *plain, {}, nullptr);
  require_reachable(settings.kernel, problem.map().lower_cost());
}

}  // namespace

BarycenterSolution solve_barycenter(const ProcessGrid& processes, const BarycenterSettings& settings,
                                    const Support& support, std::vector<std::vector<Real>> measures,
                                    const std::vector<Real>& lambda, const std::vector<Monitor*>& monitors,
                                    Keeper* keeper) {
  settings.check_entropy_bound(support);
  settings.check_variation(support);
  refuse_infeasible(processes, settings, support, measures, lambda);
  const AccelerationOptions mixing = settings.acceleration_on(support);
  const Real unit = support_unit(settings.epsilon, settings.kernel, support);
  MultiscaleBarycenter problem(settings.kernel,
                               {support, std::move(measures), lambda, settings.debiased, mixing.type == "anderson",
                                parse_penalty(settings.penalty, unit), settings.entropy_bounded, settings.entropy_bound,
                                settings.epsilon.target * unit, settings.variation * unit},
                               processes, settings.schedule.coarsest_side());
  problem.set_precision(settings.precision);
  BarycenterSolution solution{{}, settings.epsilon.target * unit, {{}, processes.world()}, {}, settings.debiased, {}};
  check_epsilon(settings.kernel, support, solution.target_epsilon);
  const auto stages =
      make_schedule(settings.schedule, solution.target_epsilon, largest_cost_of(settings.kernel, support, support),
                    problem.neighbour_costs(), settings.stopping.tolerance);
  const auto acceleration = make_acceleration(mixing);
  solution.outcome = solve(processes.world(), problem, stages, settings.stopping, *acceleration, monitors, keeper);
  if (solution.outcome.level != 0) problem.enter(0).set_epsilon(solution.outcome.epsilon);  // stopped early
  solution.rows = problem.map().problem().rows;
  solution.result = problem.map().result();
  return solution;
}

void archive(Archive& archive, BarycenterSolution& solution) {
  hpot::archive(archive, solution.outcome);
  archive.number("target_epsilon", solution.target_epsilon);
  archive.field("barycenter", solution.result.barycenter);
  archive.number("mass", solution.result.mass);
  archive.numbers("marginal_errors", solution.result.errors.marginal);
  archive.number("self_transport_error", solution.result.errors.self_transport);
  archive.number("error_floor", solution.result.errors.floor);
  archive.number("entropy", solution.result.entropy.entropy);
  archive.number("entropy_bound", solution.result.entropy.bound);
  archive.number("exponent", solution.result.entropy.exponent);
  archive.number("variation_error", solution.result.errors.variation);
  archive.number("variation", solution.result.variation.total);
  archive.number("variation_gap", solution.result.variation.gap);
  bool clouds = solution.free.points.coordinates != nullptr;
  archive.number("clouds", clouds);
  if (clouds) hpot::archive(archive, solution.free);
}

}  // namespace hpot
