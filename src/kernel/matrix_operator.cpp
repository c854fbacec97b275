#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/kernel/distributed.hpp"
#include "matrix_kernels.hpp"
#include "point_sweep.hpp"

#include <cmath>
#include <type_traits>

namespace hpot {
namespace {

using matrix::Moment;
using matrix::Sums;
using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

Sums make_sums(Index batch, Index outputs, bool moment) {
  Sums sums{make_unset_field("hpot::MatrixOperator::top", batch, outputs),
            make_unset_field("hpot::MatrixOperator::sum", batch, outputs),
            {}};
  if (moment) sums.moment = make_unset_field("hpot::MatrixOperator::moment", batch, outputs);
  return sums;
}

/// s = -eps (top + log sum).
void softmin_of(const Sums& sums, Real epsilon, const Field& s) {
  const Field top = sums.top;
  const Field sum = sums.sum;
  Kokkos::parallel_for(
      "hpot::MatrixOperator::softmin_of", Policy(0, s.extent(0) * s.extent(1)), KOKKOS_LAMBDA(Index item) {
        const Index k = item / static_cast<Index>(s.extent(1));
        const Index i = item % static_cast<Index>(s.extent(1));
        s(k, i) = -epsilon * (top(k, i) + Kokkos::log(sum(k, i)));
      });
}

void mean_of(const Sums& sums, const Field& mean) {
  const Field top = sums.top;
  const Field sum = sums.sum;
  const Field moment = sums.moment;
  Kokkos::parallel_for(
      "hpot::MatrixOperator::mean_of", Policy(0, mean.extent(0) * mean.extent(1)), KOKKOS_LAMBDA(Index item) {
        const Index k = item / static_cast<Index>(mean.extent(1));
        const Index i = item % static_cast<Index>(mean.extent(1));
        mean(k, i) = top(k, i) > 0.5 * log_zero ? moment(k, i) / sum(k, i) : 0.0;
      });
}

/// The columns of `range` out of all.
Field part_of(const Field& all, Range range) {
  const Field part = make_unset_field("hpot::MatrixOperator::part", static_cast<Index>(all.extent(0)), range.size());
  Kokkos::deep_copy(part, Kokkos::subview(all, Kokkos::ALL, std::make_pair(range.begin, range.end)));
  return part;
}

template <class T>
class MatrixOperator final : public KernelOperator {
 public:
  MatrixOperator(std::shared_ptr<const CostMatrix> matrix, CostMatrix::Rows<T> rows, const OwnedRows& source,
                 const OwnedRows& target)
      : matrix_(std::move(matrix)), rows_(std::move(rows)), source_(source), target_(target) {}

  [[nodiscard]] Real cost_rounding() const override { return std::is_same_v<T, float> ? 0x1p-24 : 0.0; }

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision precision) override { precision_ = precision; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    if (side == Side::target) {
      softmin_of(column_sums<Moment::none>(h, {}), epsilon_, s);
    } else if (precision_ == Precision::mixed) {
      softmin_of_rows<Precision::mixed>(rows_by(gathered(h)), epsilon_, s);
    } else {
      softmin_of_rows<Precision::full>(rows_by(gathered(h)), epsilon_, s);
    }
  }
  [[nodiscard]] bool has_sweep() const override { return lanes::width > 1; }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    if (!has_sweep()) return false;
    const SweepTerms whole = gathered_terms(terms, target_.along_rows, target_.partition);
    const auto visit = [&](auto precision) {
      const auto terms_of = [&](const ConstField& h) { return rows_by(h); };
      return sweep_of_rows<precision()>(terms_of, whole, epsilon_, target_.range(), source_.along_rows, f, s);
    };
    if (precision_ == Precision::mixed) return visit(std::integral_constant<Precision, Precision::mixed>());
    return visit(std::integral_constant<Precision, Precision::full>());
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    if (side == Side::target) return mean_of(column_sums<Moment::value>(h, v), mean);
    mean_of_rows<MeanOf::values>(rows_by(gathered(h)), gathered(v), mean);
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    if (side == Side::target) return mean_of(column_sums<Moment::cost>(h, {}), mean);
    mean_of_rows<MeanOf::costs>(rows_by(gathered(h)), ConstField(), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    maxima(side, h, -1.0, m);
    combine(0.0, m, -1.0, m);
  }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { maxima(side, h, 1.0, m); }

 private:
  [[nodiscard]] Index columns() const { return static_cast<Index>(rows_.extent(1)); }

