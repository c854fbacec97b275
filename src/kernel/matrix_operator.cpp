#include "hpot/kernel/cost_matrix.hpp"
#include "matrix_sweep.hpp"

#include <cmath>

namespace hpot {
namespace {

using matrix::Moment;
using matrix::Sums;
using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

/// (batch, size) of `value`s, the first entries of every row those of `field`.
Field padded(const ConstField& field, Index size, Real value) {
  const Index batch = static_cast<Index>(field.extent(0));
  const Index n = static_cast<Index>(field.extent(1));
  const Field larger = make_unset_field("hpot::MatrixOperator::padded", batch, size);
  Kokkos::parallel_for(
      "hpot::MatrixOperator::pad", Policy(0, batch * size), KOKKOS_LAMBDA(Index item) {
        const Index j = item % size;
        larger(item / size, j) = j < n ? field(item / size, j) : value;
      });
  return larger;
}

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

/// Sums of all chunks, in their order; u - log of them is softmin/-eps.
matrix::Values total(const matrix::ChunkSums& sums) {
  const matrix::Values all(Kokkos::view_alloc("hpot::MatrixOperator::total", Kokkos::WithoutInitializing),
                           sums.extent(1));
  Kokkos::parallel_for(
      "hpot::MatrixOperator::total", Policy(0, all.size()), KOKKOS_LAMBDA(Index j) {
        Real sum = 0.0;
        for (std::size_t chunk = 0; chunk < sums.extent(0); ++chunk) sum += sums(chunk, j);
        all(j) = sum;
      });
  return all;
}

/// exp(log_b), 0 where it is log_zero.
matrix::Values weights_of(const Field& log_b) {
  const matrix::Values b(Kokkos::view_alloc("hpot::MatrixOperator::weights", Kokkos::WithoutInitializing),
                         log_b.extent(1));
  Kokkos::parallel_for(
      "hpot::MatrixOperator::weights", Policy(0, b.size()),
      KOKKOS_LAMBDA(Index j) { b(j) = log_b(0, j) > 0.5 * log_zero ? Kokkos::exp(log_b(0, j)) : 0.0; });
  return b;
}

template <class T>
class MatrixOperator final : public KernelOperator {
 public:
  MatrixOperator(std::shared_ptr<const CostMatrix> matrix, CostMatrix::Rows<T> rows, const OwnedRows& source,
                 const OwnedRows& target)
      : matrix_(std::move(matrix)), rows_(std::move(rows)), source_(source), target_(target) {}

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision precision) override { precision_ = precision; }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    softmin_of(sums<Moment::none>(side, h, {}), epsilon_, s);
  }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    if (matrix::width == 1 || f.extent(0) != 1) return false;
    const Field u = gathered(quotient(terms.g, epsilon_), log_zero);
    const Field log_b = gathered(terms.log_b, log_zero);
    const auto row = [](const Field& field) { return matrix::Values(field.data(), field.extent(1)); };
    const Index chunks = std::clamp<Index>(source_.local_n() / matrix::rows_at_once, 1, matrix::most_chunks);
    const matrix::ChunkSums sums(Kokkos::view_alloc("hpot::MatrixOperator::chunks", Kokkos::WithoutInitializing),
                                 chunks, columns() + 1);
    const int at_once = matrix::rows_in_cache(columns());
    std::visit(
        [&](const auto& penalty) {
          using Visit = matrix::OneVisit<T, std::decay_t<decltype(penalty)>>;
          const auto scratch = Kokkos::PerTeam(Visit::scratch_bytes(at_once, columns()));
          Kokkos::parallel_for(
              "hpot::MatrixOperator::sweep",
              Kokkos::TeamPolicy<ExecutionSpace>(static_cast<int>(chunks), 1).set_scratch_size(1, scratch),
              Visit{rows_, row(u), row(log_b), weights_of(log_b), terms.log_a, f, sums, penalty, epsilon_, at_once,
                    precision_ == Precision::mixed});
        },
        terms.penalty);
    return finish_sweep(total(sums), u, s);
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    mean_of(sums<Moment::value>(side, h, v), mean);
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    mean_of(sums<Moment::cost>(side, h, {}), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    maxima(side, h, -1.0, m);
    combine(0.0, m, -1.0, m);
  }
  void hard_max(Side side, const ConstField& h, const Field& m) const override { maxima(side, h, 1.0, m); }

