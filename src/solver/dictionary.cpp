#include "hpot/solver/dictionary.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/random.hpp"
#include "hpot/solver/adam.hpp"
#include "hpot/solver/scales.hpp"
#include "hpot/solver/simplex_descent.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <utility>

namespace hpot {

std::vector<OptionKey> DictionarySettings::keys() {
  std::vector<OptionKey> all = {
      {"dictionary.atoms", "5", "K, atoms of a dictionary that begins with maps (input.atoms = none)",
       check::integer(1, 10000)},
      {"dictionary.batch", "all",
       "maps at once: all, by L-BFGS, the loss falls with every step; or so many, by Adam: cheaper steps, for many "
       "maps",
       check::word_or({"all"}, check::integer(1, Index{1} << 53))},
      {"dictionary.rate", "0.2",
       "of batches: what a step changes, as a part of the root of a mean weight; over the root of the epoch",
       check::positive()},
      {"dictionary.seed", "0", "of the maps that atoms begin with, and of the order of maps in batches",
       check::integer(0, Index{1} << 53)},
      {"dictionary.memory", "10", "steps that L-BFGS remembers", check::integer(1, 1000)},
      {"stopping.tolerance", "1e-2",
       "stop when in ten steps of L-BFGS, or ten epochs of batches, the loss has changed by at most this part of "
       "itself",
       check::real(1e-15, 1.0)},
      {"stopping.max_iterations", "200", "steps of L-BFGS, or epochs of batches: passes over all maps",
       check::integer(1, Index{1} << 53)},
      {"stopping.time_limit", "none",
       "seconds of the run, or none; the state is kept (checkpoint.file) and the program exits with 4",
       check::word_or({"none"}, check::positive())},
  };
  const auto sweeps = SweepSettings::keys("dictionary", "20");
  all.insert(all.begin(), sweeps.begin(), sweeps.end());
  return all;
}

DictionarySettings DictionarySettings::from(const Options& options) {
  DictionarySettings s{SweepSettings::from(options, "dictionary"), {}};
  s.stopping = StoppingOptions::from(options);
  s.atoms = options.integer("dictionary.atoms");
  if (options.text("dictionary.batch") != "all") s.batch = options.integer("dictionary.batch");
  s.rate = options.real("dictionary.rate");
  s.seed = options.integer("dictionary.seed");
  s.memory = options.integer("dictionary.memory");
  return s;
}

void archive(Archive& archive, DictionarySolution& solution) {
  hpot::archive(archive, solution.outcome);
  archive.number("target_epsilon", solution.target_epsilon);
  archive.numbers("atoms", solution.atoms);
  archive.numbers("weights", solution.weights);
  archive.numbers("losses", solution.losses);
  archive.numbers("history", solution.history);
  archive.number("evaluations", solution.evaluations);
  archive.number("sweeps", solution.sweeps);
}

namespace {

/// 0, ..., count - 1 in an order that depends on seed and `item` alone [Fisher, Yates 1938].
std::vector<Index> shuffled(Index count, Index seed, const char* stream, Index item) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(static_cast<std::uint64_t>(seed), stream, static_cast<std::uint64_t>(item));
  for (Index last = count - 1; last > 0; --last) {
    const auto other = static_cast<Index>(random.uniform() * static_cast<Real>(last + 1));
    std::swap(order[last], order[std::min(other, last)]);
  }
  return order;
}

/// K of the maps, nine tenths of each and a tenth of the uniform map: from positive weights every atom can be reached.
Field atoms_from_maps(const ProcessGrid& processes, const DictionarySettings& settings, const Support& support,
                      const OwnedRows& rows, const Field& maps) {
  const OwnedBatch batch(processes.along_batches(), static_cast<Index>(maps.extent(0)));
  const std::vector<Index> picked = shuffled(batch.count(), settings.seed, "hpot::dictionary::atoms", 0);
  const Field atoms = make_field("hpot::dictionary::atoms", settings.atoms, rows.local_n());
  for (Index k = 0; k < settings.atoms; ++k) {
    const Index n = picked[k] - batch.range().begin;
    if (n >= 0 && n < batch.range().size()) combine(0.9, entries(maps, n, 1), 0.0, entries(atoms, k, 1));
  }
  processes.along_batches().sum(atoms);  // an entry has one owner
  const Field uniform = make_field("hpot::dictionary::uniform", 1, rows.local_n());
  mean_of_ratio({log_reference_of(support, rows), support.points()}, uniform, uniform);
  for (Index k = 0; k < settings.atoms; ++k) combine(0.1, uniform, 1.0, entries(atoms, k, 1));
  return atoms;
}

/// What both descents have in common, and what they keep.
class Fit {
 public:
  Fit(const ProcessGrid& processes, const DictionarySettings& settings, const Support& support, const Field& maps,
      const Field& atoms, const FitProgress& progress, Keeper& keeper, DictionarySolution& solution)
      : settings_(settings),
        progress_(progress),
        solution_(solution),
        objective_(processes, settings, support, maps, static_cast<Index>(atoms.extent(0)), solution.target_epsilon,
                   [this] { record_.look_around(); }),
        simplexes_(sizes(static_cast<Index>(atoms.extent(0)), support.points(), objective_.maps())),
        adam_(settings.batch > 0 ? blocks(static_cast<Index>(atoms.extent(0)), support.points(), objective_.maps())
                                 : std::vector<Index>()),
        point_(first_point(atoms)),
        record_(processes.world(), settings.stopping, keeper, objective_.variables(),
                settings.batch > 0 ? 1 : settings.most_evaluations(), [this](Archive& archive) { visit(archive); }) {
    solution_.history = history_;
    solution_.sweeps = objective_.sweeps();
    show(settings.batch > 0 ? simplexes_.weights_of(point_) : point_);
  }

