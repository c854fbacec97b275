// Ground costs c(x, y) between points, as functors that run on the device.
//
//   squared_euclidean   |x - y|_2^2                 separable
//   power_axes          sum_d |x_d - y_d|^p, p >= 1 separable
//   euclidean           |x - y|_2
//   power               |x - y|_2^p, p > 0
//   cosine              1 - x.y/(|x| |y|), which is |x - y|_2^2/2 of points over their lengths: it is given those
//
// Each is even and non-decreasing in every |x_d - y_d|; the separable ones are convex along each axis. Unit: the
// coordinates' unit to the power. Gradients: dc/dx_d = slope_of_sum(sum) slope_along_axis(x_d - y_d), 0 where x = y (of
// euclidean a subgradient; power has none there where p < 1).
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/core/types.hpp"

#include <string>
#include <variant>

namespace hpot {

struct SquaredEuclidean {
  static constexpr bool separable = true;
  KOKKOS_INLINE_FUNCTION Real along_axis(Real difference) const { return difference * difference; }
  KOKKOS_INLINE_FUNCTION Real of_sum(Real sum) const { return sum; }
  KOKKOS_INLINE_FUNCTION Real slope_along_axis(Real difference) const { return 2.0 * difference; }
  KOKKOS_INLINE_FUNCTION Real slope_of_sum(Real) const { return 1.0; }
};

struct PowerAxes {
  static constexpr bool separable = true;
  Real p = 2.0;
  KOKKOS_INLINE_FUNCTION Real along_axis(Real difference) const { return Kokkos::pow(Kokkos::fabs(difference), p); }
  KOKKOS_INLINE_FUNCTION Real of_sum(Real sum) const { return sum; }
  KOKKOS_INLINE_FUNCTION Real slope_along_axis(Real difference) const {
    if (difference == 0.0) return 0.0;
    return Kokkos::copysign(p * Kokkos::pow(Kokkos::fabs(difference), p - 1.0), difference);
  }
  KOKKOS_INLINE_FUNCTION Real slope_of_sum(Real) const { return 1.0; }
};

struct Euclidean {
  static constexpr bool separable = false;
  KOKKOS_INLINE_FUNCTION Real along_axis(Real difference) const { return difference * difference; }
  KOKKOS_INLINE_FUNCTION Real of_sum(Real sum) const { return Kokkos::sqrt(sum); }
  KOKKOS_INLINE_FUNCTION Real slope_along_axis(Real difference) const { return 2.0 * difference; }
  KOKKOS_INLINE_FUNCTION Real slope_of_sum(Real sum) const { return sum > 0.0 ? 0.5 / Kokkos::sqrt(sum) : 0.0; }
};

struct Power {
  static constexpr bool separable = false;
  Real p = 2.0;
  KOKKOS_INLINE_FUNCTION Real along_axis(Real difference) const { return difference * difference; }
  KOKKOS_INLINE_FUNCTION Real of_sum(Real sum) const { return Kokkos::pow(sum, 0.5 * p); }
  KOKKOS_INLINE_FUNCTION Real slope_along_axis(Real difference) const { return 2.0 * difference; }
  KOKKOS_INLINE_FUNCTION Real slope_of_sum(Real sum) const {
    return sum > 0.0 ? 0.5 * p * Kokkos::pow(sum, 0.5 * p - 1.0) : 0.0;
  }
};

struct Cosine {
  static constexpr bool separable = false;
  KOKKOS_INLINE_FUNCTION Real along_axis(Real difference) const { return difference * difference; }
  KOKKOS_INLINE_FUNCTION Real of_sum(Real sum) const { return 0.5 * sum; }
  KOKKOS_INLINE_FUNCTION Real slope_along_axis(Real difference) const { return 2.0 * difference; }
  KOKKOS_INLINE_FUNCTION Real slope_of_sum(Real) const { return 0.5; }
};

/// c(x, y) = of_sum(sum_d along_axis(x_d - y_d)).
using Cost = std::variant<SquaredEuclidean, PowerAxes, Euclidean, Power, Cosine>;

[[nodiscard]] bool is_separable(const Cost& cost);
/// True where exp(-c/eps) is a positive definite kernel at every eps [Schoenberg 1938]: all but powers above 2.
[[nodiscard]] bool has_positive_kernel(const Cost& cost);
/// True where points are given to it over their lengths.
[[nodiscard]] inline bool is_of_directions(const Cost& cost) { return std::holds_alternative<Cosine>(cost); }
[[nodiscard]] std::string name(const Cost& cost);

/// Keys cost.type, cost.p, cost.radius, cost.matrix and cost.storage.
std::vector<OptionKey> cost_keys();
/// SquaredEuclidean where cost.type = matrix or geodesic.
Cost make_cost(const Options& options);
/// Whether costs are squared distances along a surface, and their radius, infinite where all pairs have one.
bool is_geodesic(const Options& options);
Real geodesic_radius(const Options& options);
/// The file of cost.type = matrix, empty for other costs.
std::string cost_matrix_file(const Options& options);

}  // namespace hpot
