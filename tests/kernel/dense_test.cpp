// The operators on clouds of points against long-double loops: every cost, odd sizes, holes and huge ranges.
#include "hpot/kernel/dense.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hpot {
namespace {

using reference::Values;
using Matrix = std::vector<Values>;

constexpr Real epsilon = 0.05;
constexpr Index batch = 2;

/// Random points in the unit cube, away from the origin.
std::vector<Values> cloud(Index n, int dimension, unsigned seed) {
  std::vector<Values> points(n);
  for (Index p = 0; p < n; ++p) points[p] = reference::random_values(dimension, seed + 97 * p, 5.0, 6.0);
  return points;
}

Points view_of(const std::vector<Values>& points) {
  const Points view("points", points.size(), points.front().size());
  const auto host = Kokkos::create_mirror_view(view);
  for (std::size_t p = 0; p < points.size(); ++p) std::copy(points[p].begin(), points[p].end(), &host(p, 0));
  Kokkos::deep_copy(view, host);
  return view;
}

/// Log-values of which 40% are log_zero.
Values holed(Index n, unsigned seed, Real range) {
  Values h = reference::random_values(n, seed, -range, range);
  for (Index j = 0; j < n; ++j) {
    if ((7 * j + seed) % 5 < 2) h[j] = log_zero;
  }
  return h;
}

struct Case {
  Cost cost;
  std::vector<Values> source, target;
  Real range;  // of h
  Matrix costs = {};
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const Index sizes[] = {1, 7, 63, 64, 65, 300};
  unsigned seed = 0;
  for (const Cost& cost : {Cost{SquaredEuclidean{}}, Cost{Euclidean{}}, Cost{PowerAxes{1.5}}, Cost{Power{0.7}}}) {
    for (const int dimension : {1, 2, 3, 5}) {
      for (const Index n : sizes) {
        const Index rows = sizes[++seed % 6];
        Case c{cost, cloud(rows, dimension, seed), cloud(n, dimension, seed + 1000), seed % 2 == 0 ? 1e4 : 3.0};
        for (const Values& x : c.source) {
          c.costs.emplace_back();
          for (const Values& y : c.target) c.costs.back().push_back(reference::cost_of(cost, x, y));
        }
        all.push_back(c);
      }
    }
  }
  return all;
}

std::vector<std::unique_ptr<KernelOperator>> operators(const Case& c, Range rows) {
  const Points x = view_of(c.source), y = view_of(c.target);
  const Range columns{0, static_cast<Index>(c.target.size())};
  std::vector<std::unique_ptr<KernelOperator>> both;
  both.push_back(make_dense_operator(c.cost, x, y, rows, columns));
  both.push_back(make_stored_operator(c.cost, x, y, rows, columns));
  for (const auto& op : both) op->prepare(epsilon);
  return both;
}
Range all_rows(const Case& c) { return {0, static_cast<Index>(c.source.size())}; }

/// Two log-values of a case, one after the other.
Values two(const Case& c, unsigned seed) {
  const Index n = static_cast<Index>(c.target.size());
  Values both = holed(n, seed, c.range);
  const Values second = holed(n, seed + 1, c.range);
  both.insert(both.end(), second.begin(), second.end());
  return both;
}
Values entry(const Values& both, int k) {
  const auto half = static_cast<std::ptrdiff_t>(both.size() / batch);
  return {both.begin() + k * half, both.begin() + (k + 1) * half};
}

Values softmin_of(const KernelOperator& op, const Values& h, Index rows) {
  const Field s("s", batch, rows);
  op.softmin(Side::source, reference::field_of(h, batch), s);
  return reference::values_of(s);
}

TEST(PointOperators, SoftminEqualsLongDoubleLoopsInBothPrecisions) {
  for (const Case& c : cases()) {
    const Values h = two(c, 3);
    for (const auto& op : operators(c, all_rows(c))) {
      for (const Precision precision : {Precision::full, Precision::mixed}) {
        op->set_precision(precision);
        const Values s = softmin_of(*op, h, all_rows(c).size());
        for (int k = 0; k < batch; ++k) {
          const Values expected = reference::softmin(c.costs, entry(h, k), epsilon);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            if (expected[i] > 1e200) {
              EXPECT_EQ(entry(s, k)[i], -epsilon * log_zero);
            } else {
              EXPECT_LT(std::abs(entry(s, k)[i] - expected[i]) / epsilon, precision == Precision::full ? 1e-11 : 3e-7)
                  << name(c.cost) << " in " << c.source[0].size() << "-D, " << c.source.size() << " x "
                  << c.target.size();
            }
          }
        }
      }
    }
  }
}

