// The kernel operator: everything that a solver needs of the cost, as reductions over one side for every point of the
// other.
//
//   softmin(h)_i = -eps log sum_j exp(h_j - C_ij / eps)
//
// With h = log b + g/eps this is the balanced half-step. Sums are formed in the log domain at any eps. h is
// dimensionless; `log_zero` stands for log 0, so that no difference of infinities is ever formed: a point with weight zero
// adds nothing, and a row that nothing reaches gets a potential of about +1e300 * eps.
#pragma once

#include "hpot/core/partition.hpp"
#include "hpot/core/types.hpp"
#include "hpot/cost/cost.hpp"
#include "hpot/cost/marginal_penalty.hpp"

#include <memory>

namespace hpot {

inline constexpr Real log_zero = -1e300;

/// The side whose points are the outputs; the sums run over the other one.
enum class Side { source, target };
[[nodiscard]] constexpr Side opposite(Side side) { return side == Side::source ? Side::target : Side::source; }

/// Exponentials of double differences with a relative error of at most 1e-7 each, or double throughout.
enum class Precision { mixed, full };

/// Means under weights that stay what they were.
class FixedAverage {
 public:
  virtual ~FixedAverage() = default;
  /// What KernelOperator::average gave at the h and eps it was made with. Collective as that is.
  virtual void apply(const ConstField& v, const Field& mean) const = 0;
};

/// What a sweep [Cuturi 2013; Chizat 2018] needs beside the operator: the owned rows of both sides, a batch of one.
struct SweepTerms {
  ConstField log_a;         // of the source
  MarginalPenalty penalty;  // of the source
  ConstField log_b, g;      // of the target
};

/// Which costs an operator has as numbers: all; those of the pairs that it keeps, the others being infinite; none.
enum class KnownCosts { all, near, none };

class KernelOperator {
 public:
  virtual ~KernelOperator() = default;

  /// Sets eps (> 0; infinity makes every kernel entry 1). Local.
  virtual void prepare(Real epsilon) = 0;
  virtual void set_precision(Precision precision) = 0;

  /// x with 0 <= softmin - (softmin of all terms) <= eps x, rounding apart, at the present precision; means leave out no
  /// larger fraction of their weights, expm1(x). 0 where no term is left out.
  [[nodiscard]] virtual Real softmin_excess() const { return 0.0; }

  /// What average_cost, hard_min and hard_max are of. The same on all ranks.
  [[nodiscard]] virtual KnownCosts known_costs() const { return KnownCosts::all; }

  /// Every cost is the one that was given but for this part of itself, at most, beside rounding to double. The same on all ranks.
  [[nodiscard]] virtual Real cost_rounding() const { return 0.0; }

  /// s(k, i) for the rows of `side` owned here; h(k, j) for the rows of the other side owned here. Collective along rows
  /// where rows are distributed. s must not alias h.
  virtual void softmin(Side side, const ConstField& h, const Field& s) const = 0;

  /// The same, where h may be used as a work array: its values are lost.
  virtual void softmin_spoiling(Side side, const Field& h, const Field& s) const { softmin(side, h, s); }

  /// f = prox_a(softmin(log b + g/eps)) and s = softmin(log a + f/eps) in one visit to every pair, for owned rows. False, with
  /// f and s undefined, where the operator has no such visit or a sum has left the range of doubles. Collective as softmin.
  [[nodiscard]] virtual bool sweep(const SweepTerms& /*terms*/, const Field& /*f*/, const Field& /*s*/) const {
    return false;
  }

  /// Whether sweep() may ever succeed. The same on all ranks.
  [[nodiscard]] virtual bool has_sweep() const { return false; }

  /// mean(k, i) = sum_j w_ij v(k, j), weights w_ij = exp(h_j - C_ij/eps) normalised to sum to 1 over j; v of any sign. 0 in
  /// a row that nothing reaches. Double throughout. mean must alias neither h nor v. One pass costs about what softmin does
  /// in double.
  virtual void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const = 0;

  /// The same for many v at one h, its weights kept; null where that would take too much memory, or gain nothing. Lasts as
  /// long as the operator and is used while eps is what it was. Costs about two averages. Collective as average is.
  [[nodiscard]] virtual std::unique_ptr<FixedAverage> fix_average(Side /*side*/, const ConstField& /*h*/) const {
    return nullptr;
  }

  /// mean(k, i) = sum_j w_ij C_ij, weights w_ij = exp(h_j - C_ij/eps) the same. Double throughout.
  virtual void average_cost(Side side, const ConstField& h, const Field& mean) const = 0;

  /// m(k, i) = min_j (C_ij - h_j) over h_j > log_zero; here h has the unit of the cost (c-transforms, certificates).
  virtual void hard_min(Side side, const ConstField& h, const Field& m) const = 0;

  /// m(k, i) = max_j (C_ij + h_j) over h_j > log_zero, h in the unit of the cost (largest cost over a support).
  virtual void hard_max(Side side, const ConstField& h, const Field& m) const = 0;
};

}  // namespace hpot
