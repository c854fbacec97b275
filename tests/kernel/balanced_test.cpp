// Rows of a truncated operator dealt to ranks by the pairs that they visit: even shares of pairs, and the bits of one rank.
#include "hpot/kernel/balanced.hpp"
#include "hpot/kernel/registry.hpp"
#include "reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace hpot {
namespace {

using reference::Values;
using testing::ElementsAre;

TEST(DealBlocks, GivesEvenSharesOfConsecutiveBlocks) {
  EXPECT_THAT(deal_blocks({1.0, 1.0, 1.0, 1.0}, 2, 4), ElementsAre(0, 2, 4));
  EXPECT_THAT(deal_blocks({6.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, 2, 7), ElementsAre(0, 1, 7));
  EXPECT_THAT(deal_blocks({6.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, 2, 4), ElementsAre(0, 3, 7));
  EXPECT_THAT(deal_blocks({1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 6.0}, 2, 4), ElementsAre(0, 4, 7));
  EXPECT_THAT(deal_blocks({2.0, 2.0, 8.0, 4.0}, 3, 4), ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(deal_blocks({0.0, 0.0, 0.0}, 2, 3).back(), 3);
  const auto more_ranks = deal_blocks({5.0, 5.0}, 4, 2);
  EXPECT_EQ(more_ranks.size(), 5U);
  EXPECT_EQ(more_ranks.back(), 2);
  EXPECT_TRUE(std::is_sorted(more_ranks.begin(), more_ranks.end()));
}

/// A quarter of the points in a heap near a corner, the others all over the unit square.
PointCloud cloud_with_a_heap(unsigned seed) {
  constexpr Index n = 2048 + 17;
  Values coordinates = reference::random_values(2 * n, seed, 0.0, 1.0);
  for (Index i = 0; i < n / 2; ++i) coordinates[i] = 0.1 + 0.03 * coordinates[i];
  return in_morton_order({make_cloud(2, std::move(coordinates)), Values(n, 1.0), ""}).cloud;
}

constexpr Index batch = 2;

/// The points `rows` of (batch, n).
Field rows_of(const Values& values, Index n, Range rows) {
  Values some;
  for (Index k = 0; k < batch; ++k)
    some.insert(some.end(), values.begin() + k * n + rows.begin, values.begin() + k * n + rows.end);
  const Field field("rows", batch, rows.size());
  const auto host = Kokkos::create_mirror_view(field);
  std::copy(some.begin(), some.end(), host.data());
  Kokkos::deep_copy(field, host);
  return field;
}

TEST(BalancedOperator, HasTheBitsOfOneRankWhoeverReducesARow) {
  const Communicator world = Communicator::world();
  const PointCloud source = cloud_with_a_heap(1), target = cloud_with_a_heap(2);
  const Index n = source.points();
  const KernelOptions options{"truncated", SquaredEuclidean{}};
  const OwnedRows rows = own_rows(source, world), columns = own_rows(target, world);
  const OwnedRows all_rows = own_rows(source, Communicator::self()),
                  all_columns = own_rows(target, Communicator::self());
  const auto op = make_kernel(options, source, rows, target, columns);
  const auto whole = make_kernel(options, source, all_rows, target, all_columns);
  const Values h = reference::random_values(batch * n, 3, -8.0, 0.0),
               v = reference::random_values(batch * n, 4, -1.0, 1.0);
  for (const Real epsilon : {1.0, 4e-4, 4e-4, 1e-4}) {
    op->prepare(epsilon);
    whole->prepare(epsilon);
    for (const Side side : {Side::source, Side::target}) {
      const Range mine = (side == Side::source ? rows : columns).range();
      const Range inputs = (side == Side::source ? columns : rows).range();
      const auto compare = [&](const char* name, const auto& reduce) {
        const Field out("out", batch, mine.size()), expected("expected", batch, n);
        reduce(*op, rows_of(h, n, inputs), rows_of(v, n, inputs), out);
        reduce(*whole, rows_of(h, n, {0, n}), rows_of(v, n, {0, n}), expected);
        EXPECT_EQ(reference::values_of(out), reference::values_of(rows_of(reference::values_of(expected), n, mine)))
            << name << " at eps " << epsilon << " on rank " << world.rank();
      };
      for (int call = 0; call < 3; ++call)
        compare("softmin",
                [=](const auto& o, const Field& x, const Field&, const Field& out) { o.softmin(side, x, out); });
      compare("average",
              [=](const auto& o, const Field& x, const Field& y, const Field& out) { o.average(side, x, y, out); });
      compare("average_cost",
              [=](const auto& o, const Field& x, const Field&, const Field& out) { o.average_cost(side, x, out); });
      compare("hard_min",
              [=](const auto& o, const Field& x, const Field&, const Field& out) { o.hard_min(side, x, out); });
      compare("hard_max",
              [=](const auto& o, const Field& x, const Field&, const Field& out) { o.hard_max(side, x, out); });
    }
  }
}

/// The largest number of pairs of a rank to the mean.
Real largest_share(const Communicator& world, const TruncatedKernel& local) {
  const Values pairs = local.visited_pairs(Side::source);
  const Real here = std::accumulate(pairs.begin(), pairs.end(), 0.0);
  return world.max(here) * world.size() / world.sum(here);
}

TEST(BalancedOperator, RanksVisitAsManyPairs) {
  const Communicator world = Communicator::world();
  if (world.size() == 1) return;
  const PointCloud source = cloud_with_a_heap(1), target = cloud_with_a_heap(2);
  const Partition partition = own_rows(source, world).partition;
  const Range mine = partition.block(world.rank());
  const auto of_owned_rows = [&] {
    auto op = make_truncated_operator(SquaredEuclidean{}, points_of(SquaredEuclidean{}, source),
                                      points_of(SquaredEuclidean{}, target), mine, mine, 1e-15);
    op->prepare(1e-4);
    return op;
  };
  const Field h("h", 1, source.points()), s("s", 1, mine.size());
  const auto owned = of_owned_rows();
  owned->softmin(Side::source, h, s);
  EXPECT_GT(largest_share(world, *owned), 1.3);

  auto local = of_owned_rows();
  const TruncatedKernel& dealt = *local;
  const auto op = make_balanced_operator(std::move(local), world, partition, partition);
  op->prepare(1e-4);
  op->softmin(Side::source, h, s);
  op->softmin(Side::source, h, s);
  EXPECT_LT(largest_share(world, dealt), 1.15);
}

}  // namespace
}  // namespace hpot
