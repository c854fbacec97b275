// The truncated operator of one cost in one number of axes. Part of truncated.hpp.
#pragma once

#include "tile_moments.hpp"
#include "tile_reductions.hpp"
#include "truncated_clouds.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hpot {
namespace {

using ItemPolicy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

/// max |h| over columns with weight.
inline Real largest_of(const ConstField& h, Index k) {
  Real largest = 0.0;
  Kokkos::parallel_reduce(
      "hpot::TruncatedOperator::largest", ItemPolicy(0, h.extent(1)),
      KOKKOS_LAMBDA(Index j, Real & most) {
        if (h(k, j) > 0.5 * log_zero) most = Kokkos::max(most, Kokkos::fabs(h(k, j)));
      },
      Kokkos::Max<Real>(largest));
  return std::max(largest, 0.0);
}

/// values(j) = v(k, order(j)).
inline void in_tile_order(const ConstField& v, Index k, const PointOrder& order, const NodeValues& values) {
  Kokkos::parallel_for(
      "hpot::TruncatedOperator::in_tile_order", ItemPolicy(0, order.extent(0)),
      KOKKOS_LAMBDA(Index j) { values(j) = v(k, order(j)); });
}

template <class C, int dimension>
class TruncatedOperator final : public TruncatedKernel {
 public:
  TruncatedOperator(C cost, TiledClouds clouds, Real cut)
      : cost_(std::move(cost)), clouds_(std::move(clouds)), wanted_cut_(cut) {
    Real sum = 0.0;
    for (int d = 0; d < dimension; ++d) {
      sum += cost_.along_axis(clouds_.extent[d]);
      square_ += 0.25 * clouds_.extent[d] * clouds_.extent[d];
    }
    largest_cost_ = cost_.of_sum(sum);
  }

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision precision) override { precision_ = precision; }
  [[nodiscard]] Real softmin_excess() const override { return std::log1p(cut_at(precision_)); }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    Kokkos::deep_copy(rows(side).visited, 0.0);
    for (Index k = 0; k < static_cast<Index>(h.extent(0)); ++k) softmin_of(side, h, s, k);
  }
  void set_rows(Side side, Range rows) override {
    TiledSide& points = side == Side::source ? clouds_.source : clouds_.target;
    points.rows = {};  // before the next ones are made
    points.rows = make_tiled_rows(points.columns, rows);
  }
  [[nodiscard]] std::vector<Real> visited_pairs(Side side) const override {
    constexpr Index block_items = truncated_block / item_rows;
    const auto of_items = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, rows(side).visited);
    std::vector<Real> pairs((rows(side).items + block_items - 1) / block_items, 0.0);
    for (Index item = 0; item < rows(side).items; ++item) pairs[item / block_items] += of_items(item);
    return pairs;
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    if (clouds_.values.extent(0) == 0)
      clouds_.values = NodeValues("hpot::TruncatedOperator::values", clouds_.h.extent(0));
    mean_of<MeanOf::values>(side, h, v, mean);
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    if constexpr (squared) {
      if (std::isinf(epsilon_)) {
        for (Index k = 0; rows(side).items > 0 && k < static_cast<Index>(h.extent(0)); ++k)
          mean_squares<dimension>(rows(side), columns(side), h, k, mean);
        return;
      }
    }
    mean_of<MeanOf::costs>(side, h, ConstField(), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override { extremum<false>(side, h, m); }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { extremum<true>(side, h, m); }

 private:
  using Costs = PointCosts<C, dimension>;
  static constexpr bool squared = std::is_same_v<C, SquaredEuclidean>;
  using Bound = std::conditional_t<squared, TiltedBound<dimension>, BoxBound<C, dimension, false>>;

  [[nodiscard]] const TiledRows& rows(Side side) const {
    return (side == Side::source ? clouds_.source : clouds_.target).rows;
  }
  [[nodiscard]] const TiledColumns& columns(Side side) const {
    return (side == Side::source ? clouds_.target : clouds_.source).columns;
  }
  [[nodiscard]] Costs costs(Side side) const { return {cost_, {}, columns(side).y, 0, columns(side).columns}; }
  [[nodiscard]] static Bound bound(const C& cost, Real scale) {
    if constexpr (squared) {
      return {scale};
    } else {
      return {cost, scale};
    }
  }
  [[nodiscard]] Real scale() const { return log2_e / epsilon_; }
  [[nodiscard]] Real cut_at(Precision precision) const { return truncated_cut(wanted_cut_, precision); }

  /// h of entry k and its majorants, in tile order.
  template <bool sloped = Bound::sloped>
  void fit(Side side, const ConstField& h, Index k, Real unit, Real square_scale) const {
    const TiledColumns& c = columns(side);
    Kokkos::parallel_for("hpot::TruncatedOperator::fit", ItemPolicy(0, c.tree.count[0]),
                         FitTiles<dimension, sloped>{c, h, k, unit, square_scale, clouds_.h});
    for (int level = 1; level < c.tree.levels; ++level)
      Kokkos::parallel_for("hpot::TruncatedOperator::fit", ItemPolicy(0, c.tree.count[level]),
                           FitNodes<dimension>{c.tree, level});
  }
  /// What bounds, log-sums and exponents may err by: exponents are differences of numbers as large as these.
  [[nodiscard]] Real rounding(const ConstField& h, Index k, Real unit, Real scale) const {
    constexpr Real u = std::numeric_limits<Real>::epsilon();
    return 64.0 * u * (1.0 + unit * largest_of(h, k) + scale * largest_cost_);
  }
  [[nodiscard]] Cut cut_of(const ConstField& h, Index k, Precision precision) const {
    const Real cut = cut_at(precision);
    return {cut > 0.0 ? std::log2(cut) : -infinity, true, rounding(h, k, log2_e, scale())};
  }
  [[nodiscard]] bool suits_products() const {
    Frame frame;
    frame.square = square_;
    return frame.suits(scale());
  }

  template <class B, class Reduction>
  void reduce(const char* label, Side side, const B& b, const Cut& cut, const Reduction& reduction, const Field& out,
              Index k) const {
    const ItemTurns turns(rows(side).items);
    Kokkos::parallel_for(
        label, ItemPolicy(0, turns.ranks()),
        TiledReduction<B, Reduction>{b, columns(side).tree, rows(side), cut, turns, reduction, out, k});
  }

  template <Precision precision, class Terms>
  void softmin_with(const Terms& terms, Side side, const ConstField& h, const Field& s, Index k) const {
    reduce("hpot::TruncatedOperator::softmin", side, bound(cost_, scale()), cut_of(h, k, precision),
           TiledSoftmin<Terms, precision>{terms, epsilon_}, s, k);
  }
  void softmin_of(Side side, const ConstField& h, const Field& s, Index k) const {
    if (rows(side).items == 0) return;
    if constexpr (squared) {
      if (precision_ == Precision::mixed && suits_products()) {
        fit(side, h, k, log2_e, scale());
        softmin_with<Precision::mixed>(TiledProducts<dimension>{rows(side), columns(side).y, clouds_.h.data(), scale()},
                                       side, h, s, k);
        return;
      }
    }
    fit(side, h, k, log2_e, 0.0);
    const TiledCosts<Costs> terms{costs(side), rows(side), clouds_.h.data(), scale()};
    if (precision_ == Precision::mixed) {
      softmin_with<Precision::mixed>(terms, side, h, s, k);
    } else {
      softmin_with<Precision::full>(terms, side, h, s, k);
    }
  }

  template <MeanOf what>
  void mean_of(Side side, const ConstField& h, const ConstField& v, const Field& mean) const {
    if (rows(side).items == 0) return;
    for (Index k = 0; k < static_cast<Index>(h.extent(0)); ++k) {
      fit(side, h, k, log2_e, 0.0);
      if constexpr (what == MeanOf::values) in_tile_order(v, k, columns(side).order, clouds_.values);
      const TiledCosts<Costs> terms{costs(side), rows(side), clouds_.h.data(), scale()};
      reduce("hpot::TruncatedOperator::average", side, bound(cost_, scale()), cut_of(h, k, Precision::full),
             TiledMean<TiledCosts<Costs>, what>{terms, clouds_.values.data()}, mean, k);
    }
  }

  template <bool far>
  void extremum(Side side, const ConstField& h, const Field& m) const {
    using B = std::conditional_t<far, BoxBound<C, dimension, true>, Bound>;
    if (rows(side).items == 0) return;
    for (Index k = 0; k < static_cast<Index>(h.extent(0)); ++k) {
      fit<B::sloped>(side, h, k, 1.0, 0.0);
      const TiledCosts<Costs> terms{costs(side), rows(side), clouds_.h.data(), far ? -1.0 : 1.0};
      const B b = [&] {
        if constexpr (far) {
          return B{cost_, 1.0};
        } else {
          return bound(cost_, 1.0);
        }
      }();
      reduce("hpot::TruncatedOperator::extremum", side, b, Cut{0.0, false, rounding(h, k, 1.0, 1.0)},
             TiledExtremum<TiledCosts<Costs>>{terms, far ? 1.0 : -1.0}, m, k);
    }
  }

  C cost_;
  mutable TiledClouds clouds_;
  Real wanted_cut_;
  Real largest_cost_ = 0.0;
  Real square_ = 0.0;  // of half the box's diagonal
  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;
};

}  // namespace

template <int dimension>
std::unique_ptr<TruncatedKernel> make_truncated_squared(TiledClouds clouds, Real cut) {
  return std::make_unique<TruncatedOperator<SquaredEuclidean, dimension>>(SquaredEuclidean{}, std::move(clouds), cut);
}

template <class C>
std::unique_ptr<TruncatedKernel> make_truncated_any(const C& cost, TiledClouds clouds, Real cut) {
  return std::make_unique<TruncatedOperator<C, truncated_most_dimensions>>(cost, std::move(clouds), cut);
}

}  // namespace hpot
