#include "hpot/solver/coordinates.hpp"

#include "hpot/core/field.hpp"
#include "hpot/core/session.hpp"
#include "hpot/problem/map_distance.hpp"
#include "hpot/solver/euclidean_projection.hpp"
#include "hpot/solver/simplex_descent.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace hpot {

std::vector<OptionKey> CoordinateSettings::keys() {
  std::vector<OptionKey> all = {
      {"coordinates.loss", "quadratic",
       "distance of the barycenter p from the target t, both of mass 1: quadratic |p - t|^2/(2 |t|^2); l1 |p - t|_1, "
       "smooth "
       "near 0 (coordinates.smoothing); kl KL(t|p); wasserstein: the Sinkhorn divergence at the same eps, in the unit "
       "of "
       "the cost; wasserstein_plain: the entropic transport cost",
       check::one_of(LossSettings::names())},
      {"coordinates.method", "plain",
       "of the barycenter: plain, blurred by about sqrt(eps); debiased, as sharp as the measures, but its sweeps "
       "converge "
       "slowly, and overshoot at sharp edges",
       check::one_of({"plain", "debiased"})},
      {"coordinates.sweeps", "50",
       "L, sweeps that make a barycenter; the first at falling eps (epsilon.schedule), at least half of them at its "
       "target",
       check::integer(1, 1000)},
      {"coordinates.smoothing", "1e-3",
       "of l1: |x| becomes sqrt(x^2 + d^2) - d, d this fraction of the mean weight 1/N", check::positive()},
      {"coordinates.loss_tolerance", "1e-7", "of wasserstein: the marginal errors of its transport problems",
       check::real(1e-15, 1.0)},
      {"coordinates.memory", "20", "steps that L-BFGS remembers", check::integer(1, 1000)},
      {"stopping.tolerance", "1e-4",
       "stop when the gap sum_k lambda_k G_k - min_k G_k, G = dF/dlambda, is at most this fraction of the loss of "
       "equal "
       "weights; convex losses then are that close to their minimum",
       check::real(1e-15, 1.0)},
      {"stopping.max_iterations", "200", "steps of L-BFGS", check::integer(1, Index{1} << 53)},
      {"stopping.time_limit", "none",
       "seconds of the run, or none; the state is kept (checkpoint.file) and the program exits with 4",
       check::word_or({"none"}, check::positive())},
  };
  for (const auto& more : {KernelOptions::keys(), {precision_key()}, EpsilonOptions::keys(), ScheduleOptions::keys()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

CoordinateSettings CoordinateSettings::from(const Options& options) {
  CoordinateSettings s;
  s.kernel = KernelOptions::from(options);
  s.epsilon = EpsilonOptions::from(options);
  s.schedule = ScheduleOptions::from(options, s.schedule.stage_tolerance);
  s.stopping = StoppingOptions::from(options);
  s.precision = sweep_precision(options, 0.0);  // auto: differences of losses would feel float's exponentials
  s.debiased = options.text("coordinates.method") == "debiased";
  s.sweeps = s.places = options.integer("coordinates.sweeps");
  s.memory = options.integer("coordinates.memory");
  s.loss = options.text("coordinates.loss");
  s.smoothing = options.real("coordinates.smoothing");
  s.loss_tolerance = options.real("coordinates.loss_tolerance");
  if (s.kernel.explicit_cost() || is_of_directions(s.kernel.cost))
    options.reject("cost.type", "a barycenter lives on a grid, whose points have no such costs", "take another cost");
  if (!options.flag("input.normalize"))
    options.reject("input.normalize", "coordinates are of measures of one mass", "set it to true");
  if (options.text("input.negative") == "split")
    options.reject("input.negative", "the target has one set of coordinates, for its positive part",
                   "use clip, or error");
  return s;
}

LossSettings CoordinateSettings::loss_at(Real eps) const {
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

void archive(Archive& archive, CoordinateSolution& solution) {
  hpot::archive(archive, solution.outcome);
  archive.number("target_epsilon", solution.target_epsilon);
  archive.number("evaluations", solution.evaluations);
  archive.number("sweeps", solution.sweeps);
  const auto visit = [&](const std::string& name, Projection& projection) {
    archive.numbers(name + "_lambda", projection.lambda);
    archive.field(name + "_map", projection.map);
    archive.number(name + "_loss", projection.loss);
    archive.number(name + "_quadratic", projection.quadratic);
    archive.number(name + "_l1", projection.l1);
    archive.number(name + "_kl", projection.kl);
  };
  visit("wasserstein", solution.wasserstein);
  visit("euclidean", solution.euclidean);
  archive.numbers("loss_history", solution.history.loss);
  archive.numbers("gap_history", solution.history.gap);
  archive.numbers("lambda_history", solution.history.lambda);
}

namespace {

/// Thrown on all ranks alike.
struct Stopped {
  StopReason reason;
};

/// F with a memory: values of an earlier run first, and the map of the last point that was accepted.
class Descent {
 public:
  Descent(const ProcessGrid& processes, const CoordinateSettings& settings, Index measures, Keeper& keeper)
      : world_(processes.world()), settings_(settings), measures_(measures), keeper_(keeper) {
    keeper_.resume([this](Archive& archive) { visit(archive); });
  }

  /// Called before each sweep: a run that is to stop does so there. Every run makes an evaluation, however late it begins, unless
  /// a signal stops it.
  void look_around() const {
    std::vector<Real> flags{settings_.stopping.interruptible && stop_requested() ? 1.0 : 0.0,
                            made_ > 0 && seconds_here() > settings_.stopping.time_limit ? 1.0 : 0.0};
    world_.max(flags);
    if (flags[0] > 0.0) throw Stopped{StopReason::interrupted};
    if (flags[1] > 0.0) throw Stopped{StopReason::time_limit};
  }

  Real evaluate(CoordinateObjective& objective, const std::vector<Real>& lambda, std::vector<Real>& gradient) {
    const auto width = static_cast<std::size_t>(measures_ + 1);
    if ((used_ + 1) * width <= values_.size()) {
      const auto at = values_.begin() + static_cast<std::ptrdiff_t>(used_++ * width);
      gradient.assign(at + 1, at + static_cast<std::ptrdiff_t>(width));
      return *at;
    }
    if (world_.any(keeper_.due())) keep();
    const Real value = objective.evaluate(lambda, gradient);
    if (!std::isfinite(value)) throw Stopped{StopReason::diverged};
    values_.push_back(value);
    values_.insert(values_.end(), gradient.begin(), gradient.end());
    ++used_;
    ++made_;
    return value;
  }

  /// `point` is the last one evaluated. What an earlier run had accepted it has kept.
  void accept(const CoordinateObjective& objective, const SimplexPoint& point) {
    if (made_ == 0) return;
    lambda_ = point.lambda;
    value_ = point.value;
    log_map_ = copy_of(objective.log_map());
  }

  void keep() {
    keeper_.keep([this](Archive& archive) { visit(archive); });
  }

  [[nodiscard]] Index evaluations() const { return static_cast<Index>(used_); }
  [[nodiscard]] double elapsed() const { return seconds_before_ + seconds_here(); }
  /// Of the last point that was accepted; empty where there is none.
  [[nodiscard]] const std::vector<Real>& lambda() const { return lambda_; }
  [[nodiscard]] const Field& log_map() const { return log_map_; }
  [[nodiscard]] Real value() const { return value_; }

 private:
  [[nodiscard]] double seconds_here() const { return seconds_since_start() - begun_; }
  void visit(Archive& archive) {
    archive.numbers("evaluations", values_);
    archive.number("value", value_);
    archive.numbers("lambda", lambda_);
    archive.field("log_map", log_map_);
    double seconds = elapsed();
    archive.number("seconds", seconds);
    if (archive.loads()) seconds_before_ = seconds;
  }

  Communicator world_;
  const CoordinateSettings& settings_;
  Index measures_;
  Keeper& keeper_;
  double begun_ = seconds_since_start();
  double seconds_before_ = 0.0;
  std::vector<Real> values_;  // of every evaluation: F and its gradient
  std::size_t used_ = 0;
  Index made_ = 0;  // by this run
  Real value_ = infinity;
  std::vector<Real> lambda_;
  Field log_map_;
};

/// The pointwise distances of a map, and the loss where it is not known.
void measure(const CoordinateSettings& settings, const Grid& grid, const OwnedRows& rows, const Field& target,
             const Field& log_map, Real epsilon, Projection& projection) {
  const Field slope = make_unset_field("hpot::coordinates::slope", 1, rows.local_n());
  const auto distance = [&](const std::string& name) {
    LossSettings some = settings.loss_at(epsilon);
    some.name = name;
    return make_map_loss(some, grid, rows, target)->evaluate(log_map, slope);
  };
  projection.quadratic = distance("quadratic");
  projection.l1 = l1_distance(rows, log_map, target, 0.0, slope);
  projection.kl = distance("kl");
  if (!std::isfinite(projection.loss)) projection.loss = distance(settings.loss);
}

}  // namespace

CoordinateSolution solve_coordinates(const ProcessGrid& processes, const CoordinateSettings& settings,
                                     CoordinateData data, const CoordinateProgress& progress, Keeper* given_keeper) {
  const Grid& grid = data.grid;
  const OwnedRows rows = own_rows(grid, processes.along_rows());
  CoordinateSolution solution{{}, 0.0, rows, {}, {}, {}, 0, 0};
  solution.target_epsilon = settings.epsilon.target * support_unit(settings.epsilon, settings.kernel, grid);
  solution.outcome.epsilon = solution.target_epsilon;
  solution.outcome.error = infinity;  // until it is known
  const Field measures =
      make_unset_field("hpot::coordinates::measures", static_cast<Index>(data.measures.size()), rows.local_n());
  for (std::size_t k = 0; k < data.measures.size(); ++k)
    set_entry(measures, static_cast<Index>(k), owned_values(std::exchange(data.measures[k], {}), rows));
  const Field target = make_field("hpot::coordinates::target", 1, owned_values(std::exchange(data.target, {}), rows));
  const auto distances = [&](const Field& log_map, Projection& projection) {
    measure(settings, grid, rows, target, log_map, solution.target_epsilon, projection);
  };

  // the mixture that is closest
  const EuclideanProjection mixture = project_euclidean(rows, processes.along_batches(), measures, target);
  solution.euclidean.lambda = mixture.lambda;
  solution.euclidean.map = mixture.map;
  const Field log_mixture = copy_of(mixture.map);
  take_log(log_mixture);
  distances(log_mixture, solution.euclidean);

  // the barycenter that is closest
  Keeper keeps_nothing;
  const auto count = static_cast<Index>(mixture.lambda.size());
  Descent descent(processes, settings, count, given_keeper == nullptr ? keeps_nothing : *given_keeper);
  take_log(measures);
  BarycenterProblem problem{rows, processes.along_batches(), measures,
                            {},   settings.debiased,         make_kernel(settings.kernel, grid, rows, grid, rows)};
  problem.kernel->set_precision(settings.precision);
  const Real largest = diameter_cost(settings.kernel.cost, grid, grid);
  CoordinateObjective objective(
      BarycenterSweeps(problem,
                       sweep_epsilons(settings.sweeps, solution.target_epsilon, largest, settings.schedule.factor),
                       settings.places, [&] { descent.look_around(); }),
      make_map_loss(settings.loss_at(solution.target_epsilon), grid, rows, target));
  solution.sweeps = objective.sweeps().sweeps();

  SimplexFunction function;
  function.evaluate = [&](const std::vector<Real>& lambda, std::vector<Real>& gradient) {
    return descent.evaluate(objective, lambda, gradient);
  };
  function.accept = [&](const SimplexPoint& point) {
    descent.accept(objective, point);
    CoordinateHistory& history = solution.history;
    history.loss.push_back(point.value);
    history.gap.push_back(point.gap);
    history.lambda.insert(history.lambda.end(), point.lambda.begin(), point.lambda.end());
    Outcome& outcome = solution.outcome;
    outcome.iterations = static_cast<Index>(history.loss.size()) - 1;
    outcome.error = history.loss[0] > 0.0 ? point.gap / history.loss[0] : 0.0;
    outcome.seconds = descent.elapsed();
    progress({outcome.iterations, point.value, outcome.error, outcome.seconds});
    outcome.reason = StopReason::converged;
    if (outcome.error <= settings.stopping.tolerance) return true;
    outcome.reason = StopReason::max_iterations;
    return outcome.iterations >= settings.stopping.max_iterations;
  };
  const std::vector<Real> equal(mixture.lambda.size(), 1.0 / static_cast<Real>(count));
  try {
    if (!minimise_on_simplex(function, settings.memory, equal)) solution.outcome.reason = StopReason::diverged;
  } catch (const Stopped& stopped) {
    solution.outcome.reason = stopped.reason;
  }
  if (solution.outcome.reason != StopReason::converged) descent.keep();
  solution.evaluations = descent.evaluations();
  solution.outcome.seconds = descent.elapsed();
  solution.wasserstein.lambda = descent.lambda().empty() ? equal : descent.lambda();
  if (descent.lambda().empty()) return solution;
  solution.wasserstein.loss = descent.value();
  distances(descent.log_map(), solution.wasserstein);
  solution.wasserstein.map = make_unset_field("hpot::coordinates::projection", 1, rows.local_n());
  mean_of_ratio(Reference(ConstField(), 1), descent.log_map(), solution.wasserstein.map);
  return solution;
}

std::string advice(const CoordinateSolution& solution, const CoordinateSettings& settings) {
  const Outcome& outcome = solution.outcome;
  if (outcome.reason == StopReason::converged) return {};
  std::ostringstream text;
  text << "not converged: " << name(outcome.reason) << " after " << outcome.iterations << " steps, " << outcome.seconds
       << " s, gap " << outcome.error << " of the first loss (tolerance " << settings.stopping.tolerance << ").\n";
  if (outcome.reason == StopReason::diverged) {
    text << "  No step lowers the loss any more: what is left is rounding, or the error of the loss itself. Try: a "
            "larger "
            "stopping.tolerance,\n"
            "  kernel.precision = double, a smaller coordinates.loss_tolerance, another coordinates.loss.\n";
  } else if (outcome.reason == StopReason::max_iterations) {
    text << "  More steps (stopping.max_iterations) are needed; --restart goes on from here.\n";
  }
  return text.str();
}

}  // namespace hpot
