#include "hpot/problem/dual_hessian.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

constexpr Real least_diagonal = 1e-6;  // of c + eps k

Policy points_of(const ConstField& field) { return {0, static_cast<Index>(field.extent(1))}; }

Field field_like(const char* label, const ConstField& other) {
  return make_unset_field(label, 1, static_cast<Index>(other.extent(1)));
}

/// c, c + eps k and the gradient of every target point, in `unit`s of mass.
template <class Penalty>
struct TargetTerms {
  Penalty penalty;
  ConstField weight, g, s;
  Field column_mass, column_terms, gradient;
  Real epsilon, unit;
  KOKKOS_FUNCTION void operator()(Index j) const {
    const Real w = weight(0, j) / unit;
    const bool counts = w > 0.0;
    const Real mass = counts ? w * Kokkos::exp((g(0, j) - s(0, j)) / epsilon) : 0.0;
    column_mass(0, j) = mass;
    column_terms(0, j) = counts ? mass + epsilon * penalty.dual_curvature(w, g(0, j)) : 0.0;
    gradient(0, j) = counts ? penalty.dual_slope(w, g(0, j)) - mass : 0.0;
  }
};

template <class Penalty>
struct TimesProxSlope {
  Penalty penalty;
  ConstField f;
  Field values;
  Real epsilon;
  KOKKOS_FUNCTION void operator()(Index i) const { values(0, i) *= penalty.prox_slope(f(0, i), epsilon); }
};

/// result = c (v - result) + eps k v.
struct MassTimes {
  ConstField mass, terms, v;
  Field result;
  KOKKOS_FUNCTION void operator()(Index j) const {
    const Real outer = terms(0, j) - mass(0, j);
    result(0, j) = terms(0, j) > 0.0 ? mass(0, j) * (v(0, j) - result(0, j)) + outer * v(0, j) : 0.0;
  }
};

/// q r; where q > 0 the row's mass is what the dual term's slope says.
template <class Penalty>
struct RowTerms {
  Penalty penalty;
  ConstField weight, f;
  Field result;
  Real epsilon, unit;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Real slope = penalty.prox_slope(f(0, i), epsilon);
    const Real w = weight(0, i) / unit;
    result(0, i) = w > 0.0 && slope > 0.0 ? slope * penalty.dual_slope(w, f(0, i)) : 0.0;
  }
};

/// y = 1/x, 0 where x is.
void invert(const ConstField& x, const Field& y) {
  Kokkos::parallel_for(
      "hpot::DualHessian::invert", points_of(x),
      KOKKOS_LAMBDA(Index i) { y(0, i) = x(0, i) > 0.0 ? 1.0 / x(0, i) : 0.0; });
}

/// diagonal <- terms - diagonal/unit, not below a part of terms.
void take_squares(const ConstField& terms, Real unit, const Field& diagonal) {
  Kokkos::parallel_for(
      "hpot::DualHessian::take_squares", points_of(terms), KOKKOS_LAMBDA(Index j) {
        diagonal(0, j) = Kokkos::max(terms(0, j) - diagonal(0, j) / unit, least_diagonal * terms(0, j));
      });
}

/// h_i = 2 log a + 2 f/eps + log(q/r), log_zero where a or q is 0; r = a exp((f - s)/eps) the row's mass.
template <class Penalty>
struct SquaredPlanRows {
  Penalty penalty;
  ConstField log_weight, f, s;
  Field h;
  Real epsilon;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Real slope = penalty.prox_slope(f(0, i), epsilon);
    const bool counts = log_weight(0, i) > 0.5 * log_zero && slope > 0.0;
    h(0, i) = counts ? log_weight(0, i) + (f(0, i) + s(0, i)) / epsilon + Kokkos::log(slope) : log_zero;
  }
};

}  // namespace

Real dot(const OwnedRows& rows, const ConstField& x, const ConstField& y) {
  return sum_over_points(
      "hpot::dot", rows, 1, KOKKOS_LAMBDA(Index, Index i) { return x(0, i) * y(0, i); })[0];
}

