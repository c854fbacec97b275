// Sinkhorn's algorithm as a fixed-point map of the target potential g, on a hierarchy of grids.
//
//   f  = prox_a(softmin(log b + g/eps))        exact rows: the source residual of (f, g) is zero
//   s  = softmin(log a + f/eps)                the target residual of (f, g) is that of s
//   g <- prox_b(s)
// [Cuturi 2013; Chizat 2018; multiscale and eps-scaling Schmitzer 2019]. KL on both sides: the image is shifted by the
// constant that maximises the dual [Sejourne, Vialard, Peyre 2022]. Over-relaxed: both half-steps go w times as far where
// the dual gains by it (relax() of transport_problem.hpp), f is part of the state, and the error is that of the worse side.
#pragma once

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"
#include "hpot/solver/fixed_point.hpp"
#include "hpot/solver/measure_levels.hpp"

namespace hpot {

class SinkhornMap final : public FixedPointMap {
 public:
  /// Starts from `g`, which it takes over; 0 without one. Local. Arrays of the owned rows: weights and log weights of both
  /// sides, f, g, the image and h.
  explicit SinkhornMap(TransportProblem problem, const Field& g = {});

  void set_epsilon(Real epsilon) override;
  Real evaluate() override;
  void accept() override;
  /// Takes one array more of the source's rows.
  void relax(Real w) override;
  void archive(Archive& archive) override;
  [[nodiscard]] std::vector<Field> state() const override { return {g_}; }
  [[nodiscard]] std::vector<Field> image() const override { return {image_}; }
  [[nodiscard]] std::vector<Real> dots(const std::vector<Field>& x,
                                       const std::vector<std::vector<Field>>& ys) const override;

  [[nodiscard]] const TransportProblem& problem() const { return problem_; }
  /// The pair whose residual the last evaluate returned.
  [[nodiscard]] const Field& f() const { return f_; }
  [[nodiscard]] const Field& g() const { return g_; }

 private:
  /// From s in `half_step`, at the potential that stands in `old`, to the new one.
  void finish_half_step(const MarginalPenalty& penalty, const Field& old, const Field& half_step) const;
  void shift_image();

  TransportProblem problem_;
  std::vector<Real> source_mass_;
  std::vector<Real> target_mass_;
  Field share_;  // b over a power of two: sums of squares neither underflow nor overflow at masses of 1e-300 or 1e300
  Field f_, g_, image_;
  Field h_source_, h_target_;  // one array where the sides are of one size
  Field next_f_;               // over-relaxed
  Real relaxation_ = 1.0;
  Real shift_ = 0.0;  // of the image
};

/// Weights of one pair of measures, of all points on every rank or of grids the owned rows alone, and how to solve for
/// them. Move it into what takes it by value: every level's weights are freed when it is entered.
struct TransportData {
  Support source_support;
  Support target_support;
  std::vector<Real> source;
  std::vector<Real> target;
  MarginalPenalty source_penalty = Balanced{};
  MarginalPenalty target_penalty = Balanced{};
};

/// The owned rows of `data` on its own supports. Collective.
TransportProblem make_transport_problem(const KernelOptions& kernel, const TransportData& data,
                                        const Communicator& along_rows);

class MultiscaleSinkhorn final : public LeveledProblem {
 public:
  /// Rows are divided over `along_rows`. The coarsest level has sides of at most `smallest_side`
  /// (count_levels of pyramid.hpp). The level entered first begins at `start`, a g of its own, or at 0. Collective.
  MultiscaleSinkhorn(const KernelOptions& kernel, TransportData data, const Communicator& along_rows,
                     Index smallest_side, const Field& start = {});

  /// A level may be entered once, and left for finer ones.
  FixedPointMap& enter(int level) override;
  /// The map entered last.
  [[nodiscard]] SinkhornMap& map() { return *map_; }
  [[nodiscard]] const Support& source_support() const { return source_[level_].support; }
  [[nodiscard]] const Support& target_support() const { return target_[level_].support; }
  [[nodiscard]] const Cost& cost() const { return kernel_.cost; }
  void set_precision(Precision precision) { precision_ = precision; }
  /// From now on a level's supports are freed when its operator is made: nobody asks for them any more.
  void let_supports_go() { keeps_supports_ = false; }

  [[nodiscard]] std::vector<Real> neighbour_costs() const;
  /// The eps below which each level is left for a finer one (registry.hpp): larger ones where clouds lie in heaps.
  [[nodiscard]] std::vector<Real> finer_below(std::vector<Real> neighbour_costs) const;

 private:
  [[nodiscard]] Field carried_potential(int to_level) const;

  KernelOptions kernel_;
  MarginalPenalty source_penalty_, target_penalty_;
  std::vector<MeasureLevel> source_, target_;  // by level
  Precision precision_ = Precision::full;
  bool keeps_supports_ = true;  // of the given level; coarser ones are freed when they are left
  std::unique_ptr<SinkhornMap> map_;
  Field start_;
  int level_ = 0;
};

}  // namespace hpot
