#include "hpot/problem/transport_values.hpp"

#include "hpot/core/field.hpp"

#include <cmath>
#include <utility>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

Field like(const ConstField& field) {
  return make_field("hpot::transport_values", static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1)));
}

Field smaller_of(const ConstField& x, const ConstField& y) {
  const Field z = like(x);
  Kokkos::parallel_for(
      "hpot::smaller_of", Policy(0, z.extent(1)), KOKKOS_LAMBDA(Index i) { z(0, i) = Kokkos::min(x(0, i), y(0, i)); });
  return z;
}

/// max(x - y, 0).
Field excess(const ConstField& x, const ConstField& y) {
  const Field z = like(x);
  Kokkos::parallel_for(
      "hpot::excess", Policy(0, z.extent(1)),
      KOKKOS_LAMBDA(Index i) { z(0, i) = Kokkos::max(x(0, i) - y(0, i), 0.0); });
  return z;
}

Field log_of(const ConstField& weight) {
  const Field z = like(weight);
  Kokkos::parallel_for(
      "hpot::log_of", Policy(0, z.extent(1)),
      KOKKOS_LAMBDA(Index i) { z(0, i) = weight(0, i) > 0.0 ? Kokkos::log(weight(0, i)) : log_zero; });
  return z;
}

/// sum e log(e/a) over e > 0.
Real relative_entropy(const Marginal& side, const ConstField& e) {
  const ConstField log_a = side.log_weight;
  return sum_over_points(
      "hpot::relative_entropy", side.rows, 1, KOKKOS_LAMBDA(Index k, Index i) {
        return e(k, i) > 0.0 && log_a(k, i) > 0.5 * log_zero ? e(k, i) * (Kokkos::log(e(k, i)) - log_a(k, i)) : 0.0;
      })[0];
}

Real largest_potential(const Marginal& side, const ConstField& f) {
  Real largest = 0.0;
  const ConstField weight = side.weight;
  Kokkos::parallel_reduce(
      "hpot::largest_potential", Policy(0, f.extent(1)),
      KOKKOS_LAMBDA(Index i, Real & most) {
        if (weight(0, i) > 0.0) most = Kokkos::max(most, Kokkos::fabs(f(0, i)));
      },
      Kokkos::Max<Real>(largest));
  return Kokkos::max(largest, 0.0);
}

/// The pieces of one half-step at given potentials.
Field softmin_at(const TransportProblem& problem, Side outputs, const ConstField& potential) {
  const Marginal& in = outputs == Side::source ? problem.target : problem.source;
  const Marginal& out = outputs == Side::source ? problem.source : problem.target;
  const Field h = like(potential);
  const Field s = make_field("hpot::transport_values::s", 1, out.rows.local_n());
  add_log_weight(in.log_weight, potential, problem.epsilon, h);
  problem.kernel->softmin_spoiling(outputs, h, s);
  return s;
}

Real plan_cost(const TransportProblem& problem, const ConstField& p, const ConstField& g) {
  const Field h = like(g);
  const Field mean = like(p);
  add_log_weight(problem.target.log_weight, g, problem.epsilon, h);
  problem.kernel->average_cost(Side::source, h, mean);
  return inner_product(problem.source.rows, p, mean)[0];
}

/// Cost and entropic cost of the rounded plan of a balanced problem of mass 1. Fields are dropped as soon as they are not
/// needed any more; solver/work_plan.cpp counts them.
void round_plan(const TransportProblem& problem, const ConstField& f, const ConstField& g, Field s_a,
                TransportValues& values) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  Field f1 = smaller_of(f, s_a);
  s_a = {};
  Field s = softmin_at(problem, Side::target, f1);
  Field kept_b = like(g);
  plan_marginal(b.weight, g, s, epsilon, kept_b);
  Field g1 = smaller_of(g, s);
  kept_b = smaller_of(kept_b, b.weight);
  const Field e_b = excess(b.weight, kept_b);
  s = {};
  const Real entropic_b = inner_product(b.rows, kept_b, g1)[0];
  kept_b = {};
  s = softmin_at(problem, Side::source, g1);
  Field r1 = like(f);
  plan_marginal(a.weight, f1, s, epsilon, r1);
  s = {};
  Real entropic = inner_product(a.rows, r1, f1)[0] + entropic_b;
  f1 = {};
  values.upper_cost = plan_cost(problem, r1, g1);
  const Field e_a = excess(a.weight, r1);
  r1 = {};
  g1 = {};
  const Real d = mass(a.rows, e_a)[0];
  if (d > 0.0 && mass(b.rows, e_b)[0] > 0.0) {
    problem.kernel->prepare(infinity);  // mean cost under e_b, for every point
    const Field mean = like(f);
    problem.kernel->average_cost(Side::source, log_of(e_b), mean);
    const Real correction = inner_product(a.rows, e_a, mean)[0];
    problem.kernel->prepare(epsilon);
    values.upper_cost += correction;
    const Real mixing = d < 1.0 ? -(1.0 - d) * std::log1p(-d) : 0.0;
    entropic +=
        correction + epsilon * (mixing + relative_entropy(a, e_a) + relative_entropy(b, e_b) - 2.0 * d * std::log(d));
  }
  values.primal_cost = entropic;
}

}  // namespace

TransportValues evaluate_transport(const Communicator& world, const TransportProblem& problem, const ConstField& f,
                                   const ConstField& g) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(epsilon);
  const Real mass_a = mass(a.rows, a.weight)[0];
  const Real mass_b = mass(b.rows, b.weight)[0];
  TransportValues values;

  Field s_a = softmin_at(problem, Side::source, g);
  Field s_b = softmin_at(problem, Side::target, f);
  values.residual_source = residual(a, f, s_a, epsilon)[0] / mass_a;
  values.residual_target = residual(b, g, s_b, epsilon)[0] / mass_b;
  values.error_floor =
      std::numeric_limits<Real>::epsilon() * world.max(largest_potential(a, f) + largest_potential(b, g)) / epsilon;

  Field p = like(f);
  plan_marginal(a.weight, f, s_a, epsilon, p);
  values.plan_mass = mass(a.rows, p)[0];
  values.transport_cost = plan_cost(problem, p, g);
  values.dual_cost = dual_term(a, f)[0] + dual_term(b, g)[0] - epsilon * (values.plan_mass - mass_a * mass_b);

  values.primal_cost = infinity;
  values.upper_cost = infinity;
  if (is_finite(a.penalty) && is_finite(b.penalty)) {
    // <P,C> + eps KL(P | a (x) b) = <P1,f> + <P'1,g> - eps (sum P - m_a m_b) for a plan of this form.
    const Field c = like(g);
    plan_marginal(b.weight, g, s_b, epsilon, c);
    values.primal_cost = inner_product(a.rows, p, f)[0] + inner_product(b.rows, c, g)[0] -
                         epsilon * (values.plan_mass - mass_a * mass_b) + penalty_value(a, p)[0] +
                         penalty_value(b, c)[0];
  } else if (is_balanced(a.penalty) && is_balanced(b.penalty) && std::abs(mass_a - 1.0) < 1e-9 &&
             std::abs(mass_b - 1.0) < 1e-9) {
    s_b = {};
    p = {};
    round_plan(problem, f, g, std::move(s_a), values);
  }
  return values;
}

}  // namespace hpot
