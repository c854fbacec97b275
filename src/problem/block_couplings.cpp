#include "hpot/problem/block_couplings.hpp"

#include "hpot/core/field.hpp"

#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Counts = Kokkos::View<Index*, MemorySpace>;
using Layout = BlockSpace::Layout;

constexpr int stripes = 5;
constexpr int beside = stripes / 2;  // blocks on either side of the one at the mean
static_assert(counts_along(2) == 2 * stripes - 1);

/// Where a row puts its mass along an axis: shares of the blocks middle - 2 to middle + 2.
struct AxisShares {
  int middle;
  float share[stripes];
};
using RowShares = Kokkos::View<AxisShares*, MemorySpace>;

struct SetMiddle {
  Field mean;  // in blocks
  Index blocks;
  RowShares rows;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Real inside = Kokkos::max(0.0, Kokkos::min(mean(0, i), static_cast<Real>(blocks) - 0.5));
    rows(i) = {static_cast<int>(inside), {0.0F, 0.0F, 0.0F, 0.0F, 0.0F}};
  }
};

/// The share of every fifth block belongs to the one of them that is nearest to the mean.
struct SetStripe {
  Field share;
  int stripe;
  RowShares rows;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const int away = (stripe - rows(i).middle % stripes + beside + stripes) % stripes;
    rows(i).share[away] = static_cast<float>(Kokkos::max(0.0, Kokkos::min(share(0, i), 1.0)));
  }
};

/// Difference of two blocks' positions: at most 4 along every axis that has blocks.
struct Stencil {
  Index reach[3], width[3];
  explicit Stencil(const Layout& layout) {
    for (int d = 0; d < 3; ++d) {
      width[d] = counts_along(layout.blocks[d]);
      reach[d] = width[d] / 2;
    }
  }
  [[nodiscard]] Index size() const { return width[0] * width[1] * width[2]; }
  [[nodiscard]] KOKKOS_FUNCTION Index number(Index z, Index y, Index x) const {
    return ((z + reach[0]) * width[1] + y + reach[1]) * width[2] + x + reach[2];
  }
  /// Of the blocks' numbers.
  [[nodiscard]] Index step(Index number, const Layout& layout) const {
    const Index z = number / (width[1] * width[2]) - reach[0];
    const Index y = number / width[2] % width[1] - reach[1];
    return (z * layout.blocks[1] + y) * layout.blocks[2] + number % width[2] - reach[2];
  }
};

/// The blocks along an axis that a row lies in, in ascending order, and its shares there.
struct Places {
  Index block[stripes] = {0};
  Real share[stripes] = {1.0};
  int count = 1;
  KOKKOS_FUNCTION Places() = default;
  KOKKOS_FUNCTION Places(const AxisShares& row, Index blocks) : count(0) {
    constexpr float least = 1e-8F;
    for (int s = 0; s < stripes; ++s) {
      const Index b = row.middle - beside + s;
      if (b < 0 || b >= blocks || !(row.share[s] > least)) continue;
      block[count] = b;
      share[count++] = static_cast<Real>(row.share[s]);
    }
  }
};

struct AddCouplings {
  Field mass;  // q r, in quanta
  RowShares shares[3];
  Layout layout;
  Stencil stencil;
  Index stencil_size;
  Counts counts;  // by the first block and by where the second lies from there

  [[nodiscard]] KOKKOS_FUNCTION Places places(int axis, Index i) const {
    return layout.blocks[axis] == 1 ? Places() : Places(shares[axis](i), layout.blocks[axis]);
  }

