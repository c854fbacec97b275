// Barycenters as a fixed-point map of the potentials f_k (and, debiased or entropy bounded, of D), on a hierarchy of grids.
// The equations stand in problem/barycenter_problem.hpp. Measures are divided along batches, rows along rows; a sweep sums
// one field over the ranks along batches (8 N bytes per rank), and a few numbers for the stopping test.
#pragma once

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/barycenter_problem.hpp"
#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/entropy_bound.hpp"
#include "hpot/solver/fixed_point.hpp"
#include "hpot/solver/measure_levels.hpp"
#include "hpot/solver/variation_prox.hpp"

#include <optional>

namespace hpot {

/// Where a map begins, on its own grid: the half-steps s and the D of a solve elsewhere, at the eps that it had.
struct BarycenterStart {
  Real epsilon = 1.0;
  Field s, log_d;
  Field variation;  // w
};

/// tau TV(mu) is added to what is minimised, on grids; tau 0: it is not.
struct VariationTerm {
  Real tau = 0.0;
  GridSteps steps;
};

/// How far a state is from a barycenter, relative to its mass (1 where data are balanced), evaluated in full precision.
struct BarycenterErrors {
  std::vector<Real> marginal;  // |P_k 1 - mu|_1 of every measure, in the order of the input
  Real self_transport = 0.0;   // |q e^D K(q e^D) - mu|_1; plain: 0
  Real variation = 0.0;        // |mu - prox|_1 at most, by the gap of the total variation; without that: 0
  Real floor = 0.0;            // u (max|f| + max|s|)/eps: no smaller error can be trusted
};

/// Of a barycenter of bounded entropy, in nats relative to q.
struct EntropyReport {
  Real entropy = 0.0;
  Real bound = 0.0;
  Real exponent = 0.0;  // beta >= 1; 0: it is not bounded
};

struct BarycenterResult {
  /// sum_k lambda_k P_k 1, or mu where its entropy is bounded or its variation counts: non-negative, where data are balanced of their mass at any
  /// tolerance. One row, the owned points.
  Field barycenter;
  Real mass = 0.0;
  BarycenterErrors errors;
  EntropyReport entropy;
  Variation variation;  // of mu, at the last w
};

class BarycenterMap final : public FixedPointMap {
 public:
  /// Starts from f = 0, D = 0. Collective along batches. Arrays of the owned rows: log b, f, s of every owned measure; h, of
  /// as many measures as fit a fixed share, and log(mu/q); two more when debiased or entropy bounded, and for a variation; one more for inner products.
  explicit BarycenterMap(BarycenterProblem problem, const VariationTerm& variation = {});
  /// Takes over the fields of `start`. Collective.
  BarycenterMap(BarycenterProblem problem, const BarycenterStart& start, const VariationTerm& variation = {});

  /// How many measures go through h at once: as many as fit a fixed share of memory, alike on all ranks along rows.
  [[nodiscard]] static Index measures_at_once(Index measures, Index global_n, int ranks_along_rows);

  void set_epsilon(Real epsilon) override;
  /// Largest |P_k 1 - mu|_1 over all measures, relative to the mass of mu; debiased also the self-transport residual; with a
  /// variation also the error of its prox. Where
  /// entropy is bounded, mu is the map that meets the bound, and the excess of one that no exponent brings there counts, too.
  Real evaluate() override;
  void accept() override;
  [[nodiscard]] bool inner_product_moves() const override { return true; }
  void renew_inner_product() override { renew_metric_ = true; }
  void archive(Archive& archive) override;
  [[nodiscard]] std::vector<Field> state() const override;
  [[nodiscard]] std::vector<Field> image() const override;
  [[nodiscard]] std::vector<Real> dots(const std::vector<Field>& x,
                                       const std::vector<std::vector<Field>>& ys) const override;

  /// Of the present state, in full precision, which the kernel keeps. The barycenter is an array of the map, which the next
  /// sweep overwrites. Spoils the image. Collective.
  [[nodiscard]] BarycenterResult result();

  /// sum_k lambda_k sum_j b_kj min_i (C_ij - f_ki) at the present potentials, plain: since sum_k lambda_k f_k = 0, no more than the
  /// least sum_k lambda_k <P_k,C> of plans that share their first marginal. Spoils the image. Collective.
  [[nodiscard]] Real lower_cost();

  /// s on another grid for the potentials held now: softmin of the data sides at the outputs of `between`. Spoils the image.
  void carry(const KernelOperator& between, const Field& s);

