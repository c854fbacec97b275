#include "coordinate_descent.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/solver/measure_levels.hpp"

#include <algorithm>
#include <utility>

namespace hpot {
namespace {

/// Of coarser levels: the same whatever the run's own are, which a later run that walks the same way may change.
constexpr Real coarse_tolerance = 1e-2;
constexpr Index most_coarse_steps = 50;

/// Inside the simplex: what is 0 on one level may be more on the next, and a weight that starts at 0 would stay there.
std::vector<Real> moved_inside(std::vector<Real> lambda, const std::vector<Real>& equal) {
  constexpr Real part = 1e-3;
  for (std::size_t k = 0; k < lambda.size(); ++k) lambda[k] += part * (equal[k] - lambda[k]);
  return lambda;
}

}  // namespace

std::vector<CoordinateLevel> make_coordinate_levels(const CoordinateSettings& settings, CoordinateData& data,
                                                    const Communicator& along_rows, Real epsilon) {
  const Support support = data.support;
  const int count = support.grid() == nullptr ? 1 : count_levels(support, settings.schedule.coarsest_side());
  const auto owned = static_cast<Index>(data.measures.size());
  std::vector<CoordinateLevel> levels;
  for (MeasureLevel& of_target : make_measure_levels(support, std::exchange(data.target, {}), along_rows, count)) {
    const Index n = of_target.rows.local_n();
    const Real eps =
        levels.empty() ? epsilon : std::max(epsilon, neighbour_cost(settings.kernel.cost, of_target.support));
    levels.push_back({std::move(of_target.support), of_target.rows,
                      make_unset_field("hpot::coordinates::measures", owned, n),
                      make_field("hpot::coordinates::target", 1, of_target.weights), eps});
  }
  for (Index k = 0; k < owned; ++k) {
    const auto of_measure = make_measure_levels(support, std::exchange(data.measures[k], {}), along_rows, count);
    for (int l = 0; l < count; ++l) set_entry(levels[l].measures, k, of_measure[l].weights);
  }
  return levels;
}

CoordinateDescent::CoordinateDescent(const ProcessGrid& processes, const CoordinateSettings& settings, Index measures,
                                     const FitProgress& progress, Keeper& keeper, CoordinateSolution& solution)
    : processes_(processes),
      settings_(settings),
      progress_(progress),
      solution_(solution),
      equal_(static_cast<std::size_t>(measures), 1.0 / static_cast<Real>(measures)),
      record_(processes.world(), settings.stopping, keeper, measures, 0, [this](Archive& archive) {
        archive.number("value", loss_);
        archive.numbers("lambda", lambda_);
        archive.field("log_map", log_map_);
      }) {}

void CoordinateDescent::run(std::vector<CoordinateLevel> levels) {
  std::vector<Real> start = equal_;
  try {
    for (std::size_t l = levels.size(); l-- > 0;) {
      take_log(levels[l].measures);
      start = moved_inside(descend(levels, l, start), equal_);
      if (l > 0) solution_.coarse_evaluations = record_.used();
    }
  } catch (const Stopped& stopped) {
    solution_.outcome.reason = stopped.reason;
  }
  if (solution_.outcome.reason != StopReason::converged) record_.keep();
  solution_.evaluations = record_.used();
  solution_.outcome.seconds = record_.elapsed();
}

std::vector<Real> CoordinateDescent::descend(const std::vector<CoordinateLevel>& levels, std::size_t at,
                                             const std::vector<Real>& start) {
  const bool finest = at == 0;
  const CoordinateLevel& level = levels[at];
  const Reference q(log_reference_of(level.support, level.rows), level.support.points());
  std::vector<SweepGrid> grids;
  for (std::size_t l = at; l < at + settings_.grids_of(level.support); ++l)
    grids.push_back({levels[l].support, levels[l].rows, levels[l].measures, levels[l].epsilon,
                     l == 0 ? settings_.places : settings_.sweeps});
  CoordinateObjective objective(
      make_sweeps(settings_, grids, processes_.along_batches(), [this] { record_.look_around(); }),
      make_map_loss(settings_.loss_at(level.epsilon), level.support, level.rows, q, level.target));
  solution_.sweeps = objective.sweeps().sweeps();
  const bool from_equal = start == equal_;
  if (!from_equal) {
    std::vector<Real> unused;
    const auto value = [&](std::vector<Real>& gradient) {
      gradient.assign(equal_.size(), 0.0);
      return objective.value(equal_);
    };
    solution_.equal_loss = record_.evaluate(value, unused);
  }
  std::vector<Real> reached = start;
  Index steps = -1;
  SimplexFunction function;
  function.evaluate = [&](const std::vector<Real>& lambda, std::vector<Real>& gradient) {
    return record_.evaluate([&](std::vector<Real>& slope) { return objective.evaluate(lambda, slope); }, gradient);
  };
  function.accept = [&](const SimplexPoint& point) {
    reached = point.lambda;
    if (++steps == 0 && from_equal) solution_.equal_loss = point.value;
    return accept(objective, point, finest) ||
           steps >= (finest ? settings_.stopping.max_iterations : most_coarse_steps);
  };
  if (!minimise_on_simplex(function, settings_.memory, start) && finest)
    solution_.outcome.reason = StopReason::diverged;
  return reached;
}

bool CoordinateDescent::accept(const CoordinateObjective& objective, const SimplexPoint& point, bool finest) {
  if (record_.made() > 0) {  // else it is what an earlier run had accepted, and has kept
    lambda_ = point.lambda;
    loss_ = finest ? point.value : infinity;
    log_map_ = finest ? copy_of(objective.log_map()) : Field();
  }
  const Real error = solution_.equal_loss > 0.0 ? point.gap / solution_.equal_loss : 0.0;
  if (!finest) return error <= coarse_tolerance;
  CoordinateHistory& history = solution_.history;
  history.loss.push_back(point.value);
  history.gap.push_back(point.gap);
  history.lambda.insert(history.lambda.end(), point.lambda.begin(), point.lambda.end());
  Outcome& outcome = solution_.outcome;
  outcome.iterations = static_cast<Index>(history.loss.size()) - 1;
  outcome.error = error;
  outcome.seconds = record_.elapsed();
  progress_({outcome.iterations, point.value, outcome.error, outcome.seconds});
  outcome.reason = StopReason::converged;
  if (outcome.error <= settings_.stopping.tolerance) return true;
  outcome.reason = StopReason::max_iterations;
  return false;
}

}  // namespace hpot
