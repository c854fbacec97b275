#include "hpot/solver/pair_study.hpp"

#include "hpot/core/session.hpp"
#include "hpot/solver/pair_mixing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace hpot {
namespace {

constexpr Index rounds_of_study = 64;
constexpr std::size_t columns = all_transport_values.size() + 2;  // of a result in a table of numbers

/// Sweeps in mixed precision stop this much below the tolerance, so that the residual in double meets it.
Real sweep_tolerance(Real tolerance, Precision precision) {
  constexpr Real room = 5e-7;
  return precision == Precision::mixed ? std::min(0.99 * tolerance, tolerance - room) : tolerance;
}

bool meets(const TransportValues& values, Real tolerance) {
  return values.residual_source <= tolerance && values.residual_target <= tolerance;
}

void put(const PairResult& result, Real* row) {
  for (const auto& [name, value] : all_transport_values) *row++ = result.values.*value;
  *row++ = static_cast<Real>(result.sweeps);
  *row = static_cast<Real>(static_cast<int>(result.reason));
}

PairResult taken(const Real* row) {
  PairResult result;
  for (const auto& [name, value] : all_transport_values) result.values.*value = *row++;
  result.sweeps = static_cast<Index>(*row++);
  result.reason = static_cast<StopReason>(static_cast<int>(*row));
  return result;
}

/// Solves a chunk; false where a signal stopped it.
class ChunkSolver {
 public:
  virtual ~ChunkSolver() = default;
  virtual bool solve(const std::vector<MeasurePair>& pairs, std::vector<PairResult>& results) = 0;
};

class BatchSolver final : public ChunkSolver {
 public:
  BatchSolver(const Communicator& alone, const TransportSettings& settings, StudyMeasures measures, Real epsilon,
              Real unit, Index capacity)
      : alone_(alone),
        diameter_(largest_cost_of(settings.kernel, measures.supports[0], measures.supports.back())),
        sweeps_(settings.kernel,
                {measures.supports[0], measures.supports.back(), std::move(measures.sources),
                 std::move(measures.targets), measures.symmetric},
                parse_penalty(settings.source_penalty, unit), parse_penalty(settings.target_penalty, unit),
                settings.precision, settings.schedule.coarsest_side(), capacity, mixed_sweeps(settings.acceleration),
                alone),
        mixing_(make_pair_mixing(sweeps_, mixed_sweeps(settings.acceleration), settings.stopping.max_iterations)),
        stages_(make_schedule(settings.schedule, epsilon, diameter_, sweeps_.neighbour_costs(),
                              sweep_tolerance(settings.stopping.tolerance, settings.precision))) {}

  bool solve(const std::vector<MeasurePair>& pairs, std::vector<PairResult>& results) override {
    constexpr Index no_end = Index{1} << 60;
    sweeps_.begin(pairs);
    const StoppingOptions stopping{stages_.back().tolerance, no_end, infinity};  // every pair counts its own sweeps
    const Outcome outcome = hpot::solve(alone_, sweeps_, stages_, stopping, *mixing_, {}, nullptr);
    if (resumable(outcome.reason)) return false;
    results = sweeps_.finish(diameter_);
    return true;
  }

 private:
  Communicator alone_;
  Real diameter_;
  PairSweeps sweeps_;
  std::unique_ptr<Acceleration> mixing_;
  std::vector<Stage> stages_;
};

class CloudSolver final : public ChunkSolver {
 public:
  CloudSolver(const Communicator& alone, const TransportSettings& settings, StudyMeasures measures, Real epsilon)
      : alone_(alone), settings_(settings), measures_(std::move(measures)) {
    settings_.epsilon.target = epsilon;
    settings_.epsilon.unit = "cost";
    settings_.stopping.time_limit = infinity;
  }