Real absolute_sum(const OwnedRows& rows, const ConstField& x) {
  return sum_over_points(
      "hpot::absolute_sum", rows, 1, KOKKOS_LAMBDA(Index, Index i) { return Kokkos::fabs(x(0, i)); })[0];
}

bool DualHessian::supports(const TransportProblem& problem) { return is_smooth(problem.target.penalty); }

DualHessian::DualHessian(const TransportProblem& problem, const Field& f, const Field& g)
    : problem_(problem),
      f_(f),
      g_(g),
      h_source_(field_like("hpot::DualHessian::h_source", g)),
      h_target_(field_like("hpot::DualHessian::h_target", f)),
      column_mass_(field_like("hpot::DualHessian::column_mass", g)),
      column_terms_(is_balanced(problem.target.penalty) ? column_mass_
                                                        : field_like("hpot::DualHessian::column_terms", g)),
      gradient_(field_like("hpot::DualHessian::gradient", g)),
      means_(field_like("hpot::DualHessian::means", f)) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  const Real target_mass = mass(b.rows, b.weight)[0];
  unit_ = target_mass > 0.0 ? std::ldexp(1.0, std::ilogb(target_mass)) : 1.0;
  add_log_weight(b.log_weight, g, epsilon, h_source_);
  add_log_weight(a.log_weight, f, epsilon, h_target_);
  problem.kernel->softmin(Side::target, h_target_, gradient_);  // its place until the gradient takes it
  std::visit(
      [&](const auto& penalty) {
        Kokkos::parallel_for("hpot::DualHessian::target_terms", points_of(g),
                             TargetTerms<std::decay_t<decltype(penalty)>>{penalty, b.weight, g, gradient_, column_mass_,
                                                                          column_terms_, gradient_, epsilon, unit_});
      },
      b.penalty);
}

void DualHessian::row_averages(const Field& v, const Field& result) const { average(Side::source, v, result); }

void DualHessian::fix_row_averages() { source_average_ = problem_.kernel->fix_average(Side::source, h_source_); }

void DualHessian::fix_averages() {
  if (source_average_ == nullptr) fix_row_averages();
  target_average_ = problem_.kernel->fix_average(Side::target, h_target_);
  if (source_average_ != nullptr) h_source_ = {};
  if (target_average_ != nullptr) h_target_ = {};
}

void DualHessian::keep_plan(KeptPlan plan, Real damping) {
  kept_.emplace(std::move(plan));
  const Field terms = copy_of(column_terms_);
  combine(-1.0, column_mass_, 1.0, terms);  // eps k
  column_mass_ = quotient(kept_->marginal(Side::target), unit_);
  combine(1.0 + damping, column_mass_, 1.0, terms);
  column_terms_ = terms;
  h_source_ = {};
  h_target_ = {};
}

void DualHessian::average(Side side, const Field& v, const Field& mean) const {
  if (kept_) {
    kept_->average(side, v, mean);
    return;
  }
  const auto& fixed = side == Side::source ? source_average_ : target_average_;
  if (fixed != nullptr) {
    fixed->apply(v, mean);
  } else {
    problem_.kernel->average(side, side == Side::source ? h_source_ : h_target_, v, mean);
  }
}

void DualHessian::row_terms(const Field& result) const {
  if (kept_) {
    Kokkos::deep_copy(result, quotient(kept_->marginal(Side::source), unit_));
    times_prox_slope(result);
    return;
  }
  std::visit(
      [&](const auto& penalty) {
        Kokkos::parallel_for("hpot::DualHessian::row_terms", points_of(f_),
                             RowTerms<std::decay_t<decltype(penalty)>>{penalty, problem_.source.weight, f_, result,
                                                                       problem_.epsilon, unit_});
      },
      problem_.source.penalty);
}

void DualHessian::apply(const Field& v, const Field& result) const {
  row_averages(v, means_);
  average_back(v, result);
}

void DualHessian::row_sums(const Field& result) const {
  if (is_balanced(problem_.source.penalty)) {
    Kokkos::deep_copy(result, column_terms_);
    combine(-1.0, column_mass_, 1.0, result);
    return;
  }
  const Field ones = field_like("hpot::DualHessian::ones", g_);
  Kokkos::deep_copy(ones, 1.0);
  Kokkos::deep_copy(means_, 1.0);
  average_back(ones, result);
}

