// Transport of a measure onto itself, one penalty on both sides: by symmetry f = g, and one half-step is a sweep.
//
//   s = softmin(log a + f/eps),   f <- (f + prox(s))/2
// [Knight, Ruiz, Ucar 2014; Feydy, Sejourne, Vialard, Amari, Trouve, Peyre 2019]. Costs whose kernel exp(-C/eps) is positive
// (has_positive_kernel of cost.hpp) make the half-step's derivative -T with the eigenvalues of T in [0, 1], so that the mean
// of old and new has its own in [0, 1/2]: the error at least halves with every sweep in the end, at any eps, and no Newton step is
// needed. The residual of either side is that of (f, f): sum a |exp((f-s)/eps) - exp((prox(s)-s)/eps)|.
#pragma once

#include "hpot/solver/sinkhorn.hpp"

namespace hpot {

class SelfTransportMap final : public FixedPointMap {
 public:
  /// problem.target is problem.source. Starts from `f`, which it takes over; 0 without one. Local. Arrays of the owned rows:
  /// f, the image and h.
  explicit SelfTransportMap(TransportProblem problem, const Field& f = {});

  void set_epsilon(Real epsilon) override;
  Real evaluate() override;
  void accept() override;
  [[nodiscard]] std::vector<Field> state() const override { return {f_}; }
  [[nodiscard]] std::vector<Field> image() const override { return {image_}; }
  [[nodiscard]] std::vector<Real> dots(const std::vector<Field>& x,
                                       const std::vector<std::vector<Field>>& ys) const override;

  [[nodiscard]] const TransportProblem& problem() const { return problem_; }
  [[nodiscard]] const Field& f() const { return f_; }

 private:
  TransportProblem problem_;
  Real mass_ = 0.0;
  Field share_;  // a over a power of two, as in SinkhornMap
  Field f_, image_, h_;
};

/// One measure, of all points on every rank or of a grid the owned rows alone. Move it into what takes it by value.
struct SelfTransportData {
  Support support;
  std::vector<Real> weights;
  MarginalPenalty penalty = Balanced{};
};

class MultiscaleSelfTransport final : public LeveledProblem {
 public:
  /// As MultiscaleSinkhorn. Collective.
  MultiscaleSelfTransport(const KernelOptions& kernel, SelfTransportData data, const Communicator& along_rows,
                          Index smallest_side, Precision precision);

  /// A level may be entered once, and left for finer ones.
  FixedPointMap& enter(int level) override;
  [[nodiscard]] SelfTransportMap& map() { return *map_; }
  [[nodiscard]] std::vector<Real> neighbour_costs() const;

 private:
  [[nodiscard]] Field carried_potential(int to_level) const;

  KernelOptions kernel_;
  MarginalPenalty penalty_;
  Precision precision_;
  std::vector<MeasureLevel> levels_;
  std::unique_ptr<SelfTransportMap> map_;
  int level_ = 0;
};

}  // namespace hpot
