#include "hpot/problem/transport_problem.hpp"

namespace hpot {
namespace {

using Policy = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;

Policy all_points(const ConstField& field) {
  return Policy({0, 0}, {static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1))});
}

Index batch_of(const ConstField& field) { return static_cast<Index>(field.extent(0)); }

template <class Penalty>
void prox_kernel(Penalty penalty, const ConstField& s, Real epsilon, const Field& f) {
  Kokkos::parallel_for(
      "hpot::apply_prox", all_points(s), KOKKOS_LAMBDA(Index k, Index i) { f(k, i) = penalty.prox(s(k, i), epsilon); });
}

template <class Penalty>
void relax_kernel(Penalty penalty, Real reach, const ConstField& f, Real epsilon, Real w, const Field& s) {
  Kokkos::parallel_for(
      "hpot::relax", all_points(s), KOKKOS_LAMBDA(Index k, Index i) {
        const Real from = f(k, i);
        const Real plain = penalty.prox(s(k, i), epsilon);
        const Real over = Kokkos::max(-reach, Kokkos::min(reach, from + w * (plain - from)));
        const Real plan = Kokkos::exp((from - s(k, i)) / epsilon);
        const auto gain = [&](Real x) {
          return penalty.dual_gain(from, x) - epsilon * plan * Kokkos::expm1((x - from) / epsilon);
        };
        const Real won = gain(over);  // not finite far from the solution, and then not taken
        const bool enough = won >= 0.5 * w * (2.0 - w) * gain(plain) && Kokkos::isfinite(won);
        s(k, i) = enough ? over : plain;
      });
}

template <class Penalty>
struct ResidualOfPoint {
  Penalty penalty;
  ConstField weight, f, s;
  Real epsilon;
  KOKKOS_FUNCTION Real operator()(Index k, Index i) const {
    const Real w = weight(k, i);
    if (w <= 0.0) return 0.0;
    const Real now = (f(k, i) - s(k, i)) / epsilon;
    const Real wanted = (penalty.prox(s(k, i), epsilon) - s(k, i)) / epsilon;
    if (now == wanted) return 0.0;
    // |exp(x) - exp(y)| = exp(max) (1 - exp(-|x - y|)): no difference of infinities
    return -w * Kokkos::exp(Kokkos::max(now, wanted)) * Kokkos::expm1(-Kokkos::fabs(now - wanted));
  }
};

template <class Penalty>
struct DualOfPoint {
  Penalty penalty;
  ConstField weight, f;
  KOKKOS_FUNCTION Real operator()(Index k, Index i) const {
    return weight(k, i) > 0.0 ? penalty.dual(weight(k, i), f(k, i)) : 0.0;
  }
};

template <class Penalty>
struct PrimalOfPoint {
  Penalty penalty;
  ConstField weight, p;
  KOKKOS_FUNCTION Real operator()(Index k, Index i) const {
    return weight(k, i) > 0.0 ? penalty.primal(weight(k, i), p(k, i)) : 0.0;
  }
};

}  // namespace

Marginal make_marginal(const OwnedRows& rows, const Field& weight, const MarginalPenalty& penalty) {
  const Field log_weight("hpot::Marginal::log_weight", weight.extent(0), weight.extent(1));
  Kokkos::parallel_for(
      "hpot::make_marginal", all_points(weight), KOKKOS_LAMBDA(Index k, Index i) {
        log_weight(k, i) = weight(k, i) > 0.0 ? Kokkos::log(weight(k, i)) : log_zero;
      });
  return {rows, weight, log_weight, penalty};
}

void add_log_weight(const ConstField& log_weight, const ConstField& potential, Real epsilon, const Field& h) {
  Kokkos::parallel_for(
      "hpot::add_log_weight", all_points(potential), KOKKOS_LAMBDA(Index k, Index i) {
        h(k, i) = log_weight(k, i) > 0.5 * log_zero ? log_weight(k, i) + potential(k, i) / epsilon : log_zero;
      });
}

void apply_prox(const MarginalPenalty& penalty, const ConstField& s, Real epsilon, const Field& f) {
  std::visit([&](const auto& p) { prox_kernel(p, s, epsilon, f); }, penalty);
}

void relax(const MarginalPenalty& penalty, const ConstField& f, Real epsilon, Real w, const Field& s) {
  std::visit([&](const auto& p) { relax_kernel(p, reach(penalty), f, epsilon, w, s); }, penalty);
}

void clamp_to_domain(const MarginalPenalty& penalty, const Field& f) {
  const Real rho = reach(penalty);
  if (rho == infinity) return;
  Kokkos::parallel_for(
      "hpot::clamp_to_domain", all_points(f),
      KOKKOS_LAMBDA(Index k, Index i) { f(k, i) = Kokkos::max(-rho, Kokkos::min(rho, f(k, i))); });
}

std::vector<Real> residual(const Marginal& side, const ConstField& f, const ConstField& s, Real epsilon) {
  return std::visit(
      [&](const auto& p) {
        return sum_over_points("hpot::residual", side.rows, batch_of(f),
                               ResidualOfPoint<std::decay_t<decltype(p)>>{p, side.weight, f, s, epsilon});
      },
      side.penalty);
}

void plan_marginal(const ConstField& weight, const ConstField& f, const ConstField& s, Real epsilon, const Field& p) {
  Kokkos::parallel_for(
      "hpot::plan_marginal", all_points(f), KOKKOS_LAMBDA(Index k, Index i) {
        p(k, i) = weight(k, i) > 0.0 ? weight(k, i) * Kokkos::exp((f(k, i) - s(k, i)) / epsilon) : 0.0;
      });
}

std::vector<Real> mass(const OwnedRows& rows, const ConstField& weight) {
  return sum_over_points(
      "hpot::mass", rows, batch_of(weight), KOKKOS_LAMBDA(Index k, Index i) { return weight(k, i); });
}

std::vector<Real> inner_product(const OwnedRows& rows, const ConstField& p, const ConstField& v) {
  return sum_over_points(
      "hpot::inner_product", rows, batch_of(p),
      KOKKOS_LAMBDA(Index k, Index i) { return p(k, i) > 0.0 ? p(k, i) * v(k, i) : 0.0; });
}

std::vector<Real> dual_term(const Marginal& side, const ConstField& f) {
  return std::visit(
      [&](const auto& p) {
        return sum_over_points("hpot::dual_term", side.rows, batch_of(f),
                               DualOfPoint<std::decay_t<decltype(p)>>{p, side.weight, f});
      },
      side.penalty);
}

std::vector<Real> penalty_value(const Marginal& side, const ConstField& p) {
  return std::visit(
      [&](const auto& penalty) {
        return sum_over_points("hpot::penalty_value", side.rows, batch_of(p),
                               PrimalOfPoint<std::decay_t<decltype(penalty)>>{penalty, side.weight, p});
      },
      side.penalty);
}

std::vector<Real> entropy(const OwnedRows& rows, const ConstField& weight) {
  return sum_over_points(
      "hpot::entropy", rows, batch_of(weight),
      KOKKOS_LAMBDA(Index k, Index i) { return weight(k, i) > 0.0 ? -weight(k, i) * Kokkos::log(weight(k, i)) : 0.0; });
}

}  // namespace hpot
