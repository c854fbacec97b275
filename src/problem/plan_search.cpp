#include "hpot/problem/plan_search.hpp"

#include "certificates.hpp"
#include "hpot/core/field.hpp"
#include "plan_walk.hpp"

#include <numeric>
#include <stdexcept>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Indices = Kokkos::View<Index*, MemorySpace>;
using Values = Kokkos::View<Real*, MemorySpace>;

/// A box above level 0, and its boxes of the level below.
struct Parent {
  BoxLevels boxes;
  int level;
  Index box[3];
  KOKKOS_FUNCTION Parent(const BoxLevels& all, int at_level, Index rank) : boxes(all), level(at_level) {
    const Index nx = boxes.side(level, 0), ny = boxes.side(level, 1);
    box[0] = rank % nx;
    box[1] = rank / nx % ny;
    box[2] = rank / nx / ny;
  }
  /// use(child's axes, child's rank among all boxes).
  template <class Use>
  KOKKOS_FUNCTION void for_children(const Use& use) const {
    const Index nx = boxes.side(level - 1, 0), ny = boxes.side(level - 1, 1), nz = boxes.side(level - 1, 2);
    Index child[3];
    for (child[2] = 2 * box[2]; child[2] < Kokkos::min(2 * box[2] + 2, nz); ++child[2]) {
      for (child[1] = 2 * box[1]; child[1] < Kokkos::min(2 * box[1] + 2, ny); ++child[1]) {
        for (child[0] = 2 * box[0]; child[0] < Kokkos::min(2 * box[0] + 2, nx); ++child[0])
          use(child, boxes.first[level - 1] + (child[2] * ny + child[1]) * nx + child[0]);
      }
    }
  }
};

/// z_J = -(gradient of g)/2, by the difference between the ends of the box. Any value gives a bound: it is kept within a few
/// widths of the grid.
void fill_tilt(const BoxLevels& boxes, const BoxValues& g, const Tilt& tilt) {
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_tilt", Policy(0, boxes.first[level + 1] - boxes.first[level]), KOKKOS_LAMBDA(Index b) {
          const Parent parent(boxes, level, b);
          Index low[3] = {0, 0, 0}, high[3] = {0, 0, 0};
          for (int d = 0; d < boxes.dimension; ++d) {
            low[d] = boxes.low(level, parent.box[d]);
            high[d] = boxes.high(level, d, parent.box[d]);
          }
          for (int d = 0; d < boxes.dimension; ++d) {
            Index ends[2] = {0, 0};
            for (int e = boxes.dimension - 1; e >= 0; --e) {
              ends[0] = ends[0] * boxes.n[e] + (e == d ? low[e] : (low[e] + high[e]) / 2);
              ends[1] = ends[1] * boxes.n[e] + (e == d ? high[e] : (low[e] + high[e]) / 2);
            }
            const Real width = static_cast<Real>(high[d] - low[d]) * boxes.spacing[d];
            const Real most = 4.0 * static_cast<Real>(boxes.n[d]) * boxes.spacing[d];
            const Real z = width > 0.0 ? -0.5 * (g(ends[1]) - g(ends[0])) / width : 0.0;
            tilt(boxes.first[level] - boxes.first[1] + b, d) = Kokkos::max(-most, Kokkos::min(z, most));
          }
        });
  }
}

/// The largest of each box's children: V_J where the bound is that of the nearest point.
void fill_maxima(const BoxLevels& boxes, const BoxValues& values) {
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_maxima", Policy(0, boxes.first[level + 1] - boxes.first[level]),
        KOKKOS_LAMBDA(Index b) {
          Real largest = 2.0 * log_zero;
          Parent(boxes, level, b).for_children([&](const Index(&)[3], Index child) {
            largest = Kokkos::max(largest, values(child));
          });
          values(boxes.first[level] + b) = largest;
        });
  }
}

