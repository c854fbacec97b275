#include "hpot/kernel/separable.hpp"

#include "cut_axis.hpp"

#include "hpot/core/field.hpp"
#include "hpot/kernel/axis_kernels.hpp"
#include "hpot/kernel/kept_weights.hpp"
#include "hpot/measure/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace hpot {
namespace {

using Buffer = Kokkos::View<Real*, MemorySpace>;

constexpr Real mixed_window_cut = 1e-10;
constexpr Index batch_values = Index{1} << 22;  // so many values at once, or one batch entry

class SeparableOperator final : public KernelOperator {
 public:
  SeparableOperator(const Cost& cost, const Grid& source, const Grid& target, Range source_rows, Range target_rows,
                    Real window_cut)
      : source_(make_side(cost, source, target, source_rows)),
        target_(make_side(cost, target, source, target_rows)),
        window_cut_(window_cut) {}

  SeparableOperator(const Cost& cost, const Grid& source, const Grid& target, const OwnedRows& source_rows,
                    const OwnedRows& target_rows, Real window_cut)
      : SeparableOperator(cost, source, target, source_rows.range(), target_rows.range(), window_cut) {
    source_.cut(source_rows, source, target_rows, target);
    target_.cut(target_rows, target, source_rows, source);
  }

  void prepare(Real epsilon) override {
    epsilon_ = epsilon;
    for (SideData* side : {&source_, &target_}) {
      for (AxisCost& axis : side->axes) axis.prepare(epsilon);
    }
  }

  void set_precision(Precision precision) override { precision_ = precision; }

  /// The larger of both sides'; for the product form, which leaves out nothing, too: means have windows at any eps.
  [[nodiscard]] Real softmin_excess() const override {
    Real largest = 0.0;
    for (const SideData* side : {&source_, &target_}) {
      Real sum = 0.0;
      for (const AxisCost& axis : side->axes) sum += std::log1p(fraction_cut(axis, cut(precision_)));
      largest = std::max(largest, sum);
    }
    return largest;
  }

  void softmin(Side side, const ConstField& h, const Field& s) const override { log_sum_exp(side, h, nullptr, s); }
  void softmin_spoiling(Side side, const Field& h, const Field& s) const override { log_sum_exp(side, h, h.data(), s); }

  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    for_axes(side, h, nullptr, m, [](const AxisCost& axis, const AxisPass& pass) { max_along(axis, pass, -1.0); });
    combine(0.0, m, -1.0, m);
  }

