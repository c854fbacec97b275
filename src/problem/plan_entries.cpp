#include "hpot/core/field.hpp"
#include "hpot/problem/plan_search.hpp"
#include "plan_walk.hpp"

#include <numeric>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Indices = Kokkos::View<Index*, MemorySpace>;
using Values = Kokkos::View<Real*, MemorySpace>;

/// Shell's sort, gaps by a factor 2.2; rows hold tens to hundreds of entries.
template <class Target, class Value>
KOKKOS_INLINE_FUNCTION void sort_by_target(Target* target, Value* value, Index count) {
  for (Index gap = count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
    for (Index i = gap; i < count; ++i) {
      const Target t = target[i];
      const Value v = value[i];
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

/// Counts the entries of local row r, or, where there is a place for them, writes those of rows(r), values times
/// exp(unit(row)). One code for both, so that both find the same.
template <class Walk, class Targets = Indices, class Numbers = Values>
struct EntriesOfRow {
  Walk walk;
  Indices count;  // written where `target` is empty
  Field mass;
  ConstField unit;
  Indices rows;
  Indices number;  // of the targets in the input; empty: as they are
  Indices begin;   // of the row's entries in `target` and `value`
  Targets target;
  Numbers value;
  KOKKOS_FUNCTION void operator()(Index r) const {
    using Target = typename Targets::non_const_value_type;
    using Value = typename Numbers::non_const_value_type;
    const bool fill = target.extent(0) > 0;
    const Index row = fill ? rows(r) : r;
    const Index row_begin = fill ? begin(r) : 0;
    const Index room = fill ? begin(r + 1) - row_begin : 0;
    Index entries = 0;
    Real sum = 0.0;
    walk.for_entries(row, [&](Index j, const Index(&)[3], Real reach) {
      const Real p = Kokkos::exp(unit(0, row) + reach);
      if (entries < room) {
        target(row_begin + entries) = static_cast<Target>(number.extent(0) > 0 ? number(j) : j);
        value(row_begin + entries) = static_cast<Value>(p);
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

EntryCounts count_entries(const PlanSearch& search, Real share) {
  const Index local_n = search.rows.local_n();
  const Indices count("hpot::PlanSearch::count", local_n);
  const Field kept = make_field("hpot::PlanSearch::kept", 1, local_n);
  with_walk(search, share, [&](const auto& walk) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::count", Policy(0, local_n),
        EntriesOfRow<std::decay_t<decltype(walk)>>{walk, count, kept, search.source, {}, {}, {}, {}, {}});
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
  const auto sources = input_order(search.source_support);
  const Indices target(Kokkos::view_alloc("hpot::PlanSearch::targets", Kokkos::WithoutInitializing), begins.back());
  const Values value(Kokkos::view_alloc("hpot::PlanSearch::values", Kokkos::WithoutInitializing), begins.back());
  with_walk(search, share, [&](const auto& walk) {
    Kokkos::parallel_for("hpot::PlanSearch::fill", Policy(0, rows.size()),
                         EntriesOfRow<std::decay_t<decltype(walk)>>{walk,
                                                                    {},
                                                                    {},
                                                                    search.source,
                                                                    device_copy("hpot::PlanSearch::rows", rows),
                                                                    search.number,
                                                                    device_copy("hpot::PlanSearch::begin", begins),
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

KeptEntries keep_entries(const PlanSearch& search, Real share, const EntryCounts& counts) {
  using Targets = Kokkos::View<int*, MemorySpace>;
  using Shares = Kokkos::View<float*, MemorySpace>;
  std::vector<Index> begins{0};
  for (const Index of_row : counts.of_rows) begins.push_back(begins.back() + of_row);
  std::vector<Index> rows(counts.of_rows.size());
  std::iota(rows.begin(), rows.end(), Index{0});
  KeptEntries kept{
      device_copy("hpot::PlanSearch::begin", begins),
      Targets(Kokkos::view_alloc("hpot::PlanSearch::kept_targets", Kokkos::WithoutInitializing), begins.back()),
      Shares(Kokkos::view_alloc("hpot::PlanSearch::shares", Kokkos::WithoutInitializing), begins.back())};
  if (begins.back() == 0) return kept;
  with_walk(search, share, [&](const auto& walk) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::keep", Policy(0, rows.size()),
        EntriesOfRow<std::decay_t<decltype(walk)>, Targets, Shares>{walk,
                                                                    {},
                                                                    {},
                                                                    search.row_share,
                                                                    device_copy("hpot::PlanSearch::rows", rows),
                                                                    {},
                                                                    kept.begin,
                                                                    kept.target,
                                                                    kept.share});
  });
  return kept;
}

}  // namespace hpot
