#include "hpot/problem/kept_plan.hpp"

#include "hpot/core/field.hpp"

#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Counts = Kokkos::View<Index*, MemorySpace>;

constexpr Real least_share = 1e-5;
constexpr Index fewest_rows = 64;

/// use(target, share) for every entry of a row.
template <class Use>
KOKKOS_FORCEINLINE_FUNCTION void for_row(const KeptEntries& entries, Index row, const Use& use) {
  for (Index e = entries.begin(row); e < entries.begin(row + 1); ++e)
    use(entries.target(e), static_cast<Real>(entries.share(e)));
}

/// Whether `pi` > 0 in [0, 1] lets point i in: by i times the golden ratio, as even along Morton's curve as can be.
KOKKOS_FORCEINLINE_FUNCTION bool drawn(Index i, Real pi) {
  constexpr Real golden = 0.6180339887498949;
  const Real turns = static_cast<Real>(i) * golden;
  return turns - Kokkos::floor(turns) < pi;
}

/// w_i <- 1/pi_i where i is drawn, else 0; pi = min(1, even + slope spread).
void draw(const OwnedRows& rows, const ConstField& spread, Real even, Real slope, const Field& w) {
  const Index first = rows.range().begin;
  Kokkos::parallel_for(
      "hpot::KeptPlan::draw", Policy(0, rows.local_n()), KOKKOS_LAMBDA(Index i) {
        const Real pi = Kokkos::min(1.0, even + slope * spread(0, i));
        w(0, i) = drawn(first + i, pi) ? 1.0 / pi : 0.0;
      });
}

/// The variance of u.y over each row of the plan, u oblique.
Field spread_of_targets(const TransportProblem& problem, const PointCloud& target, const ConstField& g) {
  constexpr Real direction[] = {1.0, 0.618034, 0.414214};
  const OwnedRows& columns = problem.target.rows;
  const Range range = columns.range();
  const auto centre = [&](int d) {
    const auto [low, high] = extent(target, d);
    return 0.5 * (low + high);
  };
  std::vector<Real> along(range.size(), 0.0), square(range.size());
  for (int d = 0; d < std::min(target.dimension, 3); ++d) {
    const Real middle = centre(d);
    for (Index j = 0; j < range.size(); ++j) along[j] += direction[d] * (target.at(range.begin + j, d) - middle);
  }
  for (Index j = 0; j < range.size(); ++j) square[j] = along[j] * along[j];
  const Field h = make_unset_field("hpot::KeptPlan::h", 1, range.size());
  add_log_weight(problem.target.log_weight, g, problem.epsilon, h);
  const auto mean_of = [&](const std::vector<Real>& values) {
    const Field mean = make_unset_field("hpot::KeptPlan::mean", 1, problem.source.rows.local_n());
    problem.kernel->average(Side::source, h, make_field("hpot::KeptPlan::values", 1, values), mean);
    return mean;
  };
  const Field mean = mean_of(along);
  const Field spread = mean_of(square);
  Kokkos::parallel_for(
      "hpot::KeptPlan::spread", Policy(0, spread.extent(1)),
      KOKKOS_LAMBDA(Index i) { spread(0, i) = Kokkos::max(spread(0, i) - mean(0, i) * mean(0, i), 0.0); });
  return spread;
}

/// With it sum_i min(1, slope spread_i) is about `part` of the number of points, or what it can be.
Real slope_for(const OwnedRows& rows, const ConstField& spread, Real part) {
  constexpr int halvings = 40;
  const auto sum = [&](Real slope) {
    return sum_over_points(
        "hpot::KeptPlan::expected", rows, 1,
        KOKKOS_LAMBDA(Index, Index i) { return Kokkos::min(1.0, slope * spread(0, i)); })[0];
  };
  const Real enough = part * static_cast<Real>(rows.partition.global_n());
  Real low = -700.0, high = 700.0;  // of the logarithm
  for (int halving = 0; halving < halvings; ++halving) {
    const Real middle = 0.5 * (low + high);
    (sum(std::exp(middle)) > enough ? high : low) = middle;
  }
  return std::exp(low);
}

struct AddRows {
  KeptEntries entries;
  Field whole, mass;
  KOKKOS_FUNCTION void operator()(Index i) const {
    Real sum = 0.0;
    for_row(entries, i, [&](Index, Real p) { sum += p; });
    mass(0, i) = sum * whole(0, i);
  }
};

/// A row's shares of blocks, runs of `side` targets, for as many as it has room for.
struct RowBlocks {
  static constexpr int most = 64;
  Index block[most];
  Real share[most];
  int count = 0;
  KOKKOS_FUNCTION RowBlocks(const KeptEntries& entries, Index row, Index side) {
    for_row(entries, row, [&](Index target, Real part) {
      const Index at = target / side;
      if (count == 0 || (block[count - 1] != at && count < most)) {
        block[count] = at;
        share[count++] = 0.0;
      }
      share[count - 1] += part;
    });
  }
};

}  // namespace

