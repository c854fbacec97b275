// What ranks make of their slabs of a grid has the bits of the whole.
#include "hpot/core/error.hpp"
#include "hpot/measure/measure.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/measure/synthetic.hpp"

#include "reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hpot {
namespace {

using reference::Values;
using testing::HasSubstr;

std::vector<Grid> grids() {
  return {make_grid({17, 9, 12}, {1.0, 1.0, 1.0}),  make_grid({2, 9, 6}, {1.0, 1.0, 1.0}),
          make_grid({11, 10, 10}, {3.0, 1.0, 1.0}), make_grid({41, 7}, {1.0, 1.0}),
          make_grid({30, 30}, {1.0, 2.0}),          make_grid({333}, {1.0})};
}

TEST(Slabs, LevelsAreThoseOfTheWhole) {
  const Communicator world = Communicator::world();
  for (const Grid& grid : grids()) {
    Grid fine = grid;
    Values whole = reference::random_values(grid.points(), 1, 0.0, 1.0);
    Values mine = owned_values(whole, own_rows(fine, world));
    for (int level = 0; level < 4; ++level) {
      const Grid coarse = coarsen(fine);
      const OwnedRows coarse_rows = own_rows(coarse, world);
      mine = coarsen(fine, own_rows(fine, world), coarse_rows, mine);
      whole = coarsen(fine, whole);
      EXPECT_EQ(mine, owned_values(whole, coarse_rows)) << grid.describe() << ", level " << level + 1;
      fine = coarse;
    }
  }
}

TEST(Slabs, InterpolationNeedsNeighbouringPlanesOnly) {
  const Communicator world = Communicator::world();
  for (const Grid& fine : grids()) {
    const Grid coarse = coarsen(fine);
    const OwnedRows rows = own_rows(fine, world), coarse_rows = own_rows(coarse, world);
    const Values whole = reference::random_values(coarse.points(), 2, -1.0, 1.0);
    const auto wanted = [&](int rank) { return planes_for_interpolation(coarse, fine, rows.partition.block(rank)); };
    const Range here = wanted(world.rank());
    const Values planes = world.take_items(planes_of(coarse_rows, coarse), plane_points(coarse),
                                           owned_values(whole, coarse_rows), wanted);
    EXPECT_EQ(planes, Values(whole.begin() + here.begin * plane_points(coarse),
                             whole.begin() + here.end * plane_points(coarse)));
    EXPECT_LE(here.size(), owned_planes(rows, fine).size() / (coarse.axes[0].n < fine.axes[0].n ? 2 : 1) + 3);
    EXPECT_EQ(interpolate(coarse, planes, fine, rows.range(), here.begin),
              interpolate(coarse, whole, fine, rows.range()))
        << fine.describe();
  }
}

TEST(Slabs, WeightsAreTheSameOnAnyNumberOfRanks) {
  const Communicator world = Communicator::world();
  const Grid grid = make_grid({7, 5, 4}, {1.0, 1.0, 1.0});
  const OwnedRows rows = own_rows(grid, world), all = own_rows(grid, Communicator::self());
  Values values = reference::random_values(grid.points(), 3, 0.0, 1e300);
  values[3] = values[100] = std::numeric_limits<Real>::quiet_NaN();
  const auto made = [&](Values here, NegativeValues negative, bool normalize, const OwnedRows& of) {
    MeasureData data(GridData{grid, std::move(here), "the volume"});
    return make_measure(std::move(data), negative, normalize, of);
  };
  for (const bool normalize : {true, false}) {
    const Measure whole = made(values, NegativeValues::clip, normalize, all);
    const Measure part = made(owned_values(values, rows), NegativeValues::clip, normalize, rows);
    EXPECT_EQ(part.weights, owned_values(whole.weights, rows));
    EXPECT_EQ(part.mass, whole.mass);
    EXPECT_EQ(part.masked, 2);
    EXPECT_EQ(part.clipped, whole.clipped);
  }
  values[grid.points() - 1] = -0.5;  // of one rank: all say so
  try {
    made(owned_values(values, rows), NegativeValues::error, true, rows);
    ADD_FAILURE() << "negative values were taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the volume (1 negative values, the lowest -0.5"));
  }
}

TEST(Slabs, SyntheticFamiliesGiveSomePlanesAlone) {
  for (const std::string source : {"gaussian?n=50&dim=1", "gaussian?shape=9x7&dim=2", "ellipse?n=20", "shell?n=9",
                                   "waves?shape=7x9x5&dim=3", "uniform?n=6&dim=3", "phantom?shape=8x9x10"}) {
    const GridData whole = synthetic_measure(source, 0);
    const Index plane = plane_points(whole.grid);
    for (const Range planes : {Range{0, 2}, Range{3, 6}, Range{5, 5}}) {
      EXPECT_EQ(synthetic_planes(source, 0, planes).values,
                Values(whole.values.begin() + planes.begin * plane, whole.values.begin() + planes.end * plane))
          << source;
    }
  }
}

}  // namespace
}  // namespace hpot
