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

/// Of the points of `rows`, along axis d.
Field coordinates(const Support& support, int d, Range rows) {
  const Field x = make_unset_field("hpot::barycentric_map::coordinates", 1, rows.size());
  if (const PointCloud* cloud = support.cloud(); cloud != nullptr) {
    std::vector<Real> values(rows.size());
    for (Index i = 0; i < rows.size(); ++i) values[i] = cloud->at(rows.begin + i, d);
    set_entry(x, 0, values);
    return x;
  }
  const AxisOfPoints axis = axis_of(*support.grid(), d, rows.begin);
  Kokkos::parallel_for(
      "hpot::coordinates", Policy(0, rows.size()), KOKKOS_LAMBDA(Index i) { x(0, i) = axis.coordinate(i); });
  return x;
}

/// Row d of `displacement` = mean - x, 0 where that is not finite.
void subtract(const ConstField& mean, const ConstField& x, Index d, const Field& displacement) {
  Kokkos::parallel_for(
      "hpot::barycentric_map::subtract", Policy(0, mean.extent(1)), KOKKOS_LAMBDA(Index i) {
        const Real moved = mean(0, i) - x(0, i);
        displacement(d, i) = Kokkos::isfinite(moved) ? moved : 0.0;
      });
}

}  // namespace

Field barycentric_displacement(const TransportProblem& problem, const Support& source, const Support& target,
                               const ConstField& g) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  problem.kernel->prepare(problem.epsilon);
  const Field h = make_unset_field("hpot::barycentric_map::h", 1, b.rows.local_n());
  const Field mean = make_unset_field("hpot::barycentric_map::mean", 1, a.rows.local_n());
  const Field displacement = make_unset_field("hpot::barycentric_map", source.dimension(), a.rows.local_n());
  for (int d = 0; d < source.dimension(); ++d) {
    add_log_weight(b.log_weight, g, problem.epsilon, h);
    problem.kernel->average(Side::source, h, coordinates(target, d, b.rows.range()), mean);
    subtract(mean, coordinates(source, d, a.rows.range()), d, displacement);
  }
  return displacement;
}

}  // namespace hpot
