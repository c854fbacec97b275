#include "hpot/problem/block_space.hpp"

#include <algorithm>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Values = Kokkos::View<Real*, MemorySpace>;
using Layout = BlockSpace::Layout;
using Position = Kokkos::Array<Index, 3>;

/// Positions along the axes of a point or a block, or of what else is numbered by rows.
KOKKOS_INLINE_FUNCTION Position position(Index number, Index second, Index third) {
  return {number / (second * third), number / third % second, number % third};
}

/// A block's part of one plane of the slowest axis, which one rank owns; parts are numbered by owned planes, then blocks.
struct Part {
  Index block, plane, y_begin, y_end, x_begin, x_end;
  KOKKOS_FUNCTION Part(const Layout& layout, Index first_plane, Index number) {
    const Position at = position(number, layout.blocks[1], layout.blocks[2]);
    plane = at[0];
    block = ((first_plane + plane) / layout.sides[0] * layout.blocks[1] + at[1]) * layout.blocks[2] + at[2];
    y_begin = at[1] * layout.sides[1];
    x_begin = at[2] * layout.sides[2];
    y_end = Kokkos::min(y_begin + layout.sides[1], layout.points[1]);
    x_end = Kokkos::min(x_begin + layout.sides[2], layout.points[2]);
  }
  /// use(owned point) in the order of points.
  template <class Use>
  KOKKOS_FUNCTION void for_points(const Layout& layout, const Use& use) const {
    for (Index y = y_begin; y < y_end; ++y) {
      const Index row = (plane * layout.points[1] + y) * layout.points[2];
      for (Index x = x_begin; x < x_end; ++x) use(row + x);
    }
  }
};

}  // namespace

std::vector<Index> block_sides(const Cost& cost, const Grid& grid, Real epsilon) {
  constexpr Index points_each = 8;
  constexpr Index most_blocks = Index{1} << 12;
  std::vector<Index> sides;
  for (const Axis& axis : grid.axes) {
    const auto near = [&](Index steps) {
      const Real distance = static_cast<Real>(steps) * axis.spacing;
      return std::visit([&](const auto& c) { return c.of_sum(c.along_axis(distance)); }, cost) <= epsilon;
    };
    Index steps = 1;
    while (points_each * steps < axis.n && near(steps + 1)) ++steps;
    sides.push_back(std::min(points_each * steps, axis.n));
  }
  const auto blocks = [&] {
    Index product = 1;
    for (std::size_t d = 0; d < sides.size(); ++d) product *= (grid.axes[d].n + sides[d] - 1) / sides[d];
    return product;
  };
  while (blocks() > most_blocks) {
    for (Index& side : sides) ++side;
  }
  return sides;
}

BlockSpace::BlockSpace(const Grid& grid, const OwnedRows& rows, const std::vector<Index>& sides) : rows_(rows) {
  for (std::size_t d = 0; d < grid.axes.size(); ++d) {
    const Index n = grid.axes[d].n;
    layout_.points[d] = n;
    layout_.sides[d] = sides.at(d);
    layout_.blocks[d] = (n + sides[d] - 1) / sides[d];
  }
}

/// First over parts, then over these.
std::vector<Real> BlockSpace::sums(const ConstField& v) const {
  const Layout layout = layout_;
  const Range range = rows_.range();
  const Index plane = layout.points[1] * layout.points[2];
  const Index across = layout.blocks[1] * layout.blocks[2];
  const Index first = range.begin / plane;
  const Index planes = range.size() / plane;
  const Values parts("hpot::BlockSpace::parts", planes * across);
  Kokkos::parallel_for(
      "hpot::BlockSpace::sums", Policy(0, planes * across), KOKKOS_LAMBDA(Index part) {
        Real sum = 0.0;
        Part(layout, first, part).for_points(layout, [&](Index j) { sum += v(0, j); });
        parts(part) = sum;
      });
  std::vector<Real> all(layout.points[0] * across, 0.0);
  Kokkos::deep_copy(Kokkos::View<Real*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                        all.data() + first * across, planes * across),
                    parts);
  rows_.along_rows.sum(all);  // a part has one owner: zeros are added, no rounding
  std::vector<Real> totals(blocks(), 0.0);
  for (Index z = 0; z < layout.points[0]; ++z) {
    for (Index q = 0; q < across; ++q) totals[z / layout.sides[0] * across + q] += all[z * across + q];
  }
  return totals;
}

void BlockSpace::indicate_stripes(int axis, Index count, Index first, const Field& v) const {
  const Layout layout = layout_;
  const Index begin = rows_.range().begin;
  Kokkos::parallel_for(
      "hpot::BlockSpace::indicate_stripes", Policy(0, rows_.local_n()), KOKKOS_LAMBDA(Index j) {
        const Position at = position(begin + j, layout.points[1], layout.points[2]);
        v(0, j) = at[axis] / layout.sides[axis] % count == first ? 1.0 : 0.0;
      });
}

void BlockSpace::set_positions(int axis, const Field& v) const {
  const Layout layout = layout_;
  const Index begin = rows_.range().begin;
  Kokkos::parallel_for(
      "hpot::BlockSpace::set_positions", Policy(0, rows_.local_n()), KOKKOS_LAMBDA(Index j) {
        const Position at = position(begin + j, layout.points[1], layout.points[2]);
        v(0, j) = (static_cast<Real>(at[axis]) + 0.5) / static_cast<Real>(layout.sides[axis]);
      });
}

void BlockSpace::add(const std::vector<Real>& values, const Field& v) const {
  const Layout layout = layout_;
  const Range range = rows_.range();
  const Index plane = layout.points[1] * layout.points[2];
  const Index first = range.begin / plane;
  const Index parts = range.size() / plane * layout.blocks[1] * layout.blocks[2];
  const Values on_device(Kokkos::view_alloc("hpot::BlockSpace::values", Kokkos::WithoutInitializing), values.size());
  Kokkos::deep_copy(on_device, Kokkos::View<const Real*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                                   values.data(), values.size()));
  Kokkos::parallel_for(
      "hpot::BlockSpace::add", Policy(0, parts), KOKKOS_LAMBDA(Index number) {
        const Part part(layout, first, number);
        const Real value = on_device(part.block);
        part.for_points(layout, [&](Index j) { v(0, j) += value; });
      });
}

BlockSpace runs_of(const OwnedRows& rows, Real entries) {
  constexpr Real runs_of_a_row = 8.0;
  const Index n = rows.partition.global_n();
  const Index side = std::max((n + most_runs - 1) / most_runs, static_cast<Index>(entries / runs_of_a_row));
  return {make_grid({n}, {1.0}), rows, {std::max(side, Index{1})}};
}

}  // namespace hpot
