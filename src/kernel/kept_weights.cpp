#include "hpot/kernel/kept_weights.hpp"

#include "axis_counts.hpp"

namespace hpot {
namespace {

using Begins = Kokkos::View<Index* [3], MemorySpace>;
using Window = KeptWeights::Window;

/// What for_windows hands on, one window after the other.
struct KeepOfWindows {
  const TileWork& work;
  const TileWork::Item& item;
  Wide line_max;
  Window* window;
  Wide* kept;
  Wide* reciprocals;
  Wide values[rows_at_once] = {};
  Wide sums[rows_at_once];

  KOKKOS_FORCEINLINE_FUNCTION KeepOfWindows(const TileWork& w, const TileWork::Item& i, Wide line_maxima, Window* to,
                                            Wide* weights, Wide* inverse)
      : work(w), item(i), line_max(line_maxima), window(to), kept(weights), reciprocals(inverse) {
    for (auto& sum : sums) sum = lanes::broadcast(1.0);
  }

  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void formed(const Weights& weights, Index first, Index outputs) {
    *window++ = {first, outputs, weights.left, weights.count};
    for (Index j = 0; j < weights.count; ++j) kept[j] = weights.values[j];
    kept += weights.count;
  }
  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void alone(Index r, Index i, Weights& weights) {
    weights.form(i);
    formed(weights, i, 1);
    sums[r] = sum_of(weights.values, weights.count);
    values[r] = weights.top + lanes::log(sums[r]);
  }
  template <Index rows, class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void together(Index at, const Shared& shared, const Weights& weights) {
    multiply_rows<rows>(weights.values, weights.count, shared.ratio, rows_at_once, 1, sums + at);
    for (Index r = 0; r < rows; ++r) values[at + r] = (weights.top + shared.shift(r)) + lanes::log(sums[at + r]);
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(Index i) {
    for (Index r = 0; r < rows_at_once; ++r) {
      values[r] = lanes::where_greater(line_max, 0.5 * log_zero, values[r], log_zero);
      *reciprocals++ = lanes::where_greater(line_max, 0.5 * log_zero, lanes::broadcast(1.0) / sums[r], 0.0);
    }
    work.store_outputs(item, i, values, work.pass.out);
  }
};

struct KeepTiles {
  TileWork work;
  Begins begins;
  Window* windows;
  Wide* values;
  Wide* reciprocals;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const Index n = tables.n_in;
    const Index rank = team.league_rank();
    const auto item = work.item(rank);
    Wide* scratch = scratch_of(team, CountTiles::scratch_values(n));
    WindowedTile tile(work, item, tables.scaled, work.pass.cut, tables.group, scratch);
    if (tile.all_dead()) return fill(work, item, log_zero, work.pass.out);
    Weights<Precision::full> weights{tile, tables, scratch + WindowedTile::scratch_values(n)};
    KeepOfWindows reduce(work, item, tile.line_max(), windows + begins(rank, 0), values + begins(rank, 1),
                         reciprocals + begins(rank, 2));
    for_windows(item, tile, weights, reduce);
  }
};

/// Means of a tile of lines under kept weights.
struct KeptMeanTiles {
  TileWork work;
  Begins begins;
  const Window* windows;
  const Wide* values;
  const Wide* reciprocals;
  const Real* in_mean;
  Real* out_mean;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Index n = work.tables.n_in;
    const Index rank = team.league_rank();
    const auto item = work.item(rank);
    const Window* window = windows + begins(rank, 0);
    const Window* end = windows + begins(rank + 1, 0);
    if (window == end) return fill(work, item, 0.0, out_mean);
    Wide* mean = scratch_of(team, 2 * n);
    Wide* products = mean + n;
    work.load_tile(item, in_mean, mean, 0.0);
    const Wide* weights = values + begins(rank, 1);
    const Wide* reciprocal = reciprocals + begins(rank, 2);
    while (window < end) {
      Wide moments[rows_at_once] = {};
      const auto take = [&] {
        for (Index j = 0; j < window->count; ++j) products[j] = weights[j] * mean[window->left + j];
        weights += window->count;
      };
      const auto store = [&](Index i) {
        for (Index r = 0; r < rows_at_once; ++r) moments[r] = moments[r] * *reciprocal++;
        work.store_outputs(item, i, moments, out_mean);
      };
      if (window->outputs < rows_at_once) {
        const Index i = window->first / rows_at_once * rows_at_once;
        for (; window < end && window->first < i + rows_at_once; ++window) {
          take();
          Wide* sums = moments + (window->first - i);
          if (window->outputs == 1) {
            *sums = sum_of(products, window->count);
          } else {
            const Real* ratio = ratios_of(work.tables, window->first, few_rows, window->first, window->count);
            multiply_rows<few_rows>(products, window->count, ratio, rows_at_once, 1, sums);
          }
        }
        store(i);
        continue;
      }
      take();
      for (Index i = window->first; i < window->first + window->outputs; i += rows_at_once) {
        if (i + rows_at_once <= item.begin || i >= item.end) continue;
        const Real* ratio = ratios_of(work.tables, window->first, window->outputs, i, window->count);
        multiply_rows(products, window->count, ratio, rows_at_once, 1, moments);
        store(i);
      }
      ++window;
    }
  }
};

const Wide* wide(const Kokkos::View<Real*, MemorySpace>& values) {
  return reinterpret_cast<const Wide*>(values.data());
}

Kokkos::View<Real*, MemorySpace> make_vectors(const char* label, Index count) {
  const auto size = static_cast<std::size_t>(count * lanes::width);
  return Kokkos::View<Real*, MemorySpace>(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), size);
}

}  // namespace

