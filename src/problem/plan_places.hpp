// Where rows and boxes of targets lie, for the walks of plan_search.hpp: on two grids, in two clouds, or nowhere, in a matrix.
//
//   point(i)                          of local row i
//   centre, half_width(level, d, box) of a box along axis d
//   cost(point, box, j)               of the row and target j, which is `box` of level 0
//   nearest(point, level, box)        no more than any cost to a point of the box
// Ledger of a box: 3 to 6 flops an axis; of clouds 2 values an axis, of a matrix one.
#pragma once

#include "hpot/problem/plan_search.hpp"

#include <type_traits>

namespace hpot {

struct GridCells {
  BoxLevels boxes;
  [[nodiscard]] KOKKOS_FUNCTION int axes() const { return boxes.dimension; }
  [[nodiscard]] KOKKOS_FUNCTION Real end(int axis, Index point) const {
    return boxes.origin[axis] + static_cast<Real>(point) * boxes.spacing[axis];
  }
  [[nodiscard]] KOKKOS_FUNCTION Real low(int level, int axis, const Index (&box)[3]) const {
    return end(axis, boxes.low(level, box[axis]));
  }
  [[nodiscard]] KOKKOS_FUNCTION Real high(int level, int axis, const Index (&box)[3]) const {
    return end(axis, boxes.high(level, axis, box[axis]));
  }
  [[nodiscard]] KOKKOS_FUNCTION Real centre(int level, int axis, const Index (&box)[3]) const {
    const Index sum = boxes.low(level, box[axis]) + boxes.high(level, axis, box[axis]);
    return boxes.origin[axis] + 0.5 * static_cast<Real>(sum) * boxes.spacing[axis];
  }
  [[nodiscard]] KOKKOS_FUNCTION Real half_width(int level, int axis, const Index (&box)[3]) const {
    const Index steps = boxes.high(level, axis, box[axis]) - boxes.low(level, box[axis]);
    return 0.5 * static_cast<Real>(steps) * boxes.spacing[axis];
  }
};

struct CloudCells {
  BoxLevels boxes;
  Points points;
  BoxAxes ends;
  [[nodiscard]] KOKKOS_FUNCTION int axes() const { return static_cast<int>(ends.extent(1)) / 2; }
  [[nodiscard]] KOKKOS_FUNCTION Real low(int level, int axis, const Index (&box)[3]) const {
    return level == 0 ? points(box[0], axis) : ends(boxes.first[level] - boxes.first[1] + box[0], axis);
  }
  [[nodiscard]] KOKKOS_FUNCTION Real high(int level, int axis, const Index (&box)[3]) const {
    return level == 0 ? points(box[0], axis) : ends(boxes.first[level] - boxes.first[1] + box[0], axes() + axis);
  }
  [[nodiscard]] KOKKOS_FUNCTION Real centre(int level, int axis, const Index (&box)[3]) const {
    return 0.5 * (low(level, axis, box) + high(level, axis, box));
  }
  [[nodiscard]] KOKKOS_FUNCTION Real half_width(int level, int axis, const Index (&box)[3]) const {
    const Real middle = centre(level, axis, box);  // rounded: far from the origin it lies beside the middle
    return Kokkos::max(high(level, axis, box) - middle, middle - low(level, axis, box));
  }
};

/// Of a row; `index` along the axes of a grid.
struct RowPlace {
  Index row = 0;
  Index index[3] = {0, 0, 0};
  Real x[3] = {0.0, 0.0, 0.0};
};

/// The cost of the nearest place of a box.
template <class C, class Cells>
KOKKOS_FUNCTION Real nearest_cost(const C& cost, const Cells& cells, const RowPlace& place, int level,
                                  const Index (&box)[3]) {
  Real sum = 0.0;
  for (int d = cells.axes() - 1; d >= 0; --d) {
    const Real below = place.x[d] - cells.low(level, d, box);
    const Real above = place.x[d] - cells.high(level, d, box);
    sum += cost.along_axis(Kokkos::max(Kokkos::min(below, 0.0), above));
  }
  return cost.of_sum(sum);
}

template <class C>
struct GridPlaces {
  static constexpr bool tilted = std::is_same_v<C, SquaredEuclidean>;
  C function;
  GridCells cells;
  GridCells sources;
  Index first_row;

  [[nodiscard]] KOKKOS_FUNCTION RowPlace point(Index i) const {
    RowPlace place{i};
    Index rest = first_row + i;
    for (int d = 0; d < cells.axes(); ++d) {
      place.index[d] = rest % sources.boxes.n[d];
      place.x[d] = sources.end(d, place.index[d]);
      rest /= sources.boxes.n[d];
    }
    return place;
  }
  [[nodiscard]] KOKKOS_FUNCTION Real cost(const RowPlace& place, const Index (&box)[3], Index) const {
    return nearest_cost(function, cells, place, 0, box);
  }
  [[nodiscard]] KOKKOS_FUNCTION Real nearest(const RowPlace& place, int level, const Index (&box)[3]) const {
    return nearest_cost(function, cells, place, level, box);
  }
};

template <class C>
struct CloudPlaces {
  static constexpr bool tilted = std::is_same_v<C, SquaredEuclidean>;
  C function;
  CloudCells cells;
  Points sources;
  Index first_row;

  [[nodiscard]] KOKKOS_FUNCTION RowPlace point(Index i) const {
    RowPlace place{i};
    for (int d = 0; d < cells.axes(); ++d) place.x[d] = sources(first_row + i, d);
    return place;
  }
  [[nodiscard]] KOKKOS_FUNCTION Real cost(const RowPlace& place, const Index (&)[3], Index j) const {
    Real sum = 0.0;
    for (Index d = 0; d < static_cast<Index>(sources.extent(1)); ++d)
      sum += function.along_axis(sources(first_row + place.row, d) - cells.points(j, d));
    return function.of_sum(sum);
  }
  [[nodiscard]] KOKKOS_FUNCTION Real nearest(const RowPlace& place, int level, const Index (&box)[3]) const {
    return nearest_cost(function, cells, place, level, box);
  }
};

template <class T>
struct MatrixPlaces {
  static constexpr bool tilted = false;
  CostMatrix::Rows<T> rows;

  [[nodiscard]] KOKKOS_FUNCTION RowPlace point(Index i) const { return {i}; }
  [[nodiscard]] KOKKOS_FUNCTION Real cost(const RowPlace& place, const Index (&)[3], Index j) const {
    return static_cast<Real>(rows(place.row, j));
  }
  [[nodiscard]] KOKKOS_FUNCTION Real nearest(const RowPlace&, int, const Index (&)[3]) const { return 0.0; }
};

/// Number in the input of every point, null where points are in that order.
inline std::shared_ptr<const std::vector<Index>> input_order(const Support& support) {
  return support.cloud() == nullptr ? nullptr : support.cloud()->order;
}

inline Kokkos::View<Index*, MemorySpace> device_copy(const std::string& label, const std::vector<Index>& values) {
  const Kokkos::View<Index*, MemorySpace> view(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), values.size());
  Kokkos::deep_copy(view, Kokkos::View<const Index*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

}  // namespace hpot
