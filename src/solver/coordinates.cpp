#include "hpot/solver/coordinates.hpp"

#include "hpot/core/field.hpp"
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
  const auto sweeps = SweepSettings::keys("coordinates", "50");
  all.insert(all.begin(), sweeps.begin(), sweeps.end());
  return all;
}

CoordinateSettings CoordinateSettings::from(const Options& options) {
  CoordinateSettings s{SweepSettings::from(options, "coordinates"), {}};
  s.stopping = StoppingOptions::from(options);
  s.memory = options.integer("coordinates.memory");
  return s;
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

/// F with a memory: of earlier evaluations, and of the map of the last point that was accepted.
class Descent {
 public:
  Descent(const ProcessGrid& processes, const CoordinateSettings& settings, Index measures, Keeper& keeper)
      : record_(processes.world(), settings.stopping, keeper, measures, 0, [this](Archive& archive) {
          archive.number("value", value_);
          archive.numbers("lambda", lambda_);
          archive.field("log_map", log_map_);
        }) {}

  /// `point` is the last one evaluated. What an earlier run had accepted it has kept.
  void accept(const CoordinateObjective& objective, const SimplexPoint& point) {
    if (record_.made() == 0) return;
    lambda_ = point.lambda;
    value_ = point.value;
    log_map_ = copy_of(objective.log_map());
  }

  EvaluationRecord& record() { return record_; }
  /// Of the last point that was accepted; empty where there is none.
  [[nodiscard]] const std::vector<Real>& lambda() const { return lambda_; }
  [[nodiscard]] const Field& log_map() const { return log_map_; }
  [[nodiscard]] Real value() const { return value_; }

 private:
  Real value_ = infinity;
  std::vector<Real> lambda_;
  Field log_map_;
  EvaluationRecord record_;  // the last: it reads the others
};

/// The pointwise distances of a map, and the loss where it is not known.
void measure(const CoordinateSettings& settings, const Support& support, const OwnedRows& rows, const Reference& q,
             const Field& target, const Field& log_map, Real epsilon, Projection& projection) {
  const Field slope = make_unset_field("hpot::coordinates::slope", 1, rows.local_n());
  const auto distance = [&](const std::string& name) {
    LossSettings some = settings.loss_at(epsilon);
    some.name = name;
    return make_map_loss(some, support, rows, q, target)->evaluate(log_map, slope);
  };
  projection.quadratic = distance("quadratic");
  projection.l1 = l1_distance(rows, q, log_map, target, 0.0, slope);
  projection.kl = distance("kl");
  if (!std::isfinite(projection.loss)) projection.loss = distance(settings.loss);
}

}  // namespace

CoordinateSolution solve_coordinates(const ProcessGrid& processes, const CoordinateSettings& settings,
                                     CoordinateData data, const FitProgress& progress, Keeper* given_keeper) {
  const Support& support = data.support;
  const OwnedRows rows = own_rows(support, processes.along_rows());
  CoordinateSolution solution{{}, 0.0, rows, {}, {}, {}, 0, 0};
  solution.target_epsilon = settings.epsilon.target * support_unit(settings.epsilon, settings.kernel, support);
  solution.outcome.epsilon = solution.target_epsilon;
  solution.outcome.error = infinity;  // until it is known
  check_epsilon(settings.kernel, support, solution.target_epsilon);
  const Reference q(log_reference_of(support, rows), support.points());
  const Field measures =
      make_unset_field("hpot::coordinates::measures", static_cast<Index>(data.measures.size()), rows.local_n());
  for (std::size_t k = 0; k < data.measures.size(); ++k)
    set_entry(measures, static_cast<Index>(k), owned_values(std::exchange(data.measures[k], {}), rows));
  const Field target = make_field("hpot::coordinates::target", 1, owned_values(std::exchange(data.target, {}), rows));
  const auto distances = [&](const Field& log_map, Projection& projection) {
    measure(settings, support, rows, q, target, log_map, solution.target_epsilon, projection);
  };

  // the mixture that is closest
  const EuclideanProjection mixture = project_euclidean(rows, q, processes.along_batches(), measures, target);
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
  EvaluationRecord& record = descent.record();
  CoordinateObjective objective(make_sweeps(settings, support, rows, processes.along_batches(), measures,
                                            solution.target_epsilon, [&] { record.look_around(); }),
                                make_map_loss(settings.loss_at(solution.target_epsilon), support, rows, q, target));
  solution.sweeps = objective.sweeps().sweeps();

  SimplexFunction function;
  function.evaluate = [&](const std::vector<Real>& lambda, std::vector<Real>& gradient) {
    return record.evaluate([&](std::vector<Real>& slope) { return objective.evaluate(lambda, slope); }, gradient);
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
    outcome.seconds = record.elapsed();
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
  if (solution.outcome.reason != StopReason::converged) record.keep();
  solution.evaluations = record.used();
  solution.outcome.seconds = record.elapsed();
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
