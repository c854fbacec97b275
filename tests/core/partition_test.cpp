#include "hpot/core/partition.hpp"

#include "../../src/core/windows.hpp"

#include "hpot/core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hpot {
namespace {

using testing::ElementsAre;

const Communicator& world() {
  static const Communicator communicator = Communicator::world();
  return communicator;
}

/// A value that tells batch entry and global point.
Real label(Index k, Index i) { return 1000.0 * static_cast<Real>(k) + static_cast<Real>(i); }

Field labelled(Index batch, Range points) {
  Field field("field", batch, points.size());
  const auto host = Kokkos::create_mirror_view(field);
  for (Index k = 0; k < batch; ++k) {
    for (Index i = points.begin; i < points.end; ++i) host(k, i - points.begin) = label(k, i);
  }
  Kokkos::deep_copy(field, host);
  return field;
}

TEST(Partition, BlocksCoverEveryPointOnceAndSplitNoTile) {
  for (Index n : {0, 1, 7, 64, 1000}) {
    for (Index tile : {1, 3, 64, 5000}) {
      for (int parts : {1, 2, 3, 7}) {
        const Partition partition(n, tile, parts);

        EXPECT_EQ(partition.offsets().front(), 0);
        EXPECT_EQ(partition.offsets().back(), n);
        for (int part = 0; part < parts; ++part) {
          const Range block = partition.block(part);
          EXPECT_GE(block.size(), 0);
          EXPECT_TRUE(block.begin % tile == 0 || block.begin == n) << n << " " << tile << " " << parts;
        }
      }
    }
  }
}

TEST(Partition, TilesAreDealtEvenlyAndTheFirstBlocksTakeOneMore) {
  EXPECT_THAT(Partition(10, 1, 3).offsets(), ElementsAre(0, 4, 7, 10));
  EXPECT_THAT(Partition(10, 4, 2).offsets(), ElementsAre(0, 8, 10));
  EXPECT_THAT(Partition(5, 2, 4).offsets(), ElementsAre(0, 2, 4, 5, 5));
  EXPECT_EQ(Partition(10, 4, 2).tiles(), 3);
}

TEST(Partition, BeyondTwoToThe31PointsNothingOverflows) {
  const Index n = (Index{1} << 40) + 6;

  const Partition partition(n, 1, 3);

  EXPECT_EQ(partition.block(2).end, n);
  EXPECT_EQ(partition.block(0).size(), n / 3 + 1);
}

TEST(ProcessGridShape, MinimisesTheLargestShareAndPrefersBatchesOnATie) {
  const auto shape = [](int ranks, Index tiles, Index batch) {
    const ProcessGridShape s = choose_process_grid(ranks, tiles, batch);
    return std::pair(s.rows, s.batches);
  };

  EXPECT_EQ(shape(1, 10, 10), std::pair(1, 1));
  EXPECT_EQ(shape(4, 64, 8), std::pair(1, 4));
  EXPECT_EQ(shape(4, 64, 1), std::pair(4, 1));
  EXPECT_EQ(shape(6, 64, 2), std::pair(3, 2));
  EXPECT_EQ(shape(3, 64, 2), std::pair(3, 1));
}

TEST(ProcessGrid, JoinsRanksThatShareRowsAndThoseThatShareBatches) {
  const ProcessGrid by_rows(world(), {world().size(), 1});
  const ProcessGrid by_batches(world(), {1, world().size()});

  EXPECT_EQ(by_rows.along_rows().size(), world().size());
  EXPECT_EQ(by_rows.along_rows().rank(), world().rank());
  EXPECT_EQ(by_rows.along_batches().size(), 1);
  EXPECT_EQ(by_batches.along_batches().size(), world().size());
  EXPECT_EQ(by_batches.along_batches().rank(), world().rank());
  EXPECT_EQ(by_batches.along_rows().size(), 1);
}

TEST(ProcessGrid, AShapeThatDoesNotFillTheJobIsAnInputError) {
  EXPECT_THROW(ProcessGrid(world(), {world().size() + 1, 1}), InputError);
  EXPECT_THROW(ProcessGrid(world(), {0, world().size()}), InputError);
}

TEST(Communicator, SumsAndMaximaRunOverAllRanks) {
  const int p = world().size();
  const Real sum_of_ranks = p * (p - 1) / 2.0;
  std::vector<Real> values{1.0, static_cast<Real>(world().rank())};
  const Field field = labelled(2, {0, 5});

  world().sum(values);
  world().sum(field);

  EXPECT_THAT(values, ElementsAre(p, sum_of_ranks));
  EXPECT_EQ(world().sum(static_cast<Real>(world().rank())), sum_of_ranks);
  EXPECT_EQ(world().max(static_cast<Real>(world().rank())), p - 1);
  EXPECT_TRUE(world().any(world().rank() == p - 1));
  EXPECT_FALSE(world().any(false));
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, field);
  EXPECT_EQ(host(1, 4), p * label(1, 4));
}

