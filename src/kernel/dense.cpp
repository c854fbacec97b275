#include "hpot/kernel/dense.hpp"

#include "point_operator.hpp"

#include <algorithm>

namespace hpot {
namespace {

/// Squared Euclidean costs in few dimensions: mixed sums take scalar products where rounding allows.
template <int dimension>
class ProductOperator final : public PointOperator<PointCosts<SquaredEuclidean, dimension>> {
 public:
  using Costs = PointCosts<SquaredEuclidean, dimension>;
  ProductOperator(Costs source, Costs target, Range target_rows, std::optional<Communicator> along_rows,
                  const Frame& frame)
      : PointOperator<Costs>(std::move(source), std::move(target), target_rows, std::move(along_rows)), frame_(frame) {}

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    if (!suits()) return PointOperator<Costs>::softmin(side, h, s);
    softmin_of_rows<Precision::mixed>(products(side, h), this->epsilon_, s);
  }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    if (!suits()) return PointOperator<Costs>::sweep(terms, f, s);
    const auto terms_of = [&](const ConstField& h) { return products(Side::source, h); };
    return this->template sweep_by<Precision::mixed>(terms_of, terms, f, s);
  }

 private:
  [[nodiscard]] bool suits() const { return this->precision_ == Precision::mixed && frame_.suits(this->scale()); }
  [[nodiscard]] ProductTerms<dimension> products(Side side, const ConstField& h) const {
    return {this->at(side), h, this->scale(), frame_};
  }

  Frame frame_;
};

using HostPoints = Kokkos::View<Real**, Kokkos::LayoutRight, Kokkos::HostSpace>;

/// Axes a whole number of odd cache lines apart, so that many of them do not fall onto the same places of a cache.
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

/// The middle of the box around both sides.
Frame frame_of(const HostPoints& source, const HostPoints& target) {
  Frame frame;
  for (std::size_t d = 0; d < source.extent(1); ++d) {
    Real least = infinity, most = -infinity;
    for (const HostPoints* side : {&source, &target}) {
      for (std::size_t p = 0; p < side->extent(0); ++p) {
        least = std::min(least, (*side)(p, d));
        most = std::max(most, (*side)(p, d));
      }
    }
    if (least > most) continue;
    frame.center[d] = 0.5 * (least + most);
    frame.square += 0.25 * (most - least) * (most - least);
  }
  return frame;
}

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

}  // namespace

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

std::unique_ptr<KernelOperator> make_dense_operator(const Cost& cost, const Points& source, const Points& target,
                                                    Range source_rows, Range target_rows,
                                                    std::optional<Communicator> along_rows) {
  const Sides sides(source, target, source_rows, target_rows, std::move(along_rows));
  return std::visit(
      [&](const auto& c) -> std::unique_ptr<KernelOperator> {
        using C = std::decay_t<decltype(c)>;
        const std::size_t dimension = source.extent(1);
        if constexpr (std::is_same_v<C, SquaredEuclidean>) {
          if (dimension >= 1 && dimension <= 3) {
            const Frame frame = frame_of(sides.source_host, sides.target_host);
            if (dimension == 1) return sides.make<ProductOperator<1>>(c, frame);
            if (dimension == 2) return sides.make<ProductOperator<2>>(c, frame);
            return sides.make<ProductOperator<3>>(c, frame);
          }
        }
        if constexpr (std::is_same_v<C, Euclidean>) {
          if (dimension == 1) return sides.make<Plain<C, 1>>(c);
          if (dimension == 2) return sides.make<Plain<C, 2>>(c);
          if (dimension == 3) return sides.make<Plain<C, 3>>(c);
        }
        return sides.make<Plain<C, 0>>(c);  // powers take longer than anything that a known dimension saves
      },
      cost);
}

}  // namespace hpot
