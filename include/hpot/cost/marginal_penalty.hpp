// Penalties D(p | a) on a marginal p of the plan [Chizat 2018; Sejourne, Vialard, Peyre 2022].
//
//   balanced      p = a
//   kl:RHO        rho KL(p | a),  KL(p | a) = sum p log(p/a) - p + a
//   tv:RHO        rho sum |p - a|
//   range:LO,HI   lo a <= p <= hi a
//
// With s = softmin of the other side, the half-step is f = prox(s). Each type offers, per point, on the device:
//   prox(s, eps)     the optimal potential
//   prox_slope(f, eps)   prox'(s) where prox(s) = f: in [0, 1], 0 where prox is flat
//   dual(w, f)       the point's dual term, maximised by f; -w times the conjugate at -f
//   dual_slope(w, f), dual_curvature(w, f)   its derivative and minus its second one (at a kink, those of one side)
//   dual_gain(f, x)  dual(1, x) - dual(1, f), without the cancellation of that difference
//   primal(w, p)     D of one point (infinite constraints count as 0: the residual reports them)
// rho has the unit of the cost.
#pragma once

#include "hpot/core/types.hpp"

#include <string>
#include <variant>

namespace hpot {

struct Balanced {
  KOKKOS_INLINE_FUNCTION Real prox(Real s, Real) const { return s; }
  KOKKOS_INLINE_FUNCTION Real prox_slope(Real, Real) const { return 1.0; }
  KOKKOS_INLINE_FUNCTION Real dual(Real w, Real f) const { return w * f; }
  KOKKOS_INLINE_FUNCTION Real dual_gain(Real f, Real x) const { return x - f; }
  KOKKOS_INLINE_FUNCTION Real dual_slope(Real w, Real) const { return w; }
  KOKKOS_INLINE_FUNCTION Real dual_curvature(Real, Real) const { return 0.0; }
  KOKKOS_INLINE_FUNCTION Real primal(Real, Real) const { return 0.0; }
};

struct KullbackLeibler {
  Real rho = 1.0;
  KOKKOS_INLINE_FUNCTION Real prox(Real s, Real epsilon) const { return s * (rho / (rho + epsilon)); }
  KOKKOS_INLINE_FUNCTION Real prox_slope(Real, Real epsilon) const { return rho / (rho + epsilon); }
  KOKKOS_INLINE_FUNCTION Real dual(Real w, Real f) const { return -rho * w * Kokkos::expm1(-f / rho); }
  KOKKOS_INLINE_FUNCTION Real dual_gain(Real f, Real x) const {
    return -rho * Kokkos::exp(-f / rho) * Kokkos::expm1((f - x) / rho);
  }
  KOKKOS_INLINE_FUNCTION Real dual_slope(Real w, Real f) const { return w * Kokkos::exp(-f / rho); }
  KOKKOS_INLINE_FUNCTION Real dual_curvature(Real w, Real f) const { return dual_slope(w, f) / rho; }
  KOKKOS_INLINE_FUNCTION Real primal(Real w, Real p) const {
    if (p <= 0.0) return rho * w;
    return rho * (p * (Kokkos::log(p) - Kokkos::log(w)) - p + w);
  }
};

struct TotalVariation {
  Real rho = 1.0;
  KOKKOS_INLINE_FUNCTION Real prox(Real s, Real) const { return Kokkos::max(-rho, Kokkos::min(rho, s)); }
  KOKKOS_INLINE_FUNCTION Real prox_slope(Real f, Real) const { return Kokkos::fabs(f) < rho ? 1.0 : 0.0; }
  KOKKOS_INLINE_FUNCTION Real dual(Real w, Real f) const { return w * Kokkos::min(f, rho); }
  KOKKOS_INLINE_FUNCTION Real dual_gain(Real f, Real x) const { return Kokkos::min(x, rho) - Kokkos::min(f, rho); }
  KOKKOS_INLINE_FUNCTION Real dual_slope(Real w, Real f) const { return f < rho ? w : 0.0; }
  KOKKOS_INLINE_FUNCTION Real dual_curvature(Real, Real) const { return 0.0; }
  KOKKOS_INLINE_FUNCTION Real primal(Real w, Real p) const { return rho * Kokkos::fabs(p - w); }
};

struct MassRange {
  Real low = 0.5;
  Real high = 2.0;
  KOKKOS_INLINE_FUNCTION Real prox(Real s, Real epsilon) const {
    const Real lower = low > 0.0 ? s + epsilon * Kokkos::log(low) : -1e300;
    return Kokkos::max(lower, Kokkos::min(0.0, s + epsilon * Kokkos::log(high)));
  }
  KOKKOS_INLINE_FUNCTION Real prox_slope(Real f, Real) const { return f != 0.0 ? 1.0 : 0.0; }
  KOKKOS_INLINE_FUNCTION Real dual(Real w, Real f) const { return w * Kokkos::min(low * f, high * f); }
  KOKKOS_INLINE_FUNCTION Real dual_gain(Real f, Real x) const {
    if (f <= 0.0 && x <= 0.0) return high * (x - f);
    if (f >= 0.0 && x >= 0.0) return low * (x - f);
    return dual(1.0, x) - dual(1.0, f);
  }
  KOKKOS_INLINE_FUNCTION Real dual_slope(Real w, Real f) const { return w * (f > 0.0 ? low : high); }
  KOKKOS_INLINE_FUNCTION Real dual_curvature(Real, Real) const { return 0.0; }
  KOKKOS_INLINE_FUNCTION Real primal(Real, Real) const { return 0.0; }
};

using MarginalPenalty = std::variant<Balanced, KullbackLeibler, TotalVariation, MassRange>;

/// "kl:RHO" and so on; rho is multiplied by `unit`. Throws InputError with the list of penalties.
MarginalPenalty parse_penalty(const std::string& text, Real unit = 1.0);
/// For option checks: why the text is no penalty, or empty.
std::string penalty_problem(const std::string& text);
[[nodiscard]] std::string describe(const MarginalPenalty& penalty);
[[nodiscard]] inline bool is_balanced(const MarginalPenalty& penalty) {
  return std::holds_alternative<Balanced>(penalty);
}
/// rho of tv: its potentials lie in [-rho, rho], below the dual is -infinity, above it stays the same. Else infinity.
[[nodiscard]] Real reach(const MarginalPenalty& penalty);
/// rho of kl and tv, else 0.
[[nodiscard]] Real strength(const MarginalPenalty& penalty);
/// True where any plan has a finite penalty, so that no rounding is needed for a feasible one.
[[nodiscard]] bool is_finite(const MarginalPenalty& penalty);
/// True where the dual term has no kink (balanced, kl).
[[nodiscard]] bool is_smooth(const MarginalPenalty& penalty);

}  // namespace hpot
