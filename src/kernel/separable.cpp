#include "hpot/kernel/separable.hpp"

#include "hpot/core/field.hpp"
#include "hpot/kernel/axis_kernels.hpp"

#include <algorithm>
#include <array>

namespace hpot {
namespace {

using Buffer = Kokkos::View<Real*, MemorySpace>;

constexpr Index batch_values = Index{1} << 22;  // work arrays hold so many values, or one batch entry

class SeparableOperator final : public KernelOperator {
 public:
  SeparableOperator(const Cost& cost, const Grid& source, const Grid& target, Range source_rows, Range target_rows)
      : source_(make_side(cost, source, target, source_rows)), target_(make_side(cost, target, source, target_rows)) {}

  void prepare(Real epsilon) override {
    epsilon_ = epsilon;
    for (SideData* side : {&source_, &target_}) {
      for (AxisCost& axis : side->axes) axis.prepare(epsilon);
    }
  }

  void set_precision(Precision precision) override { precision_ = precision; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    for_axes(side, h, s, [this](const AxisCost& axis, const AxisPass& pass) {
      if (axis.fits_product()) {
        product_along(axis, pass);
      } else {
        log_sum_exp_along(axis, pass, precision_);
      }
    });
    combine(0.0, s, -epsilon_, s);
  }

  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    for_axes(side, h, m, [](const AxisCost& axis, const AxisPass& pass) { max_along(axis, pass, -1.0); });
    combine(0.0, m, -1.0, m);
  }

  void hard_max(Side side, const ConstField& h, const Field& m) const override {
    for_axes(side, h, m, [](const AxisCost& axis, const AxisPass& pass) { max_along(axis, pass, 1.0); });
  }

  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    const std::size_t size = work_size(at(side));
    Buffer moments[2] = {Buffer("hpot::Separable::moment", size), Buffer("hpot::Separable::moment", size)};
    const Field sums("hpot::Separable::sums", mean.extent(0), mean.extent(1));
    Index pass_number = 0;
    for_axes(side, h, sums, [&](const AxisCost& axis, const AxisPass& pass) {
      const Buffer& from = moments[pass_number % 2];
      const Buffer& to = moments[(pass_number + 1) % 2];
      if (pass_number % at(side).dimension() == 0) Kokkos::deep_copy(from, 0.0);
      mean_along(axis, pass, from.data(), to.data());
      if (++pass_number % at(side).dimension() == 0) copy_last(to, pass, sums, mean);
    });
  }

 private:
  /// What outputs on one side need: an AxisCost per axis, the outputs' planes, the sizes of the arrays between passes.
  struct SideData {
    std::vector<AxisCost> axes;
    Index first_plane = 0;
    Index planes = 0;
    Index points_in = 1;
    [[nodiscard]] int dimension() const { return static_cast<int>(axes.size()); }
    /// Values of one batch entry before pass `axis`.
    [[nodiscard]] Index values_before(int axis) const {
      Index values = 1;
      for (int d = 0; d < dimension(); ++d) {
        values *= d >= axis ? axes[d].n_in() : d == 0 ? planes : axes[d].n_out();
      }
      return values;
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

  [[nodiscard]] const SideData& at(Side side) const { return side == Side::source ? source_ : target_; }

  [[nodiscard]] static Index largest_array(const SideData& side) {
    Index largest = 0;
    for (int d = 1; d < side.dimension(); ++d) largest = std::max(largest, side.values_before(d));
    return largest;
  }
  [[nodiscard]] static Index batch_at_once(const SideData& side) {
    return std::max<Index>(1, batch_values / std::max<Index>(1, std::max(largest_array(side), side.points_in)));
  }
  [[nodiscard]] static std::size_t work_size(const SideData& side) {
    const Index largest = std::max(largest_array(side), std::max(side.points_in, side.values_before(side.dimension())));
    return static_cast<std::size_t>(batch_at_once(side) * largest);
  }

  /// Runs `reduce` along every axis in turn, slowest first, for as many batch entries at once as the work arrays hold.
  template <class Reduce>
  void for_axes(Side which, const ConstField& h, const Field& s, const Reduce& reduce) const {
    const SideData& side = at(which);
    const Index batch = static_cast<Index>(h.extent(0));
    const int dimension = side.dimension();
    if (side.planes == 0 || batch == 0) return;
    const Index at_once = std::min(batch, batch_at_once(side));
    reserve(static_cast<std::size_t>(at_once * largest_array(side)), dimension);
    for (Index k = 0; k < batch; k += at_once) {
      const Index entries = std::min(at_once, batch - k);
      const Real* from = h.data() + k * side.points_in;
      for (int d = 0; d < dimension; ++d) {
        AxisPass pass;
        pass.in = from;
        pass.out = d + 1 == dimension ? s.data() + k * static_cast<Index>(s.extent(1)) : work_[d % 2].data();
        pass.batch = entries;
        pass.lines = side.values_before(d) / side.axes[d].n_in();
        pass.first = d == 0 ? side.first_plane : 0;
        pass.count = d == 0 ? side.planes : side.axes[d].n_out();
        reduce(side.axes[d], pass);
        from = pass.out;
      }
    }
  }

  void reserve(std::size_t size, int dimension) const {
    for (int w = 0; w < std::min(2, dimension - 1); ++w) {
      if (work_[w].extent(0) < size)
        work_[w] = Buffer(Kokkos::view_alloc("hpot::Separable::work", Kokkos::WithoutInitializing), size);
    }
  }

  /// The outputs of the pass just run are the entries of `sums` that start at pass.out; the same ones of `mean`.
  static void copy_last(const Buffer& from, const AxisPass& pass, const Field& sums, const Field& mean) {
    const Index begin = pass.out - sums.data();
    const Index size = pass.batch * pass.lines * pass.count;
    const Buffer whole(mean.data(), mean.size());
    Kokkos::deep_copy(Kokkos::subview(whole, std::make_pair(begin, begin + size)),
                      Kokkos::subview(from, std::make_pair(Index{0}, size)));
  }

  SideData source_;
  SideData target_;
  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;
  mutable std::array<Buffer, 2> work_;
};

}  // namespace

std::unique_ptr<KernelOperator> make_separable_operator(const Cost& cost, const Grid& source, const Grid& target,
                                                        Range source_rows, Range target_rows) {
  return std::make_unique<SeparableOperator>(cost, source, target, source_rows, target_rows);
}

}  // namespace hpot