  void run() {
    try {
      if (settings_.batch > 0) {
        walk_through_batches();
      } else {
        descend();
      }
      if (solution_.outcome.reason != StopReason::diverged)
        solution_.losses = objective_.losses(joined(solution_.atoms, solution_.weights));
    } catch (const Stopped& stopped) {
      solution_.outcome.reason = stopped.reason;
    }
    if (solution_.outcome.reason != StopReason::converged) record_.keep();
    solution_.evaluations = evaluations_ + record_.used();
    solution_.outcome.seconds = record_.elapsed();
  }

 private:
  static std::vector<Index> sizes(Index atoms, Index points, Index maps) {
    std::vector<Index> all(static_cast<std::size_t>(atoms), points);
    all.resize(all.size() + static_cast<std::size_t>(maps), atoms);
    return all;
  }
  static std::vector<Index> blocks(Index atoms, Index points, Index maps) {
    std::vector<Index> all(static_cast<std::size_t>(maps + 1), atoms);
    all[0] = atoms * points;
    return all;
  }
  static std::vector<Real> joined(std::vector<Real> atoms, const std::vector<Real>& weights) {
    atoms.insert(atoms.end(), weights.begin(), weights.end());
    return atoms;
  }

  /// Atoms and equal weights; of batches its theta.
  [[nodiscard]] std::vector<Real> first_point(const Field& atoms) const {
    const Real count = static_cast<Real>(atoms.extent(0));
    const std::vector<Real> equal(atoms.extent(0) * static_cast<std::size_t>(objective_.maps()), 1.0 / count);
    const std::vector<Real> point = joined(objective_.whole(atoms), equal);
    return settings_.batch > 0 ? simplexes_.theta_of(point) : point;
  }

  void visit(Archive& archive) {
    archive.numbers("point", point_);
    archive.numbers("history", history_);
    archive.number("evaluations_before", evaluations_);
    archive.number("step", step_);
    archive.number("epoch_loss", epoch_loss_);
    if (settings_.batch > 0) adam_.archive(archive);
  }

  void show(const std::vector<Real>& point) {
    const auto weights = point.end() - static_cast<std::ptrdiff_t>(point.size() - atom_values());
    solution_.atoms.assign(point.begin(), weights);
    solution_.weights.assign(weights, point.end());
  }
  [[nodiscard]] std::size_t atom_values() const {
    return static_cast<std::size_t>(objective_.variables()) - point_weights();
  }
  [[nodiscard]] std::size_t point_weights() const {
    return static_cast<std::size_t>(objective_.maps() * objective_.atoms());
  }

  /// A step was taken to `point`: what there is to say of it, and whether it is the last.
  bool arrive(const std::vector<Real>& point, Real loss) {
    show(point);
    solution_.history.push_back(loss);
    solution_.outcome.seconds = record_.elapsed();
    const bool last = ended();
    progress_({solution_.outcome.iterations, loss, solution_.outcome.error, solution_.outcome.seconds});
    return last;
  }

  bool ended() {
    constexpr std::size_t window = 10;
    Outcome& outcome = solution_.outcome;
    const std::vector<Real>& loss = solution_.history;
    outcome.error = infinity;
    outcome.iterations = static_cast<Index>(loss.size()) - (settings_.batch > 0 ? 0 : 1);
    if (!loss.empty() && loss.back() <= 0.0) outcome.error = 0.0;
    if (loss.size() > window && loss.back() > 0.0)
      outcome.error = (loss[loss.size() - 1 - window] - loss.back()) / loss[loss.size() - 1 - window];
    outcome.error = std::abs(outcome.error);  // of batches the loss may rise
    outcome.reason = StopReason::converged;
    if (outcome.error <= settings_.stopping.tolerance) return true;
    outcome.reason = StopReason::max_iterations;
    return outcome.iterations >= settings_.stopping.max_iterations;
  }

  /// L-BFGS over all maps, anew from point_ whenever the record is full.
  void descend() {
    std::vector<Index> all(static_cast<std::size_t>(objective_.maps()));
    std::iota(all.begin(), all.end(), 0);
    bool last = false;
    while (!last) {
      bool known = !history_.empty();  // the start of this round: the end of the one before
      SimplexFunction function;
      function.evaluate = [&](const std::vector<Real>& point, std::vector<Real>& gradient) {
        return record_.evaluate([&](std::vector<Real>& slope) { return objective_.evaluate(point, all, slope); },
                                gradient);
      };
      function.accept = [&](const SimplexPoint& point) {
        if (std::exchange(known, false)) return false;
        last = arrive(point.lambda, point.value);
        return last || record_.used() >= settings_.evaluations_held();
      };
      if (!minimise_on_simplexes(function, simplexes_, settings_.memory, point_)) throw Stopped{StopReason::diverged};
      if (last) return;
      point_ = joined(solution_.atoms, solution_.weights);
      history_ = solution_.history;
      evaluations_ += record_.used();
      record_.forget();
    }
  }

