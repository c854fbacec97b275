// The truncated operator against the dense one, which takes every term, in double: never more left out than is said.
#include "hpot/kernel/truncated.hpp"
#include "hpot/kernel/registry.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hpot {
namespace {

using reference::Values;

/// (point, axis).
struct Cloud {
  int dimension;
  Values coordinates;
  [[nodiscard]] Index points() const { return static_cast<Index>(coordinates.size()) / dimension; }
};

Cloud uniform(Index n, int dimension, unsigned seed) {
  return {dimension, reference::random_values(n * dimension, seed, 0.0, 1.0)};
}

/// Heaps of very unequal sizes, a third of the points twice.
Cloud clustered(Index n, int dimension, unsigned seed) {
  const Values centers = reference::random_values(7 * dimension, seed, -2.0, 3.0);
  const Values lot = reference::random_values(n, seed + 1, 0.0, 1.0);
  Cloud cloud{dimension, reference::random_values(n * dimension, seed + 2, -0.01, 0.01)};
  for (Index p = 0; p < n; ++p) {
    const int heap = static_cast<int>(7.0 * lot[p] * lot[p] * lot[p]);
    for (int d = 0; d < dimension; ++d) {
      Real& x = cloud.coordinates[p * dimension + d];
      x = p % 3 == 2 ? cloud.coordinates[(p - 1) * dimension + d] : x + centers[heap * dimension + d];
    }
  }
  return cloud;
}

/// A curve, for dim 3 a surface too, on which neighbours in index are neighbours.
Cloud curve(Index n, int dimension, unsigned seed) {
  const Values noise = reference::random_values(n * dimension, seed, 0.0, 1e-4);
  Cloud cloud{dimension, Values(n * dimension)};
  for (Index p = 0; p < n; ++p) {
    const Real t = 8.0 * static_cast<Real>(p) / static_cast<Real>(n);
    const Real x[3] = {std::cos(t) * (1.0 + 0.1 * t), std::sin(t), std::cos(37.0 * t)};
    for (int d = 0; d < dimension; ++d) cloud.coordinates[p * dimension + d] = x[d] + noise[p * dimension + d];
  }
  return cloud;
}

Cloud anisotropic(Index n, int dimension, unsigned seed) {
  Cloud cloud = uniform(n, dimension, seed);
  for (Index p = 0; p < n; ++p) {
    for (int d = 0; d < dimension; ++d) cloud.coordinates[p * dimension + d] *= std::pow(100.0, d) * 0.01;
  }
  return cloud;
}

Points view_of(const Cloud& cloud) {
  const Points view("points", cloud.points(), cloud.dimension);
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(cloud.coordinates.begin(), cloud.coordinates.end(), host.data());
  Kokkos::deep_copy(view, host);
  return view;
}

enum class Weights { equal, unequal, rough, steep };

/// log b + g/eps: equal weights; weights of 1e-12 to 1, a quarter of them 0; random potentials; the potential of a large
/// displacement.
Values log_values(const Cloud& y, Weights kind, Real epsilon, unsigned seed) {
  const Index n = y.points();
  Values h(n, -std::log(static_cast<Real>(n)));
  const Values noise = reference::random_values(n, seed, 0.0, 1.0);
  for (Index j = 0; j < n; ++j) {
    if (kind == Weights::unequal) h[j] = noise[j] < 0.25 ? log_zero : -27.6 * (noise[j] - 0.25);
    if (kind == Weights::rough) h[j] += 300.0 * noise[j];
    if (kind != Weights::steep) continue;
    for (int d = 0; d < y.dimension; ++d) {
      const Real x = y.coordinates[j * y.dimension + d];
      h[j] += (0.7 * x + 0.2 * x * x) / epsilon;
    }
  }
  return h;
}

struct Case {
  std::string name;
  Cost cost;
  Cloud x, y;
  Weights weights;
  Real epsilon;
  Values h;
};

/// Every cost, dimension, shape, kind of weights and scale of eps, if not with one another.
std::vector<Case> cases() {
  using Shape = Cloud (*)(Index, int, unsigned);
  const std::pair<const char*, Shape> shapes[] = {
      {"uniform", uniform}, {"clustered", clustered}, {"curve", curve}, {"anisotropic", anisotropic}};
  std::vector<Case> all;
  unsigned seed = 0;
  for (const Cost& cost : {Cost{SquaredEuclidean{}}, Cost{Euclidean{}}, Cost{PowerAxes{1.5}}, Cost{Power{2.5}}}) {
    for (const int dimension : {1, 2, 3}) {
      for (const auto& [shape, make] : shapes) {
        for (const Weights weights : {Weights::equal, Weights::unequal, Weights::rough, Weights::steep}) {
          ++seed;
          if (!std::holds_alternative<SquaredEuclidean>(cost) && seed % 4 != 0) continue;
          const Real epsilon = std::pow(10.0, -static_cast<Real>(seed % 5));
          const Index sizes[] = {500, 321, 33, 800, 260};
          Case c{std::string(shape) + " " + name(cost) + " " + std::to_string(dimension) + "-D, weights " +
                     std::to_string(static_cast<int>(weights)) + ", eps " + std::to_string(epsilon),
                 cost,
                 make(sizes[(seed + 2) % 5], dimension, seed),
                 make(sizes[seed % 5], dimension, seed + 100),
                 weights,
                 epsilon,
                 {}};
          c.h = log_values(c.y, weights, epsilon, seed);
          all.push_back(std::move(c));
        }
      }
    }
  }
  return all;
}

struct Pair {
  std::unique_ptr<KernelOperator> truncated, dense;
};
Pair operators(const Case& c, Real cut) {
  const Points x = view_of(c.x), y = view_of(c.y);
  const Range rows{0, c.x.points()}, columns{0, c.y.points()};
  Pair pair{make_truncated_operator(c.cost, x, y, rows, columns, cut),
            make_dense_operator(c.cost, x, y, rows, columns)};
  for (const auto* op : {&pair.truncated, &pair.dense}) (*op)->prepare(c.epsilon);
  return pair;
}

Values softmin_of(const KernelOperator& op, const Case& c) {
  const Field s("s", 1, c.x.points());
  op.softmin(Side::source, reference::field_of(c.h), s);
  return reference::values_of(s);
}

/// Rounding of both operators: exponents are differences of potentials and costs.
Real rounding(const Case& c, const Values& s) {
  const auto corner = [&](const Values& x, Real sign) {
    Values most(c.x.dimension, -infinity);
    for (std::size_t i = 0; i < x.size(); ++i) most[i % most.size()] = std::max(most[i % most.size()], sign * x[i]);
    for (Real& value : most) value *= sign;
    return most;
  };
  Real largest = std::max(reference::cost_of(c.cost, corner(c.x.coordinates, 1.0), corner(c.y.coordinates, -1.0)),
                          reference::cost_of(c.cost, corner(c.x.coordinates, -1.0), corner(c.y.coordinates, 1.0))) /
                 c.epsilon;
  for (std::size_t i = 0; i < s.size(); ++i) largest = std::max(largest, std::abs(s[i]) / c.epsilon);
  for (const Real h : c.h) largest = h > log_zero ? std::max(largest, std::abs(h)) : largest;
  return 1e-12 + 1e-14 * largest;
}

TEST(TruncatedOperator, LeavesOutNoMoreThanItSays) {
  Real most_left_out = 0.0;
  for (const Case& c : cases()) {
    for (const Real cut : {1e-3, 1e-9, 0.0}) {
      const Pair pair = operators(c, cut);
      const Values expected = softmin_of(*pair.dense, c), s = softmin_of(*pair.truncated, c);
      const Real excess = pair.truncated->softmin_excess();
      EXPECT_DOUBLE_EQ(excess, std::log1p(cut));
      Real least = 0.0, most = 0.0;
      for (std::size_t i = 0; i < s.size(); ++i) {
        least = std::min(least, (s[i] - expected[i]) / c.epsilon);
        most = std::max(most, (s[i] - expected[i]) / c.epsilon);
      }
      EXPECT_GE(least, -rounding(c, expected)) << c.name << ", cut " << cut;
      EXPECT_LE(most, excess + rounding(c, expected)) << c.name << ", cut " << cut;
      if (cut == 1e-3) most_left_out = std::max(most_left_out, most);
    }
  }
  EXPECT_GT(most_left_out, 1e-6);  // else nothing was tried
}

TEST(TruncatedOperator, MixedPrecisionLeavesOutNoMoreThanItSays) {
  for (const Case& c : cases()) {
    const Pair pair = operators(c, 1e-15);
    const Values expected = softmin_of(*pair.dense, c);
    EXPECT_NEAR(pair.truncated->softmin_excess(), truncated_cut_double, 1e-15);
    pair.truncated->set_precision(Precision::mixed);
    EXPECT_NEAR(pair.truncated->softmin_excess(), truncated_cut_mixed, 1e-12);
    const Values s = softmin_of(*pair.truncated, c);
    EXPECT_LT(reference::largest_difference(s, expected) / c.epsilon,
              5e-7 + pair.truncated->softmin_excess() + rounding(c, expected))
        << c.name;
  }
}

TEST(TruncatedOperator, CountsThePairsThatItVisits) {
  constexpr Real cut = 1e-3;
  constexpr Index tile = 32, block = truncated_block;
  Real least_share = 1.0;
  for (const Case& c : cases()) {
    const Index n = c.y.points(), all = (n + tile - 1) / tile * tile;
    const Values softmins = softmin_of(*operators(c, cut).dense, c);
    const auto point = [](const Cloud& cloud, Index p) {
      const auto at = cloud.coordinates.begin() + p * cloud.dimension;
      return Values(at, at + cloud.dimension);
    };
    for (const Real some_cut : {cut, 0.0}) {
      const Real least = some_cut > 0.0 ? std::log(some_cut) : -infinity;
      const auto op = make_truncated_operator(c.cost, view_of(c.x), view_of(c.y), {0, c.x.points()}, {0, n}, some_cut);
      op->prepare(c.epsilon);
      (void)softmin_of(*op, c);
      const Values first = op->visited_pairs(Side::source);
      (void)softmin_of(*op, c);
      const Values pairs = op->visited_pairs(Side::source);
      EXPECT_EQ(pairs, first) << c.name;
      ASSERT_EQ(static_cast<Index>(pairs.size()), (c.x.points() + block - 1) / block);
      for (Index b = 0; b < static_cast<Index>(pairs.size()); ++b) {
        EXPECT_EQ(std::fmod(pairs[b], tile), 0.0) << c.name;
        EXPECT_LE(pairs[b], static_cast<Real>(block * all)) << c.name;
        least_share = std::min(least_share, pairs[b] / static_cast<Real>(block * all));
        Index needed = 0;  // each larger than all that may be left out of its row
        for (Index i = block * b; i < std::min(block * (b + 1), c.x.points()); ++i) {
          for (Index j = 0; j < n; ++j) {
            const Real cost = reference::cost_of(c.cost, point(c.x, i), point(c.y, j));
            if (c.h[j] > 0.5 * log_zero && c.h[j] + (softmins[i] - cost) / c.epsilon > least + 1e-6) ++needed;
          }
        }
        EXPECT_GE(pairs[b], static_cast<Real>(needed)) << c.name;
      }
    }
  }
  EXPECT_LT(least_share, 0.1);  // else nothing was left out
}

TEST(TruncatedOperator, MeansAreWithinWhatIsLeftOut) {
  for (const Case& c : cases()) {
    const Pair pair = operators(c, 1e-15);
    const Field h = reference::field_of(c.h), mean("mean", 1, c.x.points()), expected("expected", 1, c.x.points());
    const Field v = reference::field_of(reference::random_values(c.y.points(), 5, -1.0, 1.0));
    const Real allowed = 3.0 * rounding(c, softmin_of(*pair.dense, c)) + 4.0 * truncated_cut_double;
    pair.truncated->average(Side::source, h, v, mean);
    pair.dense->average(Side::source, h, v, expected);
    EXPECT_LT(reference::largest_difference(reference::values_of(mean), reference::values_of(expected)), allowed)
        << c.name;
    pair.truncated->average_cost(Side::source, h, mean);
    pair.dense->average_cost(Side::source, h, expected);
    const Values costs = reference::values_of(expected);
    EXPECT_LT(reference::largest_difference(reference::values_of(mean), costs),
              allowed * (1.0 + 4.0 * *std::max_element(costs.begin(), costs.end())))
        << c.name;
  }
}

TEST(TruncatedOperator, ExtremaAreExact) {
  for (const Case& c : cases()) {
    const Pair pair = operators(c, 1e-3);
    Values potentials = c.h;
    for (Real& h : potentials) h = h > log_zero ? c.epsilon * h : h;
    const Field h = reference::field_of(potentials), m("m", 1, c.x.points()), expected("expected", 1, c.x.points());
    for (const auto reduce : {&KernelOperator::hard_min, &KernelOperator::hard_max}) {
      ((*pair.truncated).*reduce)(Side::source, h, m);
      ((*pair.dense).*reduce)(Side::source, h, expected);
      const Values values = reference::values_of(expected);
      Real largest = 1.0;
      for (const Real value : values) largest = std::max(largest, std::abs(value));
      EXPECT_LT(reference::largest_difference(reference::values_of(m), values), 1e-13 * largest) << c.name;
    }
  }
}

TEST(TruncatedOperator, WhatARowBecomesDependsOnItsArgumentsAlone) {
  for (const Case& c : cases()) {
    const Pair pair = operators(c, 1e-5);
    const Values first = softmin_of(*pair.truncated, c);
    Case other = c;
    other.h = log_values(c.y, Weights::rough, c.epsilon, 99);
    pair.truncated->prepare(7.0 * c.epsilon);
    pair.truncated->set_precision(Precision::mixed);
    (void)softmin_of(*pair.truncated, other);
    pair.truncated->prepare(c.epsilon);
    pair.truncated->set_precision(Precision::full);
    EXPECT_EQ(softmin_of(*pair.truncated, c), first) << c.name;

    const Range rows{c.x.points() / 3, c.x.points() - 5};
    const auto part = make_truncated_operator(c.cost, view_of(c.x), view_of(c.y), rows, {0, c.y.points()}, 1e-5);
    part->prepare(c.epsilon);
    const Field s("s", 1, rows.size());
    part->softmin(Side::source, reference::field_of(c.h), s);
    EXPECT_EQ(reference::values_of(s), Values(first.begin() + rows.begin, first.begin() + rows.end)) << c.name;
  }
}

TEST(TruncatedOperator, NothingToReachGivesAHugeFinitePotentialAndZeroMeans) {
  Case c{"empty", SquaredEuclidean{}, uniform(100, 2, 1), uniform(70, 2, 2), Weights::equal, 0.1, Values(70, log_zero)};
  const Pair pair = operators(c, 1e-9);
  EXPECT_EQ(softmin_of(*pair.truncated, c), Values(100, -0.1 * log_zero));
  const Field mean("mean", 1, 100);
  pair.truncated->average_cost(Side::source, reference::field_of(c.h), mean);
  EXPECT_EQ(reference::values_of(mean), Values(100, 0.0));
}

TEST(TruncatedOperator, AtInfiniteEpsilonEveryTermCountsAlike) {
  for (const Cost& cost : {Cost{SquaredEuclidean{}}, Cost{Euclidean{}}}) {
    Case c{"infinite", cost, uniform(100, 3, 1), clustered(300, 3, 2), Weights::unequal, infinity, {}};
    c.h = log_values(c.y, c.weights, 1.0, 3);
    const Pair pair = operators(c, 1e-9);
    const Field mean("mean", 1, 100), expected("expected", 1, 100);
    pair.truncated->average_cost(Side::source, reference::field_of(c.h), mean);
    pair.dense->average_cost(Side::source, reference::field_of(c.h), expected);
    EXPECT_LT(reference::largest_difference(reference::values_of(mean), reference::values_of(expected)), 1e-10);
  }
}

TEST(TruncatedOperator, RowsOverRanksHaveTheBitsOfOneRank) {
  const Communicator world = Communicator::world();
  const Communicator self = world.split(world.rank());
  const Cloud x = clustered(700, 3, 11), y = curve(500, 3, 12);
  const PointCloud source = make_cloud(3, x.coordinates), target = make_cloud(3, y.coordinates);
  const KernelOptions options{"truncated", SquaredEuclidean{}};
  const OwnedRows rows = own_rows(source, world), columns = own_rows(target, world);
  const OwnedRows all_rows = own_rows(source, self), all_columns = own_rows(target, self);
  const auto op = make_kernel(options, source, rows, target, columns);
  const auto whole = make_kernel(options, source, all_rows, target, all_columns);
  const Values h = log_values(y, Weights::unequal, 0.01, 4);
  const Range mine = columns.range();
  const Values h_here(h.begin() + mine.begin, h.begin() + mine.end);
  const Field s("s", 1, rows.local_n()), expected("expected", 1, 700);
  for (const Precision precision : {Precision::full, Precision::mixed}) {
    for (const auto* o : {&op, &whole}) {
      (*o)->prepare(0.01);
      (*o)->set_precision(precision);
    }
    op->softmin(Side::source, reference::field_of(h_here), s);
    whole->softmin(Side::source, reference::field_of(h), expected);
    const Values all = reference::values_of(expected);
    EXPECT_EQ(reference::values_of(s), Values(all.begin() + rows.range().begin, all.begin() + rows.range().end));
  }
}

}  // namespace
}  // namespace hpot