  bool solve(const std::vector<MeasurePair>& pairs, std::vector<PairResult>& results) override {
    const bool same = measures_.targets.empty();
    const auto first_target = same ? 0 : measures_.sources.size();
    const auto& targets = same ? measures_.sources : measures_.targets;
    for (const auto& [i, j] : pairs) {
      const bool alike = same && measures_.symmetric && i == j && is_solved_by_symmetry(settings_.kernel);
      const auto solution =
          alike ? solve_self_transport(alone_, settings_, {measures_.supports[i], measures_.sources[i]})
                : solve_transport(
                      alone_, settings_,
                      {measures_.supports[i], measures_.supports[first_target + j], measures_.sources[i], targets[j]},
                      {}, nullptr);
      if (resumable(solution.outcome.reason)) return false;
      results.push_back({solution.values, solution.outcome.iterations, solution.outcome.reason});
    }
    return true;
  }

 private:
  Communicator alone_;
  TransportSettings settings_;
  StudyMeasures measures_;
};

/// A penalty with rho in the unit of the cost.
std::string in_cost_unit(const std::string& penalty, Real unit) {
  const Real rho = strength(parse_penalty(penalty, unit));
  if (rho == 0.0) return penalty;
  char text[64];
  std::snprintf(text, sizeof text, "%s%.17g", penalty.substr(0, penalty.find(':') + 1).c_str(), rho);
  return text;
}

/// What one rank knows of its block, and of the rounds that are over.
class Block {
 public:
  Block(Range pairs, Index per_round) : pairs_(pairs), per_round_(per_round), table_(pairs.size() * columns, 0.0) {}

  [[nodiscard]] Range round(Index number) const {
    return {std::min(pairs_.begin + number * per_round_, pairs_.end),
            std::min(pairs_.begin + (number + 1) * per_round_, pairs_.end)};
  }

  void set(Index pair, const PairResult& result) { put(result, &table_[(pair - pairs_.begin) * columns]); }

  void archive(Archive& archive) { archive.numbers("results", table_); }

  [[nodiscard]] const std::vector<Real>& table() const { return table_; }

 private:
  Range pairs_;
  Index per_round_;
  std::vector<Real> table_;
};

}  // namespace

Real study_epsilon(const TransportSettings& settings, const std::vector<Support>& supports) {
  const std::string& unit = settings.epsilon.unit;
  if (settings.kernel.explicit_cost() && unit == "max_cost") return settings.kernel.matrix->largest;
  require(unit != "mean_cost", "epsilon.unit = mean_cost", "it differs from pair to pair, and eps must not",
          "use epsilon.unit = cost or max_cost");
  if (supports[0].cloud() == nullptr) return support_unit(settings.epsilon, settings.kernel, supports.back());
  require(unit != "spacing2", "epsilon.unit = spacing2", "every cloud has another spacing, and eps must not differ",
          "use epsilon.unit = cost or max_cost");
  Real largest = unit == "cost" ? 1.0 : 0.0;
  for (std::size_t i = 0; unit != "cost" && i < supports.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      largest = std::max(largest, diameter_cost(settings.kernel.cost, supports[i], supports[j]));
  }
  return largest;
}