  /// Adam over batches; point_ is theta.
  void walk_through_batches() {
    const Index maps = objective_.maps();
    const Index size = std::min(settings_.batch, maps);
    const Index steps = (maps + size - 1) / size;  // of an epoch
    bool last = !history_.empty() && ended();
    while (!last) {
      const Index epoch = step_ / steps;
      const std::vector<Index> order = shuffled(maps, settings_.seed, "hpot::dictionary::batches", epoch);
      const auto first = order.begin() + step_ % steps * size;
      const std::vector<Index> batch(first, std::min(first + size, order.end()));
      std::vector<Real> slope;
      const Real loss = record_.evaluate(
          [&](std::vector<Real>& gradient) {
            return objective_.evaluate(simplexes_.weights_of(point_), batch, gradient);
          },
          slope);
      if (!std::isfinite(loss)) throw Stopped{StopReason::diverged};
      record_.forget();
      ++evaluations_;
      const std::vector<Real> gradient = simplexes_.slope_in_theta(point_, slope);
      const Real rate = settings_.rate / std::sqrt(static_cast<Real>(epoch + 1));
      adam_.move(0, rate, gradient, point_);
      for (const Index n : batch) adam_.move(n + 1, rate, gradient, point_);
      epoch_loss_ += loss * static_cast<Real>(batch.size()) / static_cast<Real>(maps);
      if (++step_ % steps != 0) continue;
      history_.push_back(std::exchange(epoch_loss_, 0.0));
      last = arrive(simplexes_.weights_of(point_), history_.back());
    }
  }

  const DictionarySettings& settings_;
  const FitProgress& progress_;
  DictionarySolution& solution_;
  DictionaryObjective objective_;
  SimplexProduct simplexes_;
  Adam adam_;
  // where the record begins
  std::vector<Real> point_, history_;
  Index evaluations_ = 0;
  Index step_ = 0;
  Real epoch_loss_ = 0.0;
  EvaluationRecord record_;  // the last: it reads the others
};

}  // namespace

DictionarySolution solve_dictionary(const ProcessGrid& processes, const DictionarySettings& settings,
                                    DictionaryData data, const FitProgress& progress, Keeper* given_keeper) {
  const Support& support = data.support;
  const OwnedRows rows = own_rows(support, processes.along_rows());
  const auto field_of = [&](std::vector<std::vector<Real>>& values) {
    const Field field = make_unset_field("hpot::dictionary::maps", static_cast<Index>(values.size()), rows.local_n());
    for (std::size_t k = 0; k < values.size(); ++k)
      set_entry(field, static_cast<Index>(k), owned_values(std::exchange(values[k], {}), rows));
    return field;
  };
  DictionarySolution solution;
  solution.target_epsilon = settings.epsilon.target * support_unit(settings.epsilon, settings.kernel, support);
  solution.outcome.epsilon = solution.target_epsilon;
  solution.outcome.error = infinity;  // until it is known
  check_epsilon(settings.kernel, support, solution.target_epsilon);
  const Field maps = field_of(data.maps);
  const Field atoms =
      data.atoms.empty() ? atoms_from_maps(processes, settings, support, rows, maps) : field_of(data.atoms);
  Keeper keeps_nothing;
  Fit fit(processes, settings, support, maps, atoms, progress, given_keeper == nullptr ? keeps_nothing : *given_keeper,
          solution);
  fit.run();
  return solution;
}

std::string advice(const DictionarySolution& solution, const DictionarySettings& settings) {
  const Outcome& outcome = solution.outcome;
  if (outcome.reason == StopReason::converged) return {};
  const char* steps = settings.batch > 0 ? "epochs" : "steps";
  std::ostringstream text;
  text << "not converged: " << name(outcome.reason) << " after " << outcome.iterations << " " << steps << ", "
       << outcome.seconds << " s";
  if (std::isfinite(outcome.error))
    text << ", in the last ten of which the loss changed by " << outcome.error << " of itself (tolerance "
         << settings.stopping.tolerance << ")";
  text << ".\n";
  if (outcome.reason == StopReason::diverged) {
    text << "  No step lowers the loss any more: what is left is rounding, or the error of the loss itself. Try: a "
            "larger stopping.tolerance,\n"
            "  kernel.precision = double, a smaller dictionary.loss_tolerance, another dictionary.loss; of batches a "
            "smaller dictionary.rate.\n";
  } else if (outcome.reason == StopReason::max_iterations) {
    text << "  More " << steps << " (stopping.max_iterations) are needed; --restart goes on from here.\n";
  }
  return text.str();
}

}  // namespace hpot
