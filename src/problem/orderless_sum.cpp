#include "hpot/problem/orderless_sum.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/barycenter_problem.hpp"

namespace hpot {
namespace {

using Values = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

}  // namespace

OrderlessSum::OrderlessSum(Index batch, Index points)
    : batch_(batch), parts_(make_field("hpot::OrderlessSum::parts", 2 * batch, points)) {}

void OrderlessSum::clear() { Kokkos::deep_copy(parts_, 0.0); }

void OrderlessSum::add(const ConstField& x) {
  const Real* from = x.data();
  Real* sum = parts_.data();
  Real* rest = sum + x.size();
  Kokkos::parallel_for(
      "hpot::OrderlessSum::add", Values(0, x.size()), KOKKOS_LAMBDA(Index i) {
        const Real before = sum[i];
        const Real after = before + from[i];
        const Real taken = after - before;
        rest[i] += (before - (after - taken)) + (from[i] - taken);
        sum[i] = after;
      });
}

void OrderlessSum::total(const Communicator& along, const Field& total) {
  Real* sum = parts_.data();
  Real* rest = sum + total.size();
  const Index count = static_cast<Index>(total.size());
  Real largest = 0.0;
  Kokkos::parallel_reduce(
      "hpot::OrderlessSum::largest", Values(0, count),
      KOKKOS_LAMBDA(Index i, Real & most) { most = Kokkos::max(most, Kokkos::fabs(sum[i])); },
      Kokkos::Max<Real>(largest));
  largest = along.max(largest) * static_cast<Real>(along.size());
  const Real shift = quantum_for(largest) * 0x1.8p52;  // x + shift rounds x to a multiple of the quantum
  Kokkos::parallel_for(
      "hpot::OrderlessSum::cut", Values(0, count), KOKKOS_LAMBDA(Index i) {
        const Real whole = (sum[i] + shift) - shift;
        rest[i] += sum[i] - whole;
        sum[i] = whole;
      });
  along.sum(parts_);
  Real* to = total.data();
  Kokkos::parallel_for(
      "hpot::OrderlessSum::total", Values(0, count), KOKKOS_LAMBDA(Index i) { to[i] = sum[i] + rest[i]; });
}

}  // namespace hpot
