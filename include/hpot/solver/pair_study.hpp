// Transport between many pairs of measures: one source against many targets, or all pairs, divided over ranks.
//
// Pairs stand in one fixed order; ranks take contiguous blocks of it, as even as can be, and solve them with no word to one
// another, in chunks: measures that share a support as batches (pair_sweeps.hpp), clouds, each with points of its own, one by
// one (solve_transport.hpp). Between rounds, some 1/64 of the work each, ranks agree on whether to stop and keep the state. A
// pair's values have the same bits on any number of ranks and threads and in any chunk.
#pragma once

#include "hpot/solver/pair_sweeps.hpp"
#include "hpot/solver/solve_transport.hpp"

namespace hpot {

/// The measures of a study, whole on every rank. Clouds have a support each, others share `supports[0]` (and with a cost
/// matrix between two sets of entries the targets `supports[1]`). `targets` is empty where both sides are the same measures.
struct StudyMeasures {
  std::vector<Support> supports;
  std::vector<std::vector<Real>> sources, targets;
  bool symmetric = false;  // both sides are the same measures, penalties and costs alike both ways
  [[nodiscard]] bool clouds() const { return supports[0].cloud() != nullptr; }
};

struct StudyProgress {
  Index done = 0;  // pairs of all ranks, at least
  Index all = 0;
  Index unconverged = 0;
  Real worst = 0.0;  // marginal error
  double seconds = 0.0;
};

struct StudySolution {
  std::vector<PairResult>
      results;  // of all pairs on rank 0, in their order; those not begun have 0 sweeps. Elsewhere empty
  StopReason reason = StopReason::converged;  // the worst of all, or why the study stopped
  Real epsilon = 0.0;
  Index sweeps = 0;  // of all pairs
  double seconds = 0.0;
};

/// eps of all pairs in the unit of the cost: cost; spacing2 and max_cost of the support, the matrix, or (max_cost) of all clouds'
/// box. InputError for units that differ by pair. Local.
Real study_epsilon(const TransportSettings& settings, const std::vector<Support>& supports);

/// Chunks have up to `most` pairs (study_plan.hpp). `progress` is called on every rank after every round.
/// settings.acceleration is anderson or none. InputError where a unit does not fit. Collective over `world`.
StudySolution solve_study(const Communicator& world, const TransportSettings& settings, StudyMeasures measures,
                          const std::vector<MeasurePair>& pairs, Index most,
                          const std::function<void(const StudyProgress&)>& progress, Keeper* keeper = nullptr);

}  // namespace hpot
