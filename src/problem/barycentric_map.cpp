#include "hpot/problem/barycentric_map.hpp"

#include "hpot/core/field.hpp"

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

/// Index of a point along one axis is rank / stride % n.
struct AxisOfPoints {
  Index first = 0;
  Index stride = 1;
  Index n = 1;
  Real origin = 0.0;
  Real spacing = 1.0;
  [[nodiscard]] KOKKOS_INLINE_FUNCTION Real coordinate(Index i) const {
    return origin + static_cast<Real>((first + i) / stride % n) * spacing;
  }
};

/// Axis d of the owned rows, counted fastest first.
AxisOfPoints axis_of(const Grid& grid, int d, Index first) {
  AxisOfPoints axis{first};
  for (int e = 0; e < d; ++e) axis.stride *= grid.axes[grid.dimension() - 1 - e].n;
  const Axis& own = grid.axes[grid.dimension() - 1 - d];
  axis.n = own.n;
  axis.origin = own.origin;
  axis.spacing = own.spacing;
  return axis;
}

void fill_coordinates(const AxisOfPoints& axis, const Field& y) {
  Kokkos::parallel_for(
      "hpot::fill_coordinates", Policy(0, y.extent(1)), KOKKOS_LAMBDA(Index i) { y(0, i) = axis.coordinate(i); });
}

void subtract_coordinates(const AxisOfPoints& axis, const ConstField& mean, Index row, const Field& displacement) {
  Kokkos::parallel_for(
      "hpot::subtract_coordinates", Policy(0, mean.extent(1)), KOKKOS_LAMBDA(Index i) {
        const Real moved = mean(0, i) - axis.coordinate(i);
        displacement(row, i) = Kokkos::isfinite(moved) ? moved : 0.0;
      });
}

}  // namespace

Field barycentric_displacement(const TransportProblem& problem, const Grid& source, const Grid& target,
                               const ConstField& g) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  problem.kernel->prepare(problem.epsilon);
  const Field h = make_unset_field("hpot::barycentric_map::h", 1, b.rows.local_n());
  const Field y = make_unset_field("hpot::barycentric_map::y", 1, b.rows.local_n());
  const Field mean = make_unset_field("hpot::barycentric_map::mean", 1, a.rows.local_n());
  const Field displacement = make_unset_field("hpot::barycentric_map", source.dimension(), a.rows.local_n());
  for (int d = 0; d < source.dimension(); ++d) {
    add_log_weight(b.log_weight, g, problem.epsilon, h);
    fill_coordinates(axis_of(target, d, b.rows.range().begin), y);
    problem.kernel->average(Side::source, h, y, mean);
    subtract_coordinates(axis_of(source, d, a.rows.range().begin), mean, d, displacement);
  }
  return displacement;
}

}  // namespace hpot