/// V_J for |x-y|^2. With o from the centre of J to that of its child K, e_j = o + e'_j:
///   V_j - |e_j|^2/eps + 2 z_J.e_j/eps <= V_K + (2 z_J.o - |o|^2 + 2 sum_d |z_J - z_K - o|_d R_K,d)/eps
/// and a part in 10^13 of all terms for rounding.
void fill_tilted(const BoxLevels& boxes, const Tilt& tilt, Real epsilon, const BoxValues& values) {
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_tilted", Policy(0, boxes.first[level + 1] - boxes.first[level]),
        KOKKOS_LAMBDA(Index b) {
          const Parent parent(boxes, level, b);
          const Index rank = boxes.first[level] - boxes.first[1] + b;
          Real largest = 2.0 * log_zero;
          parent.for_children([&](const Index(&box)[3], Index child) {
            if (values(child) <= 0.5 * log_zero) return;
            Real sum = 0.0;
            Real size = 0.0;
            for (int d = 0; d < boxes.dimension; ++d) {
              const Real o = boxes.centre(level - 1, d, box[d]) - boxes.centre(level, d, parent.box[d]);
              const Real z = tilt(rank, d);
              const Real inner = level > 1 ? tilt(child - boxes.first[1], d) : 0.0;
              const Real rest = 2.0 * Kokkos::fabs(z - inner - o) * boxes.half_width(level - 1, d, box[d]);
              sum += 2.0 * z * o - o * o + rest;
              size += 2.0 * Kokkos::fabs(z * o) + o * o + rest;
            }
            const Real rounding = 1e-13 * (Kokkos::fabs(values(child)) + size / epsilon);
            largest = Kokkos::max(largest, values(child) + sum / epsilon + rounding);
          });
          values(boxes.first[level] + b) = largest;
        });
  }
}

/// All ranks' `local` on level 0, room for the levels above.
BoxValues gathered(const BoxLevels& boxes, const OwnedRows& rows, const ConstField& local) {
  const BoxValues values(Kokkos::view_alloc("hpot::PlanSearch::boxes", Kokkos::WithoutInitializing),
                         boxes.first[boxes.top + 1]);
  rows.along_rows.gather_points(local, Field(values.data(), 1, boxes.first[1]), rows.partition.offsets());
  return values;
}

/// The same, and the levels above.
BoxValues boxed(const PlanSearch& search, const OwnedRows& rows, const ConstField& local) {
  const BoxValues values = gathered(search.boxes, rows, local);
  if (search.tilt.extent(0) > 0) {
    fill_tilted(search.boxes, search.tilt, search.epsilon, values);
  } else {
    fill_maxima(search.boxes, values);
  }
  return values;
}

/// s/eps, log_zero where the weight is 0.
void divide_where_weight(const ConstField& log_weight, Real epsilon, const Field& s) {
  Kokkos::parallel_for(
      "hpot::PlanSearch::divide", Policy(0, s.extent(1)),
      KOKKOS_LAMBDA(Index i) { s(0, i) = log_weight(0, i) > 0.5 * log_zero ? s(0, i) / epsilon : log_zero; });
}

/// Shell's sort, gaps by a factor 2.2; rows hold tens to hundreds of entries.
KOKKOS_INLINE_FUNCTION void sort_by_target(Index* target, Real* value, Index count) {
  for (Index gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
    for (Index i = gap; i < count; ++i) {
      const Index t = target[i];
      const Real v = value[i];
      Index at = i;
      for (; at >= gap && target[at - gap] > t; at -= gap) {
        target[at] = target[at - gap];
        value[at] = value[at - gap];
      }
      target[at] = t;
      value[at] = v;
    }
  }
}

/// Counts the entries of local row first + r, or, where there is a place for them, writes them. One code for both, so that
/// both find the same.
template <class C>
struct EntriesOfRow {
  PlanWalk<C> walk;
  Index first;
  Indices count;  // written where `target` is empty
  Field mass;
  Indices begin;  // of the row's entries in `target` and `value`
  Indices target;
  Values value;
  KOKKOS_FUNCTION void operator()(Index r) const {
    const bool fill = target.extent(0) > 0;
    const Index row_begin = fill ? begin(r) : 0;
    const Index room = fill ? begin(r + 1) - row_begin : 0;
    Index entries = 0;
    Real sum = 0.0;
    walk.for_entries(first + r, [&](Index j, const Index(&)[3], Real reach) {
      const Real p = Kokkos::exp(walk.source(0, first + r) + reach);
      if (entries < room) {
        target(row_begin + entries) = j;
        value(row_begin + entries) = p;
      }
      ++entries;
      sum += p;
    });
    if (fill) {
      sort_by_target(target.data() + row_begin, value.data() + row_begin, room);
    } else {
      count(r) = entries;
      mass(0, r) = sum;
    }
  }
};

template <class T>
std::vector<T> to_host(const Kokkos::View<T*, MemorySpace>& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
  return {host.data(), host.data() + host.size()};
}

}  // namespace

