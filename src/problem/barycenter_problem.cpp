#include "hpot/problem/barycenter_problem.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hpot {
namespace {

using Points = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using PointsOfBatch = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;

PointsOfBatch all_points(const ConstField& field) {
  return PointsOfBatch({0, 0}, {static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1))});
}

using DeviceNumbers = Kokkos::View<Real*, MemorySpace>;

DeviceNumbers on_device(const std::vector<Real>& numbers) {
  const DeviceNumbers device("hpot::lambda", numbers.size());
  const auto host = Kokkos::create_mirror_view(device);
  std::copy(numbers.begin(), numbers.end(), host.data());
  Kokkos::deep_copy(device, host);
  return device;
}

}  // namespace

void take_log(const Field& weight) {
  Kokkos::parallel_for(
      "hpot::take_log", all_points(weight),
      KOKKOS_LAMBDA(Index k, Index i) { weight(k, i) = weight(k, i) > 0.0 ? Kokkos::log(weight(k, i)) : log_zero; });
}

Field log_reference_of(const Support& support, const OwnedRows& rows) {
  if (support.mesh() == nullptr) return {};
  const Field log_q = make_field("hpot::log_reference_of", 1, owned_values(area_shares(*support.mesh()), rows));
  take_log(log_q);
  return log_q;
}

void add_log_reference(const Reference& q, const ConstField& f, Real epsilon, const Field& h) {
  Kokkos::parallel_for(
      "hpot::add_log_reference", all_points(f),
      KOKKOS_LAMBDA(Index k, Index i) { h(k, i) = q.log_at(i) + f(k, i) / epsilon; });
}

std::vector<Real> log_dual_masses(const OwnedRows& rows, const ConstField& log_weight, const ConstField& g, Real rho) {
  std::vector<Real> sums = sum_over_points(
      "hpot::log_dual_masses", rows, static_cast<Index>(g.extent(0)),
      KOKKOS_LAMBDA(Index k, Index j) { return Kokkos::exp(log_weight(k, j) - g(k, j) / rho); });
  for (Real& sum : sums) sum = sum > 0.0 ? std::log(sum) : -infinity;
  return sums;
}

std::vector<Real> means_under(const OwnedRows& rows, const ConstField& log_weight, const ConstField& g) {
  return sum_over_points(
      "hpot::means_under", rows, static_cast<Index>(g.extent(0)), KOKKOS_LAMBDA(Index k, Index j) {
        return log_weight(k, j) > 0.5 * log_zero ? Kokkos::exp(log_weight(k, j)) * g(k, j) : 0.0;
      });
}

Real largest_exponent(const std::vector<Real>& lambda, const ConstField& s, Real epsilon) {
  const DeviceNumbers weights = on_device(lambda);
  Real largest = 0.0;
  Kokkos::parallel_reduce(
      "hpot::largest_exponent", all_points(s),
      KOKKOS_LAMBDA(Index k, Index i, Real & most) {
        if (weights(k) > 0.0) most = Kokkos::max(most, Kokkos::fabs(s(k, i)));
      },
      Kokkos::Max<Real>(largest));
  return std::max(largest, 0.0) / epsilon;  // Max of nothing is the lowest double
}

namespace {

constexpr Real unreached = 0.5e300;  // of s/eps; operator.hpp

}  // namespace

Real largest_reached_exponent(const ConstField& s, Real epsilon) {
  Real largest = 0.0;
  Kokkos::parallel_reduce(
      "hpot::largest_reached_exponent", all_points(s),
      KOKKOS_LAMBDA(Index k, Index i, Real & most) {
        const Real size = Kokkos::fabs(s(k, i)) / epsilon;
        if (size < unreached) most = Kokkos::max(most, size);
      },
      Kokkos::Max<Real>(largest));
  return std::max(largest, 0.0);
}

void bound_unreached(const ConstField& f, Real epsilon, Real nothing, Real exponent, const Field& s) {
  const bool above_f = f.extent(0) > 0;
  Kokkos::parallel_for(
      "hpot::bound_unreached", all_points(s), KOKKOS_LAMBDA(Index k, Index i) {
        if (s(k, i) / epsilon < unreached) return;
        const Real bound = epsilon * exponent;
        s(k, i) = above_f ? Kokkos::max(bound, f(k, i) + epsilon * nothing) : bound;
      });
}