  void hard_max(Side side, const ConstField& h, const Field& m) const override {
    for_axes(side, h, nullptr, m, [](const AxisCost& axis, const AxisPass& pass) { max_along(axis, pass, 1.0); });
  }

  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    for_means(side, h, sums_of(mean, sums_), &v, mean, mean_work_,
              [&](const AxisCost& axis, const AxisPass& pass, const Real* from, Real* to) {
                mean_along(axis, with_cut(pass, Precision::full), from, to);
              });
  }

  [[nodiscard]] std::unique_ptr<FixedAverage> fix_average(Side side, const ConstField& h) const override {
    const SideData& data = at(side);
    if (data.dimension() > most_kept_dimension) return nullptr;
    const auto agreed = [&](bool any) { return data.across ? data.across->along_rows().any(any) : any; };
    if (agreed(static_cast<Index>(h.extent(0)) > batch_at_once(data))) return nullptr;
    const Field sums = make_unset_field("hpot::Separable::sums", static_cast<Index>(h.extent(0)),
                                        data.values_before(data.dimension()));
    std::vector<KeptWeights> kept;
    bool all = true;
    for_axes(side, h, nullptr, sums, [&](const AxisCost& axis, const AxisPass& pass) {
      if (!all) return;
      kept.emplace_back(axis, with_cut(pass, Precision::full), most_kept_weights);
      all = !kept.back().empty();
    });
    if (agreed(!all)) return nullptr;
    return std::make_unique<KeptAverage>(*this, side, std::move(kept));
  }

  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    Buffer sums;
    std::array<Buffer, 2> work;
    for_means(side, h, sums_of(mean, sums), nullptr, mean, work,
              [&](const AxisCost& axis, const AxisPass& pass, const Real* from, Real* to) {
                mean_cost_along(axis, with_cut(pass, Precision::full), from, to);
              });
  }

 private:
  /// What outputs on one side need: an AxisCost per axis, the outputs' planes, the sizes of the arrays between passes.
  struct SideData {
    std::vector<AxisCost> axes;
    Index first_plane = 0;
    Index planes = 0;
    Index points_in = 1;            // given: all, or the owned ones where the slowest axis is cut
    std::optional<CutAxis> across;  // where it is
    [[nodiscard]] int dimension() const { return static_cast<int>(axes.size()); }
    /// Values of one batch entry before pass `axis`.
    [[nodiscard]] Index values_before(int axis) const {
      if (axis == 0) return points_in;
      Index values = 1;
      for (int d = 0; d < dimension(); ++d) {
        values *= d >= axis ? axes[d].n_in() : d == 0 ? planes : axes[d].n_out();
      }
      return values;
    }
    /// From now on inputs are owned planes alone.
    void cut(const OwnedRows& out_rows, const Grid& out, const OwnedRows& in_rows, const Grid& in) {
      across.emplace(in_rows.along_rows, planes_of(in_rows, in), planes_of(out_rows, out), plane_points(in));
      points_in = in_rows.local_n();
    }
  };

  static SideData make_side(const Cost& cost, const Grid& out, const Grid& in, Range rows) {
    SideData side;
    for (int d = 0; d < out.dimension(); ++d) side.axes.emplace_back(cost, out.axes[d], in.axes[d]);
    const Index plane = out.points() / out.axes[0].n;
    side.first_plane = rows.begin / plane;
    side.planes = rows.size() / plane;
    side.points_in = in.points();
    return side;
  }

  [[nodiscard]] Real cut(Precision precision) const {
    return precision == Precision::mixed && window_cut_ > 0.0 ? std::max(window_cut_, mixed_window_cut) : window_cut_;
  }
  [[nodiscard]] AxisPass with_cut(AxisPass pass, Precision precision) const {
    pass.cut = cut(precision);
    return pass;
  }

  [[nodiscard]] const SideData& at(Side side) const { return side == Side::source ? source_ : target_; }

  [[nodiscard]] static Index largest_array(const SideData& side) {
    Index largest = side.points_in;
    for (int d = 1; d < side.dimension(); ++d) largest = std::max(largest, side.values_before(d));
    return largest;
  }
  [[nodiscard]] static Index batch_at_once(const SideData& side) {
    return std::max<Index>(1, batch_values / std::max<Index>(1, largest_array(side)));
  }

  /// Batch entries [first, first + entries), and the values of each at `spare` that may be overwritten once the first pass
  /// has read them.
  struct Piece {
    Index first, entries;
    Real* spare;  // null: none
    Index spare_values;
  };

  /// Where pass d writes: the last one to `out`; in three dimensions the first one, too, and the second one over what the
  /// first one has read, where they fit. Only what is left needs work arrays: none, or one of the outputs' size.
  static Real* target(const SideData& side, const Piece& piece, const Field& out, std::array<Buffer, 2>& work, int d) {
    const Index values = side.values_before(d + 1);
    const Index out_values = static_cast<Index>(out.extent(1));
    const bool last = d + 1 == side.dimension();
    const bool first_of_three = d == 0 && side.dimension() == 3;
    if (last || (first_of_three && values <= out_values)) return out.data() + piece.first * out_values;
    if (d == 1 && piece.spare != nullptr && values <= piece.spare_values) return piece.spare;
    return at_least(piece.entries * values, work[d]).data();
  }

  /// `buffer`, made larger where it has fewer values; without values when it was.
  static const Buffer& at_least(Index values, Buffer& buffer) {
    const auto size = static_cast<std::size_t>(values);
    if (buffer.size() < size) {
      buffer = {};  // before the larger one is made
      buffer = Buffer(Kokkos::view_alloc("hpot::Separable::work", Kokkos::WithoutInitializing), size);
    }
    return buffer;
  }

  /// The log-sums that go with `mean`, in `buffer`.
  static Field sums_of(const Field& mean, Buffer& buffer) {
    return Field(at_least(static_cast<Index>(mean.size()), buffer).data(), mean.extent(0), mean.extent(1));
  }

  /// What a pass reads and writes beside the log-sums. A rank without planes has no arrays, and takes part.
  struct Means {
    enum Of { nothing, zeros, values } of = nothing;
    const Real* in = nullptr;
    Real* out = nullptr;
  };

  /// for_axes with reduce(axis, pass, in, out) of means: of `v`, or where there is none of zeros (null), to `mean`.
  template <class Reduce>
  void for_means(Side which, const ConstField& h, const Field& sums, const ConstField* v, const Field& mean,
                 std::array<Buffer, 2>& work, const Reduce& reduce) const {
    const SideData& side = at(which);
    const auto means = [&](const Piece& piece, int d) {
      const Piece own{piece.first, piece.entries, nullptr, 0};
      Real* to = target(side, own, mean, work, d);
      if (d > 0) return Means{Means::values, target(side, own, mean, work, d - 1), to};
      if (v == nullptr) return Means{Means::zeros, nullptr, to};
      return Means{Means::values, v->data() + piece.first * side.points_in, to};
    };
    for_passes(which, h, nullptr, sums, means,
               [&](const AxisCost& axis, const AxisPass& pass, const Means& of) { reduce(axis, pass, of.in, of.out); });
  }

  /// Runs reduce(axis, pass) along every axis in turn, slowest first. `spare` is h's data where they may be lost, or null.
  template <class Reduce>
  void for_axes(Side which, const ConstField& h, Real* spare, const Field& s, const Reduce& reduce) const {
    for_passes(
        which, h, spare, s, [](const Piece&, int) { return Means{}; },
        [&](const AxisCost& axis, const AxisPass& pass, const Means&) { reduce(axis, pass); });
  }

  /// The same for some batch entries at once, with what `means` gives for them and the axis.
  template <class MeansOf, class Reduce>
  void for_passes(Side which, const ConstField& h, Real* spare, const Field& s, const MeansOf& means,
                  const Reduce& reduce) const {
    const SideData& side = at(which);
    const Index batch = static_cast<Index>(h.extent(0));
    if ((side.planes == 0 && !side.across) || batch == 0) return;
    const Index at_once = std::min(batch, batch_at_once(side));
    for (Index k = 0; k < batch; k += at_once) {
      const Index offset = k * side.points_in;
      const Piece piece{k, std::min(at_once, batch - k), spare == nullptr ? nullptr : spare + offset, side.points_in};
      const Real* from = h.data() + offset;
      for (int d = 0; d < side.dimension(); ++d) {
        AxisPass pass;
        pass.in = from;
        pass.out = target(side, piece, s, work_, d);
        pass.batch = piece.entries;
        pass.lines = side.values_before(d) / side.axes[d].n_in();
        pass.first = d == 0 ? side.first_plane : 0;
        pass.count = d == 0 ? side.planes : side.axes[d].n_out();
        if (side.dimension() == 3 && d == 1) {  // lines (n2, planes): a tile stays in its plane
          pass.run = side.axes[2].n_in();
          pass.run_stride = side.planes;
        } else if (side.dimension() == 3 && d == 2) {  // lines (planes, n1)
          pass.run = side.axes[1].n_out();
        }
        if (d == 0 && side.across) {
          pass_across(side, pass, means(piece, d), reduce);
        } else if (side.planes > 0) {
          reduce(side.axes[d], pass, means(piece, d));
        }
        from = pass.out;
      }
    }
  }

  /// The first pass where its axis is cut: on whole lines, some at once. `pass` has the owned planes.
  template <class Reduce>
  void pass_across(const SideData& side, const AxisPass& pass, const Means& means, const Reduce& reduce) const {
    const AxisCost& axis = side.axes[0];
    const Index values_out = side.values_before(1);
    for (Index k = 0; k < pass.batch; ++k) {
      const auto on_lines = [&](const CutAxis::Lines& lines) {
        AxisPass whole = pass;
        whole.in = lines.in[0];
        whole.out = lines.out[0];
        whole.batch = 1;
        whole.lines = lines.count;
        whole.first = 0;
        whole.count = axis.n_out();
        reduce(axis, whole, Means{means.of, means.of == Means::values ? lines.in[1] : nullptr, lines.out[1]});
      };
      const Real* in = pass.in + k * side.points_in;
      Real* out = pass.out + k * values_out;
      if (means.of == Means::nothing) {
        side.across->for_lines({in}, {out}, crossing_, on_lines);
        continue;
      }
      Real* mean_out = means.out + k * values_out;
      if (means.of == Means::zeros) {
        side.across->for_lines({in}, {out, mean_out}, crossing_, on_lines);
      } else {
        side.across->for_lines({in, means.in + k * side.points_in}, {out, mean_out}, crossing_, on_lines);
      }
    }
  }

  void log_sum_exp(Side side, const ConstField& h, Real* spare, const Field& s) const {
    for_axes(side, h, spare, s, [this](const AxisCost& axis, const AxisPass& pass) {
      if (axis.prefers_product()) {
        product_along(axis, pass);
      } else {
        log_sum_exp_along(axis, with_cut(pass, precision_), precision_);
      }
    });
    combine(0.0, s, -epsilon_, s);
  }

  class KeptAverage final : public FixedAverage {
   public:
    KeptAverage(const SeparableOperator& op, Side side, std::vector<KeptWeights> passes)
        : op_(op), data_(op.at(side)), passes_(std::move(passes)) {}
    void apply(const ConstField& v, const Field& mean) const override {
      const Piece all{0, static_cast<Index>(v.extent(0)), nullptr, 0};
      const Real* from = v.data();
      auto weights = passes_.begin();
      for (int d = 0; d < data_.dimension(); ++d) {
        Real* to = target(data_, all, mean, op_.mean_work_, d);
        if (d == 0 && data_.across) {
          for (Index k = 0; k < all.entries; ++k) {
            data_.across->for_lines(
                {from + k * data_.points_in}, {to + k * data_.values_before(1)}, op_.crossing_,
                [&](const CutAxis::Lines& lines) { weights++->mean(data_.axes[0], lines.in[0], lines.out[0]); });
          }
        } else if (data_.planes > 0) {
          weights++->mean(data_.axes[d], from, to);
        }
        from = to;
      }
    }

   private:
    const SeparableOperator& op_;
    const SideData& data_;
    std::vector<KeptWeights> passes_;  // one a pass; of an axis that is cut one for each lot of lines
  };

  SideData source_;
  SideData target_;
  Real window_cut_;
  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;
  mutable std::array<Buffer, 2> work_;
  mutable std::array<Buffer, 2> mean_work_;  // of average
  mutable Buffer sums_;                      // of average
  mutable CutAxis::Buffers crossing_;        // lines on their way
};

}  // namespace