std::optional<KeptPlan> KeptPlan::of(const TransportProblem& problem, const PointCloud& source,
                                     const PointCloud& target, const Cost& cost, const ConstField& f,
                                     const ConstField& g, Real most) {
  constexpr Real sample = 1.0 / 64.0;
  const OwnedRows& rows = problem.source.rows;
  const CloudPlan plan(problem, source, target, cost, f, g);
  const Field w = make_field("hpot::KeptPlan::chosen", 1, rows.local_n());
  const auto n = static_cast<Real>(source.points());
  draw(rows, w, sample, 0.0, w);
  combine(0.0, w, sample, w);  // no heavier, so that they have the entries that they would have among all
  const Index of_sample = count_entries(plan.rows(w), least_share).global;
  const Real of_a_row = static_cast<Real>(of_sample) / (sample * n);
  const Real enough = most * static_cast<Real>(target.points());
  const Real room = enough / (of_a_row * n);  // as a part of all rows
  if (room * n < static_cast<Real>(fewest_rows) && room < 1.0) return {};
  const Field spread = room < 1.0 ? spread_of_targets(problem, target, g) : Field();
  const auto choose = [&](Real part) {
    if (part < 1.0) {
      draw(rows, spread, 0.5 * part, slope_for(rows, spread, 0.5 * part), w);
    } else {
      Kokkos::deep_copy(w, 1.0);
    }
  };
  choose(room);
  std::optional<PlanSearch> search = plan.rows(w);
  EntryCounts counts = count_entries(*search, least_share);
  if (room < 1.0 && static_cast<Real>(counts.global) > enough) {  // heavy sources have more than they would among all
    choose(room * enough / static_cast<Real>(counts.global));
    search = plan.rows(w);
    counts = count_entries(*search, least_share);
  }
  if (static_cast<Real>(counts.global) > 2.0 * enough) return {};  // the sample was too small to know
  Part by_rows = keep(*search, counts);
  search.reset();  // before the other one takes its memory
  const PlanSearch across = plan.columns(w);
  return KeptPlan(std::move(by_rows), keep(across, count_entries(across, least_share)), of_a_row);
}

KeptPlan::Part KeptPlan::keep(const PlanSearch& search, const EntryCounts& counts) {
  Part part{search.rows, keep_entries(search, least_share, counts), search.mass,
            make_unset_field("hpot::KeptPlan::mass", 1, search.rows.local_n())};
  Kokkos::parallel_for("hpot::KeptPlan::mass", Policy(0, part.rows.local_n()),
                       AddRows{part.entries, part.whole, part.mass});
  return part;
}

Field KeptPlan::gathered(Side side, const ConstField& v) const {
  const OwnedRows& rows = part(side).rows;
  const Field all = make_unset_field("hpot::KeptPlan::gathered", 1, rows.partition.global_n());
  rows.along_rows.gather_points(v, all, rows.partition.offsets());
  return all;
}

void KeptPlan::average(Side side, const ConstField& v, const Field& mean) const {
  const KeptEntries entries = part(side).entries;
  const Field all = gathered(opposite(side), v);
  Kokkos::parallel_for(
      "hpot::KeptPlan::average", Policy(0, part(side).rows.local_n()), KOKKOS_LAMBDA(Index i) {
        Real sum = 0.0, weights = 0.0;
        for_row(entries, i, [&](Index j, Real p) {
          sum += p * all(0, j);
          weights += p;
        });
        mean(0, i) = weights > 0.0 ? sum / weights : 0.0;
      });
}

void KeptPlan::squares(const ConstField& w, const Field& result) const {
  const KeptEntries entries = target_.entries;
  const Field whole = target_.whole;
  const Field all = gathered(Side::source, w);
  Kokkos::parallel_for(
      "hpot::KeptPlan::squares", Policy(0, target_.rows.local_n()), KOKKOS_LAMBDA(Index j) {
        Real sum = 0.0;
        for_row(entries, j, [&](Index i, Real p) { sum += all(0, i) * p * p; });
        result(0, j) = sum * whole(0, j) * whole(0, j);
      });
}

std::vector<BlockCoupling> KeptPlan::couplings(const ConstField& w, const BlockSpace& blocks) const {
  const Index side = blocks.layout().sides[0];
  const Index count = blocks.blocks();
  const Real total = hpot::mass(source_.rows, w)[0];
  if (!(total > 0.0)) return {};
  const Real quantum = std::ldexp(1.0, std::ilogb(total) - 52);
  const KeptEntries entries = source_.entries;
  const Counts counts("hpot::KeptPlan::couplings", count * count);
  Kokkos::parallel_for(
      "hpot::KeptPlan::couplings", Policy(0, source_.rows.local_n()), KOKKOS_LAMBDA(Index i) {
        const RowBlocks row(entries, i, side);
        Real sum = 0.0;
        for (int s = 0; s < row.count; ++s) sum += row.share[s];
        if (!(w(0, i) > 0.0 && sum > 0.0)) return;
        for (int s = 0; s + 1 < row.count; ++s) {
          const Real part = w(0, i) / quantum * row.share[s] / (sum * sum);
          for (int t = s + 1; t < row.count; ++t) {
            const Index quanta = static_cast<Index>(part * row.share[t]);
            if (quanta > 0) Kokkos::atomic_add(&counts(row.block[s] * count + row.block[t]), quanta);
          }
        }
      });
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, counts);
  source_.rows.along_rows.sum(host.data(), host.size());
  std::vector<BlockCoupling> couplings;
  for (Index entry = 0; entry < static_cast<Index>(host.size()); ++entry) {
    if (host(entry) > 0) couplings.push_back({entry / count, entry % count, quantum * static_cast<Real>(host(entry))});
  }
  return couplings;
}

}  // namespace hpot