StudySolution solve_study(const Communicator& world, const TransportSettings& settings, StudyMeasures measures,
                          const std::vector<MeasurePair>& pairs, Index most,
                          const std::function<void(const StudyProgress&)>& progress, Keeper* given_keeper) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const Communicator alone = world.split(world.rank());
  const Real unit = study_epsilon(settings, measures.supports);
  require(unit > 0.0, "epsilon.unit = " + settings.epsilon.unit, "it is zero for these measures",
          "use epsilon.unit = cost");
  StudySolution solution;
  solution.epsilon = settings.epsilon.target * unit;
  check_epsilon(settings.kernel, measures.supports[0], solution.epsilon);

  const Index all = static_cast<Index>(pairs.size());
  const Range mine = Partition(all, 1, world.size()).block(world.rank());
  const Index largest_block = std::max<Index>(1, (all + world.size() - 1) / world.size());
  const Index chunk = std::min(most, largest_block);
  const Index per_round = (largest_block + chunk * rounds_of_study - 1) / (chunk * rounds_of_study) * chunk;
  const Index rounds = (largest_block + per_round - 1) / per_round;
  std::unique_ptr<ChunkSolver> solver;
  if (measures.clouds()) {
    TransportSettings in_cost = settings;
    in_cost.source_penalty = in_cost_unit(settings.source_penalty, unit);
    in_cost.target_penalty = in_cost_unit(settings.target_penalty, unit);
    solver = std::make_unique<CloudSolver>(alone, in_cost, std::move(measures), solution.epsilon);
  } else {
    solver = std::make_unique<BatchSolver>(alone, settings, std::move(measures), solution.epsilon, unit, chunk);
  }

  Block block(mine, per_round);
  Keeper keeps_nothing;
  Keeper& keeper = given_keeper == nullptr ? keeps_nothing : *given_keeper;
  Index round = 0;
  double seconds_before = 0.0;
  Index unconverged = 0;
  Real worst = 0.0;
  const Visit state = [&](Archive& archive) {
    archive.number("round", round);
    double seconds = seconds_before + elapsed();
    archive.number("seconds", seconds);
    if (archive.loads()) seconds_before = seconds;
    archive.number("unconverged", unconverged);
    archive.number("worst", worst);
    block.archive(archive);
  };
  const auto solve_round = [&] {
    const Range range = block.round(round);
    for (Index first = range.begin; first < range.end; first += chunk) {
      const Index end = std::min(first + chunk, range.end);
      std::vector<PairResult> results;
      if (!solver->solve({pairs.begin() + first, pairs.begin() + end}, results)) return false;
      for (Index pair = first; pair < end; ++pair) {
        PairResult& result = results[pair - first];
        if (result.reason == StopReason::converged && !meets(result.values, settings.stopping.tolerance))
          result.reason = StopReason::max_iterations;
        block.set(pair, result);
        unconverged += result.reason == StopReason::converged ? 0 : 1;
        worst = std::max({worst, result.values.residual_source, result.values.residual_target});
      }
    }
    return true;
  };
  const auto work = [&] {
    keeper.resume(state);
    const Index first_round = round;
    while (round < rounds) {
      std::vector<Real> flags{stop_requested() ? 1.0 : 0.0,
                              round > first_round && elapsed() > settings.stopping.time_limit ? 1.0 : 0.0,
                              keeper.due() ? 1.0 : 0.0};
      world.max(flags);
      if (flags[0] > 0.0 || flags[1] > 0.0)
        solution.reason = flags[0] > 0.0 ? StopReason::interrupted : StopReason::time_limit;
      if (flags[2] > 0.0 || resumable(solution.reason)) keeper.keep(state);
      if (resumable(solution.reason)) return false;
      const Index unconverged_before = unconverged;
      const Real worst_before = worst;
      if (world.any(!solve_round())) {  // a signal: the round is made again later
        unconverged = unconverged_before;
        worst = worst_before;
        solution.reason = StopReason::interrupted;
        keeper.keep(state);
        return false;
      }
      ++round;
      const Index of_ranks = std::min(all, round * per_round * world.size());
      progress({of_ranks, all, static_cast<Index>(world.sum(static_cast<Real>(unconverged))), world.max(worst),
                seconds_before + elapsed()});
    }
    return true;
  };
  keeper.once(work, state);
  solution.seconds = seconds_before + elapsed();
  const std::vector<Real> table = world.gather(block.table());
  for (std::size_t row = 0; row < table.size() / columns; ++row) {
    solution.results.push_back(taken(&table[row * columns]));
    solution.sweeps += solution.results.back().sweeps;
    if (!resumable(solution.reason)) solution.reason = std::max(solution.reason, solution.results.back().reason);
  }
  std::vector<Real> reason{static_cast<Real>(static_cast<int>(solution.reason))};
  world.broadcast(reason);
  solution.reason = static_cast<StopReason>(static_cast<int>(reason[0]));
  return solution;
}

}  // namespace hpot