TEST(PointOperators, MeansEqualLongDoubleLoops) {
  for (const Case& c : cases()) {
    const Index n = static_cast<Index>(c.target.size());
    const Values h = two(c, 5);
    const Values v = reference::random_values(batch * n, 6, -1.0, 1.0);
    for (const auto& op : operators(c, all_rows(c))) {
      const Field mean("mean", batch, all_rows(c).size()), cost("cost", batch, all_rows(c).size());
      op->average(Side::source, reference::field_of(h, batch), reference::field_of(v, batch), mean);
      op->average_cost(Side::source, reference::field_of(h, batch), cost);
      for (int k = 0; k < batch; ++k) {
        EXPECT_LT(reference::largest_difference(entry(reference::values_of(mean), k),
                                                reference::average(c.costs, entry(h, k), entry(v, k), epsilon)),
                  1e-10);
        for (std::size_t i = 0; i < c.source.size(); ++i) {
          const Values expected = reference::average({c.costs[i]}, entry(h, k), c.costs[i], epsilon);
          EXPECT_NEAR(entry(reference::values_of(cost), k)[i], expected[0], 1e-10);
        }
      }
    }
  }
}

TEST(PointOperators, ExtremaEqualPlainLoops) {
  for (const Case& c : cases()) {
    const Values h = two(c, 7);
    for (const auto& op : operators(c, all_rows(c))) {
      const Field least("least", batch, all_rows(c).size()), most("most", batch, all_rows(c).size());
      op->hard_min(Side::source, reference::field_of(h, batch), least);
      op->hard_max(Side::source, reference::field_of(h, batch), most);
      for (int k = 0; k < batch; ++k) {
        Values minima, maxima;
        for (const Values& row : c.costs) {
          Real low = -log_zero, high = log_zero;
          for (std::size_t j = 0; j < row.size(); ++j) {
            if (entry(h, k)[j] == log_zero) continue;
            low = std::min(low, row[j] - entry(h, k)[j]);
            high = std::max(high, row[j] + entry(h, k)[j]);
          }
          minima.push_back(low);
          maxima.push_back(high);
        }
        EXPECT_LT(reference::largest_difference(entry(reference::values_of(least), k), minima), 1e-11);
        EXPECT_LT(reference::largest_difference(entry(reference::values_of(most), k), maxima), 1e-11);
      }
    }
  }
}

TEST(PointOperators, ABlockOfRowsHasTheBitsOfAllRows) {
  for (const Case& c : cases()) {
    const Index n = all_rows(c).size();
    const Values h = two(c, 9);
    const auto whole = operators(c, all_rows(c));
    for (const Range rows : {Range{n / 3, n}, Range{n / 2, n / 2 + 1}}) {
      const auto part = operators(c, rows);
      for (int o = 0; o < 2; ++o) {
        for (const Precision precision : {Precision::full, Precision::mixed}) {
          whole[o]->set_precision(precision);
          part[o]->set_precision(precision);
          const Values all = softmin_of(*whole[o], h, n), some = softmin_of(*part[o], h, rows.size());
          for (int k = 0; k < batch; ++k) {
            const Values expected = entry(all, k);
            EXPECT_EQ(entry(some, k), Values(expected.begin() + rows.begin, expected.begin() + rows.end));
          }
        }
      }
    }
  }
}

TEST(PointOperators, NothingToReachGivesAHugeFinitePotential) {
  for (const Case& c : cases()) {
    const Index n = all_rows(c).size();
    for (const auto& op : operators(c, all_rows(c))) {
      for (const Precision precision : {Precision::full, Precision::mixed}) {
        op->set_precision(precision);
        EXPECT_EQ(softmin_of(*op, Values(batch * c.target.size(), log_zero), n),
                  Values(batch * n, -epsilon * log_zero));
      }
    }
  }
}

TEST(DenseOperator, MixedPrecisionHoldsFarFromWhereScalarProductsRoundWell) {
  Case c{SquaredEuclidean{}, cloud(40, 2, 1), cloud(50, 2, 2), 1.0};
  c.target.push_back({1e5, -1e5});
  for (const Values& x : c.source) {
    c.costs.emplace_back();
    for (const Values& y : c.target) c.costs.back().push_back(reference::cost_of(c.cost, x, y));
  }
  const Values h = two(c, 11);
  const auto op = make_dense_operator(c.cost, view_of(c.source), view_of(c.target), {0, 40}, {0, 51});
  op->prepare(epsilon);
  op->set_precision(Precision::mixed);
  const Values s = softmin_of(*op, h, 40);
  EXPECT_LT(reference::largest_difference(entry(s, 0), reference::softmin(c.costs, entry(h, 0), epsilon)) / epsilon,
            3e-7);
}

}  // namespace
}  // namespace hpot
