// Sinkhorn's sweeps for many pairs out of two tables of measures at once, on one hierarchy of levels (sinkhorn.hpp has the
// formulas, for one pair). A chunk of pairs is a batch; each pair converges by itself:
//
//   - it leaves the batch at the sweep that meets the stage's tolerance, and keeps the state of that sweep;
//   - its Anderson mixing (pair_mixing) has coefficients of its own;
//   - it is given up when it alone has made as many sweeps as are allowed, or is not finite any more.
// So its bits are those that it would have alone in the chunk: whatever divides pairs into chunks, ranks or threads changes
// nothing. Everything is local to a rank.
#pragma once

#include "hpot/problem/pair_kernels.hpp"
#include "hpot/problem/transport_values.hpp"
#include "hpot/solver/sinkhorn.hpp"

#include <map>

namespace hpot {

struct MeasurePair {
  Index source = 0;
  Index target = 0;
};

/// What pairs are taken from: measures that share a support, on each side. Without `targets` those are the sources.
struct PairMeasures {
  Support source_support, target_support;
  std::vector<std::vector<Real>> sources, targets;
  bool symmetric = false;  // no targets, and penalties and costs are alike both ways: f = g for a measure with itself
};

/// What becomes of one pair.
struct PairResult {
  TransportValues values;  // at the target eps
  Index sweeps = 0;
  StopReason reason = StopReason::converged;
};

class PairSweeps final : public FixedPointMap, public LeveledProblem {
 public:
  /// Chunks have up to `capacity` pairs, whose mixing remembers `slots` sweeps. `alone` is a communicator of one rank.
  PairSweeps(const KernelOptions& kernel, PairMeasures measures, MarginalPenalty source_penalty,
             MarginalPenalty target_penalty, Precision precision, Index smallest_side, Index capacity, Index slots,
             const Communicator& alone);

  /// Another chunk, all potentials 0.
  void begin(const std::vector<MeasurePair>& pairs);
  /// Values of all pairs of the chunk, at a target eps whose stage was the last one.
  [[nodiscard]] std::vector<PairResult> finish(Real cost_bound);

  FixedPointMap& enter(int level) override;
  /// All pairs that were not given up are in progress again.
  void set_epsilon(Real epsilon) override;
  /// Returns the worst error of those in progress, 0 without any.
  Real evaluate() override;
  void accept() override;
  [[nodiscard]] std::vector<Field> state() const override { return {g_}; }
  [[nodiscard]] std::vector<Field> image() const override { return {image_}; }
  [[nodiscard]] std::vector<Real> dots(const std::vector<Field>& x,
                                       const std::vector<std::vector<Field>>& ys) const override;

  [[nodiscard]] std::vector<Real> neighbour_costs() const;

  // For the mixing.
  [[nodiscard]] Index pairs() const { return static_cast<Index>(pairs_.size()); }
  [[nodiscard]] const std::vector<Index>& active() const { return active_; }
  [[nodiscard]] const std::vector<Real>& errors() const { return errors_; }  // of the active
  [[nodiscard]] Index sweeps(Index pair) const { return sweeps_[pair]; }
  [[nodiscard]] Real scale(Index pair) const;  // 1/(about the target's mass), a power of two
  void give_up(Index pair, StopReason reason) { reasons_[pair] = reason; }
  void keep_active(std::vector<Index> active);
  [[nodiscard]] ActiveEntries entries() const { return of_target_; }
  [[nodiscard]] const MeasureTable& table() const { return levels_[level_].target; }
  [[nodiscard]] const MixingMemory& memory() const { return memory_; }

 private:
  using Buffer = Kokkos::View<Real*, MemorySpace>;
  using ShortBuffer = Kokkos::View<float*, MemorySpace>;
  struct Level {
    Support source_support, target_support;
    MeasureTable source, target;
    std::shared_ptr<KernelOperator> kernel;
  };
  void size_fields(int level);
  void carry(int to_level);
  /// f = prox_a(softmin(log b + g/eps)) and h = log a + f/eps, compact; f stands in the buffer of softmins.
  Field source_half_step();
  void shift_images(const std::vector<Real>& sums_of_source);

  KernelOptions kernel_;
  MarginalPenalty source_penalty_, target_penalty_;
  Precision precision_;
  std::vector<Level> levels_;
  std::vector<Real> source_mass_, target_mass_;  // of all measures
  bool symmetric_;
  std::map<std::pair<int, int>, std::shared_ptr<KernelOperator>> between_;
  Index capacity_, used_slots_, slots_;

  int level_ = -1;
  Real epsilon_ = 1.0;
  std::vector<MeasurePair> pairs_;
  std::vector<Index> active_;
  std::vector<Real> errors_;
  std::vector<Index> sweeps_;
  std::vector<StopReason> reasons_;
  ActiveEntries of_source_, of_target_;
  Buffer g_buffer_, image_buffer_, h_buffer_, s_buffer_;
  Buffer last_residual_buffer_, last_image_buffer_;
  ShortBuffer residuals_buffer_, images_buffer_;
  Field g_, image_;  // by entry
  MixingMemory memory_;
};

/// Values that a chunk holds for each of its pairs, besides the operator's work arrays.
Real values_of_pair(Index source_points, Index target_points, Index slots);

}  // namespace hpot
