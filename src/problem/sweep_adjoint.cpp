#include "hpot/problem/sweep_adjoint.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/bounded_exp.hpp"

#include <algorithm>

namespace hpot {
namespace {

using Points = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using PointsOfBatch = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;

PointsOfBatch all_points(const ConstField& field) {
  return PointsOfBatch({0, 0}, {static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1))});
}

ConstField on_device(const std::vector<Real>& lambda) { return make_field("hpot::lambda", 1, lambda); }

}  // namespace

void add_log_potential(const Reference& q, const ConstField& s, const ConstField& log_ratio, Real eps_s, Real epsilon,
                       const Field& h) {
  Kokkos::parallel_for(
      "hpot::add_log_potential", all_points(h),
      KOKKOS_LAMBDA(Index k, Index i) { h(k, i) = q.log_at(i) + (s(k, i) + eps_s * log_ratio(0, i)) / epsilon; });
}

void close_data_side(const ConstField& g, const ConstField& t, Real epsilon, const Field& mean) {
  Kokkos::parallel_for(
      "hpot::close_data_side", all_points(mean),
      KOKKOS_LAMBDA(Index k, Index j) { mean(k, j) *= -bounded_exp((g(k, j) - t(k, j)) / epsilon); });
}

void close_map_side(const ConstField& s_before, const ConstField& log_ratio, Real eps_before, const ConstField& s,
                    Real epsilon, const Field& mean) {
  Kokkos::parallel_for(
      "hpot::close_map_side", all_points(mean), KOKKOS_LAMBDA(Index k, Index i) {
        const Real f = s_before(k, i) + eps_before * log_ratio(0, i);
        mean(k, i) *= -bounded_exp((f - s(k, i)) / epsilon - log_ratio(0, i));
      });
}

void sum_entries(const std::vector<Real>& lambda, const ConstField& z, const Field& sum) {
  const ConstField weights = on_device(lambda);
  const Index batch = static_cast<Index>(z.extent(0));
  Kokkos::parallel_for(
      "hpot::sum_entries", Points(0, sum.extent(1)), KOKKOS_LAMBDA(Index i) {
        Real total = 0.0;
        for (Index k = 0; k < batch; ++k) total += weights(0, k) * z(k, i);
        sum(0, i) = total;
      });
}

void subtract_shares(const std::vector<Real>& lambda, const ConstField& rho, Real epsilon, const Field& z) {
  const ConstField weights = on_device(lambda);
  Kokkos::parallel_for(
      "hpot::subtract_shares", all_points(z),
      KOKKOS_LAMBDA(Index k, Index i) { z(k, i) -= weights(0, k) * rho(0, i) / epsilon; });
}

void add_self_transport(const Reference& q, const ConstField& log_ratio, const ConstField& transform, Real epsilon,
                        const Field& h) {
  Kokkos::parallel_for(
      "hpot::add_self_transport", Points(0, h.extent(1)),
      KOKKOS_LAMBDA(Index i) { h(0, i) = q.log_at(i) + log_ratio(0, i) + transform(0, i) / epsilon; });
}

void close_log_d(const ConstField& rho, const ConstField& log_ratio, const ConstField& before, const ConstField& log_d,
                 const ConstField& u, Real epsilon, const ConstField& mean, Real scale, const Field& delta) {
  Kokkos::parallel_for(
      "hpot::close_log_d", Points(0, delta.extent(1)), KOKKOS_LAMBDA(Index i) {
        const Real moved = bounded_exp(log_ratio(0, i) - before(0, i));
        const Real spread = bounded_exp(log_d(0, i) - u(0, i) / epsilon - before(0, i));
        delta(0, i) = scale * ((rho(0, i) + 0.5 * delta(0, i)) * moved - 0.5 * spread * mean(0, i));
      });
}

void times_map(const ConstField& log_p, const ConstField& v, const Field& product) {
  Kokkos::parallel_for(
      "hpot::times_map", Points(0, product.extent(1)),
      KOKKOS_LAMBDA(Index i) { product(0, i) = Kokkos::exp(log_p(0, i)) * v(0, i); });
}

Real largest_mean_size(const OwnedRows& rows, const ConstField& log_p, const ConstField& z) {
  const std::vector<Real> sizes = sum_over_points(
      "hpot::largest_mean_size", rows, static_cast<Index>(z.extent(0)),
      KOKKOS_LAMBDA(Index k, Index i) { return Kokkos::exp(log_p(0, i)) * Kokkos::abs(z(k, i)); });
  Real largest = 0.0;
  for (const Real size : sizes) largest = std::max(largest, size);
  return largest;
}

std::vector<Real> common_dots(const OwnedRows& rows, const ConstField& v, const ConstField& b) {
  return sum_over_points(
      "hpot::common_dots", rows, static_cast<Index>(b.extent(0)),
      KOKKOS_LAMBDA(Index k, Index i) { return v(0, i) * b(k, i); });
}

}  // namespace hpot
