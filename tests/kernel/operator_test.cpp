// Every operator against plain long-double loops, and against one another.
#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/separable.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hpot {
namespace {

using reference::Values;

struct Case {
  Grid source;
  Grid target;
  Cost cost;
  Real epsilon;
};

Grid grid_of(std::vector<Axis> axes) { return Grid{std::move(axes), {}}; }

std::vector<Case> separable_cases() {
  const Grid line = grid_of({{37, 0.5, -3.0}});
  const Grid image = grid_of({{9, 1.0, 0.0}, {14, 0.75, 2.0}});
  const Grid volume = grid_of({{5, 3.0, 0.0}, {7, 2.0, 0.0}, {11, 2.5, 1.0}});
  const Grid coarse = grid_of({{3, 6.0, 1.5}, {4, 4.0, 1.0}, {6, 5.0, 2.25}});
  std::vector<Case> cases;
  for (const Real factor : {0.05, 0.5, 4.0, 300.0}) {
    cases.push_back({line, line, SquaredEuclidean{}, 0.25 * factor});
    cases.push_back({image, image, SquaredEuclidean{}, 0.6 * factor});
    cases.push_back({image, image, PowerAxes{1.5}, factor});
    cases.push_back({volume, volume, SquaredEuclidean{}, 4.0 * factor});
    cases.push_back({volume, coarse, PowerAxes{1.0}, 2.0 * factor});
    cases.push_back({coarse, volume, SquaredEuclidean{}, 4.0 * factor});
  }
  return cases;
}

/// Rough log-values with holes: two thirds are log_zero.
Values rough(Index n, unsigned seed, Real scale) {
  Values h = reference::random_values(n, seed, -scale, scale);
  for (Index i = 0; i < n; ++i) {
    if (i % 3 != static_cast<Index>(seed % 3)) h[i] = log_zero;
  }
  return h;
}

Values softmin_of(const KernelOperator& op, Side side, const Values& h, Index outputs) {
  const Field s("s", 1, outputs);
  op.softmin(side, reference::field_of(h), s);
  return reference::values_of(s);
}

TEST(SeparableOperator, SoftminEqualsLongDoubleLoopsInFullPrecision) {
  for (const Case& c : separable_cases()) {
    const auto op = make_separable_operator(c.cost, c.source, c.target, {0, c.source.points()}, {0, c.target.points()});
    op->prepare(c.epsilon);
    const auto cost = reference::cost_matrix(c.cost, c.source, c.target);
    const Values h = rough(c.target.points(), 1, 40.0);
    EXPECT_LT(reference::largest_difference(softmin_of(*op, Side::source, h, c.source.points()),
                                            reference::softmin(cost, h, c.epsilon)) /
                  c.epsilon,
              1e-11)
        << c.source.describe() << " eps " << c.epsilon;
  }
}

TEST(SeparableOperator, SoftminThatSpoilsItsArgumentRepeatsEveryBit) {
  constexpr Index batch = 3;
  for (const Case& c : separable_cases()) {
    const auto op = make_separable_operator(c.cost, c.source, c.target, {0, c.source.points()}, {0, c.target.points()});
    op->prepare(c.epsilon);
    const Field h("h", batch, c.target.points());
    const auto host = Kokkos::create_mirror_view(h);
    const Values values = rough(batch * c.target.points(), 1, 40.0);
    std::copy(values.begin(), values.end(), host.data());
    Kokkos::deep_copy(h, host);
    const Field kept("kept", batch, c.source.points());
    const Field spoilt("spoilt", batch, c.source.points());
    op->softmin(Side::source, h, kept);
    op->softmin_spoiling(Side::source, h, spoilt);
    EXPECT_EQ(reference::values_of(spoilt), reference::values_of(kept)) << c.source.describe();
  }
}

TEST(SeparableOperator, MixedPrecisionErrsByLessThan1em6OfEpsilon) {
  for (const Case& c : separable_cases()) {
    const auto op = make_separable_operator(c.cost, c.source, c.target, {0, c.source.points()}, {0, c.target.points()});
    op->prepare(c.epsilon);
    op->set_precision(Precision::mixed);
    const auto cost = reference::cost_matrix(c.cost, c.target, c.source);
    const Values h = rough(c.source.points(), 2, 40.0);
    EXPECT_LT(reference::largest_difference(softmin_of(*op, Side::target, h, c.target.points()),
                                            reference::softmin(cost, h, c.epsilon)) /
                  c.epsilon,
              1e-6);
  }
}

TEST(SeparableOperator, BlocksOfPlanesGiveTheBitsOfTheWholeGrid) {
  const Grid volume = grid_of({{7, 3.0, 0.0}, {6, 2.0, 0.0}, {11, 2.5, 1.0}});
  const Index plane = 66;
  const auto whole = make_separable_operator(SquaredEuclidean{}, volume, volume, {0, 7 * plane}, {0, 7 * plane});
  const auto part =
      make_separable_operator(SquaredEuclidean{}, volume, volume, {2 * plane, 5 * plane}, {2 * plane, 7 * plane});
  whole->prepare(3.0);
  part->prepare(3.0);
  const Values h = rough(volume.points(), 3, 100.0);
  const Values all = softmin_of(*whole, Side::source, h, 7 * plane);
  EXPECT_EQ(softmin_of(*part, Side::source, h, 3 * plane), Values(all.begin() + 2 * plane, all.begin() + 5 * plane));
}

TEST(SeparableOperator, BatchEntriesAreIndependent) {
  const Grid image = grid_of({{9, 1.0, 0.0}, {14, 0.75, 2.0}});
  const auto op = make_separable_operator(SquaredEuclidean{}, image, image, {0, 126}, {0, 126});
  op->prepare(0.5);
  Values both = rough(126, 4, 10.0);
  const Values second = rough(126, 5, 10.0);
  both.insert(both.end(), second.begin(), second.end());
  const Field s("s", 2, 126);
  op->softmin(Side::source, reference::field_of(both, 2), s);
  const Values all = reference::values_of(s);
  EXPECT_EQ(Values(all.begin() + 126, all.end()), softmin_of(*op, Side::source, second, 126));
}

TEST(SeparableOperator, NothingToReachGivesAHugeFinitePotential) {
  const Grid line = grid_of({{12, 1.0, 0.0}});
  const auto op = make_separable_operator(SquaredEuclidean{}, line, line, {0, 12}, {0, 12});
  op->prepare(1.0);
  for (const Real s : softmin_of(*op, Side::source, Values(12, log_zero), 12)) EXPECT_GT(s, 1e299);
}

std::shared_ptr<KernelOperator> stored_operator(const Cost& cost, const Points& x, const Points& y) {
  const Communicator self = Communicator::world();
  const OwnedRows rows{Partition(static_cast<Index>(x.extent(0)), 1, 1), self};
  return make_matrix_operator(make_cost_matrix(cost, x, y, rows), rows,
                              {Partition(static_cast<Index>(y.extent(0)), 1, 1), self});
}

TEST(AllOperators, AgreeOnEveryReduction) {
  for (const Case& c : separable_cases()) {
    const Range rows{0, c.source.points()};
    const Range columns{0, c.target.points()};
    const Points x = grid_points(c.source);
    const Points y = grid_points(c.target);
    const auto separable = make_separable_operator(c.cost, c.source, c.target, rows, columns);
    const auto dense = make_dense_operator(c.cost, x, y, rows, columns);
    const auto stored = stored_operator(c.cost, x, y);
    const Field h = reference::field_of(rough(c.target.points(), 6, 20.0));
    Values softmins[3], means[3], minima[3], maxima[3];
    int n = 0;
    for (const auto* op : {separable.get(), dense.get(), stored.get()}) {
      const Field s("s", 1, rows.size());
      const_cast<KernelOperator*>(op)->prepare(c.epsilon);
      op->softmin(Side::source, h, s);
      softmins[n] = reference::values_of(s);
      op->average_cost(Side::source, h, s);
      means[n] = reference::values_of(s);
      op->hard_min(Side::source, h, s);
      minima[n] = reference::values_of(s);
      op->hard_max(Side::source, h, s);
      maxima[n++] = reference::values_of(s);
    }
    for (int other : {1, 2}) {
      EXPECT_LT(reference::largest_difference(softmins[0], softmins[other]) / c.epsilon, 1e-11);
      EXPECT_LT(reference::largest_difference(means[0], means[other]), 1e-9 * (1.0 + c.epsilon));
      EXPECT_LT(reference::largest_difference(minima[0], minima[other]), 1e-10);
      EXPECT_LT(reference::largest_difference(maxima[0], maxima[other]), 1e-10);
    }
  }
}

/// What the registry calls separable, dense and stored, of all rows.
std::vector<std::shared_ptr<KernelOperator>> all_operators(const Case& c) {
  const Range rows{0, c.source.points()};
  const Range columns{0, c.target.points()};
  const Points x = grid_points(c.source);
  const Points y = grid_points(c.target);
  std::vector<std::shared_ptr<KernelOperator>> all;
  all.push_back(make_separable_operator(c.cost, c.source, c.target, rows, columns));
  all.push_back(make_dense_operator(c.cost, x, y, rows, columns));
  all.push_back(stored_operator(c.cost, x, y));
  for (const auto& op : all) op->prepare(c.epsilon);
  return all;
}

Values average_of(const KernelOperator& op, Side side, const Values& h, const Values& v, Index outputs, Index batch) {
  const Field mean("mean", batch, outputs);
  op.average(side, reference::field_of(h, batch), reference::field_of(v, batch), mean);
  return reference::values_of(mean);
}

TEST(AllOperators, AverageEqualsLongDoubleLoops) {
  for (const Case& c : separable_cases()) {
    const Index n = c.target.points();
    const auto cost = reference::cost_matrix(c.cost, c.source, c.target);
    const Values h[2] = {rough(n, 10, 30.0), rough(n, 11, 3.0)};
    const Values v[2] = {reference::random_values(n, 12, -1.0, 1.0), reference::random_values(n, 13, -1.0, 1.0)};
    Values expected, both_h, both_v;
    for (int k = 0; k < 2; ++k) {
      const Values mean = reference::average(cost, h[k], v[k], c.epsilon);
      expected.insert(expected.end(), mean.begin(), mean.end());
      both_h.insert(both_h.end(), h[k].begin(), h[k].end());
      both_v.insert(both_v.end(), v[k].begin(), v[k].end());
    }
    for (const auto& op : all_operators(c)) {
      EXPECT_LT(
          reference::largest_difference(average_of(*op, Side::source, both_h, both_v, c.source.points(), 2), expected),
          1e-11)
          << c.source.describe() << " eps " << c.epsilon;
    }
  }
}

TEST(AllOperators, AverageOfTheTargetSideEqualsLongDoubleLoops) {
  for (const Case& c : separable_cases()) {
    const Index n = c.source.points();
    const Values h = rough(n, 14, 30.0);
    const Values v = reference::random_values(n, 15, -1.0, 1.0);
    const Values expected = reference::average(reference::cost_matrix(c.cost, c.target, c.source), h, v, c.epsilon);
    for (const auto& op : all_operators(c)) {
      EXPECT_LT(reference::largest_difference(average_of(*op, Side::target, h, v, c.target.points(), 1), expected),
                1e-11);
    }
  }
}

TEST(AllOperators, AverageIsZeroWhereNothingReaches) {
  for (const Case& c : separable_cases()) {
    const Index n = c.target.points();
    for (const auto& op : all_operators(c)) {
      EXPECT_EQ(average_of(*op, Side::source, Values(n, log_zero), Values(n, 7.0), c.source.points(), 1),
                Values(c.source.points(), 0.0));
    }
  }
}

TEST(DenseOperator, NonSeparableCostsEqualLongDoubleLoops) {
  const Grid image = grid_of({{6, 1.0, 0.0}, {5, 2.0, 0.0}});
  for (const Cost& cost : {Cost{Euclidean{}}, Cost{Power{0.5}}, Cost{Power{3.0}}}) {
    const auto op = make_dense_operator(cost, grid_points(image), grid_points(image), {0, 30}, {0, 30});
    op->prepare(0.3);
    const Values h = rough(30, 8, 5.0);
    EXPECT_LT(reference::largest_difference(softmin_of(*op, Side::source, h, 30),
                                            reference::softmin(reference::cost_matrix(cost, image, image), h, 0.3)),
              1e-12);
  }
}

}  // namespace
}  // namespace hpot
