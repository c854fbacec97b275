#include "hpot/problem/pair_kernels.hpp"

#include "hpot/core/field.hpp"
#include "hpot/kernel/lanes.hpp"

namespace hpot {
namespace {

constexpr Index tile = 1024;      // points that one team takes
constexpr Index block = 64;       // of them at a time
constexpr Index most_slots = 64;  // of a mixing memory
constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemorySpace>::accessible;

using Policy = Kokkos::TeamPolicy<ExecutionSpace>;
using Team = Policy::member_type;
using Numbers = Kokkos::View<Real*, MemorySpace>;

Index tiles_of(Index points) { return (points + tile - 1) / tile; }

/// body(team, c, t, range of points) for every row and tile of points.
template <class Body>
struct RowTiles {
  Index points, tiles;
  Body body;
  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Index c = team.league_rank() / tiles;
    const Index t = team.league_rank() % tiles;
    body(team, c, t, Range{t * tile, Kokkos::min((t + 1) * tile, points)});
  }
};

template <class Body>
void for_row_tiles(const char* label, Index rows, Index points, const Body& body) {
  const Index tiles = tiles_of(points);
  if (rows == 0 || points == 0) return;
  Kokkos::parallel_for(label, Policy(static_cast<int>(rows * tiles), on_host ? 1 : 128),
                       RowTiles<Body>{points, tiles, body});
}

template <class Value>
struct PointsOfTile {
  Value value;
  KOKKOS_FUNCTION void operator()(const Team& team, Index c, Index, Range points) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, points.begin, points.end), [&](Index i) { value(c, i); });
  }
};

/// value(c, i) for every row and point.
template <class Value>
void for_points(const char* label, Index rows, Index points, const Value& value) {
  for_row_tiles(label, rows, points, PointsOfTile<Value>{value});
}

template <class Value>
struct SumOfTile {
  Value value;
  Field sums;
  KOKKOS_FUNCTION void operator()(const Team& team, Index c, Index t, Range points) const {
    Real sum = 0.0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, points.begin, points.end), [&](Index i, Real& s) { s += value(c, i); }, sum);
    Kokkos::single(Kokkos::PerTeam(team), [&] { sums(c, t) = sum; });
  }
};

/// Sums of every row's tiles, in their order; `numbers` of them side by side.
std::vector<Real> add_up(const ConstField& sums, Index rows, Index tiles, Index numbers) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, sums);
  std::vector<Real> totals(static_cast<std::size_t>(rows * numbers), 0.0);
  for (Index c = 0; c < rows; ++c) {
    for (Index t = 0; t < tiles; ++t) {
      for (Index n = 0; n < numbers; ++n) totals[c * numbers + n] += host(c, t * numbers + n);
    }
  }
  return totals;
}

template <class Value>
std::vector<Real> sum_over_rows(const char* label, Index rows, Index points, const Value& value) {
  const Field sums = make_unset_field("hpot::sum_over_rows", rows, tiles_of(points));
  for_row_tiles(label, rows, points, SumOfTile<Value>{value, sums});
  return add_up(sums, rows, tiles_of(points), 1);
}

Index points_of(const ConstField& field) { return static_cast<Index>(field.extent(1)); }

template <class T>
Kokkos::View<T*, MemorySpace> on_device(const std::vector<T>& values) {
  const Kokkos::View<T*, MemorySpace> view(Kokkos::view_alloc("hpot::on_device", Kokkos::WithoutInitializing),
                                           values.size());
  const Kokkos::View<const T*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> host(values.data(), values.size());
  Kokkos::deep_copy(view, host);
  return view;
}

template <class Penalty>
void prox_kernel(const ActiveEntries& entries, const ConstField& log_weight, Penalty penalty, const Field& s,
                 Real epsilon, const Field& h, const Field& image) {
  const auto active = entries.active;
  const auto measure = entries.measure;
  const auto self = entries.self;
  for_points(
      "hpot::add_log_weights_of_prox", entries.count, points_of(s), KOKKOS_LAMBDA(Index c, Index i) {
        const Index e = active(c);
        const Real log_a = log_weight(measure(e), i);
        const Real f = penalty.prox(s(c, i), epsilon);
        s(c, i) = f;
        if (self(e) != 0) image(e, i) = f;
        h(c, i) = log_a > 0.5 * log_zero ? log_a + f / epsilon : log_zero;
      });
}