/// values_i <- q_i values_i.
void DualHessian::times_prox_slope(const Field& values) const {
  std::visit(
      [&](const auto& penalty) {
        Kokkos::parallel_for("hpot::DualHessian::prox_slope", points_of(f_),
                             TimesProxSlope<std::decay_t<decltype(penalty)>>{penalty, f_, values, problem_.epsilon});
      },
      problem_.source.penalty);
}

/// result = c (v - A_t[q means]) + eps k v.
void DualHessian::average_back(const Field& v, const Field& result) const {
  times_prox_slope(means_);
  average(Side::target, means_, result);
  Kokkos::parallel_for("hpot::DualHessian::apply", points_of(g_), MassTimes{column_mass_, column_terms_, v, result});
}

void DualHessian::right_hand_side(const Field& r) const {
  Kokkos::deep_copy(r, gradient_);
  if (!is_balanced(problem_.source.penalty) || !is_balanced(problem_.target.penalty)) return;
  const Real excess = mass(rows(), gradient_)[0] / mass(rows(), column_mass_)[0];
  combine(-excess, column_mass_, 1.0, r);
}

Real DualHessian::slope_along(const Field& v) const { return dot(rows(), gradient_, v); }

Real DualHessian::typical(const Field& v) const {
  const ConstField terms = column_terms_;
  const Real squares = sum_over_points(
      "hpot::DualHessian::typical", rows(), 1,
      KOKKOS_LAMBDA(Index, Index j) { return terms(0, j) > 0.0 ? terms(0, j) * v(0, j) * v(0, j) : 0.0; })[0];
  const Real all = mass(rows(), column_terms_)[0];
  return all > 0.0 ? std::sqrt(squares / all) : 0.0;
}

/// c~ + eps k - sum_i q_i P~_ij^2 / r~_i.
void DualHessian::kept_diagonal(const Field& diagonal) const {
  invert(kept_->marginal(Side::source), means_);
  times_prox_slope(means_);
  kept_->squares(means_, diagonal);
  take_squares(column_terms_, unit_, diagonal);
}

void DualHessian::diagonal(const Field& diagonal) const {
  if (kept_) {
    kept_diagonal(diagonal);
    return;
  }
  const Real epsilon = problem_.epsilon;
  const Field h = field_like("hpot::DualHessian::squared_rows", f_);
  problem_.kernel->softmin(Side::source, h_source_, means_);
  std::visit(
      [&](const auto& penalty) {
        Kokkos::parallel_for("hpot::DualHessian::squared_rows", points_of(f_),
                             SquaredPlanRows<std::decay_t<decltype(penalty)>>{penalty, problem_.source.log_weight, f_,
                                                                              means_, h, epsilon});
      },
      problem_.source.penalty);
  problem_.kernel->prepare(0.5 * epsilon);
  problem_.kernel->softmin(Side::target, h, diagonal);
  problem_.kernel->prepare(epsilon);
  const ConstField log_weight = problem_.target.log_weight;
  const ConstField potential = g_;
  const ConstField terms = column_terms_;
  const Real unit = unit_;
  Kokkos::parallel_for(
      "hpot::DualHessian::diagonal", points_of(g_), KOKKOS_LAMBDA(Index j) {
        if (terms(0, j) <= 0.0) {
          diagonal(0, j) = 0.0;
          return;
        }
        const Real exponent = 2.0 * (log_weight(0, j) + (potential(0, j) - diagonal(0, j)) / epsilon);
        const Real squares = Kokkos::exp(Kokkos::min(exponent, 700.0)) / unit;
        diagonal(0, j) = Kokkos::max(terms(0, j) - squares, least_diagonal * terms(0, j));
      });
}

void DualHessian::set_unweighted(const Field& w, const Field& v) const {
  const ConstField terms = column_terms_;
  Kokkos::parallel_for(
      "hpot::DualHessian::set_unweighted", points_of(v), KOKKOS_LAMBDA(Index j) {
        if (terms(0, j) <= 0.0) v(0, j) = w(0, j);
      });
}

}  // namespace hpot
