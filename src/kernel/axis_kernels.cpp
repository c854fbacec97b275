#include "axis_counts.hpp"
#include "axis_outputs.hpp"

namespace hpot {
namespace {

// ---- CPU lanes: tiles of lines. ----------------------------------------------------------------------------------------

struct LogSumExpOfWindows {
  const TileWork& work;
  const TileWork::Item& item;
  Wide line_max;
  Wide values[rows_at_once] = {};

  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void formed(const Weights&, Index, Index) {}
  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void alone(Index r, Index i, Weights& weights) {
    const Wide sum = weights.sum(i);
    values[r] = weights.top + lanes::log(sum);
  }
  template <Index rows, class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void together(Index at, const Shared& shared, const Weights& weights) {
    multiply_rows<rows>(weights.values, weights.count, shared.ratio, rows_at_once, 1, values + at);
    for (Index r = 0; r < rows; ++r) values[at + r] = (weights.top + shared.shift(r)) + lanes::log(values[at + r]);
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(Index i) {
    for (auto& value : values) value = lanes::where_greater(line_max, 0.5 * log_zero, value, log_zero);
    work.store_outputs(item, i, values, work.pass.out);
  }
};

template <Precision precision>
struct LogSumExpTiles {
  TileWork work;

  KOKKOS_FUNCTION static Index scratch_values(Index n) { return WindowedTile::scratch_values(n) + n; }

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const auto item = work.item(team.league_rank());
    const Index n = tables.n_in;
    Wide* scratch = scratch_of(team, scratch_values(n));
    WindowedTile tile(work, item, tables.scaled, work.pass.cut, tables.group, scratch);
    if (tile.all_dead()) return fill(work, item, log_zero, work.pass.out);
    Weights<precision> weights{tile, tables, scratch + WindowedTile::scratch_values(n)};
    LogSumExpOfWindows reduce{work, item, tile.line_max()};
    for_windows(item, tile, weights, reduce);
  }
};

template <MeanOf what>
struct MeanOfWindows {
  const TileWork& work;
  const TileWork::Item& item;
  Wide line_max;
  const Wide* mean;  // of the line's entries
  Wide* products;    // of the window's weights and means
  Real* out_mean;
  Wide sums[rows_at_once];
  Wide moments[rows_at_once] = {};
  Wide values[rows_at_once] = {};