Real quantum_for(Real largest) {
  int exponent = 0;
  std::frexp(std::max(largest, 1.0), &exponent);  // largest < 2^exponent
  return std::ldexp(1.0, exponent + 1 - std::numeric_limits<Real>::digits);
}

void add_log_mean(const std::vector<Real>& lambda, const ConstField& s, Real epsilon, Real quantum,
                  const Field& log_ratio) {
  const DeviceNumbers weights = on_device(lambda);
  const Real shift = quantum * 0x1.8p52;  // x + shift rounds x to a multiple of the quantum
  const Index batch = static_cast<Index>(s.extent(0));
  Kokkos::parallel_for(
      "hpot::add_log_mean", Points(0, s.extent(1)), KOKKOS_LAMBDA(Index i) {
        Real sum = 0.0;
        for (Index k = 0; k < batch; ++k) sum += (weights(k) * s(k, i) / epsilon + shift) - shift;
        log_ratio(0, i) -= sum;
      });
}

void close_half_step(const ConstField& log_ratio, Real epsilon, const Field& s) {
  Kokkos::parallel_for(
      "hpot::close_half_step", all_points(s),
      KOKKOS_LAMBDA(Index k, Index i) { s(k, i) += epsilon * log_ratio(0, i); });
}

void mean_of_ratio(const Reference& q, const ConstField& log_ratio, const Field& mu) {
  Kokkos::parallel_for(
      "hpot::mean_of_ratio", Points(0, mu.extent(1)),
      KOKKOS_LAMBDA(Index i) { mu(0, i) = Kokkos::exp(q.log_at(i) + log_ratio(0, i)); });
}

std::vector<Real> marginal_errors(const OwnedRows& rows, const Reference& q, const ConstField& f, const ConstField& s,
                                  const ConstField& log_ratio, Real epsilon) {
  return sum_over_points(
      "hpot::marginal_errors", rows, static_cast<Index>(f.extent(0)), KOKKOS_LAMBDA(Index k, Index i) {
        return q.at(i) * Kokkos::fabs(Kokkos::exp((f(k, i) - s(k, i)) / epsilon) - Kokkos::exp(log_ratio(0, i)));
      });
}

Real mass_of_ratio(const OwnedRows& rows, const Reference& q, const ConstField& log_ratio) {
  return sum_over_points(
      "hpot::mass_of_ratio", rows, 1,
      KOKKOS_LAMBDA(Index, Index i) { return q.at(i) * Kokkos::exp(log_ratio(0, i)); })[0];
}

Real self_transport_error(const OwnedRows& rows, const Reference& q, const ConstField& log_d,
                          const ConstField& transform, const ConstField& log_ratio, Real epsilon) {
  return sum_over_points(
      "hpot::self_transport_error", rows, 1, KOKKOS_LAMBDA(Index, Index i) {
        return q.at(i) *
               Kokkos::fabs(Kokkos::exp(log_d(0, i) - transform(0, i) / epsilon) - Kokkos::exp(log_ratio(0, i)));
      })[0];
}

void debias(const ConstField& log_d, const ConstField& log_ratio, const ConstField& transform, Real epsilon,
            const Field& next) {
  Kokkos::parallel_for(
      "hpot::debias", Points(0, next.extent(1)),
      KOKKOS_LAMBDA(Index i) { next(0, i) = 0.5 * (log_d(0, i) + log_ratio(0, i) + transform(0, i) / epsilon); });
}

void add_plan_marginals(const std::vector<Real>& lambda, const Reference& q, const ConstField& f, const ConstField& s,
                        Real epsilon, const Field& mean) {
  const DeviceNumbers weights = on_device(lambda);
  const Index batch = static_cast<Index>(s.extent(0));
  Kokkos::parallel_for(
      "hpot::add_plan_marginals", Points(0, s.extent(1)), KOKKOS_LAMBDA(Index i) {
        Real sum = 0.0;
        for (Index k = 0; k < batch; ++k) {
          if (weights(k) > 0.0) sum += weights(k) * q.at(i) * Kokkos::exp((f(k, i) - s(k, i)) / epsilon);
        }
        mean(0, i) += sum;
      });
}

}  // namespace hpot
