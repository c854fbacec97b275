// Rows divided over ranks: every reduction has the bits of the operator that owns them all.
#include "hpot/kernel/registry.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

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
      {"hard_min", [=](const auto& op, const auto& h, const auto&, const Field& out) { op.hard_min(side, h, out); }}};
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
