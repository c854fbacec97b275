#include "axis_tiles.hpp"

namespace hpot {
namespace {

// ---- CPU lanes: tiles of lines. ----------------------------------------------------------------------------------------

template <Precision precision>
struct LogSumExpTiles {
  TileWork work;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const auto item = work.item(team.league_rank());
    BlockedTile tile(work, item, scratch_of(team, BlockedTile::scratch_values(tables.n_in)));
    for (Index i = item.begin; i < item.end; i += rows_at_once) {
      const int rows = static_cast<int>(Kokkos::min<Index>(rows_at_once, item.end - i));
      Wide values[rows_at_once];
      for (int r = 0; r < rows; ++r) {
        const Real* row = tables.row(tables.scaled, work.pass.first + i + r);
        const Wide top = tile.find_top(work.pass.first + i + r);
        Wide sum = lanes::broadcast(0.0);
        tile.for_blocks([&](Index begin, Index end) {
          const auto exponent = [&](Index j) { return (tile[j] - top) - row[-tables.step_in * j]; };
          if constexpr (precision == Precision::mixed) {
            Narrow part{};
            for_entries(begin, end, [&](Index j) { part += lanes::exp(lanes::narrow(exponent(j))); });
            sum = sum + lanes::widen(part);
          } else {
            Wide part = lanes::broadcast(0.0);
            for (Index j = begin; j < end; ++j) part = part + lanes::exp(exponent(j));
            sum = sum + part;
          }
        });
        values[r] = top + lanes::log(sum);
      }
      work.store_outputs(item, i, rows, values, work.pass.out);
    }
  }
};

struct ProductTiles {
  TileWork work;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const Index n = tables.n_in;
    const auto item = work.item(team.league_rank());
    Wide* tile = scratch_of(team, n);
    work.load_tile(item, work.pass.in, tile);
    Wide top = tile[0];
    for (Index j = 1; j < n; ++j) top = lanes::max(top, tile[j]);
    for (Index j = 0; j < n; ++j) tile[j] = lanes::exp(tile[j] - top);
    for (Index i = item.begin; i < item.end; i += rows_at_once) {
      const int rows = static_cast<int>(Kokkos::min<Index>(rows_at_once, item.end - i));
      const Real* row[rows_at_once];
      for (int r = 0; r < rows_at_once; ++r)
        row[r] = tables.row(tables.kernel, work.pass.first + i + Kokkos::min(r, rows - 1));
      Wide sum[rows_at_once];
      for (auto& s : sum) s = lanes::broadcast(0.0);
      for (Index j = 0; j < n; ++j) {
        for (int r = 0; r < rows_at_once; ++r) sum[r] = sum[r] + tile[j] * row[r][-tables.step_in * j];
      }
      for (auto& s : sum) s = top + lanes::log(s);
      work.store_outputs(item, i, rows, sum, work.pass.out);
    }
  }
};

enum class MeanOf { values, values_and_costs };

template <MeanOf what>
struct MeanTiles {
  TileWork work;
  const Real* in_mean;
  Real* out_mean;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const auto item = work.item(team.league_rank());
    const Index values_of_tile = BlockedTile::scratch_values(tables.n_in);
    Wide* scratch = scratch_of(team, values_of_tile + tables.n_in);
    Wide* mean = scratch + values_of_tile;
    BlockedTile tile(work, item, scratch);
    work.load_tile(item, in_mean, mean);
    for (Index i = item.begin; i < item.end; ++i) {
      const Real* scaled = tables.row(tables.scaled, work.pass.first + i);
      [[maybe_unused]] const Real* cost = tables.row(tables.cost, work.pass.first + i);
      const Wide top = tile.find_top(work.pass.first + i);
      Wide sum = lanes::broadcast(0.0);
      Wide moment = lanes::broadcast(0.0);
      tile.for_blocks([&](Index begin, Index end) {
        for (Index j = begin; j < end; ++j) {
          const Index entry = -tables.step_in * j;
          const Wide weight = lanes::exp((tile[j] - top) - scaled[entry]);
          sum = sum + weight;
          if constexpr (what == MeanOf::values) {
            moment = moment + weight * mean[j];
          } else {
            moment = moment + weight * (mean[j] + cost[entry]);
          }
        }
      });
      const Wide value = top + lanes::log(sum);
      const Wide quotient =
          lanes::where_greater(top, 0.5 * log_zero, moment / lanes::max(sum, lanes::broadcast(1e-300)));
      work.store_outputs(item, i, 1, &value, work.pass.out);
      work.store_outputs(item, i, 1, &quotient, out_mean);
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
    work.load_tile(item, work.pass.in, tile);
    for (Index i = item.begin; i < item.end; i += rows_at_once) {
      const int rows = static_cast<int>(Kokkos::min<Index>(rows_at_once, item.end - i));
      const Real* row[rows_at_once];
      for (int r = 0; r < rows_at_once; ++r)
        row[r] = tables.row(tables.cost, work.pass.first + i + Kokkos::min(r, rows - 1));
      Wide best[rows_at_once];
      for (auto& b : best)
        b = lanes::broadcast(log_zero);  // log_zero + c is log_zero: what does not count changes nothing
      for (Index j = 0; j < n; ++j) {
        for (int r = 0; r < rows_at_once; ++r)
          best[r] = lanes::max(best[r], tile[j] + sign * row[r][-tables.step_in * j]);
      }
      work.store_outputs(item, i, rows, best, work.pass.out);
    }
  }
};

// ---- One output per work item, lines fastest: GPUs. --------------------------------------------------------------------

struct Output {
  Index k, i, line;
};

