// The operators on clouds of points against long-double loops: every cost, odd sizes, holes and huge ranges.
#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/lanes.hpp"
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
  for (const Cost& cost :
       {Cost{SquaredEuclidean{}}, Cost{Euclidean{}}, Cost{PowerAxes{1.5}}, Cost{Power{0.7}}, Cost{Cosine{}}}) {
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

std::shared_ptr<KernelOperator> dense_operator(const Case& c, Range rows) {
  return make_dense_operator(c.cost, view_of(c.source), view_of(c.target), rows,
                             {0, static_cast<Index>(c.target.size())});
}
/// On the fly and from the matrix of all costs.
std::vector<std::shared_ptr<KernelOperator>> operators(const Case& c) {
  const Communicator self = Communicator::world();
  const Range rows{0, static_cast<Index>(c.source.size())};
  const OwnedRows owned{Partition(rows.end, 1, 1), self};
  std::vector<std::shared_ptr<KernelOperator>> both{
      dense_operator(c, rows),
      make_matrix_operator(make_cost_matrix(c.cost, view_of(c.source), view_of(c.target), owned), owned,
                           {Partition(static_cast<Index>(c.target.size()), 1, 1), self})};
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
    for (const auto& op : operators(c)) {
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
    for (const auto& op : operators(c)) {
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
    for (const auto& op : operators(c)) {
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
    const auto whole = dense_operator(c, all_rows(c));
    whole->prepare(epsilon);
    for (const Range rows : {Range{n / 3, n}, Range{n / 2, n / 2 + 1}}) {
      const auto part = dense_operator(c, rows);
      part->prepare(epsilon);
      for (const Precision precision : {Precision::full, Precision::mixed}) {
        whole->set_precision(precision);
        part->set_precision(precision);
        const Values all = softmin_of(*whole, h, n), some = softmin_of(*part, h, rows.size());
        for (int k = 0; k < batch; ++k) {
          const Values expected = entry(all, k);
          EXPECT_EQ(entry(some, k), Values(expected.begin() + rows.begin, expected.begin() + rows.end));
        }
      }
    }
  }
}

TEST(PointOperators, NothingToReachGivesAHugeFinitePotential) {
  for (const Case& c : cases()) {
    const Index n = all_rows(c).size();
    for (const auto& op : operators(c)) {
      for (const Precision precision : {Precision::full, Precision::mixed}) {
        op->set_precision(precision);
        EXPECT_EQ(softmin_of(*op, Values(batch * c.target.size(), log_zero), n),
                  Values(batch * n, -epsilon * log_zero));
      }
    }
  }
}

/// log b_j, two fifths of them log_zero.
struct SweepCase {
  Values log_a, log_b, g;
};
SweepCase sweep_case(const Case& c, unsigned seed) {
  SweepCase sweep{reference::random_values(static_cast<Index>(c.source.size()), seed, -8.0, 0.0),
                  holed(static_cast<Index>(c.target.size()), seed + 1, 4.0),
                  reference::random_values(static_cast<Index>(c.target.size()), seed + 2, 0.0, 2.0)};
  sweep.log_b[0] = -1.0;
  for (std::size_t i = 1; i < sweep.log_a.size(); i += 4) sweep.log_a[i] = log_zero;
  return sweep;
}

Values heights(const Values& log_weight, const Values& potential) {
  Values h = log_weight;
  for (std::size_t j = 0; j < h.size(); ++j) h[j] += h[j] > 0.5 * log_zero ? potential[j] / epsilon : 0.0;
  return h;
}
Matrix transposed(const Matrix& costs) {
  Matrix other(costs[0].size(), Values(costs.size()));
  for (std::size_t i = 0; i < costs.size(); ++i) {
    for (std::size_t j = 0; j < other.size(); ++j) other[j][i] = costs[i][j];
  }
  return other;
}

/// 1e-7 + 4e-8 |x| for exponents x of float exponentials, which lie at most this deep here: 2^-20 for columns without weight,
/// and 24 bits below them.
constexpr Real deep = 1e-7 + 4e-8 * 45.0;

TEST(PointOperators, SweepEqualsTwoLongDoubleHalfSteps) {
  if (lanes::width == 1) GTEST_SKIP() << "scalars have no sweep";
  unsigned seed = 0;
  int visits = 0, asked = 0;
  for (const Case& c : cases()) {
    const SweepCase given = sweep_case(c, ++seed);
    const Values half = reference::softmin(c.costs, heights(given.log_b, given.g), epsilon);
    const MarginalPenalty penalties[] = {Balanced{}, KullbackLeibler{0.5}, TotalVariation{0.3}, MassRange{0.5, 2.0}};
    {
      const MarginalPenalty& penalty = penalties[seed % 4];
      Values f = half;
      for (Real& value : f) value = std::visit([&](const auto& p) { return p.prox(value, epsilon); }, penalty);
      const Values s = reference::softmin(transposed(c.costs), heights(given.log_a, f), epsilon);
      for (const auto& op : operators(c)) {
        for (const Precision precision : {Precision::full, Precision::mixed}) {
          op->set_precision(precision);
          const Field got_f("f", 1, c.source.size()), got_s("s", 1, c.target.size());
          ++asked;
          if (!op->sweep({reference::field_of(given.log_a), penalty, reference::field_of(given.log_b),
                          reference::field_of(given.g)},
                         got_f, got_s))
            continue;
          ++visits;
          const bool full = precision == Precision::full;
          EXPECT_LT(reference::largest_difference(reference::values_of(got_f), f) / epsilon, full ? 1e-11 : deep);
          EXPECT_LT(reference::largest_difference(reference::values_of(got_s), s) / epsilon, full ? 1e-11 : deep)
              << name(c.cost) << " " << describe(penalty) << ' ' << c.source.size() << " x " << c.target.size();
        }
      }
    }
  }
  EXPECT_GE(visits, asked / 2) << "sweeps hardly ever stayed in range, of " << asked;
}

TEST(PointOperators, SweepRefusesAColumnBeyondTheRangeOfItsExponentials) {
  Case c{SquaredEuclidean{}, cloud(40, 2, 1), cloud(50, 2, 2), 1.0};
  c.target.push_back({5.0 + 60.0, 5.0});  // 3600/0.05 away from every source
  const auto op = dense_operator(c, {0, 40});
  op->prepare(epsilon);
  const Field weight = reference::field_of(Values(40, -4.0)), other = reference::field_of(Values(51, -4.0));
  const Field g = reference::field_of(Values(51, 0.0)), f("f", 1, 40), s("s", 1, 51);
  for (const Precision precision : {Precision::full, Precision::mixed}) {
    op->set_precision(precision);
    EXPECT_FALSE(op->sweep({weight, Balanced{}, other, g}, f, s));
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
