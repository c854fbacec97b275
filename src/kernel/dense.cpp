#include "hpot/kernel/dense.hpp"

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

/// C_ij computed on the fly. `i` is a local row of the output side.
template <class C>
struct ComputedCost {
  C cost;
  Points out, in;
  Index first;
  [[nodiscard]] Index columns() const { return static_cast<Index>(in.extent(0)); }
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(Index i, Index j) const {
    Real sum = 0.0;
    for (std::size_t d = 0; d < in.extent(1); ++d) sum += cost.along_axis(out(first + i, d) - in(j, d));
    return cost.of_sum(sum);
  }
};

struct StoredCost {
  Points matrix;  // (local rows, columns)
  [[nodiscard]] Index columns() const { return static_cast<Index>(matrix.extent(1)); }
  KOKKOS_FORCEINLINE_FUNCTION Real operator()(Index i, Index j) const { return matrix(i, j); }
};

// Reductions of one row; ledger per pair: the cost, 3 flops and, but for the extremum, one exp.

template <class C>
struct RowSoftmin {
  C cost;
  ConstField h;
  Field s;
  Index columns;
  Real epsilon;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index k = rank / static_cast<Index>(s.extent(1));
    const Index i = rank % static_cast<Index>(s.extent(1));
    Real top = 2.0 * log_zero;
    for (Index j = 0; j < columns; ++j) top = Kokkos::max(top, h(k, j) - cost(i, j) / epsilon);
    Real sum = 0.0;
    for (Index j = 0; j < columns; ++j) sum += Kokkos::exp((h(k, j) - top) - cost(i, j) / epsilon);
    s(k, i) = -epsilon * (top + Kokkos::log(sum));
  }
};

/// Mean under the row's weights of v or, where v is empty, of the cost.
template <class C>
struct RowMean {
  C cost;
  ConstField h, v;
  Field s;
  Index columns;
  Real epsilon;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index k = rank / static_cast<Index>(s.extent(1));
    const Index i = rank % static_cast<Index>(s.extent(1));
    Real top = 2.0 * log_zero;
    for (Index j = 0; j < columns; ++j) top = Kokkos::max(top, h(k, j) - cost(i, j) / epsilon);
    Real sum = 0.0;
    Real moment = 0.0;
    for (Index j = 0; j < columns; ++j) {
      const Real weight = Kokkos::exp((h(k, j) - top) - cost(i, j) / epsilon);
      sum += weight;
      moment += weight * (v.data() == nullptr ? cost(i, j) : v(k, j));
    }
    s(k, i) = top > 0.5 * log_zero ? moment / sum : 0.0;
  }
};

/// outer * max_j (h_j + sign * C_ij).
template <class C>
struct RowExtremum {
  C cost;
  ConstField h;
  Field s;
  Index columns;
  Real sign;
  Real outer;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index k = rank / static_cast<Index>(s.extent(1));
    const Index i = rank % static_cast<Index>(s.extent(1));
    Real best = log_zero;
    for (Index j = 0; j < columns; ++j) {
      if (h(k, j) > 0.5 * log_zero) best = Kokkos::max(best, h(k, j) + sign * cost(i, j));
    }
    s(k, i) = outer * best;
  }
};

template <class C>
class PointOperator final : public KernelOperator {
 public:
  PointOperator(C source, C target) : source_(source), target_(target) {}

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision) override {}

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    const C& cost = at(side);
    Kokkos::parallel_for("hpot::PointOperator::softmin", Policy(0, s.size()),
                         RowSoftmin<C>{cost, h, s, cost.columns(), epsilon_});
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    const C& cost = at(side);
    Kokkos::parallel_for("hpot::PointOperator::average", Policy(0, mean.size()),
                         RowMean<C>{cost, h, v, mean, cost.columns(), epsilon_});
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    average(side, h, ConstField(), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override { extremum(at(side), h, m, -1.0, -1.0); }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { extremum(at(side), h, m, 1.0, 1.0); }

 private:
  [[nodiscard]] const C& at(Side side) const { return side == Side::source ? source_ : target_; }
  static void extremum(const C& cost, const ConstField& h, const Field& m, Real sign, Real outer) {
    Kokkos::parallel_for("hpot::PointOperator::extremum", Policy(0, m.size()),
                         RowExtremum<C>{cost, h, m, cost.columns(), sign, outer});
  }

  C source_;
  C target_;
  Real epsilon_ = 1.0;
};

template <class C>
struct FillRows {
  ComputedCost<C> cost;
  Points matrix;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index columns = static_cast<Index>(matrix.extent(1));
    matrix(rank / columns, rank % columns) = cost(rank / columns, rank % columns);
  }
};

template <class C>
StoredCost stored_rows(const ComputedCost<C>& cost, Range rows) {
  const Points matrix("hpot::StoredOperator::cost", rows.size(), cost.columns());
  Kokkos::parallel_for("hpot::StoredOperator::fill", Policy(0, matrix.size()), FillRows<C>{cost, matrix});
  return {matrix};
}

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
                                                    Range source_rows, Range target_rows) {
  return std::visit(
      [&](const auto& c) -> std::unique_ptr<KernelOperator> {
        using Computed = ComputedCost<std::decay_t<decltype(c)>>;
        return std::make_unique<PointOperator<Computed>>(Computed{c, source, target, source_rows.begin},
                                                         Computed{c, target, source, target_rows.begin});
      },
      cost);
}

std::unique_ptr<KernelOperator> make_stored_operator(const Cost& cost, const Points& source, const Points& target,
                                                     Range source_rows, Range target_rows) {
  return std::visit(
      [&](const auto& c) -> std::unique_ptr<KernelOperator> {
        using Computed = ComputedCost<std::decay_t<decltype(c)>>;
        const StoredCost rows = stored_rows(Computed{c, source, target, source_rows.begin}, source_rows);
        const bool symmetric = source.data() == target.data() && source_rows.begin == target_rows.begin &&
                               source_rows.end == target_rows.end;
        return std::make_unique<PointOperator<StoredCost>>(
            rows, symmetric ? rows : stored_rows(Computed{c, target, source, target_rows.begin}, target_rows));
      },
      cost);
}

}  // namespace hpot