  /// All of `local`, of the target.
  [[nodiscard]] Field gathered(const ConstField& local) const {
    const Field all = make_unset_field("hpot::MatrixOperator::gathered", static_cast<Index>(local.extent(0)),
                                       target_.partition.global_n());
    target_.along_rows.gather_points(local, all, target_.partition.offsets());
    return all;
  }
  [[nodiscard]] CostTerms<MatrixCosts<T>> rows_by(const ConstField& h) const {
    return {{rows_, matrix_->columns}, h, log2_e, log2_e / epsilon_};
  }

  template <Moment what>
  [[nodiscard]] Sums column_sums(const ConstField& h, const ConstField& v) const {
    const Index batch = static_cast<Index>(h.extent(0));
    const bool brief = precision_ == Precision::mixed && what == Moment::none;
    constexpr bool moment = what != Moment::none;
    const Sums all = make_sums(batch, columns(), moment);
    const Index strips = (columns() + matrix::strip - 1) / matrix::strip;
    Kokkos::parallel_for("hpot::MatrixOperator::columns", Policy(0, batch * strips),
                         matrix::ColumnSums<T, what>{rows_, h, v, all, 1.0 / epsilon_, brief});
    add_over_ranks(all);
    const Range range = target_.range();
    return {part_of(all.top, range), part_of(all.sum, range), moment ? part_of(all.moment, range) : Field()};
  }

  /// Every rank's sums, relative to its own maxima, to those of all rows.
  void add_over_ranks(const Sums& sums) const {
    if (source_.along_rows.size() == 1) return;
    std::vector<Real> highest = host_values(sums.top);
    const std::vector<Real> own = highest;
    source_.along_rows.max(highest);
    const auto top = Kokkos::create_mirror_view(sums.top);
    std::copy(highest.begin(), highest.end(), top.data());
    Kokkos::deep_copy(sums.top, top);
    for (const Field& field : {sums.sum, sums.moment}) {
      if (field.size() == 0) continue;
      std::vector<Real> values = host_values(field);
      for (std::size_t n = 0; n < values.size(); ++n) values[n] *= std::exp(own[n] - highest[n]);
      source_.along_rows.sum(values);
      const auto host = Kokkos::create_mirror_view(field);
      std::copy(values.begin(), values.end(), host.data());
      Kokkos::deep_copy(field, host);
    }
  }

  void maxima(Side side, const ConstField& h, Real sign, const Field& m) const {
    const Index batch = static_cast<Index>(h.extent(0));
    if (side == Side::source) {
      return extremum_of_rows(CostTerms<MatrixCosts<T>>{{rows_, matrix_->columns}, gathered(h), 1.0, -sign}, 1.0, m);
    }
    const Field all = make_unset_field("hpot::MatrixOperator::maxima", batch, matrix_->columns);
    const Index strips = (matrix_->columns + matrix::strip - 1) / matrix::strip;
    Kokkos::parallel_for("hpot::MatrixOperator::column_maxima", Policy(0, batch * strips),
                         matrix::ColumnMaxima<T>{rows_, h, all, matrix_->columns, sign});
    std::vector<Real> highest = host_values(all);
    source_.along_rows.max(highest);
    const auto host = Kokkos::create_mirror_view(all);
    std::copy(highest.begin(), highest.end(), host.data());
    Kokkos::deep_copy(all, host);
    Kokkos::deep_copy(m, part_of(all, target_.range()));
  }

  std::shared_ptr<const CostMatrix> matrix_;
  CostMatrix::Rows<T> rows_;
  OwnedRows source_, target_;
  Real epsilon_ = 1.0;
  Precision precision_ = Precision::full;
};

}  // namespace

Index padded_columns(Index columns) { return padded(columns); }

Real values_of_visit(Index rows, Index columns) {
  const Index of_thread = std::max<Index>(bytes_of_visit, block_rows * columns * static_cast<Index>(sizeof(Real)));
  const Index threads = ExecutionSpace{}.concurrency();
  return static_cast<Real>(chunks_of(rows) * padded(columns) + threads * of_thread / static_cast<Index>(sizeof(Real)) +
                           5 * columns);
}

std::shared_ptr<KernelOperator> make_matrix_operator(std::shared_ptr<const CostMatrix> matrix, const OwnedRows& source,
                                                     const OwnedRows& target) {
  if (matrix->narrow.extent(1) > 0)
    return std::make_shared<MatrixOperator<float>>(matrix, matrix->narrow, source, target);
  return std::make_shared<MatrixOperator<Real>>(matrix, matrix->wide, source, target);
}

}  // namespace hpot
