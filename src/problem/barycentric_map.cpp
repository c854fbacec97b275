#include "hpot/problem/barycentric_map.hpp"

#include "certificates.hpp"
#include "hpot/core/field.hpp"

#include <utility>

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

/// Row d of `image` less x, 0 where that is not finite.
void subtract(const ConstField& x, Index d, const Field& image) {
  Kokkos::parallel_for(
      "hpot::barycentric_map::subtract", Policy(0, image.extent(1)), KOKKOS_LAMBDA(Index i) {
        const Real moved = image(d, i) - x(0, i);
        image(d, i) = Kokkos::isfinite(moved) ? moved : 0.0;
      });
}

}  // namespace

Field barycentric_image(KernelOperator& kernel, Index points, const Marginal& target, const Support& support,
                        const ConstField& g, Real epsilon, Side outputs) {
  kernel.prepare(epsilon);
  const Field h = make_unset_field("hpot::barycentric_map::h", 1, target.rows.local_n());
  add_log_weight(target.log_weight, g, epsilon, h);
  const Field image = make_unset_field("hpot::barycentric_map", support.dimension(), points);
  for (int d = 0; d < support.dimension(); ++d) {
    const Field mean = Kokkos::subview(image, std::make_pair(d, d + 1), Kokkos::ALL);
    kernel.average(outputs, h, coordinates(support, d, target.rows.range()), mean);
  }
  return image;
}

Field barycentric_displacement(const TransportProblem& problem, const Support& source, const Support& target,
                               const ConstField& g, Side outputs) {
  const OwnedRows& rows = side_of(problem, outputs).rows;
  const Support& own = outputs == Side::source ? source : target;
  const Support& other = outputs == Side::source ? target : source;
  const Field displacement = barycentric_image(*problem.kernel, rows.local_n(), side_of(problem, opposite(outputs)),
                                               other, g, problem.epsilon, outputs);
  for (int d = 0; d < own.dimension(); ++d) subtract(coordinates(own, d, rows.range()), d, displacement);
  return displacement;
}

}  // namespace hpot