template <class Penalty>
struct ResidualOfEntry {
  Penalty penalty;
  EntryIndices active, measure, self;
  ConstField weight, potential, s;
  Field image;
  Real epsilon;
  KOKKOS_FUNCTION Real operator()(Index c, Index j) const {
    const Index e = active(c);
    const Real target = penalty.prox(s(c, j), epsilon);
    image(e, j) = self(e) != 0 ? 0.5 * (image(e, j) + target) : target;
    const Real w = weight(measure(e), j);
    if (w <= 0.0) return 0.0;
    const Real now = (potential(e, j) - s(c, j)) / epsilon;
    const Real wanted = (target - s(c, j)) / epsilon;
    if (now == wanted) return 0.0;
    return -w * Kokkos::exp(Kokkos::max(now, wanted)) * Kokkos::expm1(-Kokkos::fabs(now - wanted));
  }
};

/// Balanced, on CPU lanes: image = s, sum b |exp((g - s)/eps) - 1|. A potential that is not finite where b > 0 gives NaN.
struct BalancedResidualOfTile {
  EntryIndices active, measure, self;
  ConstField weight, potential, s;
  Field image, sums;
  Real epsilon;

  KOKKOS_FUNCTION void operator()(const Team&, Index c, Index t, Range points) const {
    using lanes::Wide;
    constexpr Real largest = 700.0;  // of an exponent
    const Index e = active(c);
    const Real* const b = &weight(measure(e), 0);
    const Real* const g = &potential(e, 0);
    const Real* const from = &s(c, 0);
    Real* const to = &image(e, 0);
    const Real rate = 1.0 / epsilon;
    const bool halved = self(e) != 0;
    const auto terms = [&](Wide w, Wide now, Wide then) {
      const Wide x = lanes::where_greater(w, 0.0, (now - then) * rate, 0.0);
      const Wide y = lanes::broadcast(0.0) - lanes::max(lanes::broadcast(-largest), lanes::broadcast(0.0) - x);
      const Wide d = lanes::exp(y) - 1.0;
      return w * lanes::max(d, lanes::broadcast(0.0) - d) + (x - x);
    };
    Wide sum = lanes::broadcast(0.0);
    Index i = points.begin;
    for (; i + lanes::width <= points.end; i += lanes::width) {
      const Wide then = lanes::load(from + i);
      lanes::store(to + i, halved ? (lanes::load(to + i) + then) * 0.5 : then);
      sum = sum + terms(lanes::load(b + i), lanes::load(g + i), then);
    }
    if (i < points.end) {
      Real w[lanes::width] = {}, now[lanes::width] = {}, then[lanes::width] = {};
      for (Index l = 0; i + l < points.end; ++l) {
        w[l] = b[i + l];
        now[l] = g[i + l];
        then[l] = from[i + l];
        to[i + l] = halved ? 0.5 * (to[i + l] + then[l]) : then[l];
      }
      sum = sum + terms(lanes::load(w), lanes::load(now), lanes::load(then));
    }
    Real total = 0.0;
    for (int l = 0; l < lanes::width; ++l) total += lanes::lane(sum, l);
    sums(c, t) = total;
  }
};

}  // namespace

void add_log_weights(const ActiveEntries& entries, const ConstField& log_weight, const ConstField& potential,
                     Real epsilon, const Field& h) {
  const auto active = entries.active;
  const auto measure = entries.measure;
  for_points(
      "hpot::add_log_weights", entries.count, points_of(h), KOKKOS_LAMBDA(Index c, Index i) {
        const Index e = active(c);
        const Real log_a = log_weight(measure(e), i);
        h(c, i) = log_a > 0.5 * log_zero ? log_a + potential(e, i) / epsilon : log_zero;
      });
}

void add_log_weights_of_prox(const ActiveEntries& entries, const ConstField& log_weight, const MarginalPenalty& penalty,
                             const Field& s, Real epsilon, const Field& h, const Field& image) {
  std::visit([&](const auto& p) { prox_kernel(entries, log_weight, p, s, epsilon, h, image); }, penalty);
}

std::vector<Real> prox_and_residuals(const ActiveEntries& entries, const MeasureTable& table,
                                     const MarginalPenalty& penalty, const ConstField& potential, const ConstField& s,
                                     Real epsilon, const Field& image) {
  if constexpr (lanes::width > 1) {
    if (is_balanced(penalty)) {
      const Field sums = make_unset_field("hpot::balanced_residuals", entries.count, tiles_of(points_of(s)));
      for_row_tiles("hpot::balanced_residuals", entries.count, points_of(s),
                    BalancedResidualOfTile{entries.active, entries.measure, entries.self, table.weight, potential, s,
                                           image, sums, epsilon});
      return add_up(sums, entries.count, tiles_of(points_of(s)), 1);
    }
  }
  return std::visit(
      [&](const auto& p) {
        return sum_over_rows(
            "hpot::prox_and_residuals", entries.count, points_of(s),
            ResidualOfEntry<std::decay_t<decltype(p)>>{p, entries.active, entries.measure, entries.self, table.weight,
                                                       potential, s, image, epsilon});
      },
      penalty);
}