 private:
  [[nodiscard]] Index columns() const { return static_cast<Index>(rows_.extent(1)); }

  /// All of `local`, of the target, padded.
  [[nodiscard]] Field gathered(const ConstField& local, Real value) const {
    const Field all = make_unset_field("hpot::MatrixOperator::gathered", static_cast<Index>(local.extent(0)),
                                       target_.partition.global_n());
    target_.along_rows.gather_points(local, all, target_.partition.offsets());
    return padded(all, columns(), value);
  }

  template <Moment what>
  [[nodiscard]] Sums sums(Side side, const ConstField& h, const ConstField& v) const {
    const Index batch = static_cast<Index>(h.extent(0));
    const bool brief = precision_ == Precision::mixed && what == Moment::none;
    const Real rate = 1.0 / epsilon_;
    constexpr bool moment = what != Moment::none;
    if (side == Side::source) {
      const Sums out = make_sums(batch, source_.local_n(), moment);
      const Field values = what == Moment::value ? gathered(v, 0.0) : Field();
      Kokkos::parallel_for("hpot::MatrixOperator::rows", Policy(0, batch * source_.local_n()),
                           matrix::RowSums<T, what>{rows_, gathered(h, log_zero), values, out, rate, brief});
      return out;
    }
    const Sums all = make_sums(batch, columns(), moment);
    const Index strips = (columns() + matrix::strip - 1) / matrix::strip;
    Kokkos::parallel_for("hpot::MatrixOperator::columns", Policy(0, batch * strips),
                         matrix::ColumnSums<T, what>{rows_, h, v, all, rate, brief});
    add_over_ranks(all);
    const Range range = target_.range();
    return {part_of(all.top, range), part_of(all.sum, range), moment ? part_of(all.moment, range) : Field()};
  }

  /// s = eps (u - log c) of the owned columns, c added over ranks; false where what clamped exponentials add to a column
  /// (lanes.hpp: 1e-307 each, or what vanishes) may be more than a 1e-16th of it.
  [[nodiscard]] bool finish_sweep(const matrix::Values& sums, const Field& u, const Field& s) const {
    constexpr Real clamped = 1e-307 * 1e16;
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, sums);
    std::vector<Real> values(host.data(), host.data() + matrix_->columns);
    values.push_back(host(columns()));
    source_.along_rows.sum(values);
    const Real least = clamped * values.back();
    for (Index j = 0; j < matrix_->columns; ++j) {
      if (!(values[j] > least && values[j] < infinity)) return false;  // on all ranks alike
    }
    const std::vector<Real> heights = host_values(u);
    const Range range = target_.range();
    std::vector<Real> mine;
    for (Index j = range.begin; j < range.end; ++j) mine.push_back(epsilon_ * (heights[j] - std::log(values[j])));
    set_entry(s, 0, mine);
    return true;
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
      Kokkos::parallel_for("hpot::MatrixOperator::row_maxima", Policy(0, batch * source_.local_n()),
                           matrix::RowMaxima<T>{rows_, gathered(h, log_zero), m, matrix_->columns, sign});
      return;
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

Index padded_columns(Index columns) { return (columns + lanes::width - 1) / lanes::width * lanes::width; }

std::shared_ptr<KernelOperator> make_matrix_operator(std::shared_ptr<const CostMatrix> matrix, const OwnedRows& source,
                                                     const OwnedRows& target) {
  if (matrix->narrow.extent(1) > 0)
    return std::make_shared<MatrixOperator<float>>(matrix, matrix->narrow, source, target);
  return std::make_shared<MatrixOperator<Real>>(matrix, matrix->wide, source, target);
}

}  // namespace hpot