TEST(Communicator, GatheredBlocksStandWhereThePartitionPutsThem) {
  for (Index n : {1, 2, 23}) {  // with fewer points than ranks some blocks are empty
    const Partition partition(n, 2, world().size());
    const Field local = labelled(3, partition.block(world().rank()));
    const Field full("full", 3, n);

    world().gather_points(local, full, partition.offsets());

    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, full);
    Index wrong = 0;
    for (Index k = 0; k < 3; ++k) {
      for (Index i = 0; i < n; ++i) wrong += host(k, i) != label(k, i);
    }
    EXPECT_EQ(wrong, 0) << n;
  }
}

TEST(Communicator, WindowsHoldEveryValueOfEveryBlockOnce) {
  for (const std::vector<Index>& offsets :
       {std::vector<Index>{0, 7, 7, 20, 21}, {0, 0, 5}, {0, 10}, {0, 3, 6, 9}, {0, 0, 0}}) {
    for (const Index at_once : {1, 2, 3, 4, 7, 100}) {
      const int ranks = static_cast<int>(offsets.size()) - 1;
      std::vector<int> taken(offsets.back(), 0);
      for (int rank = 0; rank < ranks; ++rank) {
        Index windows = 0;
        in_windows(offsets, rank, at_once, [&](Index from, Index to, const auto& counts, const auto& starts) {
          EXPECT_EQ(to, at_once * windows++);
          EXPECT_LE(counts[rank], at_once);
          ASSERT_LE(from + counts[rank], offsets[rank + 1] - offsets[rank]);
          for (int i = 0; i < counts[rank]; ++i) {
            const Index at = to + starts[rank] + i;
            EXPECT_EQ(at, offsets[rank] + from + i);  // where the block has it
            ++taken[at];
          }
        });
        EXPECT_EQ(windows, (offsets.back() + at_once - 1) / at_once);
      }
      EXPECT_THAT(taken, testing::Each(1));
    }
  }
}

TEST(Communicator, WindowsOfBlocksBeyondTwoToThe31ValuesAreInts) {
  const Index huge = Index{5} << 31;
  const std::vector<Index> offsets{0, huge, huge + 3, 3 * huge};
  Index here = 0;
  in_windows(offsets, 2, values_of_a_call, [&](Index from, Index to, const auto& counts, const auto& starts) {
    for (std::size_t r = 0; r < counts.size(); ++r) {
      EXPECT_GE(std::min(counts[r], starts[r]), 0);
      EXPECT_LE(counts[r] + starts[r], values_of_a_call);
    }
    if (counts[2] > 0) {
      EXPECT_EQ(to + starts[2], offsets[2] + from);
      EXPECT_EQ(from, here);
    }
    here += counts[2];
  });
  EXPECT_EQ(here, 2 * huge - 3);
}

TEST(Communicator, GatherConcatenatesByRankOnTheRootOnly) {
  const std::vector<Real> local(world().rank() + 1, world().rank());
  const int root = world().size() - 1;

  const std::vector<Real> all = world().gather(local, root);

  std::vector<Real> expected;
  for (int r = 0; r < world().size(); ++r) expected.insert(expected.end(), r + 1, r);
  EXPECT_EQ(all, world().rank() == root ? expected : std::vector<Real>());
}

TEST(Communicator, BroadcastsRepeatTheRootsBytesTextsAndNumbers) {
  const int root = world().size() - 1;
  const bool here = world().rank() == root;
  std::string bytes = here ? std::string("a\0b", 3) : "other";
  std::vector<std::string> texts = here ? std::vector<std::string>{"", "x y", ""} : std::vector<std::string>{"z"};
  std::vector<Real> values = here ? std::vector<Real>{1.5, -2.0} : std::vector<Real>();

  world().broadcast(bytes, root);
  world().broadcast(texts, root);
  world().broadcast(values, root);

  EXPECT_EQ(bytes, std::string("a\0b", 3));
  EXPECT_THAT(texts, ElementsAre("", "x y", ""));
  EXPECT_THAT(values, ElementsAre(1.5, -2.0));
}

TEST(Communicator, AnErrorOfOneRankIsThrownByAll) {
  const int failing = world().size() - 1;
  std::string message;

  try {
    world().agree([&] { require(world().rank() != failing, "file", "rank " + std::to_string(world().rank())); });
  } catch (const InputError& error) {
    message = error.what();
  }

  EXPECT_EQ(message, "file (rank " + std::to_string(failing) + ")");
  EXPECT_NO_THROW(world().agree([] {}));
}

TEST(Communicator, SplitKeepsTheOrderOfRanks) {
  const Communicator part = world().split(world().rank() % 2);

  EXPECT_EQ(part.rank(), world().rank() / 2);
  EXPECT_EQ(part.size(), (world().size() + 1 - world().rank() % 2) / 2);
}

}  // namespace
}  // namespace hpot
