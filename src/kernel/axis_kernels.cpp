#include "hpot/kernel/axis_kernels.hpp"

#include "hpot/kernel/lanes.hpp"

namespace hpot {
namespace {

using lanes::Narrow;
using lanes::Wide;
using Team = Kokkos::TeamPolicy<ExecutionSpace>::member_type;
using Scratch = ExecutionSpace::scratch_memory_space;

constexpr int block = 8;         // entries of a line that share one bound
constexpr Real negligible = 45;  // exp(-45) = 3e-20
constexpr Index chunk = 64;      // outputs per work item
constexpr int rows_at_once = 4;  // accumulators of the product form

/// Raw tables of one axis, as kernels capture them.
struct Tables {
  const Real* scaled;
  const Real* kernel;
  const Real* cost;
  const Index* nearest;
  Index step_out, step_in, shift, n_in;

  explicit Tables(const AxisCost& axis)
      : scaled(axis.scaled.data()),
        kernel(axis.kernel.data()),
        cost(axis.cost.data()),
        nearest(axis.nearest.data()),
        step_out(axis.step_out),
        step_in(axis.step_in),
        shift(axis.shift),
        n_in(axis.n_in()) {}

  /// Pointer p with p[-step_in * j] the entry of (i, j).
  KOKKOS_FORCEINLINE_FUNCTION const Real* row(const Real* table, Index i) const { return table + step_out * i + shift; }
};

// ---- CPU lanes: a work item is a tile of `width` lines and a chunk of outputs; the tile is copied to scratch. ----------

/// Work items and what they share.
struct TileWork {
  AxisPass pass;
  Tables tables;
  Index tiles, chunks;

  TileWork(const AxisCost& axis, const AxisPass& p)
      : pass(p),
        tables(axis),
        tiles((p.lines + lanes::width - 1) / lanes::width),
        chunks((p.count + chunk - 1) / chunk) {}

  [[nodiscard]] Index items() const { return pass.batch * tiles * chunks; }

  struct Item {
    Index k, line, lines_here, begin, end;  // batch entry, first line, valid lanes, outputs
  };
  KOKKOS_FORCEINLINE_FUNCTION Item item(Index rank) const {
    const Index c = rank % chunks;
    const Index t = rank / chunks % tiles;
    const Index line = t * lanes::width;
    return {rank / chunks / tiles, line, Kokkos::min<Index>(lanes::width, pass.lines - line), c * chunk,
            Kokkos::min<Index>((c + 1) * chunk, pass.count)};
  }

  KOKKOS_FORCEINLINE_FUNCTION void load_tile(const Item& item, Wide* tile) const {
    const Real* from = pass.in + (item.k * tables.n_in) * pass.lines + item.line;
    if (item.lines_here == lanes::width) {
      for (Index j = 0; j < tables.n_in; ++j) tile[j] = lanes::load(from + j * pass.lines);
      return;
    }
    Real padded[lanes::width];
    for (int l = 0; l < lanes::width; ++l) padded[l] = log_zero;
    for (Index j = 0; j < tables.n_in; ++j) {
      for (Index l = 0; l < item.lines_here; ++l) padded[l] = from[j * pass.lines + l];
      tile[j] = lanes::load(padded);
    }
  }

  KOKKOS_FORCEINLINE_FUNCTION void store_output(const Item& item, Index i, Wide value) const {
    Real* to = pass.out + (item.k * pass.lines + item.line) * pass.count + i;
    for (Index l = 0; l < item.lines_here; ++l) to[l * pass.count] = lanes::lane(value, static_cast<int>(l));
  }

