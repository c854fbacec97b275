#include "hpot/kernel/geodesic.hpp"

#include "hpot/core/error.hpp"
#include "hpot/kernel/lanes.hpp"
#include "hpot/measure/geodesics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace hpot {
namespace {

using Row = std::vector<std::pair<Index, Real>>;

/// Distances within `radius` from the owned vertices.
std::vector<Row> searched(const Mesh& mesh, Real radius, Range rows) {
  const Geodesics geodesics(mesh);
  std::vector<Row> found(rows.size());
  using Host = Kokkos::DefaultHostExecutionSpace;
  const Index parts = std::min<Index>(rows.size(), Host{}.concurrency());
  Kokkos::parallel_for("hpot::searched", Kokkos::RangePolicy<Host, Kokkos::IndexType<Index>>(0, parts),
                       [&](const Index part) {
                         Geodesics::Workspace workspace;
                         for (Index i = part; i < rows.size(); i += parts)
                           found[i] = geodesics.within(radius, rows.begin + i, workspace);
                       });
  return found;
}

/// max, or sums over the weights exp(x - top), of a row's terms.
struct NearRows {
  NearCosts near;
  ConstField h, v;
  Field out;
  Real rate;   // 1/eps; of maxima a sign
  Real scale;  // of what comes out

  /// Columns in vectors: f(first, count) of at most lanes::width.
  template <class F>
  KOKKOS_FORCEINLINE_FUNCTION void for_vectors(Index i, const F& f) const {
    const Index end = near.begin(i + 1);
    for (Index p = near.begin(i); p < end; p += lanes::width)
      f(p, static_cast<int>(Kokkos::min<Index>(lanes::width, end - p)));
  }
  KOKKOS_FORCEINLINE_FUNCTION Real term(Index k, Index p) const { return h(k, near.columns(p)) - near.costs(p) * rate; }
  KOKKOS_FORCEINLINE_FUNCTION Real largest(Index k, Index i) const {
    Real top = log_zero;
    for (Index p = near.begin(i); p < near.begin(i + 1); ++p) top = Kokkos::max(top, term(k, p));
    return top;
  }
  /// exp(x - top) of a vector of columns; 0 beyond the row's end.
  KOKKOS_FORCEINLINE_FUNCTION void weights(Index k, Index p, int count, Real top, Real* to) const {
    Real x[lanes::width];
    for (int l = 0; l < lanes::width; ++l) x[l] = l < count ? term(k, p + l) - top : 2.0 * log_zero;
    lanes::store(to, lanes::exp(lanes::load(x)));
  }
};

struct NearSoftmin : NearRows {
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Index rows = static_cast<Index>(out.extent(1)), k = item / rows, i = item % rows;
    const Real top = largest(k, i);
    Real sum = 0.0;
    for_vectors(i, [&](Index p, int count) {
      Real e[lanes::width];
      weights(k, p, count, top, e);
      for (int l = 0; l < count; ++l) sum += e[l];
    });
    out(k, i) = scale * (top + Kokkos::log(sum));
  }
};

/// Of v, or of costs where there is none.
struct NearMean : NearRows {
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Index rows = static_cast<Index>(out.extent(1)), k = item / rows, i = item % rows;
    const Real top = largest(k, i);
    Real sum = 0.0, moment = 0.0;
    for_vectors(i, [&](Index p, int count) {
      Real e[lanes::width];
      weights(k, p, count, top, e);
      for (int l = 0; l < count; ++l) {
        sum += e[l];
        moment += e[l] * (v.extent(1) > 0 ? v(k, near.columns(p + l)) : near.costs(p + l));
      }
    });
    out(k, i) = top > 0.5 * log_zero ? moment / sum : 0.0;
  }
};

/// scale * max (h - rate C) over h > log_zero.
struct NearMaximum : NearRows {
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Index rows = static_cast<Index>(out.extent(1)), k = item / rows, i = item % rows;
    Real top = log_zero;
    for (Index p = near.begin(i); p < near.begin(i + 1); ++p) {
      if (h(k, near.columns(p)) > 0.5 * log_zero) top = Kokkos::max(top, term(k, p));
    }
    out(k, i) = scale * top;
  }
};

class NearOperator final : public KernelOperator {
 public:
  explicit NearOperator(std::shared_ptr<const NearCosts> near) : near_(std::move(near)) {}

