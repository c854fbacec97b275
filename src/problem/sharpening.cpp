#include "hpot/problem/sharpening.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {

Real largest_value(const OwnedRows& rows, const ConstField& r) {
  Real largest = -infinity;
  Kokkos::parallel_reduce(
      "hpot::largest_value", Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, r.extent(1)),
      KOKKOS_LAMBDA(Index i, Real & most) { most = Kokkos::max(most, r(0, i)); }, Kokkos::Max<Real>(largest));
  return rows.along_rows.max(r.extent(1) > 0 ? largest : -infinity);
}

TiltedMap tilt(const OwnedRows& rows, const Reference& q, const ConstField& r, Real largest, Real beta) {
  const std::vector<Real> sums = sum_over_points(
      "hpot::tilt", rows, 3, KOKKOS_LAMBDA(Index power, Index i) {
        const Real below = r(0, i) - largest;
        const Real weight = q.at(i) * Kokkos::exp(beta * below);
        if (!(weight > 0.0)) return 0.0;
        return power == 0 ? weight : power == 1 ? weight * below : weight * below * below;
      });
  const Real below = sums[1] / sums[0];
  return {beta, std::log(sums[0]) + beta * largest, largest + below, std::max(0.0, sums[2] / sums[0] - below * below)};
}

std::vector<Real> entropies(const OwnedRows& rows, const Reference& q, const ConstField& log_weight) {
  const Index count = static_cast<Index>(log_weight.extent(0));
  const std::vector<Real> masses = sum_over_points(
      "hpot::entropies", rows, count, KOKKOS_LAMBDA(Index k, Index j) { return Kokkos::exp(log_weight(k, j)); });
  std::vector<Real> sums = sum_over_points(
      "hpot::entropies", rows, count,
      KOKKOS_LAMBDA(Index k, Index j) { return Kokkos::exp(log_weight(k, j)) * (log_weight(k, j) - q.log_at(j)); });
  for (Index k = 0; k < count; ++k) sums[k] = std::log(masses[k]) - sums[k] / masses[k];
  return sums;
}

Real mean_under_ratio(const OwnedRows& rows, const Reference& q, const ConstField& log_ratio, const ConstField& x) {
  const std::vector<Real> sums = sum_over_points(
      "hpot::mean_under_ratio", rows, 2, KOKKOS_LAMBDA(Index power, Index i) {
        const Real weight = q.at(i) * Kokkos::exp(log_ratio(0, i));
        return power == 0 ? weight : weight * x(0, i);
      });
  return sums[1] / sums[0];
}

}  // namespace hpot