  template <class Functor>
  void run(const char* label, const Functor& functor, Index scratch_values) const {
    Kokkos::TeamPolicy<ExecutionSpace> policy(static_cast<int>(items()), 1);
    policy.set_scratch_size(0, Kokkos::PerTeam(static_cast<int>((scratch_values + 8) * sizeof(Wide))));
    Kokkos::parallel_for(label, policy, functor);
  }
};

KOKKOS_FORCEINLINE_FUNCTION Wide* scratch_of(const Team& team, Index values) {
  constexpr std::size_t alignment = 64;
  return static_cast<Wide*>(team.team_shmem().get_shmem_aligned(values * sizeof(Wide), alignment));
}

template <Precision precision>
KOKKOS_FORCEINLINE_FUNCTION Wide sum_of_block(const Wide* tile, const Real* row, Index step, Index begin, Index end,
                                              Wide top) {
  if constexpr (precision == Precision::mixed) {
    Narrow sum{};
    for (Index j = begin; j < end; ++j) sum += lanes::exp(lanes::narrow((tile[j] - top) - row[-step * j]));
    return lanes::widen(sum);
  } else {
    Wide sum = lanes::broadcast(0.0);
    for (Index j = begin; j < end; ++j) sum = sum + lanes::exp((tile[j] - top) - row[-step * j]);
    return sum;
  }
}

template <Precision precision>
struct LogSumExpTiles {
  TileWork work;
  Index blocks;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const Index n = tables.n_in;
    const auto item = work.item(team.league_rank());
    Wide* tile = scratch_of(team, n + blocks + (blocks + 7) / 8);
    Wide* block_max = tile + n;
    auto* candidates = reinterpret_cast<std::int32_t*>(block_max + blocks);
    work.load_tile(item, tile);
    for (Index b = 0; b < blocks; ++b) {
      Wide top = tile[b * block];
      for (Index j = b * block + 1; j < Kokkos::min<Index>((b + 1) * block, n); ++j) top = lanes::max(top, tile[j]);
      block_max[b] = top;
    }
    Index start = tables.nearest[work.pass.first + item.begin] / block;
    for (Index i = item.begin; i < item.end; ++i) {
      const Real* row = tables.row(tables.scaled, work.pass.first + i);
      const Index near = tables.nearest[work.pass.first + i];
      const auto bound = [&](Index b) {  // no entry of block b lies above this
        const Index last = Kokkos::min<Index>((b + 1) * block, n) - 1;
        return block_max[b] - row[-tables.step_in * Kokkos::min(Kokkos::max(near, b * block), last)];
      };
      const auto raise = [&](Wide top, Index b) {
        for (Index j = b * block; j < Kokkos::min<Index>((b + 1) * block, n); ++j) {
          top = lanes::max(top, tile[j] - row[-tables.step_in * j]);
        }
        return top;
      };
      Wide top = raise(lanes::broadcast(2.0 * log_zero), start);
      Index count = 0;
      for (Index b = 0; b < blocks; ++b) {
        const Wide limit = bound(b);
        if (!lanes::any_greater(limit, top - negligible)) continue;
        candidates[count++] = static_cast<std::int32_t>(b);
        if (b != start && lanes::any_greater(limit, top)) {
          const Wide raised = raise(top, b);
          if (lanes::any_greater(raised, top)) start = b;
          top = raised;
        }
      }
      Wide sum = lanes::broadcast(0.0);
      for (Index c = 0; c < count; ++c) {  // which blocks count depends on the final maximum alone
        const Index b = candidates[c];
        if (!lanes::any_greater(bound(b), top - negligible)) continue;
        sum = sum + sum_of_block<precision>(tile, row, tables.step_in, b * block,
                                            Kokkos::min<Index>((b + 1) * block, n), top);
      }
      work.store_output(item, i, top + lanes::log(sum));
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
    work.load_tile(item, tile);
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
      for (int r = 0; r < rows; ++r) work.store_output(item, i + r, top + lanes::log(sum[r]));
    }
  }
};

// ---- One output per work item, lines fastest: GPUs, and the reductions that run once per solve. -------------------------

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
      moment += weight * (work.at(in_mean, o, j) + cost[-work.tables.step_in * j]);
    }
    work.pass.out[work.out_index(o)] = top + Kokkos::log(sum);
    out_mean[work.out_index(o)] = moment / sum;
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
    const Index blocks = (cost.n_in() + block - 1) / block;
    work.run(label, LogSumExpTiles<precision>{work, blocks}, cost.n_in() + blocks + (blocks + 7) / 8);
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
  run_outputs("hpot::mean_along", MeanOutputs{OutputWork(cost, pass), in_mean, out_mean});
}

void max_along(const AxisCost& cost, const AxisPass& pass, Real sign) {
  run_outputs("hpot::max_along", MaxOutputs{OutputWork(cost, pass), sign});
}

}  // namespace hpot
