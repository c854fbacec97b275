#include "hpot/problem/cost_scale.hpp"

#include "hpot/core/field.hpp"
#include "hpot/measure/random.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

using Points = Kokkos::MDRangePolicy<ExecutionSpace, Kokkos::Rank<2>, Kokkos::IndexType<Index>>;

/// 0 where the weight is positive, log_zero elsewhere.
Field indicator(const ConstField& log_weight) {
  const Field h =
      make_field("hpot::indicator", static_cast<Index>(log_weight.extent(0)), static_cast<Index>(log_weight.extent(1)));
  Kokkos::parallel_for(
      "hpot::indicator", Points({0, 0}, {static_cast<Index>(h.extent(0)), static_cast<Index>(h.extent(1))}),
      KOKKOS_LAMBDA(Index k, Index i) { h(k, i) = log_weight(k, i) > 0.5 * log_zero ? 0.0 : log_zero; });
  return h;
}

Real largest_on(const ConstField& weight, const ConstField& m) {
  Real largest = 0.0;
  Kokkos::parallel_reduce(
      "hpot::largest_on", Points({0, 0}, {static_cast<Index>(m.extent(0)), static_cast<Index>(m.extent(1))}),
      KOKKOS_LAMBDA(Index k, Index i, Real & most) {
        if (weight(k, i) > 0.0) most = Kokkos::max(most, m(k, i));
      },
      Kokkos::Max<Real>(largest));
  return Kokkos::max(largest, 0.0);
}

}  // namespace

Real largest_cost(const Communicator& world, const TransportProblem& problem) {
  const Field m = make_field("hpot::largest_cost", static_cast<Index>(problem.source.weight.extent(0)),
                             problem.source.rows.local_n());
  problem.kernel->hard_max(Side::source, indicator(problem.target.log_weight), m);
  return world.max(largest_on(problem.source.weight, m));
}

Real mean_cost(const TransportProblem& problem) {
  const Field mean =
      make_field("hpot::mean_cost", static_cast<Index>(problem.source.weight.extent(0)), problem.source.rows.local_n());
  problem.kernel->prepare(infinity);
  problem.kernel->average_cost(Side::source, problem.target.log_weight, mean);
  const Marginal& a = problem.source;
  return inner_product(a.rows, a.weight, mean)[0] / mass(a.rows, a.weight)[0];
}

bool is_symmetric(KernelOperator& kernel, const OwnedRows& rows, Real largest) {
  constexpr Real rounding = 1e-12;
  std::vector<Real> log_weights;
  for (Index i = rows.range().begin; i < rows.range().end; ++i)
    log_weights.push_back(std::log(RandomStream(0, "hpot::is_symmetric", i).uniform(0.5, 1.5)));
  const Field h = make_field("hpot::is_symmetric::log_weights", 1, log_weights);
  const Field along_row = make_field("hpot::is_symmetric::along_row", 1, rows.local_n());
  const Field along_column = make_field("hpot::is_symmetric::along_column", 1, rows.local_n());
  kernel.prepare(infinity);
  kernel.average_cost(Side::source, h, along_row);
  kernel.average_cost(Side::target, h, along_column);
  Real difference = 0.0;
  Kokkos::parallel_reduce(
      "hpot::is_symmetric", Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, rows.local_n()),
      KOKKOS_LAMBDA(Index i, Real & most) {
        most = Kokkos::max(most, Kokkos::abs(along_row(0, i) - along_column(0, i)));
      },
      Kokkos::Max<Real>(difference));
  return rows.along_rows.max(std::max(difference, 0.0)) <= rounding * largest;
}

}  // namespace hpot