BoxLevels make_boxes(const Grid& grid) {
  BoxLevels boxes;
  boxes.dimension = grid.dimension();
  for (int d = 0; d < boxes.dimension; ++d) {
    const Axis& axis = grid.axes[boxes.dimension - 1 - d];
    boxes.n[d] = axis.n;
    boxes.origin[d] = axis.origin;
    boxes.spacing[d] = axis.spacing;
  }
  const auto count = [&](int level) { return boxes.side(level, 0) * boxes.side(level, 1) * boxes.side(level, 2); };
  boxes.first[1] = grid.points();
  while (count(boxes.top) > 1) {
    ++boxes.top;
    if (boxes.top >= BoxLevels::most) throw std::logic_error("make_boxes: an axis of 2^47 points");
    boxes.first[boxes.top + 1] = boxes.first[boxes.top] + count(boxes.top);
  }
  return boxes;
}

PlanSearch make_plan_search(const TransportProblem& problem, const Grid& source, const Grid& target, const Cost& cost,
                            const ConstField& f, const ConstField& g, bool by_columns) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(epsilon);
  PlanSearch search{a.rows, source, target, cost, epsilon, {}, {}, {}, make_boxes(target), {}, {}, {}, 0.0};
  const BoxLevels& boxes = search.boxes;
  if (std::holds_alternative<SquaredEuclidean>(cost)) {
    search.tilt = Tilt(Kokkos::view_alloc("hpot::PlanSearch::tilt", Kokkos::WithoutInitializing),
                       boxes.first[boxes.top + 1] - boxes.first[1], boxes.dimension);
    fill_tilt(boxes, gathered(boxes, b.rows, g), search.tilt);
  }
  if (by_columns) {
    const Field r = softmin_at(problem, Side::target, f);
    divide_where_weight(b.log_weight, epsilon, r);
    search.column = boxed(search, b.rows, r);
  }
  search.row_share = softmin_at(problem, Side::source, g);
  search.mass = make_field("hpot::PlanSearch::mass", 1, a.rows.local_n());
  plan_marginal(a.weight, f, search.row_share, epsilon, search.mass);
  divide_where_weight(a.log_weight, epsilon, search.row_share);
  search.plan_mass = mass(a.rows, search.mass)[0];

  const Field h = make_field("hpot::PlanSearch::h", 1, b.rows.local_n());
  add_log_weight(b.log_weight, g, epsilon, h);
  search.target = boxed(search, b.rows, h);
  search.source = make_field("hpot::PlanSearch::source", 1, a.rows.local_n());
  add_log_weight(a.log_weight, f, epsilon, search.source);
  return search;
}

EntryCounts count_entries(const PlanSearch& search, Real share) {
  const Index local_n = search.rows.local_n();
  const Indices count("hpot::PlanSearch::count", local_n);
  const Field kept = make_field("hpot::PlanSearch::kept", 1, local_n);
  with_walk(search, share, [&](const auto& walk) {
    using C = std::decay_t<decltype(walk.cost)>;
    Kokkos::parallel_for("hpot::PlanSearch::count", Policy(0, local_n),
                         EntriesOfRow<C>{walk, 0, count, kept, {}, {}, {}});
  });
  EntryCounts counts{to_host(count), 0, mass(search.rows, kept)[0]};
  const Index local = std::accumulate(counts.of_rows.begin(), counts.of_rows.end(), Index{0});
  counts.global = static_cast<Index>(search.rows.along_rows.sum(static_cast<Real>(local)));
  return counts;
}

PlanEntries entries_of(const PlanSearch& search, Real share, const EntryCounts& counts, Range rows) {
  std::vector<Index> begins(rows.size() + 1, 0);
  for (Index r = 0; r < rows.size(); ++r) begins[r + 1] = begins[r] + counts.of_rows[rows.begin + r];
  if (begins.back() == 0) return {};
  const Indices begin(Kokkos::view_alloc("hpot::PlanSearch::begin", Kokkos::WithoutInitializing), begins.size());
  Kokkos::deep_copy(begin, Kokkos::View<const Index*, Kokkos::HostSpace>(begins.data(), begins.size()));
  const Indices target(Kokkos::view_alloc("hpot::PlanSearch::targets", Kokkos::WithoutInitializing), begins.back());
  const Values value(Kokkos::view_alloc("hpot::PlanSearch::values", Kokkos::WithoutInitializing), begins.back());
  with_walk(search, share, [&](const auto& walk) {
    using C = std::decay_t<decltype(walk.cost)>;
    Kokkos::parallel_for("hpot::PlanSearch::fill", Policy(0, rows.size()),
                         EntriesOfRow<C>{walk, rows.begin, {}, {}, begin, target, value});
  });
  PlanEntries entries{{}, to_host(target), to_host(value)};
  entries.source.reserve(entries.target.size());
  for (Index r = 0; r < rows.size(); ++r)
    entries.source.insert(entries.source.end(), begins[r + 1] - begins[r], search.rows.range().begin + rows.begin + r);
  return entries;
}

}  // namespace hpot