  KOKKOS_FORCEINLINE_FUNCTION MeanOfWindows(const TileWork& w, const TileWork::Item& i, Wide line_maxima,
                                            const Wide* means, Wide* space, Real* out)
      : work(w), item(i), line_max(line_maxima), mean(means), products(space), out_mean(out) {
    for (auto& sum : sums) sum = lanes::broadcast(1.0);  // outputs that are not asked for divide by it
  }

  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void formed(const Weights& weights, Index, Index) {
    for (Index j = 0; j < weights.count; ++j) products[j] = weights.values[j] * mean[weights.left + j];
  }
  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void alone(Index r, Index i, Weights& weights) {
    weights.form(i);
    formed(weights, i, 1);
    const Index step = work.tables.step_in;
    const Real* cost = work.tables.row(work.tables.cost, i) - step * weights.left;
    sums[r] = sum_of(weights.values, weights.count);
    moments[r] = sum_of(products, weights.count);
    if constexpr (what == MeanOf::values_and_costs) {
      for (Index j = 0; j < weights.count; ++j) moments[r] = moments[r] + weights.values[j] * cost[-step * j];
    }
    values[r] = weights.top + lanes::log(sums[r]);
  }
  template <Index rows, class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void together(Index at, const Shared& shared, const Weights& weights) {
    const Index step = work.tables.step_in;
    multiply_rows<rows>(weights.values, weights.count, shared.ratio, rows_at_once, 1, sums + at);
    multiply_rows<rows>(products, weights.count, shared.ratio, rows_at_once, 1, moments + at);
    for (Index r = 0; r < rows; ++r) {
      if constexpr (what == MeanOf::values_and_costs) {
        const Real* cost = work.tables.row(work.tables.cost, shared.i + r) - step * weights.left;
        for (Index j = 0; j < weights.count; ++j)
          moments[at + r] =
              moments[at + r] + weights.values[j] * (shared.ratio[rows_at_once * j + r] * cost[-step * j]);
      }
      values[at + r] = (weights.top + shared.shift(r)) + lanes::log(sums[at + r]);
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(Index i) {
    for (Index r = 0; r < rows_at_once; ++r) {
      values[r] = lanes::where_greater(line_max, 0.5 * log_zero, values[r], log_zero);
      moments[r] = lanes::where_greater(line_max, 0.5 * log_zero, moments[r] * (lanes::broadcast(1.0) / sums[r]), 0.0);
    }
    work.store_outputs(item, i, values, work.pass.out);
    work.store_outputs(item, i, moments, out_mean);
  }
};

template <MeanOf what>
struct MeanTiles {
  TileWork work;
  const Real* in_mean;
  Real* out_mean;

  KOKKOS_FUNCTION static Index scratch_values(Index n) { return WindowedTile::scratch_values(n) + 3 * n; }

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const Index n = tables.n_in;
    const auto item = work.item(team.league_rank());
    Wide* scratch = scratch_of(team, scratch_values(n));
    WindowedTile tile(work, item, tables.scaled, work.pass.cut, tables.group, scratch);
    if (tile.all_dead()) {
      fill(work, item, log_zero, work.pass.out);
      return fill(work, item, 0.0, out_mean);
    }
    Wide* more = scratch + WindowedTile::scratch_values(n);
    if (in_mean != nullptr) {
      work.load_tile(item, in_mean, more + n, 0.0);
    } else {
      for (Index j = 0; j < n; ++j) more[n + j] = lanes::broadcast(0.0);
    }
    Weights<Precision::full> weights{tile, tables, more};
    MeanOfWindows<what> reduce{work, item, tile.line_max(), more + n, more + 2 * n, out_mean};
    for_windows(item, tile, weights, reduce);
  }
};

struct ProductTiles {
  TileWork work;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const Index n = tables.n_in;
    const auto item = work.item(team.league_rank());
    Wide* tile = scratch_of(team, n);
    work.load_tile(item, work.pass.in, tile, log_zero);
    Wide top = tile[0];
    for (Index j = 1; j < n; ++j) top = lanes::max(top, tile[j]);
    for (Index j = 0; j < n; ++j) tile[j] = lanes::exp(tile[j] - top);
    for (Index i = item.begin / rows_at_once * rows_at_once; i < item.end; i += rows_at_once) {
      Wide sums[rows_at_once];
      multiply_rows(tile, n, tables.row(tables.kernel, i), -tables.step_in, tables.step_out, sums);
      for (auto& s : sums) s = top + lanes::log(s);
      work.store_outputs(item, i, sums, work.pass.out);
    }
  }
};

/// Maxima of A_j - c_ij for convex costs.
struct ConvexMaxTiles {
  TileWork work;
  static constexpr Index group = rows_at_once;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const auto item = work.item(team.league_rank());
    WindowedTile tile(work, item, tables.cost, 1.0, group, scratch_of(team, WindowedTile::scratch_values(tables.n_in)));
    if (tile.all_dead()) return fill(work, item, log_zero, work.pass.out);
    for (Index begin = item.begin / stretch * stretch; begin < item.end; begin += stretch) {
      tile.enter(begin);
      for (Index i = begin; i < Kokkos::min<Index>(begin + stretch, item.end); i += rows_at_once) {
        if (i + rows_at_once <= item.begin) continue;
        const Index k = (i - begin) / group;
        const Index step = tables.step_in;
        const Real* row = tables.row(tables.cost, i);
        Wide best[rows_at_once];
        for (auto& b : best) b = lanes::broadcast(2.0 * log_zero);
        for (Index j = tile.first_peak(k); j <= tile.last_peak(k); ++j) {
          for (Index r = 0; r < rows_at_once; ++r)
            best[r] = lanes::max(best[r], tile[j] - row[tables.step_out * r - step * j]);
        }
        for (auto& b : best) b = lanes::where_greater(tile.line_max(), 0.5 * log_zero, b, log_zero);
        work.store_outputs(item, i, best, work.pass.out);
      }
    }
  }
};

struct MaxTiles {
  TileWork work;
  Real sign;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const Index n = tables.n_in;
    const auto item = work.item(team.league_rank());
    Wide* tile = scratch_of(team, n);
    work.load_tile(item, work.pass.in, tile, log_zero);
    for (Index i = item.begin / rows_at_once * rows_at_once; i < item.end; i += rows_at_once) {
      const Real* row = tables.row(tables.cost, i);
      Wide best[rows_at_once];
      for (auto& b : best)
        b = lanes::broadcast(log_zero);  // log_zero + c is log_zero: what does not count changes nothing
      for (Index j = 0; j < n; ++j) {
        for (Index r = 0; r < rows_at_once; ++r)
          best[r] = lanes::max(best[r], tile[j] + sign * row[tables.step_out * r - tables.step_in * j]);
      }
      work.store_outputs(item, i, best, work.pass.out);
    }
  }
};

