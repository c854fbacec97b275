// Operators of points on the fly, one file for each family of costs, since every combination takes seconds to compile. Part of
// dense.hpp.
#pragma once

#include "hpot/kernel/dense.hpp"
#include "point_operator.hpp"

namespace hpot {

using HostPoints = Kokkos::View<Real**, Kokkos::LayoutRight, Kokkos::HostSpace>;

/// (axis, point), axes a whole number of odd cache lines apart, so that many of them do not fall onto the same places of a cache.
Coordinates by_axis(const HostPoints& points);

/// Both sides, their coordinates made once where they are the same.
struct Sides {
  HostPoints source_host, target_host;
  Coordinates source, target;
  Range source_rows, target_rows;
  std::optional<Communicator> along_rows;

  Sides(const Points& x, const Points& y, Range x_rows, Range y_rows, std::optional<Communicator> ranks)
      : source_host(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, x)),
        target_host(x.data() == y.data() ? source_host
                                         : HostPoints(Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, y))),
        source(by_axis(source_host)),
        target(x.data() == y.data() ? source : by_axis(target_host)),
        source_rows(x_rows),
        target_rows(y_rows),
        along_rows(std::move(ranks)) {}

  [[nodiscard]] std::size_t dimension() const { return source_host.extent(1); }

  template <class Operator, class C, class... More>
  std::unique_ptr<KernelOperator> make(const C& cost, const More&... more) const {
    using Costs = typename Operator::Costs;
    const Index n = static_cast<Index>(source_host.extent(0)), m = static_cast<Index>(target_host.extent(0));
    return std::make_unique<Operator>(Costs{cost, source, target, source_rows.begin, m},
                                      Costs{cost, target, source, target_rows.begin, n}, target_rows, along_rows,
                                      more...);
  }
};

template <class C, int dimension>
using Plain = PointOperator<PointCosts<C, dimension>>;

std::unique_ptr<KernelOperator> make_dense(const SquaredEuclidean& cost, const Sides& sides);
std::unique_ptr<KernelOperator> make_dense(const PowerAxes& cost, const Sides& sides);
std::unique_ptr<KernelOperator> make_dense(const Euclidean& cost, const Sides& sides);
std::unique_ptr<KernelOperator> make_dense(const Power& cost, const Sides& sides);
std::unique_ptr<KernelOperator> make_dense(const Cosine& cost, const Sides& sides);

/// In one to three dimensions.
template <int dimension>
std::unique_ptr<KernelOperator> make_dense_product(const SquaredEuclidean& cost, const Sides& sides);

}  // namespace hpot
