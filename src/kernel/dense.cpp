#include "hpot/kernel/dense.hpp"

#include "dense_sides.hpp"

namespace hpot {

Points grid_points(const Grid& grid) {
  const Points points("hpot::grid_points", grid.points(), grid.dimension());
  const auto host = Kokkos::create_mirror_view(points);
  for (Index p = 0; p < grid.points(); ++p) {
    Index rest = p;
    for (int d = grid.dimension() - 1; d >= 0; --d) {
      host(p, d) = grid.axes[d].coordinate(rest % grid.axes[d].n);
      rest /= grid.axes[d].n;
    }
  }
  Kokkos::deep_copy(points, host);
  return points;
}

Coordinates by_axis(const HostPoints& points) {
  const Index pitch = padded(static_cast<Index>(points.extent(0))) + lanes::width;
  const Coordinates axes("hpot::DenseOperator::points", points.extent(1), pitch);
  const auto host = Kokkos::create_mirror_view(axes);
  for (std::size_t p = 0; p < points.extent(0); ++p) {
    for (std::size_t d = 0; d < points.extent(1); ++d) host(d, p) = points(p, d);
  }
  Kokkos::deep_copy(axes, host);
  return axes;
}

std::unique_ptr<KernelOperator> make_dense_operator(const Cost& cost, const Points& source, const Points& target,
                                                    Range source_rows, Range target_rows,
                                                    std::optional<Communicator> along_rows) {
  const Sides sides(source, target, source_rows, target_rows, std::move(along_rows));
  return std::visit([&](const auto& c) { return make_dense(c, sides); }, cost);
}

}  // namespace hpot
