#include "truncated_clouds.hpp"

#include "tile_order.hpp"

#include <algorithm>
#include <numeric>

namespace hpot {
namespace {

using HostPoints = Kokkos::View<Real**, Kokkos::LayoutRight, Kokkos::HostSpace>;

struct Box {
  Real least[truncated_most_dimensions], most[truncated_most_dimensions];
};

Box box_around(const HostPoints& x, const HostPoints& y) {
  Box box{};
  for (std::size_t d = 0; d < x.extent(1); ++d) {
    Real least = infinity, most = -infinity;
    for (const HostPoints* side : {&x, &y}) {
      for (std::size_t p = 0; p < side->extent(0); ++p) {
        least = std::min(least, (*side)(p, d));
        most = std::max(most, (*side)(p, d));
      }
    }
    box.least[d] = least <= most ? least : 0.0;
    box.most[d] = least <= most ? most : 0.0;
  }
  return box;
}

/// Points of numbers `order`, axis by axis, less the middle of the box; the last again up to `padded_count`.
Coordinates gathered(const HostPoints& points, const Box& box, const std::vector<int>& order, Index padded_count,
                     int axes) {
  const Coordinates result("hpot::TruncatedOperator::points", axes, padded_count);
  const auto host = Kokkos::create_mirror_view(result);
  for (std::size_t d = 0; d < points.extent(1); ++d) {
    const Real middle = 0.5 * (box.least[d] + box.most[d]);
    for (Index p = 0; p < padded_count; ++p) {
      const Index from = std::min<Index>(p, static_cast<Index>(order.size()) - 1);
      host(d, p) = points(order[from], d) - middle;
    }
  }
  Kokkos::deep_copy(result, host);
  return result;
}

PointOrder on_device(const std::vector<int>& order) {
  const PointOrder result("hpot::TruncatedOperator::order", order.size());
  const Kokkos::View<const int*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> given(order.data(), order.size());
  Kokkos::deep_copy(result, given);
  return result;
}

TileTree make_tree(const Coordinates& y, int axes) {
  TileTree tree;
  const Index tiles = static_cast<Index>(y.extent(1)) / tile_columns;
  Index end = 0;
  for (Index count = tiles;; count = (count + children - 1) / children) {
    tree.first[tree.levels] = end;
    tree.count[tree.levels++] = count;
    end += (count + children - 1) / children * children;
    if (count <= children) break;
  }
  tree.center = NodeVectors("hpot::TileTree::center", axes, end);
  tree.half = NodeVectors("hpot::TileTree::half", axes, end);
  tree.slope = NodeVectors("hpot::TileTree::slope", axes, end);
  tree.top = NodeValues("hpot::TileTree::top", end);
  tree.log_count = NodeValues("hpot::TileTree::log_count", end);
  Kokkos::deep_copy(tree.top, 2.0 * log_zero);
  const auto center = Kokkos::create_mirror_view(tree.center);
  const auto half = Kokkos::create_mirror_view(tree.half);
  const auto points = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, y);
  std::vector<Real> least(end), most(end);
  for (int d = 0; d < axes; ++d) {
    for (int level = 0; level < tree.levels; ++level) {
      const Index run = level == 0 ? tile_columns : children;
      const Index below = level == 0 ? static_cast<Index>(y.extent(1)) : tree.count[level - 1];
      for (Index node = 0; node < tree.count[level]; ++node) {
        const Index rank = tree.rank(level, node);
        least[rank] = infinity;
        most[rank] = -infinity;
        for (Index c = node * run; c < std::min((node + 1) * run, below); ++c) {
          const Index child = level == 0 ? c : tree.rank(level - 1, c);
          least[rank] = std::min(least[rank], level == 0 ? points(d, c) : least[child]);
          most[rank] = std::max(most[rank], level == 0 ? points(d, c) : most[child]);
        }
        center(d, rank) = 0.5 * (least[rank] + most[rank]);
        half(d, rank) = std::max(most[rank] - center(d, rank), center(d, rank) - least[rank]);
      }
    }
  }
  Kokkos::deep_copy(tree.center, center);
  Kokkos::deep_copy(tree.half, half);
  return tree;
}

TiledColumns make_columns(const HostPoints& points, const Box& box, int axes) {
  const auto n = static_cast<Index>(points.extent(0));
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  order_by_halving({points.data(), static_cast<int>(points.extent(1))}, tile_columns, order.begin(), order.end());
  const Index padded_n = (n + tile_columns - 1) / tile_columns * tile_columns;
  const Coordinates y = gathered(points, box, order, padded_n, axes);
  return {y, on_device(order), n, make_tree(y, axes)};
}

}  // namespace

TiledRows make_tiled_rows(const TiledColumns& points, Range rows) {
  if (rows.size() == 0) return {};
  const auto axes = static_cast<int>(points.y.extent(0));
  const Index begin = rows.begin / truncated_block * truncated_block;
  const Index end = std::min((rows.end + truncated_block - 1) / truncated_block * truncated_block, points.columns);
  const auto y = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, points.y);
  const auto number = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, points.order);
  std::vector<int> place(end - begin);  // of every point, then in the order of groups
  for (Index at = 0; at < points.columns; ++at) {
    if (number(at) >= begin && number(at) < end) place[number(at) - begin] = static_cast<int>(at);
  }
  const Index items = (end - begin + item_rows - 1) / item_rows;
  std::vector<int> to(items * item_rows, -1);
  std::vector<Real> coordinates(truncated_block * axes);
  for (Index first = begin; first < end; first += truncated_block) {
    const auto count = static_cast<int>(std::min(truncated_block, end - first));
    const std::vector<int> of_point(place.begin() + (first - begin), place.begin() + (first - begin) + count);
    for (int p = 0; p < count; ++p) {
      for (int d = 0; d < axes; ++d) coordinates[p * axes + d] = y(d, of_point[p]);
    }
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    order_by_halving({coordinates.data(), axes}, group_rows, order.begin(), order.end());
    for (int i = 0; i < count; ++i) {
      const Index point = first + order[i];
      place[first - begin + i] = of_point[order[i]];
      if (point >= rows.begin && point < rows.end) to[first - begin + i] = static_cast<int>(point - rows.begin);
    }
  }
  place.resize(items * item_rows, place.back());
  return {points.y, on_device(place), on_device(to), items, NodeValues("hpot::TruncatedOperator::visited", items)};
}

TiledClouds make_tiled_clouds(const Points& source, const Points& target, Range source_rows, Range target_rows,
                              int axes) {
  const HostPoints x = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, source);
  const HostPoints y = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, target);
  const Box box = box_around(x, y);
  TiledClouds clouds;
  clouds.source.columns = make_columns(x, box, axes);
  clouds.target.columns = source.data() == target.data() ? clouds.source.columns : make_columns(y, box, axes);
  clouds.source.rows = make_tiled_rows(clouds.source.columns, source_rows);
  clouds.target.rows = make_tiled_rows(clouds.target.columns, target_rows);
  for (std::size_t d = 0; d < source.extent(1); ++d) clouds.extent[d] = box.most[d] - box.least[d];
  const std::size_t most = std::max(clouds.source.columns.y.extent(1), clouds.target.columns.y.extent(1));
  clouds.h = NodeValues("hpot::TruncatedOperator::h", most);
  return clouds;
}

}  // namespace hpot
