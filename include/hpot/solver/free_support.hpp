// Barycenters of clouds with a free support (problem/free_support.hpp) as a fixed-point map x -> G(x) of the positions.
//
// One evaluation solves the transport from the points at x to every measure, by sweeps that begin at the potentials of the
// evaluation before (the first at large eps, on coarser clouds), to a tenth of the last movement and to a tenth of the
// tolerance in the end. Its error is the larger of
//   the marginal errors   L1, of all measures and, debiased, of the points' transport to themselves
//   the movement          sqrt(sum_i a_i |G(x)_i - x_i|^2) over the diagonal of the box around all points: half the norm of F's
//                         gradient, zero at the minimum, whatever step is made
// Measures are divided along batches, points along rows. Sums over measures are exact (add_rounded): all numbers of ranks give
// the same bits. An evaluation ends before a signal or a time limit is obeyed.
#pragma once

#include "hpot/solver/solve_transport.hpp"

namespace hpot {

/// Of the last movement, and of the tolerance: what errors of a solve may be.
inline constexpr Real share_of_a_solve = 0.1;

/// Whole on every rank that holds them; weights have mass 1.
struct FreeSupportData {
  PointCloud start;          // in Morton order
  std::vector<Real> weight;  // of its points
  std::vector<PointCloud> clouds;
  std::vector<std::vector<Real>> measures;  // of the clouds' points
  std::vector<Real> lambda;
  bool debiased = false;
};

/// Diagonal of the box around the first positions and the measures' points; 1 where they are one point. Collective.
Real extent_of(const FreeSupportData& data, const Communicator& along_batches);

/// One evaluation.
struct DescentStep {
  Real sweeps = 0.0;     // of the measure that took most, in all evaluations so far
  Real objective = 0.0;  // F at x, from the dual side
  Real movement = 0.0;
  Real marginal_error = 0.0;  // of the worst measure
};

struct FreeSupportResult {
  PointCloud points;  // whole on every rank
  std::vector<TransportValues>
      values;               // of the measures, in the order of the input; debiased, then of the points themselves
  std::vector<Field> f, g;  // of the measures owned along batches; owned rows
  std::vector<DescentStep> descent;
  Real objective = 0.0;  // F
  Real gap = 0.0;        // F is no farther from it; plain barycenters: nor below it
  Real movement = 0.0;
};

class FreeSupportMap final : public FixedPointMap {
 public:
  /// `pair` says how transport is solved, by at most its number of sweeps each time; its tolerance is this map's. Collective.
  FreeSupportMap(const ProcessGrid& processes, const TransportSettings& pair, FreeSupportData data);

  void set_epsilon(Real epsilon) override { epsilon_ = epsilon; }
  Real evaluate() override;
  void accept() override { std::swap(positions_, image_); }
  [[nodiscard]] std::vector<Field> state() const override { return {positions_}; }
  [[nodiscard]] std::vector<Field> image() const override { return {image_}; }
  [[nodiscard]] std::vector<Real> dots(const std::vector<Field>& x,
                                       const std::vector<std::vector<Field>>& ys) const override;
  void archive(Archive& archive) override;

  [[nodiscard]] const OwnedRows& rows() const { return rows_; }
  [[nodiscard]] const Field& weight() const { return weight_; }
  /// Sweeps of all evaluations, and of the last.
  [[nodiscard]] Index sweeps() const { return sweeps_; }
  [[nodiscard]] Index last_sweeps() const { return last_sweeps_; }

  /// Whether the last evaluation ran out of sweeps. Then it leaves nothing behind that the next would begin with, so that a
  /// restart with more of them has the bits of a run that had them.
  [[nodiscard]] bool cut_short() const { return cut_short_; }

  /// At the present positions, in full precision. Collective.
  [[nodiscard]] FreeSupportResult result();

 private:
  struct Pair {  // a transport that this rank computes
    Index number;
    Real factor;  // of its map in G, of its cost in F
    Real share;
    PointCloud cloud;
    const std::vector<Real>* measure;
    Field g;  // owned rows, none before the first evaluation
  };
  [[nodiscard]] std::vector<Pair> pairs(const PointCloud& points, const std::vector<Field>& g) const;
  [[nodiscard]] Index pair_count() const { return batch_.count() + (data_.debiased ? 1 : 0); }
  [[nodiscard]] TransportSettings present_settings() const;
  [[nodiscard]] TransportData data_of(const Pair& pair, const PointCloud& points) const;

  ProcessGrid processes_;
  TransportSettings pair_;
  FreeSupportData data_;
  OwnedRows rows_;
  Field weight_, positions_, image_;
  std::vector<Field> g_,
      latest_g_;  // of the pairs computed here: where the next evaluation begins, where the last ended
  std::vector<DescentStep> descent_;
  OwnedBatch batch_;  // of the measures
  Real epsilon_ = 1.0;
  Real extent_ = 1.0, quantum_ = 0.0;
  Real movement_ = infinity;  // of the last evaluation
  Index sweeps_ = 0, last_sweeps_ = 0;
  bool cut_short_ = false;
};

void archive(Archive& archive, FreeSupportResult& result);

}  // namespace hpot