std::vector<Real> exponential_masses(const ActiveEntries& entries, const MeasureTable& table, const ConstField& f,
                                     bool compact, Real rho) {
  const auto active = entries.active;
  const auto measure = entries.measure;
  const ConstField weight = table.weight;
  return sum_over_rows(
      "hpot::exponential_masses", entries.count, points_of(f), KOKKOS_LAMBDA(Index c, Index i) {
        const Index e = active(c);
        const Real w = weight(measure(e), i);
        return w > 0.0 ? w * Kokkos::exp(-f(compact ? c : e, i) / rho) : 0.0;
      });
}

void add_shifts(const ActiveEntries& entries, const std::vector<Real>& shift, const Field& potential) {
  const auto active = entries.active;
  const Numbers by = on_device(shift);
  for_points(
      "hpot::add_shifts", entries.count, points_of(potential),
      KOKKOS_LAMBDA(Index c, Index i) { potential(active(c), i) += by(c); });
}

Field rows_of_entries(const ActiveEntries& entries, const ConstField& table) {
  const auto active = entries.active;
  const auto measure = entries.measure;
  const Field rows = make_unset_field("hpot::rows_of_entries", entries.count, points_of(table));
  for_points(
      "hpot::rows_of_entries", entries.count, points_of(table),
      KOKKOS_LAMBDA(Index c, Index i) { rows(c, i) = table(measure(active(c)), i); });
  return rows;
}

namespace {

/// Differences and products of a tile. On a CPU the slots of a point are the vector; on a GPU a team sums over points. Memory
/// for `fixed` slots.
template <Index fixed>
struct RememberTiles {
  KOKKOS_FORCEINLINE_FUNCTION static float shortened(Real difference) {
    constexpr Real largest = 1e30;
    return static_cast<float>(Kokkos::max(-largest, Kokkos::min(difference, largest)));
  }

  EntryIndices active, measure;
  Kokkos::View<Index*, MemorySpace> kind, slot;
  Numbers scale;
  ConstField weight, x, y;
  MixingMemory memory;
  Field sums;  // (row, tile * 2 slots): of the newest difference, of the residual

  /// Residual and image at point i, and what they differ by from those before, are put in place.
  KOKKOS_FORCEINLINE_FUNCTION void remember(Index e, Index at, Index i) const {
    const Index points = static_cast<Index>(x.extent(1));
    const Real residual = y(e, i) - x(e, i);
    if (at >= 0) {
      memory.residuals(e, i * memory.slots + at) = shortened(residual - memory.last_residual(e, i));
      memory.images(e, at * points + i) = shortened(y(e, i) - memory.last_image(e, i));
    }
    memory.last_residual(e, i) = residual;
    memory.last_image(e, i) = y(e, i);
  }

  /// remember() in loops over one array each.
  KOKKOS_FORCEINLINE_FUNCTION void remember_block(Index e, Index at, Range points) const {
    const Index n = static_cast<Index>(x.extent(1));
    const Real* const from = &x(e, 0);
    const Real* const to = &y(e, 0);
    Real* const residual_before = &memory.last_residual(e, 0);
    Real* const image_before = &memory.last_image(e, 0);
    if (at >= 0) {
      float* const residuals = &memory.residuals(e, at);
      float* const images = &memory.images(e, at * n);
      for (Index i = points.begin; i < points.end; ++i) {
        residuals[i * memory.slots] = shortened((to[i] - from[i]) - residual_before[i]);
        images[i] = shortened(to[i] - image_before[i]);
      }
    }
    for (Index i = points.begin; i < points.end; ++i) {
      residual_before[i] = to[i] - from[i];
      image_before[i] = to[i];
    }
  }

