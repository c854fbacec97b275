#include "hpot/kernel/adaptive.hpp"

#include "truncated_clouds.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace hpot {
namespace {

using HostPoints = Kokkos::View<Real**, Kokkos::LayoutRight, Kokkos::HostSpace>;

constexpr Index centers = 32;
constexpr Index sampled = 2048;

Real cost_between(const Cost& cost, const HostPoints& points, Index p, Index q) {
  return std::visit(
      [&](const auto& c) {
        Real sum = 0.0;
        for (std::size_t d = 0; d < points.extent(1); ++d) sum += c.along_axis(points(p, d) - points(q, d));
        return c.of_sum(sum);
      },
      cost);
}

/// V of the columns of one side.
class VisitedColumns {
 public:
  VisitedColumns(const Cost& cost, const Points& device_points)
      : count_(static_cast<Real>(device_points.extent(0))), dimension_(static_cast<Real>(device_points.extent(1))) {
    const HostPoints points = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, device_points);
    const auto n = static_cast<Index>(points.extent(0));
    const Index rows = std::min(centers, n), columns = std::min(sampled, n);
    costs_.reserve(static_cast<std::size_t>(rows * columns));
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < columns; ++c) costs_.push_back(cost_between(cost, points, r * n / rows, c * n / columns));
    }
    std::sort(costs_.begin(), costs_.end());
  }
  [[nodiscard]] Real within(Real reach) const {
    if (costs_.empty()) return 0.0;
    const auto below = std::upper_bound(costs_.begin(), costs_.end(), reach) - costs_.begin();
    const Real near = count_ * static_cast<Real>(below) / static_cast<Real>(costs_.size());
    const auto length = [this](Real points) { return std::pow(points, 1.0 / dimension_); };
    return std::min(count_, std::pow(length(near) + length(tile_columns) + length(group_rows), dimension_));
  }
  [[nodiscard]] Real count() const { return count_; }

 private:
  Real count_, dimension_;
  std::vector<Real> costs_;
};

class AdaptiveOperator final : public KernelOperator {
 public:
  AdaptiveOperator(VisitedColumns source, VisitedColumns target, Real cut, std::unique_ptr<KernelOperator> dense,
                   std::unique_ptr<KernelOperator> truncated)
      : source_(std::move(source)),
        target_(std::move(target)),
        cut_(cut),
        dense_(std::move(dense)),
        truncated_(std::move(truncated)) {}

  void prepare(Real epsilon) override {
    dense_->prepare(epsilon);
    truncated_->prepare(epsilon);
    epsilon_ = epsilon;
  }
  void set_precision(Precision precision) override {
    dense_->set_precision(precision);
    truncated_->set_precision(precision);
    precision_ = precision;
  }
  [[nodiscard]] Real softmin_excess() const override { return chosen().softmin_excess(); }

  void softmin(Side side, const ConstField& h, const Field& s) const override { chosen().softmin(side, h, s); }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    return chosen().sweep(terms, f, s);
  }
  [[nodiscard]] bool has_sweep() const override { return chosen().has_sweep(); }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    chosen().average(side, h, v, mean);
  }
  /// At eps = infinity the truncated operator may have moments in place of pairs.
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    (std::isinf(epsilon_) ? *truncated_ : chosen()).average_cost(side, h, mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override { truncated_->hard_min(side, h, m); }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { truncated_->hard_max(side, h, m); }

 private:
  [[nodiscard]] const KernelOperator& chosen() const {
    constexpr Real visits_of_dense = lanes::width > 1 ? 1.0 : 2.0;
    const Real cut = truncated_cut(cut_, precision_);
    const Real reach = cut > 0.0 ? -epsilon_ * std::log(cut) : infinity;
    const Real n = source_.count(), m = target_.count();
    const bool fewer = n * target_.within(reach) + m * source_.within(reach) < visits_of_dense * n * m;
    return fewer ? *truncated_ : *dense_;
  }

  VisitedColumns source_, target_;
  Real cut_;
  std::unique_ptr<KernelOperator> dense_, truncated_;
  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;
};

}  // namespace

std::unique_ptr<KernelOperator> make_adaptive_operator(const Cost& cost, const Points& source, const Points& target,
                                                       Range source_rows, Range target_rows, Real cut,
                                                       std::optional<Communicator> along_rows) {
  return std::make_unique<AdaptiveOperator>(
      VisitedColumns(cost, source), VisitedColumns(cost, target), cut,
      make_dense_operator(cost, source, target, source_rows, target_rows, std::move(along_rows)),
      make_truncated_operator(cost, source, target, source_rows, target_rows, cut));
}

}  // namespace hpot
