#include "hpot/io/transport_plan.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/field.hpp"
#include "hpot/solver/work_plan.hpp"

#include <cstdio>

namespace hpot {
namespace {

/// The sources in the order of the input: where each stands among all rows, and how many entries it has.
struct InputRows {
  std::vector<Index> position;
  std::vector<Index> entries;

  InputRows(const PlanSearch& search, const EntryCounts& counts) {
    const Index n = search.source_support.points();
    const PointCloud* cloud = search.source_support.cloud();
    const Field all = make_unset_field("hpot::write_plan::counts", 1, n);
    const Field mine = make_field("hpot::write_plan::counts", 1, {counts.of_rows.begin(), counts.of_rows.end()});
    search.rows.along_rows.gather_points(mine, all, search.rows.partition.offsets());
    const std::vector<Real> of_rows = host_values(all);
    position.resize(n);
    entries.resize(n);
    for (Index row = 0; row < n; ++row) {
      const Index number = cloud == nullptr || cloud->order == nullptr ? row : (*cloud->order)[row];
      position[number] = row;
      entries[number] = static_cast<Index>(of_rows[row]);
    }
  }

  /// The next points of the input from `begin` on, and their entries.
  [[nodiscard]] std::pair<Range, Index> block(Index begin) const {
    Index end = begin;
    Index sum = 0;
    while (end < static_cast<Index>(entries.size()) && (end == begin || sum + entries[end] <= MapRun::entries_at_once))
      sum += entries[end++];
    return {{begin, end}, sum};
  }

  /// Local numbers of the rows in `mine` among the points of `block`, in their order.
  [[nodiscard]] std::vector<Index> local(Range block, Range mine) const {
    std::vector<Index> rows;
    for (Index number = block.begin; number < block.end; ++number) {
      const Index row = position[number];
      if (entries[number] > 0 && row >= mine.begin && row < mine.end) rows.push_back(row - mine.begin);
    }
    return rows;
  }
};

/// Sources, targets, values, as one list for the way to rank 0: indices are exact in doubles.
std::vector<Real> packed(const PlanEntries& entries) {
  std::vector<Real> list;
  list.reserve(3 * entries.value.size());
  list.insert(list.end(), entries.source.begin(), entries.source.end());
  list.insert(list.end(), entries.target.begin(), entries.target.end());
  list.insert(list.end(), entries.value.begin(), entries.value.end());
  return list;
}

/// One rank's entries of a block to their places: a source's stand together, and come from one rank.
void place(const std::vector<Real>& list, Range block, const std::vector<Index>& entries, PlanEntries& to) {
  const std::size_t count = list.size() / 3;
  Index number = block.begin;
  Index at = 0;
  for (std::size_t e = 0; e < count;) {
    const auto source = static_cast<Index>(list[e]);
    for (; number < source; ++number) at += entries[number];
    for (Index k = 0; k < entries[source]; ++k, ++e) {
      to.source[at + k] = source;
      to.target[at + k] = static_cast<Index>(list[count + e]);
      to.value[at + k] = list[2 * count + e];
    }
  }
}

void write_entries(Hdf5Writer& file, const std::string& plan, Index first, const PlanEntries& entries) {
  file.part(plan + "/source", first, entries.source);
  file.part(plan + "/target", first, entries.target);
  file.part(plan + "/value", first, entries.value);
}

void prepare_plan(Hdf5Writer& file, const std::string& plan, Real share, const PlanSearch& search,
                  const EntryCounts& counts) {
  file.integers(plan + "/source", {counts.global});
  file.integers(plan + "/target", {counts.global});
  file.reals(plan + "/value", {counts.global});
  file.attribute(plan, "share", share);
  file.attribute(plan, "rule", "entries of at least this share of the mass of their row or of their column");
  file.attribute(plan, "sources", search.source_support.points());
  file.attribute(plan, "targets", search.target_support.points());
  file.attribute(plan, "entries", counts.global);
  file.attribute(plan, "mass", counts.mass);
  file.attribute(plan, "plan_mass", search.plan_mass);
}

}  // namespace

void write_plan(const Communicator& world, Real share, const std::string& group, Hdf5Writer* file,
                const PlanSearch& search) {
  const std::string plan = group + "/plan";
  const EntryCounts counts = count_entries(search, share);
  const InputRows rows(search, counts);
  const bool root = world.rank() == 0;
  world.agree([&] {
    if (root) prepare_plan(*file, plan, share, search, counts);
  });
  Index written = 0;
  for (Index begin = 0; begin < search.source_support.points();) {
    const auto [block, count] = rows.block(begin);
    PlanEntries entries;
    if (root) entries = {std::vector<Index>(count), std::vector<Index>(count), std::vector<Real>(count)};
    world.to_root(packed(entries_of(search, share, counts, rows.local(block, search.rows.range()))),
                  [&](int, const std::vector<Real>& list) { place(list, block, rows.entries, entries); });
    world.agree([&] {
      if (root) write_entries(*file, plan, written, entries);
    });
    written += count;
    begin = block.end;
  }
  if (root) {
    std::printf("%splan: %lld entries of share %g hold %.6g of the plan's mass\n",
                group.empty() ? "" : (group.substr(1) + ": ").c_str(), static_cast<long long>(counts.global), share,
                counts.mass / search.plan_mass);
  }
}

}  // namespace hpot