  KOKKOS_FUNCTION void operator()(const Team& team, Index c, Index t, Range points) const {
    if (kind(c) != MixingStep::mix) return;
    const Index e = active(c);
    const Index at = slot(c);
    const Index slots = memory.slots;
    const Real* const w = &weight(measure(e), 0);
    Real* const out = &sums(c, t * 2 * slots);
    if constexpr (lanes::width > 1) {
      constexpr Index vectors = fixed / lanes::width;
      lanes::Wide newest[vectors], present[vectors];
      for (Index v = 0; v < vectors; ++v) newest[v] = present[v] = lanes::broadcast(0.0);
      for (Index begin = points.begin; begin < points.end; begin += block) {
        const Index end = Kokkos::min(begin + block, points.end);
        remember_block(e, at, Range{begin, end});
        for (Index i = begin; i < end; ++i) {  // not at once: loads of slots would wait for the store into one
          const Real share = w[i] * scale(c);
          const float* const differences = &memory.residuals(e, i * slots);
          const Real residual = memory.last_residual(e, i) * share;
          const Real difference = at >= 0 ? static_cast<Real>(differences[at]) * share : 0.0;
          for (Index v = 0; v < vectors; ++v) {
            const lanes::Wide values = lanes::widen(lanes::load(differences + v * lanes::width));
            newest[v] = newest[v] + values * difference;
            present[v] = present[v] + values * residual;
          }
        }
      }
      for (Index v = 0; v < vectors; ++v) {
        lanes::store(out + v * lanes::width, newest[v]);
        lanes::store(out + slots + v * lanes::width, present[v]);
      }
    } else {
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, points.begin, points.end),
                           [&](Index i) { remember(e, at, i); });
      team.team_barrier();
      for (Index j = 0; j < 2 * slots; ++j) {
        Real sum = 0.0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, points.begin, points.end),
            [&](Index i, Real& s) {
              const float* const differences = &memory.residuals(e, i * slots);
              const Real with = j >= slots ? memory.last_residual(e, i)
                                : at >= 0  ? static_cast<Real>(differences[at])
                                           : 0.0;
              s += with * (w[i] * scale(c)) * static_cast<Real>(differences[j % slots]);
            },
            sum);
        Kokkos::single(Kokkos::PerTeam(team), [&] { out[j] = sum; });
      }
    }
  }
};

struct StepTiles {
  EntryIndices active;
  Kokkos::View<Index*, MemorySpace> kind;
  Numbers gamma;
  ConstField y;
  MixingMemory memory;
  Field x;

  KOKKOS_FUNCTION void operator()(const Team& team, Index c, Index, Range points) const {
    const Index e = active(c);
    const Index n = static_cast<Index>(x.extent(1));
    Real* const to = &x(e, 0);
    const Real* const from = kind(c) == MixingStep::go_back ? &memory.last_image(e, 0) : &y(e, 0);
    const auto range = [&] { return Kokkos::TeamThreadRange(team, points.begin, points.end); };
    Kokkos::parallel_for(range(), [&](Index i) { to[i] = from[i]; });
    if (kind(c) != MixingStep::mix) return;
    for (Index j = 0; j < memory.used; ++j) {
      const Real factor = gamma(c * memory.slots + j);
      if (factor == 0.0) continue;
      const float* const difference = &memory.images(e, j * n);
      Kokkos::parallel_for(range(), [&](Index i) { to[i] -= factor * static_cast<Real>(difference[i]); });
    }
  }
};

}  // namespace

Index stored_slots(Index slots) {
  for (const Index fixed : {0, 8, 16, 32}) {
    if (slots <= fixed) return fixed;
  }
  return most_slots;
}

std::vector<Real> remember_and_project(const ActiveEntries& entries, const ConstField& weight, const MixingStep& step,
                                       const ConstField& x, const ConstField& y, const MixingMemory& memory) {
  const Index points = points_of(x);
  const Index tiles = tiles_of(points);
  const Field sums = make_field("hpot::remember_and_project", entries.count, tiles * 2 * memory.slots);
  const auto run = [&]<Index fixed>(std::integral_constant<Index, fixed>) {
    for_row_tiles("hpot::remember_and_project", entries.count, points,
                  RememberTiles<fixed>{entries.active, entries.measure, on_device(step.kind), on_device(step.slot),
                                       on_device(step.scale), weight, x, y, memory, sums});
  };
  switch (memory.slots) {
    case 8:
      run(std::integral_constant<Index, 8>{});
      break;
    case 16:
      run(std::integral_constant<Index, 16>{});
      break;
    case 32:
      run(std::integral_constant<Index, 32>{});
      break;
    default:
      run(std::integral_constant<Index, most_slots>{});
  }
  return add_up(sums, entries.count, tiles, 2 * memory.slots);
}

void take_step(const ActiveEntries& entries, const MixingStep& step, const ConstField& y, const MixingMemory& memory,
               const Field& x) {
  for_row_tiles("hpot::take_step", entries.count, points_of(x),
                StepTiles{entries.active, on_device(step.kind), on_device(step.gamma), y, memory, x});
}

}  // namespace hpot
