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

/// Values of the levels above 0: the largest of a box's two, four or eight.
void fill_boxes(const BoxLevels& boxes, const BoxValues& values) {
  for (int level = 1; level <= boxes.top; ++level) {
    const Index count = boxes.first[level + 1] - boxes.first[level];
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_boxes", Policy(0, count), KOKKOS_LAMBDA(Index b) {
          const Index below = level - 1;
          const Index x = b % boxes.side(level, 0);
          const Index y = b / boxes.side(level, 0) % boxes.side(level, 1);
          const Index z = b / boxes.side(level, 0) / boxes.side(level, 1);
          const Index nx = boxes.side(below, 0), ny = boxes.side(below, 1), nz = boxes.side(below, 2);
          Real largest = 2.0 * log_zero;
          for (Index k = 2 * z; k < Kokkos::min(2 * z + 2, nz); ++k) {
            for (Index j = 2 * y; j < Kokkos::min(2 * y + 2, ny); ++j) {
              for (Index i = 2 * x; i < Kokkos::min(2 * x + 2, nx); ++i) {
                largest = Kokkos::max(largest, values(boxes.first[below] + (k * ny + j) * nx + i));
              }
            }
          }
          values(boxes.first[level] + b) = largest;
        });
  }
}

/// All ranks' `local` on level 0, and the levels above.
BoxValues boxed(const BoxLevels& boxes, const OwnedRows& rows, const ConstField& local) {
  const BoxValues values(Kokkos::view_alloc("hpot::PlanSearch::boxes", Kokkos::WithoutInitializing),
                         boxes.first[boxes.top + 1]);
  rows.along_rows.gather_points(local, Field(values.data(), 1, boxes.first[1]), rows.partition.offsets());
  fill_boxes(boxes, values);
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
  PlanSearch search{a.rows, source, target, cost, epsilon, {}, {}, {}, make_boxes(target), {}, {}, 0.0};
  if (by_columns) {
    const Field r = softmin_at(problem, Side::target, f);
    divide_where_weight(b.log_weight, epsilon, r);
    search.column = boxed(search.boxes, b.rows, r);
  }
  search.row_share = softmin_at(problem, Side::source, g);
  search.mass = make_field("hpot::PlanSearch::mass", 1, a.rows.local_n());
  plan_marginal(a.weight, f, search.row_share, epsilon, search.mass);
  divide_where_weight(a.log_weight, epsilon, search.row_share);
  search.plan_mass = mass(a.rows, search.mass)[0];

  const Field h = make_field("hpot::PlanSearch::h", 1, b.rows.local_n());
  add_log_weight(b.log_weight, g, epsilon, h);
  search.target = boxed(search.boxes, b.rows, h);
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