  void prepare(Real epsilon) override { epsilon_ = epsilon; }
  void set_precision(Precision) override {}
  [[nodiscard]] KnownCosts known_costs() const override { return KnownCosts::near; }
  void softmin(Side, const ConstField& h, const Field& s) const override {
    launch(NearSoftmin{{*near_, h, {}, s, 1.0 / epsilon_, -epsilon_}});
  }
  void average(Side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    launch(NearMean{{*near_, h, v, mean, 1.0 / epsilon_, 1.0}});
  }
  void average_cost(Side, const ConstField& h, const Field& mean) const override {
    launch(NearMean{{*near_, h, {}, mean, 1.0 / epsilon_, 1.0}});
  }
  void hard_min(Side, const ConstField& h, const Field& m) const override {
    launch(NearMaximum{{*near_, h, {}, m, 1.0, -1.0}});
  }
  void hard_max(Side, const ConstField& h, const Field& m) const override {
    launch(NearMaximum{{*near_, h, {}, m, -1.0, 1.0}});
  }

 private:
  template <class Rows>
  static void launch(const Rows& rows) {
    Kokkos::parallel_for("hpot::NearOperator",
                         Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, rows.out.size()), rows);
  }

  std::shared_ptr<const NearCosts> near_;
  Real epsilon_ = 1.0;
};

}  // namespace

std::shared_ptr<const NearCosts> make_near_costs(const Mesh& mesh, Real radius, const OwnedRows& rows) {
  const std::vector<Row> found = searched(mesh, radius, rows.range());
  std::vector<Index> begin{0};
  for (const Row& row : found) begin.push_back(begin.back() + static_cast<Index>(row.size()));
  auto near = std::make_shared<NearCosts>();
  near->begin = Kokkos::View<Index*, MemorySpace>("hpot::NearCosts::begin", begin.size());
  near->columns = Kokkos::View<std::int32_t*, MemorySpace>("hpot::NearCosts::columns", begin.back());
  near->costs = Kokkos::View<Real*, MemorySpace>("hpot::NearCosts::costs", begin.back());
  const auto host_begin = Kokkos::create_mirror_view(near->begin);
  const auto columns = Kokkos::create_mirror_view(near->columns);
  const auto costs = Kokkos::create_mirror_view(near->costs);
  std::copy(begin.begin(), begin.end(), host_begin.data());
  Real largest = 0.0;
  Index p = 0;
  for (const Row& row : found) {
    for (const auto& [vertex, distance] : row) {
      columns(p) = static_cast<std::int32_t>(vertex);
      costs(p++) = distance * distance;
      largest = std::max(largest, distance * distance);
    }
  }
  Kokkos::deep_copy(near->begin, host_begin);
  Kokkos::deep_copy(near->columns, columns);
  Kokkos::deep_copy(near->costs, costs);
  near->largest = rows.along_rows.max(largest);
  return near;
}

std::shared_ptr<const CostMatrix> make_geodesic_matrix(const Mesh& mesh, bool short_storage, const OwnedRows& rows) {
  require(mesh.components == 1, mesh.name,
          std::to_string(mesh.components) + " components, between which there is no distance",
          "set cost.radius, or solve each by itself");
  const std::vector<Row> found = searched(mesh, infinity, rows.range());
  auto matrix = std::make_shared<CostMatrix>();
  matrix->rows = matrix->columns = mesh.points();
  Real largest = 0.0;
  const auto fill = [&](auto& to) {
    using Values = std::decay_t<decltype(to)>;
    to = Values("hpot::CostMatrix", rows.local_n(), padded_columns(matrix->columns));
    const auto host = Kokkos::create_mirror_view(to);
    for (Index i = 0; i < rows.local_n(); ++i) {
      for (const auto& [j, distance] : found[i]) {
        host(i, j) = static_cast<typename Values::non_const_value_type>(distance * distance);
        largest = std::max(largest, static_cast<Real>(host(i, j)));
      }
    }
    Kokkos::deep_copy(to, host);
  };
  if (short_storage) {
    fill(matrix->narrow);
  } else {
    fill(matrix->wide);
  }
  matrix->largest = rows.along_rows.max(largest);
  return matrix;
}

std::unique_ptr<KernelOperator> make_near_operator(std::shared_ptr<const NearCosts> near) {
  return std::make_unique<NearOperator>(std::move(near));
}

Real near_pairs(const Mesh& mesh, Real radius) {
  const Real area = std::accumulate(mesh.areas->begin(), mesh.areas->end(), 0.0);
  const auto points = static_cast<Real>(mesh.points());
  return std::min(points, 1.0 + std::numbers::pi * radius * radius * points / area);
}

}  // namespace hpot
