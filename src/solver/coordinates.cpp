#include "hpot/solver/coordinates.hpp"

#include "coordinate_descent.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/map_distance.hpp"
#include "hpot/solver/euclidean_projection.hpp"

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
  const auto sweeps = SweepSettings::keys(
      "coordinates", "50",
      "; of plain ones on grids, unrolled, an equal share on each grid (epsilon.multiscale), the coarsest one first");
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
  archive.number("equal_loss", solution.equal_loss);
  archive.number("evaluations", solution.evaluations);
  archive.number("coarse_evaluations", solution.coarse_evaluations);
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
  const Support support = data.support;
  const OwnedRows rows = own_rows(support, processes.along_rows());
  CoordinateSolution solution{{}, 0.0, rows, {}, {}, {}};
  solution.target_epsilon = settings.epsilon.target * support_unit(settings.epsilon, settings.kernel, support);
  solution.outcome.epsilon = solution.target_epsilon;
  solution.outcome.error = infinity;  // until it is known
  check_epsilon(settings.kernel, support, solution.target_epsilon);
  const Reference q(log_reference_of(support, rows), support.points());
  std::vector<CoordinateLevel> levels =
      make_coordinate_levels(settings, data, processes.along_rows(), solution.target_epsilon);
  const Field target = levels[0].target;
  const auto distances = [&](const Field& log_map, Projection& projection) {
    measure(settings, support, rows, q, target, log_map, solution.target_epsilon, projection);
  };

  // the mixture that is closest
  const EuclideanProjection mixture = project_euclidean(rows, q, processes.along_batches(), levels[0].measures, target);
  solution.euclidean.lambda = mixture.lambda;
  solution.euclidean.map = mixture.map;
  const Field log_mixture = copy_of(mixture.map);
  take_log(log_mixture);
  distances(log_mixture, solution.euclidean);

  // the barycenter that is closest
  Keeper keeps_nothing;
  const auto count = static_cast<Index>(mixture.lambda.size());
  CoordinateDescent descent(processes, settings, count, progress,
                            given_keeper == nullptr ? keeps_nothing : *given_keeper, solution);
  descent.run(std::move(levels));
  Projection& found = solution.wasserstein;
  found.lambda = descent.lambda().empty() ? std::vector<Real>(count, 1.0 / static_cast<Real>(count)) : descent.lambda();
  if (descent.log_map().extent(0) == 0) return solution;
  found.loss = descent.loss();
  distances(descent.log_map(), found);
  found.map = make_unset_field("hpot::coordinates::projection", 1, rows.local_n());
  mean_of_ratio(Reference(ConstField(), 1), descent.log_map(), found.map);
  return solution;
}

std::string advice(const CoordinateSolution& solution, const CoordinateSettings& settings) {
  const Outcome& outcome = solution.outcome;
  if (outcome.reason == StopReason::converged) return {};
  std::ostringstream text;
  text << "not converged: " << name(outcome.reason) << " after " << outcome.iterations << " steps, " << outcome.seconds
       << " s, gap " << outcome.error << " of the loss of equal weights (tolerance " << settings.stopping.tolerance
       << ").\n";
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