  [[nodiscard]] const BarycenterProblem& problem() const { return problem_; }
  [[nodiscard]] const Field& log_d() const { return log_d_; }
  /// w, or nothing.
  [[nodiscard]] Field variation_dual() const { return variation_ ? variation_->dual() : Field(); }

 private:
  BarycenterMap(BarycenterProblem problem, const Field& f, const Field& log_d, const VariationTerm& variation,
                const Field& w);
  /// s_k of every measure for the present f, through g_k, which stands in the image meanwhile; `finish(first, chunk of h)`
  /// takes log b_k + g_k/eps and may spoil it.
  template <class Finish>
  void for_chunks(const Finish& finish);
  void half_steps();
  void find_shifts(const std::vector<Real>& log_masses, Real rho);
  /// 1 where data are balanced.
  [[nodiscard]] Real mass_of_image() const;
  void reduce_log_ratio(const Field& s);
  /// log_ratio = m + D becomes that of the map which meets the entropy bound, and next_log_d_ m. Returns by how much the map
  /// misses it, not counting what a small exponent leaves where it is not to be met `at_any_exponent`.
  Real meet_entropy_bound(bool at_any_exponent);
  /// The next D, from m, and log_ratio = m + D for the new potentials.
  void step_in_entropy();
  /// log(mu/q) - beta m of the map that meets the bound.
  [[nodiscard]] Real constant_of_tilt() const;
  void keep_off_unreached();
  void renew_quantum(const Field& s);
  /// q e^D K(q e^D) against mu; leaves the softmin behind it in next_log_d_.
  [[nodiscard]] Real self_transport();

  BarycenterProblem problem_;
  Reference reference_;
  OwnedBatch batch_;    // of the measures
  Real quantum_ = 0.0;  // of the sum over measures; 0: to be renewed
  Field f_, image_;
  Field log_d_, next_log_d_;  // of both kinds; debiased, the next one is made in place of softmin(log q + D)
  Field log_ratio_;           // log(mu/q)
  Field metric_;              // mu where last renewed: the inner product's weights, so that empty tails do not count
  bool renew_metric_ = true;
  Field h_;                   // chunk of measures
  std::vector<Real> shifts_;  // of the image's potentials: kl
  TiltedMap tilted_;          // entropy bounded: of log_ratio
  std::optional<VariationProx> variation_;
  Real last_error_ = 1.0;  // relative to the mass; the prox is made ten times as exact
};

struct BarycenterData {
  Support support;                          // a grid, or a surface, which is its only level
  std::vector<std::vector<Real>> measures;  // of mass 1 where balanced, those owned here: all points, or the owned rows
  std::vector<Real> lambda;
  bool debiased = false;
  bool inner_products = true;            // see BarycenterProblem
  MarginalPenalty penalty = Balanced{};  // on every measure
  bool entropy_bounded = false;
  Real entropy_bound = infinity;  // infinite: the largest entropy of the measures of lambda > 0
  Real bounded_from = infinity;   // eps at and below which sweeps on the given grid meet it
  Real variation = 0.0;           // tau; lengths in units of the smallest spacing
};

class MultiscaleBarycenter final : public LeveledProblem {
 public:
  /// Of the measures and their coarse copies this rank's rows are kept, each until its level is entered.
  MultiscaleBarycenter(const KernelOptions& kernel, BarycenterData data, const ProcessGrid& processes,
                       Index smallest_side);

  /// A level may be entered once, and left for finer ones.
  FixedPointMap& enter(int level) override;
  [[nodiscard]] BarycenterMap& map() { return *map_; }
  void set_precision(Precision precision) { precision_ = precision; }
  [[nodiscard]] std::vector<Real> neighbour_costs() const;

 private:
  struct Level {
    Support support;
    OwnedRows rows;
    std::vector<std::vector<Real>> measures;  // owned rows
  };
  [[nodiscard]] BarycenterStart carried(int to_level) const;
  /// Values of the owned points of this level's grid, between them, at those of another.
  [[nodiscard]] std::vector<Real> interpolated(const Field& values, const Level& to) const;

  KernelOptions kernel_;
  std::vector<Real> lambda_;
  bool debiased_, inner_products_;
  MarginalPenalty penalty_;
  bool entropy_bounded_;
  Real entropy_bound_, bounded_from_;
  Real variation_;
  ProcessGrid processes_;
  std::vector<Level> levels_;
  Precision precision_ = Precision::full;
  std::unique_ptr<BarycenterMap> map_;
  int level_ = 0;
};

}  // namespace hpot
