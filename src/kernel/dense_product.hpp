// Squared Euclidean costs in few dimensions. Part of dense.hpp.
#pragma once

#include "dense_sides.hpp"

#include <algorithm>

namespace hpot {

/// Mixed sums take scalar products where rounding allows.
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

/// The middle of the box around both sides.
inline Frame frame_of(const HostPoints& source, const HostPoints& target) {
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

template <int dimension>
std::unique_ptr<KernelOperator> make_dense_product(const SquaredEuclidean& cost, const Sides& sides) {
  return sides.make<ProductOperator<dimension>>(cost, frame_of(sides.source_host, sides.target_host));
}

}  // namespace hpot