// ---- Which form runs. -------------------------------------------------------------------------------------------------

template <Precision precision>
void log_sum_exp(const AxisCost& cost, const AxisPass& pass) {
  constexpr const char* label = "hpot::log_sum_exp_along";
  if constexpr (lanes::width == 1) {
    run_outputs(label, LogSumExpOutputs<precision>{OutputWork(cost, pass)});
  } else {
    using Tiles = LogSumExpTiles<precision>;
    const TileWork work(cost, pass);
    work.run(label, Tiles{work}, Tiles::scratch_values(cost.n_in()));
  }
}

template <MeanOf what>
void mean(const char* label, const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean) {
  if constexpr (lanes::width == 1) {
    run_outputs(label, MeanOutputs<what>{OutputWork(cost, pass), in_mean, out_mean});
  } else {
    using Tiles = MeanTiles<what>;
    const TileWork work(cost, pass);
    work.run(label, Tiles{work, in_mean, out_mean}, Tiles::scratch_values(cost.n_in()));
  }
}

}  // namespace

Real fraction_cut(const AxisCost& cost, Real cut) {
  return lanes::width > 1 && cost.convex() && cost.n_in() > 1 ? cut : 0.0;
}

WindowCounts count_windows(const AxisCost& cost, const AxisPass& pass) {
  WindowCounts sum;
  if constexpr (lanes::width == 1) {
    sum.exps = static_cast<double>(pass.batch * pass.lines * pass.count * cost.n_in());
  } else {
    const TileWork work(cost, windowed(cost, pass));
    const auto counts = counts_of_items(work);
    for (Index item = 0; item < work.items(); ++item) {
      const auto lines = static_cast<double>(work.item(item).lines_here);
      sum.exps += lines * static_cast<double>(counts(item, CountOfWindows::weights));
      sum.products += lines * static_cast<double>(counts(item, CountOfWindows::products));
    }
  }
  return sum;
}

void log_sum_exp_along(const AxisCost& cost, const AxisPass& pass, Precision precision) {
  if (precision == Precision::mixed) {
    log_sum_exp<Precision::mixed>(cost, windowed(cost, pass));
  } else {
    log_sum_exp<Precision::full>(cost, windowed(cost, pass));
  }
}

void product_along(const AxisCost& cost, const AxisPass& pass) {
  if constexpr (lanes::width == 1) {
    log_sum_exp<Precision::full>(cost, pass);
  } else {
    const TileWork work(cost, pass);
    work.run("hpot::product_along", ProductTiles{work}, cost.n_in());
  }
}

void mean_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean) {
  mean<MeanOf::values>("hpot::mean_along", cost, windowed(cost, pass), in_mean, out_mean);
}

void mean_cost_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean) {
  mean<MeanOf::values_and_costs>("hpot::mean_cost_along", cost, windowed(cost, pass), in_mean, out_mean);
}

void max_along(const AxisCost& cost, const AxisPass& pass, Real sign) {
  constexpr const char* label = "hpot::max_along";
  if constexpr (lanes::width == 1) {
    run_outputs(label, MaxOutputs{OutputWork(cost, pass), sign});
  } else {
    const TileWork work(cost, pass);
    if (sign < 0.0 && cost.convex()) {
      work.run(label, ConvexMaxTiles{work}, WindowedTile::scratch_values(cost.n_in()));
    } else {
      work.run(label, MaxTiles{work, sign}, cost.n_in());
    }
  }
}

}  // namespace hpot
