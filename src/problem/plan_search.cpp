#include "hpot/problem/plan_search.hpp"

#include "certificates.hpp"
#include "hpot/core/field.hpp"
#include "plan_boxes.hpp"
#include "plan_walk.hpp"

#include <numeric>
#include <stdexcept>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Indices = Kokkos::View<Index*, MemorySpace>;
using Values = Kokkos::View<Real*, MemorySpace>;

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
  if (search.tilt.extent(0) == 0) {
    fill_maxima(search.boxes, values);
  } else if (search.source_support.grid() != nullptr) {
    fill_tilted(GridCells{search.boxes}, search.tilt, search.epsilon, values);
  } else {
    fill_tilted(CloudCells{search.boxes, search.target_points, search.ends}, search.tilt, search.epsilon, values);
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

/// Counts the entries of local row r, or, where there is a place for them, writes those of rows(r). One code for both, so
/// that both find the same.
template <class Walk>
struct EntriesOfRow {
  Walk walk;
  Indices count;  // written where `target` is empty
  Field mass;
  Indices rows;
  Indices number;  // of the targets in the input; empty: as they are
  Indices begin;   // of the row's entries in `target` and `value`
  Indices target;
  Values value;
  KOKKOS_FUNCTION void operator()(Index r) const {
    const bool fill = target.extent(0) > 0;
    const Index row = fill ? rows(r) : r;
    const Index row_begin = fill ? begin(r) : 0;
    const Index room = fill ? begin(r + 1) - row_begin : 0;
    Index entries = 0;
    Real sum = 0.0;
    walk.for_entries(row, [&](Index j, const Index(&)[3], Real reach) {
      const Real p = Kokkos::exp(walk.source(0, row) + reach);
      if (entries < room) {
        target(row_begin + entries) = number.extent(0) > 0 ? number(j) : j;
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

Indices to_device(const std::string& label, const std::vector<Index>& values) {
  const Indices view(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), values.size());
  Kokkos::deep_copy(view, Kokkos::View<const Index*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

/// Number in the input of every point, null where points are in that order.
std::shared_ptr<const std::vector<Index>> order_of(const Support& support) {
  return support.cloud() == nullptr ? nullptr : support.cloud()->order;
}

/// Coordinates of clouds, the targets' boxes and, for |x-y|^2, where the mass of each box comes from.
void place_boxes(const OwnedRows& targets, const ConstField& g, PlanSearch& search) {
  constexpr int bounded_axes = 3;
  const BoxLevels& boxes = search.boxes;
  const Index above = boxes.first[boxes.top + 1] - boxes.first[1];
  const bool cloud = search.source_support.cloud() != nullptr;
  const int axes = std::min(bounded_axes, search.target_support.dimension());
  if (cloud) {
    search.source_points = points_of(search.cost, search.source_support);
    search.target_points = points_of(search.cost, search.target_support);
    search.ends = BoxAxes(Kokkos::view_alloc("hpot::PlanSearch::ends", Kokkos::WithoutInitializing), above, 2 * axes);
    fill_ends(boxes, search.target_points, search.ends);
    if (const auto order = order_of(search.target_support); order != nullptr)
      search.number = to_device("hpot::PlanSearch::number", *order);
  }
  if (!std::holds_alternative<SquaredEuclidean>(search.cost)) return;
  search.tilt = BoxAxes(Kokkos::view_alloc("hpot::PlanSearch::tilt", Kokkos::WithoutInitializing), above, axes);
  const BoxValues potential = gathered(boxes, targets, g);
  if (cloud) {
    fill_tilt(CloudCells{boxes, search.target_points, search.ends}, potential, search.tilt);
  } else {
    fill_tilt(GridCells{boxes}, potential, search.tilt);
  }
}

template <class T>
std::vector<T> to_host(const Kokkos::View<T*, MemorySpace>& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
  return {host.data(), host.data() + host.size()};
}

}  // namespace

BoxLevels make_boxes(const Support& support) {
  BoxLevels boxes;
  boxes.n[0] = support.points();
  if (const Grid* grid = support.grid(); grid != nullptr) {
    boxes.dimension = grid->dimension();
    for (int d = 0; d < boxes.dimension; ++d) {
      const Axis& axis = grid->axes[boxes.dimension - 1 - d];
      boxes.n[d] = axis.n;
      boxes.origin[d] = axis.origin;
      boxes.spacing[d] = axis.spacing;
    }
  }
  const auto count = [&](int level) { return boxes.side(level, 0) * boxes.side(level, 1) * boxes.side(level, 2); };
  boxes.first[1] = support.points();
  while (count(boxes.top) > 1) {
    ++boxes.top;
    if (boxes.top >= BoxLevels::most) throw std::logic_error("make_boxes: an axis of 2^47 points");
    boxes.first[boxes.top + 1] = boxes.first[boxes.top] + count(boxes.top);
  }
  return boxes;
}

PlanSearch make_plan_search(const TransportProblem& problem, const Support& source, const Support& target,
                            const KernelOptions& kernel, const ConstField& f, const ConstField& g, bool by_columns) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(epsilon);
  PlanSearch search{
      a.rows, source, target, kernel.cost, kernel.matrix, epsilon, {}, {}, {}, make_boxes(target), {}, {}, {}, {},
      {},     {},     {},     0.0};
  if (search.matrix == nullptr) place_boxes(b.rows, g, search);
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
    Kokkos::parallel_for("hpot::PlanSearch::count", Policy(0, local_n),
                         EntriesOfRow<std::decay_t<decltype(walk)>>{walk, count, kept, {}, {}, {}, {}, {}});
  });
  EntryCounts counts{to_host(count), 0, mass(search.rows, kept)[0]};
  const Index local = std::accumulate(counts.of_rows.begin(), counts.of_rows.end(), Index{0});
  counts.global = static_cast<Index>(search.rows.along_rows.sum(static_cast<Real>(local)));
  return counts;
}

PlanEntries entries_of(const PlanSearch& search, Real share, const EntryCounts& counts,
                       const std::vector<Index>& rows) {
  std::vector<Index> begins{0};
  for (const Index row : rows) begins.push_back(begins.back() + counts.of_rows[row]);
  if (begins.back() == 0) return {};
  const auto sources = order_of(search.source_support);
  const Indices target(Kokkos::view_alloc("hpot::PlanSearch::targets", Kokkos::WithoutInitializing), begins.back());
  const Values value(Kokkos::view_alloc("hpot::PlanSearch::values", Kokkos::WithoutInitializing), begins.back());
  with_walk(search, share, [&](const auto& walk) {
    Kokkos::parallel_for("hpot::PlanSearch::fill", Policy(0, rows.size()),
                         EntriesOfRow<std::decay_t<decltype(walk)>>{walk,
                                                                    {},
                                                                    {},
                                                                    to_device("hpot::PlanSearch::rows", rows),
                                                                    search.number,
                                                                    to_device("hpot::PlanSearch::begin", begins),
                                                                    target,
                                                                    value});
  });
  PlanEntries entries{{}, to_host(target), to_host(value)};
  entries.source.reserve(entries.target.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Index row = search.rows.range().begin + rows[r];
    entries.source.insert(entries.source.end(), begins[r + 1] - begins[r], sources == nullptr ? row : (*sources)[row]);
  }
  return entries;
}

}  // namespace hpot
