#include "hpot/problem/map_distance.hpp"

#include "hpot/core/field.hpp"
#include "hpot/kernel/operator.hpp"
#include "hpot/problem/bounded_exp.hpp"

#include <cmath>

namespace hpot {
namespace {

using Points = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

}  // namespace

Real quadratic_distance(const OwnedRows& rows, const Reference& q, const ConstField& log_p, const ConstField& t,
                        Real square, const Field& slope) {
  Kokkos::parallel_for(
      "hpot::quadratic_distance::slope", Points(0, slope.extent(1)),
      KOKKOS_LAMBDA(Index i) { slope(0, i) = (Kokkos::exp(log_p(0, i)) - t(0, i)) / (q.relative_at(i) * square); });
  return sum_over_points(
      "hpot::quadratic_distance", rows, 1, KOKKOS_LAMBDA(Index, Index i) {
        const Real difference = Kokkos::exp(log_p(0, i)) - t(0, i);
        return 0.5 * difference * difference / (q.relative_at(i) * square);
      })[0];
}

Real l1_distance(const OwnedRows& rows, const Reference& q, const ConstField& log_p, const ConstField& t,
                 Real smoothing, const Field& slope) {
  Kokkos::parallel_for(
      "hpot::l1_distance::slope", Points(0, slope.extent(1)), KOKKOS_LAMBDA(Index i) {
        const Real difference = Kokkos::exp(log_p(0, i)) - t(0, i);
        const Real d = smoothing * q.at(i);
        const Real root = Kokkos::sqrt(difference * difference + d * d);
        slope(0, i) = root > 0.0 ? difference / root : 0.0;
      });
  return sum_over_points(
      "hpot::l1_distance", rows, 1, KOKKOS_LAMBDA(Index, Index i) {
        const Real difference = Kokkos::exp(log_p(0, i)) - t(0, i);
        const Real d = smoothing * q.at(i);
        const Real root = Kokkos::sqrt(difference * difference + d * d);
        return root > 0.0 ? difference * difference / (root + d) : 0.0;  // root - d without the cancellation
      })[0];
}

Real kl_distance(const OwnedRows& rows, const ConstField& log_p, const ConstField& t, const Field& slope) {
  Kokkos::parallel_for(
      "hpot::kl_distance::slope", Points(0, slope.extent(1)),
      KOKKOS_LAMBDA(Index i) { slope(0, i) = t(0, i) > 0.0 ? -bounded_exp(Kokkos::log(t(0, i)) - log_p(0, i)) : 0.0; });
  return sum_over_points(
      "hpot::kl_distance", rows, 1, KOKKOS_LAMBDA(Index, Index i) {
        if (!(t(0, i) > 0.0)) return 0.0;
        return log_p(0, i) > 0.5 * log_zero ? t(0, i) * (Kokkos::log(t(0, i)) - log_p(0, i)) : infinity;
      })[0];
}

Real sum_of_squares(const OwnedRows& rows, const Reference& q, const ConstField& t) {
  return sum_over_points(
      "hpot::sum_of_squares", rows, 1,
      KOKKOS_LAMBDA(Index, Index i) { return t(0, i) * t(0, i) / q.relative_at(i); })[0];
}

void divide_by_reference(const Reference& q, const Field& v) {
  Kokkos::parallel_for(
      "hpot::divide_by_reference", Points(0, v.extent(1)), KOKKOS_LAMBDA(Index i) { v(0, i) /= q.relative_at(i); });
}

Real log_mass(const OwnedRows& rows, const ConstField& log_p) {
  Real largest = log_zero;
  Kokkos::parallel_reduce(
      "hpot::log_mass::largest", Points(0, log_p.extent(1)),
      KOKKOS_LAMBDA(Index i, Real & most) { most = Kokkos::max(most, log_p(0, i)); }, Kokkos::Max<Real>(largest));
  const Real top = rows.along_rows.max(std::max(largest, log_zero));
  return top +
         std::log(sum_over_points(
             "hpot::log_mass", rows, 1, KOKKOS_LAMBDA(Index, Index i) { return Kokkos::exp(log_p(0, i) - top); })[0]);
}

void make_tangent(const OwnedRows& rows, const ConstField& log_p, const Field& slope) {
  const Real mean = sum_over_points(
      "hpot::make_tangent", rows, 1,
      KOKKOS_LAMBDA(Index, Index i) { return Kokkos::exp(log_p(0, i)) * slope(0, i); })[0];
  add_constant(slope, -mean);
}

}  // namespace hpot