Real kept_values(const Cost& cost, const Grid& grid, Real epsilon) {
  constexpr Real rough = 1.25;  // maps of which neighbouring lines differ
  if (grid.dimension() > most_kept_dimension) return 0.0;
  Real sum = 0.0;
  for (const Axis& points : grid.axes) {
    AxisCost axis(cost, points, points);
    axis.prepare(epsilon);
    const Real weights = axis.expected_entries() / static_cast<Real>(axis.group());
    if (axis.bilinear() == infinity || weights > most_kept_weights) return 0.0;
    sum += rough * weights + 1.0;
  }
  return sum;
}

std::unique_ptr<KernelOperator> make_separable_operator(const Cost& cost, const Grid& source, const Grid& target,
                                                        Range source_rows, Range target_rows, Real window_cut) {
  return std::make_unique<SeparableOperator>(cost, source, target, source_rows, target_rows, window_cut);
}

Real values_between(const Grid& grid, int ranks, int arrays) {
  const Index points = plane_points(grid);
  const Partition planes(grid.axes[0].n, divide_rows(grid, ranks).tile() / points, ranks);
  return CutAxis::buffered_values(points, planes, ranks, arrays, arrays);
}

std::unique_ptr<KernelOperator> make_slab_operator(const Cost& cost, const Grid& source, const Grid& target,
                                                   const OwnedRows& source_rows, const OwnedRows& target_rows,
                                                   Real window_cut) {
  return std::make_unique<SeparableOperator>(cost, source, target, source_rows, target_rows, window_cut);
}

}  // namespace hpot