struct OutputWork {
  AxisPass pass;
  Tables tables;

  OutputWork(const AxisCost& axis, const AxisPass& p) : pass(p), tables(axis) {}
  [[nodiscard]] Index items() const { return pass.batch * pass.count * pass.lines; }
  KOKKOS_FORCEINLINE_FUNCTION Output output(Index rank) const {
    return {rank / pass.lines / pass.count, rank / pass.lines % pass.count, rank % pass.lines};
  }
  KOKKOS_FORCEINLINE_FUNCTION Real at(const Real* array, const Output& o, Index j) const {
    return array[(o.k * tables.n_in + j) * pass.lines + o.line];
  }
  KOKKOS_FORCEINLINE_FUNCTION Index out_index(const Output& o) const {
    return (o.k * pass.lines + o.line) * pass.count + o.i;
  }
  KOKKOS_FORCEINLINE_FUNCTION Real top(const Output& o) const {
    const Real* row = tables.row(tables.scaled, pass.first + o.i);
    Real value = 2.0 * log_zero;
    for (Index j = 0; j < tables.n_in; ++j) value = Kokkos::max(value, at(pass.in, o, j) - row[-tables.step_in * j]);
    return value;
  }
};

template <Precision precision>
struct LogSumExpOutputs {
  OutputWork work;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Output o = work.output(rank);
    const Real* row = work.tables.row(work.tables.scaled, work.pass.first + o.i);
    const Real top = work.top(o);
    Real sum = 0.0;
    for (Index j = 0; j < work.tables.n_in; ++j) {
      const Real exponent = (work.at(work.pass.in, o, j) - top) - row[-work.tables.step_in * j];
      if constexpr (precision == Precision::mixed) {
        sum += Kokkos::exp(static_cast<float>(Kokkos::max(exponent, -87.0)));
      } else {
        sum += Kokkos::exp(exponent);
      }
    }
    work.pass.out[work.out_index(o)] = top + Kokkos::log(sum);
  }
};

template <MeanOf what>
struct MeanOutputs {
  OutputWork work;
  const Real* in_mean;
  Real* out_mean;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Output o = work.output(rank);
    const Real* scaled = work.tables.row(work.tables.scaled, work.pass.first + o.i);
    const Real* cost = work.tables.row(work.tables.cost, work.pass.first + o.i);
    const Real top = work.top(o);
    Real sum = 0.0;
    Real moment = 0.0;
    for (Index j = 0; j < work.tables.n_in; ++j) {
      const Real weight = Kokkos::exp((work.at(work.pass.in, o, j) - top) - scaled[-work.tables.step_in * j]);
      sum += weight;
      const Real added = what == MeanOf::values ? 0.0 : cost[-work.tables.step_in * j];
      moment += weight * (work.at(in_mean, o, j) + added);
    }
    work.pass.out[work.out_index(o)] = top + Kokkos::log(sum);
    out_mean[work.out_index(o)] = top > 0.5 * log_zero ? moment / sum : 0.0;
  }
};

struct MaxOutputs {
  OutputWork work;
  Real sign;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Output o = work.output(rank);
    const Real* cost = work.tables.row(work.tables.cost, work.pass.first + o.i);
    Real best = log_zero;
    for (Index j = 0; j < work.tables.n_in; ++j) {
      const Real value = work.at(work.pass.in, o, j);
      if (value > 0.5 * log_zero) best = Kokkos::max(best, value + sign * cost[-work.tables.step_in * j]);
    }
    work.pass.out[work.out_index(o)] = best;
  }
};

template <class Functor>
void run_outputs(const char* label, const Functor& functor) {
  Kokkos::parallel_for(label, Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, functor.work.items()),
                       functor);
}

template <Precision precision>
void log_sum_exp(const AxisCost& cost, const AxisPass& pass) {
  constexpr const char* label = "hpot::log_sum_exp_along";
  if constexpr (lanes::width == 1) {
    run_outputs(label, LogSumExpOutputs<precision>{OutputWork(cost, pass)});
  } else {
    const TileWork work(cost, pass);
    work.run(label, LogSumExpTiles<precision>{work}, BlockedTile::scratch_values(cost.n_in()));
  }
}

template <MeanOf what>
void mean(const char* label, const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean) {
  if constexpr (lanes::width == 1) {
    run_outputs(label, MeanOutputs<what>{OutputWork(cost, pass), in_mean, out_mean});
  } else {
    const TileWork work(cost, pass);
    work.run(label, MeanTiles<what>{work, in_mean, out_mean}, BlockedTile::scratch_values(cost.n_in()) + cost.n_in());
  }
}

}  // namespace

void log_sum_exp_along(const AxisCost& cost, const AxisPass& pass, Precision precision) {
  if (precision == Precision::mixed) {
    log_sum_exp<Precision::mixed>(cost, pass);
  } else {
    log_sum_exp<Precision::full>(cost, pass);
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
  mean<MeanOf::values>("hpot::mean_along", cost, pass, in_mean, out_mean);
}

void mean_cost_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean) {
  mean<MeanOf::values_and_costs>("hpot::mean_cost_along", cost, pass, in_mean, out_mean);
}

void max_along(const AxisCost& cost, const AxisPass& pass, Real sign) {
  constexpr const char* label = "hpot::max_along";
  if constexpr (lanes::width == 1) {
    run_outputs(label, MaxOutputs{OutputWork(cost, pass), sign});
  } else {
    const TileWork work(cost, pass);
    work.run(label, MaxTiles{work, sign}, cost.n_in());
  }
}

}  // namespace hpot