  KOKKOS_FUNCTION void operator()(Index i) const {
    if (!(mass(0, i) > 0.0)) return;
    const Places z = places(0, i);
    const Places y = places(1, i);
    const Places x = places(2, i);
    const int all = z.count * y.count * x.count;
    for (int s = 0; s + 1 < all; ++s) {
      const int from[3] = {s / (y.count * x.count), s / x.count % y.count, s % x.count};
      const Real part = mass(0, i) * z.share[from[0]] * y.share[from[1]] * x.share[from[2]];
      const Index first =
          (z.block[from[0]] * layout.blocks[1] + y.block[from[1]]) * layout.blocks[2] + x.block[from[2]];
      for (int t = s + 1; t < all; ++t) {
        const int to[3] = {t / (y.count * x.count), t / x.count % y.count, t % x.count};
        const Index quanta = static_cast<Index>(part * z.share[to[0]] * y.share[to[1]] * x.share[to[2]]);
        if (quanta == 0) continue;
        const Index away = stencil.number(z.block[to[0]] - z.block[from[0]], y.block[to[1]] - y.block[from[1]],
                                          x.block[to[2]] - x.block[from[2]]);
        Kokkos::atomic_add(&counts(first * stencil_size + away), quanta);
      }
    }
  }
};

RowShares axis_shares(const DualHessian& hessian, const BlockSpace& blocks, int axis, const Field& work,
                      const Field& average, const Field& rest) {
  const Policy points(0, hessian.source_rows().local_n());
  const RowShares rows(Kokkos::view_alloc("hpot::BlockCouplings::shares", Kokkos::WithoutInitializing),
                       hessian.source_rows().local_n());
  blocks.set_positions(axis, work);
  hessian.row_averages(work, average);
  Kokkos::parallel_for("hpot::BlockCouplings::set_middle", points,
                       SetMiddle{average, blocks.layout().blocks[axis], rows});
  Kokkos::deep_copy(rest, 1.0);
  for (int stripe = 0; stripe < stripes; ++stripe) {
    const bool last = stripe + 1 == stripes;
    if (!last) {
      blocks.indicate_stripes(axis, stripes, stripe, work);
      hessian.row_averages(work, average);
      combine(-1.0, average, 1.0, rest);
    }
    Kokkos::parallel_for("hpot::BlockCouplings::set_stripe", points, SetStripe{last ? rest : average, stripe, rows});
  }
  return rows;
}

}  // namespace

Index products_of_couplings(const BlockSpace& blocks) {
  Index axes = 0;
  for (const Index along : blocks.layout().blocks) axes += along > 1 ? 1 : 0;
  return stripes * axes;
}

std::vector<BlockCoupling> block_couplings(const DualHessian& hessian, const BlockSpace& blocks, const Field& work) {
  const Layout& layout = blocks.layout();
  const OwnedRows& rows = hessian.source_rows();
  const Field terms = make_unset_field("hpot::BlockCouplings::row_terms", 1, rows.local_n());
  if (hessian.kept_plan() != nullptr) {
    hessian.row_terms(terms);
    return hessian.kept_plan()->couplings(terms, blocks);
  }
  AddCouplings add{terms, {}, layout, Stencil(layout), Stencil(layout).size(), {}};
  {
    const Field rest = make_unset_field("hpot::BlockCouplings::rest", 1, rows.local_n());
    for (int axis = 0; axis < 3; ++axis) {
      if (layout.blocks[axis] > 1) add.shares[axis] = axis_shares(hessian, blocks, axis, work, terms, rest);
    }
  }
  hessian.row_terms(terms);
  const Real total = mass(rows, terms)[0];
  if (!(total > 0.0)) return {};
  const Real quantum = std::ldexp(1.0, std::ilogb(total) - 52);
  combine(0.0, terms, 1.0 / quantum, terms);
  add.counts = Counts("hpot::BlockCouplings::counts", blocks.blocks() * add.stencil_size);
  Kokkos::parallel_for("hpot::BlockCouplings::add", Policy(0, rows.local_n()), add);

  const auto counts = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, add.counts);
  rows.along_rows.sum(counts.data(), counts.size());
  std::vector<BlockCoupling> couplings;
  for (Index entry = 0; entry < static_cast<Index>(counts.size()); ++entry) {
    if (counts(entry) == 0) continue;
    const Index first = entry / add.stencil_size;
    const Index second = first + add.stencil.step(entry % add.stencil_size, layout);
    couplings.push_back({first, second, quantum * static_cast<Real>(counts(entry))});
  }
  return couplings;
}

}  // namespace hpot
