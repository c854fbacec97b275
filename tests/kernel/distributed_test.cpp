// Rows divided over ranks: every reduction has the bits of the operator that owns them all.
#include "../../src/kernel/cut_axis.hpp"
#include "hpot/kernel/registry.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>
#include <array>

namespace hpot {
namespace {

using reference::Values;
using Reduction =
    std::function<void(const KernelOperator& op, const ConstField& h, const ConstField& v, const Field& out)>;

constexpr Index batch = 2;

struct Named {
  const char* name;
  Reduction reduce;
};

/// With the source's points as outputs.
std::vector<Named> reductions() {
  const Side side = Side::source;
  return {
      {"softmin", [=](const auto& op, const auto& h, const auto&, const Field& out) { op.softmin(side, h, out); }},
      {"average", [=](const auto& op, const auto& h, const auto& v, const Field& out) { op.average(side, h, v, out); }},
      {"average of kept weights",
       [=](const auto& op, const auto& h, const auto& v, const Field& out) {
         const auto fixed = op.fix_average(side, h);
         if (fixed != nullptr) return fixed->apply(v, out);
         op.average(side, h, v, out);
       }},
      {"average_cost",
       [=](const auto& op, const auto& h, const auto&, const Field& out) { op.average_cost(side, h, out); }},
      {"hard_min", [=](const auto& op, const auto& h, const auto&, const Field& out) { op.hard_min(side, h, out); }},
      {"hard_max", [=](const auto& op, const auto& h, const auto&, const Field& out) { op.hard_max(side, h, out); }}};
}

/// The points of `rows` out of (batch, global_n).
Field rows_of(const Values& values, const OwnedRows& rows) {
  const Index global_n = rows.partition.global_n();
  const Range range = rows.range();
  Values mine;
  for (Index k = 0; k < batch; ++k)
    mine.insert(mine.end(), values.begin() + k * global_n + range.begin, values.begin() + k * global_n + range.end);
  const Field field("rows", batch, range.size());
  const auto host = Kokkos::create_mirror_view(field);
  std::copy(mine.begin(), mine.end(), host.data());
  Kokkos::deep_copy(field, host);
  return field;
}

/// Windows are shared by lines that lie on one rank however many there are.
TEST(DistributedOperator, WindowsHaveTheBitsOfOneRank) {
  const Communicator world = Communicator::world();
  const Communicator self = world.split(world.rank());
  for (const Grid& grid : {make_grid({43, 61}, {1.0, 1.0}), make_grid({13, 31, 45}, {1.0, 1.5, 1.0})}) {
    const OwnedRows rows = own_rows(grid, world), all_rows = own_rows(grid, self);
    const Values h = reference::random_values(batch * grid.points(), 1, -30.0, 30.0);
    for (const Real epsilon : {0.3, 2.0}) {
      const auto op = make_kernel({}, grid, rows, grid, rows);
      const auto whole = make_kernel({}, grid, all_rows, grid, all_rows);
      op->prepare(epsilon);
      whole->prepare(epsilon);
      for (const auto& [name, reduce] : reductions()) {
        const Field out("out", batch, rows.local_n()), expected("expected", batch, grid.points());
        reduce(*op, rows_of(h, rows), rows_of(h, rows), out);
        reduce(*whole, rows_of(h, all_rows), rows_of(h, all_rows), expected);
        EXPECT_EQ(reference::values_of(out), reference::values_of(rows_of(reference::values_of(expected), rows)))
            << name << " on rank " << world.rank();
      }
    }
  }
}

/// Two arrays there, one back, lines in several lots; grids of different numbers of planes.
TEST(CutAxis, BringsWholeLinesAndTakesThemBack) {
  const Communicator world = Communicator::world();
  for (const auto& [planes_in, planes_out, lines] :
       {std::array<Index, 3>{7, 4, 100}, {2, 9, 30}, {5, 5, 3}, {6, 6, 200}}) {
    const Partition in(planes_in, 1, world.size()), out(planes_out, 1, world.size());
    const CutAxis axis(world, in, out, lines, 16 * std::max(planes_in, planes_out));
    const Range here = in.block(world.rank()), there = out.block(world.rank());
    Values first, second;
    for (Index z = here.begin; z < here.end; ++z) {
      for (Index l = 0; l < lines; ++l) {
        first.push_back(static_cast<Real>(1000 * z + l));
        second.push_back(static_cast<Real>(1000 * z - l));
      }
    }
    const Field a = reference::field_of(first), b = reference::field_of(second), made("made", 1, lines * there.size());
    CutAxis::Buffers buffers;
    int lots = 0;
    axis.for_lines({a.data(), b.data()}, {made.data()}, buffers, [&](const CutAxis::Lines& some) {
      ++lots;
      const Index count = some.count, n_in = planes_in, n_out = planes_out;
      const Real *x = some.in[0], *y = some.in[1];
      Real* to = some.out[0];
      Kokkos::parallel_for(
          "made", Kokkos::RangePolicy<ExecutionSpace>(0, count), KOKKOS_LAMBDA(Index l) {
            Real sums[2] = {0.0, 0.0};  // sum of 1000 z + l, and of 1000 z - l
            for (Index z = 0; z < n_in; ++z) {
              sums[0] += x[z * count + l];
              sums[1] += y[z * count + l];
            }
            for (Index z = 0; z < n_out; ++z)
              to[l * n_out + z] = (sums[0] - sums[1]) / static_cast<Real>(2 * n_in) + 1000.0 * static_cast<Real>(z);
          });
    });
    const Values got = reference::values_of(made);  // (line, owned plane)
    for (Index l = 0; l < lines; ++l) {
      for (Index z = 0; z < there.size(); ++z)
        EXPECT_EQ(got[l * there.size() + z], static_cast<Real>(l + 1000 * (there.begin + z)));
    }
    if (lines == 100 && world.size() == 1) EXPECT_EQ(lots, 7);
    if (planes_in != planes_out) continue;
    axis.for_lines({a.data(), b.data()}, {made.data()}, buffers,
                   [](const CutAxis::Lines&) {});  // no more than the first time
    std::size_t held = 0;
    for (const auto& of_kind : {buffers.packed_in, buffers.packed_out, buffers.in, buffers.next_in, buffers.out}) {
      for (const auto& buffer : of_kind) held += buffer.size();
    }
    const Real planned = CutAxis::buffered_values(lines, in, world.size(), 2, 1, 16 * planes_in);
    if (world.rank() == 0) EXPECT_EQ(static_cast<Real>(held), planned);
  }
}

/// Whole lines, dealt to ranks: some ranks without planes, planes without mass, all terms, costs that are not quadratic.
TEST(SlabOperator, HasTheBitsOfOneRank) {
  const Communicator world = Communicator::world();
  const Communicator self = world.split(world.rank());
  struct Case {
    Grid grid;
    Cost cost;
    Real window_cut;
    Precision precision;
  };
  const Case cases[] = {{make_grid({2, 9, 11}, {3.0, 1.0, 1.0}), SquaredEuclidean{}, 1e-15, Precision::full},
                        {make_grid({9, 5, 3}, {1.0, 2.0, 0.5}), SquaredEuclidean{}, 0.0, Precision::full},
                        {make_grid({11, 17, 13}, {1.0, 1.0, 2.0}), PowerAxes{1.5}, 1e-15, Precision::mixed},
                        {make_grid({64}, {1.0}), SquaredEuclidean{}, 1e-15, Precision::full},
                        {make_grid({3, 50}, {1.0, 1.0}), SquaredEuclidean{}, 1e-15, Precision::full},
                        {make_grid({1, 7, 19}, {1.0, 1.0, 1.0}), SquaredEuclidean{}, 1e-15, Precision::full},
                        // lines in several lots, on two ranks and on three
                        {make_grid({16392, 5, 6}, {1.0, 1.0, 1.0}), SquaredEuclidean{}, 1e-15, Precision::full}};
  EXPECT_EQ(CutAxis::lines_at_once(30, 3, 16392), 8);
  for (const Case& c : cases) {
    const KernelOptions options{"separable", c.cost, c.window_cut};
    const OwnedRows rows = own_rows(c.grid, world), all_rows = own_rows(c.grid, self);
    const Index n = c.grid.points(), plane = n / c.grid.axes[0].n;
    Values h = reference::random_values(batch * n, 1, -30.0, 30.0);
    for (Index j = 0; j < batch * n; j += 3) h[j] = log_zero;
    const Index empty = c.grid.axes[0].n / 3 * plane;
    std::fill(h.begin() + empty, h.begin() + 2 * empty, log_zero);
    const auto op = make_kernel(options, c.grid, rows, c.grid, rows);
    const auto whole = make_kernel(options, c.grid, all_rows, c.grid, all_rows);
    for (const auto& one : {op, whole}) {
      one->prepare(0.7);
      one->set_precision(c.precision);
    }
    for (const auto& [name, reduce] : reductions()) {
      const Field out("out", batch, rows.local_n()), expected("expected", batch, n);
      reduce(*op, rows_of(h, rows), rows_of(h, rows), out);
      reduce(*whole, rows_of(h, all_rows), rows_of(h, all_rows), expected);
      EXPECT_EQ(reference::values_of(out), reference::values_of(rows_of(reference::values_of(expected), rows)))
          << c.grid.describe() << ' ' << name << " on rank " << world.rank();
    }
  }
}

TEST(DistributedOperator, HasTheBitsOfOneRank) {
  const Communicator world = Communicator::world();
  const Communicator self = world.split(world.rank());
  const Grid source = make_grid({7, 6, 11}, {3.0, 2.0, 2.5});
  const Grid target = make_grid({5, 9, 4}, {3.0, 2.0, 5.0});
  const Index n = target.points();
  Values h = reference::random_values(batch * n, 1, -30.0, 30.0);
  for (Index j = 0; j < batch * n; j += 3) h[j] = log_zero;
  const Values v = reference::random_values(batch * n, 2, -1.0, 1.0);
  for (const char* type : {"separable", "dense", "truncated", "stored"}) {
    const KernelOptions options{type, SquaredEuclidean{}};
    const OwnedRows rows = own_rows(source, world), columns = own_rows(target, world);
    const OwnedRows all_rows = own_rows(source, self), all_columns = own_rows(target, self);
    const auto op = make_kernel(options, source, rows, target, columns);
    const auto whole = make_kernel(options, source, all_rows, target, all_columns);
    op->prepare(3.0);
    whole->prepare(3.0);
    for (const auto& [name, reduce] : reductions()) {
      const Field out("out", batch, rows.local_n()), expected("expected", batch, source.points());

      reduce(*op, rows_of(h, columns), rows_of(v, columns), out);
      reduce(*whole, rows_of(h, all_columns), rows_of(v, all_columns), expected);

      EXPECT_EQ(reference::values_of(out), reference::values_of(rows_of(reference::values_of(expected), rows)))
          << type << ' ' << name << " on rank " << world.rank();
    }
  }
}

}  // namespace
}  // namespace hpot