KeptWeights::KeptWeights(const AxisCost& cost, const AxisPass& pass, Real most) : pass_(windowed(cost, pass)) {
  if constexpr (lanes::width > 1) {
    const TileWork work(cost, pass_);
    const auto counts = counts_of_items(work);
    const Begins begins("hpot::KeptWeights::begins", work.items() + 1);
    const auto host = Kokkos::create_mirror_view(begins);
    for (Index item = 0; item < work.items(); ++item) {
      host(item + 1, 0) = host(item, 0) + counts(item, CountOfWindows::windows);
      host(item + 1, 1) = host(item, 1) + counts(item, CountOfWindows::weights);
      host(item + 1, 2) = host(item, 2) + rows_at_once * counts(item, CountOfWindows::stores);
    }
    Kokkos::deep_copy(begins, host);
    const Index weights = host(work.items(), 1);
    if (static_cast<Real>(weights * lanes::width) > most * static_cast<Real>(pass.batch * pass.lines * pass.count))
      return;
    begins_ = begins;
    windows_ = Kokkos::View<Window*, MemorySpace>(
        Kokkos::view_alloc("hpot::KeptWeights::windows", Kokkos::WithoutInitializing), host(work.items(), 0));
    values_ = make_vectors("hpot::KeptWeights::values", std::max<Index>(1, weights));
    reciprocals_ = make_vectors("hpot::KeptWeights::reciprocals", host(work.items(), 2));
    work.run("hpot::KeptWeights::keep",
             KeepTiles{work, begins_, windows_.data(), reinterpret_cast<Wide*>(values_.data()),
                       reinterpret_cast<Wide*>(reciprocals_.data())},
             CountTiles::scratch_values(cost.n_in()));
  }
}

void KeptWeights::mean(const AxisCost& cost, const Real* in_mean, Real* out_mean) const {
  if constexpr (lanes::width > 1) {
    const TileWork work(cost, pass_);
    work.run("hpot::KeptWeights::mean",
             KeptMeanTiles{work, begins_, windows_.data(), wide(values_), wide(reciprocals_), in_mean, out_mean},
             2 * cost.n_in());
  }
}

}  // namespace hpot
