// The operator of a cost matrix against long-double loops, its rows on any number of ranks.
#include "hpot/kernel/cost_matrix.hpp"
#include "hpot/kernel/lanes.hpp"
#include "hpot/kernel/registry.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using reference::Values;

struct Case {
  Index rows, columns;
  Real epsilon, height;  // h lies in [-height, height]
  bool narrow;
};

std::vector<Case> cases() {
  return {{1, 1, 1.0, 1.0, false},      {7, 5, 0.1, 10.0, false},     {65, 600, 0.01, 100.0, false},
          {130, 513, 1e-4, 3e4, false}, {300, 64, 10.0, 1.0, false},  {130, 513, 0.01, 50.0, true},
          {2, 1200, 0.05, 30.0, true},  {700, 9, 1e-3, 2000.0, false}};
}

Values transposed(const Values& values, Index rows, Index columns) {
  Values other(values.size());
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) other[j * rows + i] = values[i * columns + j];
  }
  return other;
}

std::vector<Values> rows_of(const Values& values, Index columns) {
  std::vector<Values> rows;
  for (auto row = values.begin(); row != values.end(); row += columns) rows.emplace_back(row, row + columns);
  return rows;
}

/// Entries that no float rounds, where they are kept as floats.
Values random_costs(const Case& c, unsigned seed) {
  Values values = reference::random_values(c.rows * c.columns, seed, 0.0, 1.0);
  for (Real& value : values) value = c.narrow ? static_cast<float>(value) : value;
  return values;
}

std::shared_ptr<CostMatrix> matrix_of(const Case& c, const Values& costs, Range owned) {
  auto matrix = std::make_shared<CostMatrix>();
  matrix->rows = c.rows;
  matrix->columns = c.columns;
  const Index pitch = padded_columns(c.columns);
  if (c.narrow) {
    matrix->narrow = CostMatrix::Rows<float>("costs", owned.size(), pitch);
  } else {
    matrix->wide = CostMatrix::Rows<Real>("costs", owned.size(), pitch);
  }
  const auto fill = [&](const auto& view) {
    const auto host = Kokkos::create_mirror_view(view);
    for (Index i = 0; i < owned.size(); ++i) {
      for (Index j = 0; j < c.columns; ++j)
        host(i, j) = static_cast<std::decay_t<decltype(host(i, j))>>(costs[(owned.begin + i) * c.columns + j]);
    }
    Kokkos::deep_copy(view, host);
  };
  c.narrow ? fill(matrix->narrow) : fill(matrix->wide);
  return matrix;
}

Values part(const Values& all, Index n, Range range) {
  Values values;
  for (std::size_t k = 0; k < all.size() / n; ++k)
    values.insert(values.end(), all.begin() + k * n + range.begin, all.begin() + k * n + range.end);
  return values;
}

/// Heights of two batch entries, two fifths of them log_zero.
Values heights(Index n, Real height, unsigned seed) {
  Values h = reference::random_values(2 * n, seed, -height, height);
  const Values lot = reference::random_values(2 * n, seed + 1, 0.0, 1.0);
  for (Index j = 0; j < 2 * n; ++j) {
    if (j % n > 0 && lot[j] < 0.4) h[j] = log_zero;
  }
  return h;
}

struct Expected {
  Values softmin, average, cost, least, most;
};

Expected expected_of(const std::vector<Values>& cost, const Values& h, const Values& v, Real epsilon) {
  Expected all;
  const std::size_t n = cost[0].size();
  for (std::size_t k = 0; k < 2; ++k) {
    const Values hk(h.begin() + k * n, h.begin() + (k + 1) * n), vk(v.begin() + k * n, v.begin() + (k + 1) * n);
    const auto append = [](Values& to, const Values& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(all.softmin, reference::softmin(cost, hk, epsilon));
    append(all.average, reference::average(cost, hk, vk, epsilon));
    for (const Values& row : cost) {
      append(all.cost, reference::average({row}, hk, row, epsilon));
      Real least = infinity, most = -infinity;
      for (std::size_t j = 0; j < n; ++j) {
        if (hk[j] <= 0.5 * log_zero) continue;
        least = std::min(least, row[j] - hk[j]);
        most = std::max(most, row[j] + hk[j]);
      }
      all.least.push_back(least);
      all.most.push_back(most);
    }
  }
  return all;
}

TEST(MatrixOperator, EqualsLongDoubleLoopsOnBothSides) {
  const Communicator world = Communicator::world();
  unsigned seed = 0;
  for (const Case& c : cases()) {
    const OwnedRows source = own_rows(IndexSet{c.rows}, world), target = own_rows(IndexSet{c.columns}, world);
    const Values costs = random_costs(c, ++seed);
    const auto op = make_matrix_operator(matrix_of(c, costs, source.range()), source, target);
    op->prepare(c.epsilon);
    for (const Side side : {Side::source, Side::target}) {
      const bool along_rows = side == Side::source;
      const Index n = along_rows ? c.columns : c.rows;
      const OwnedRows &in = along_rows ? target : source, &out = along_rows ? source : target;
      const auto cost = along_rows ? rows_of(costs, c.columns) : rows_of(transposed(costs, c.rows, c.columns), c.rows);
      const Values h = heights(n, c.height, 10 * seed), v = reference::random_values(2 * n, 10 * seed + 5, -1.0, 1.0);
      const Expected whole = expected_of(cost, h, v, c.epsilon);
      const Field local_h = reference::field_of(part(h, n, in.range()), 2);
      const Field local_v = reference::field_of(part(v, n, in.range()), 2);
      const auto compare = [&](const char* what, const Values& all, Real allowed, const auto& reduce) {
        const Field s("s", 2, out.local_n());
        reduce(s);
        EXPECT_LE(
            reference::largest_difference(reference::values_of(s), part(all, out.partition.global_n(), out.range())),
            allowed)
            << what << ", case " << seed << (along_rows ? " rows" : " columns");
      };
      const Real rounding = 1e-15 * (c.height + 1.0 / c.epsilon + 40.0);  // of the exponents
      compare("softmin", whole.softmin, 8.0 * c.epsilon * rounding,
              [&](const Field& s) { op->softmin(side, local_h, s); });
      compare("average", whole.average, 32.0 * rounding,
              [&](const Field& s) { op->average(side, local_h, local_v, s); });
      compare("cost", whole.cost, 32.0 * rounding, [&](const Field& s) { op->average_cost(side, local_h, s); });
      compare("hard_min", whole.least, 1e-15 * (c.height + 1.0),
              [&](const Field& s) { op->hard_min(side, local_h, s); });
      compare("hard_max", whole.most, 1e-15 * (c.height + 1.0),
              [&](const Field& s) { op->hard_max(side, local_h, s); });
      op->set_precision(Precision::mixed);
      compare("mixed", whole.softmin, c.epsilon * (3e-7 + 8.0 * rounding),
              [&](const Field& s) { op->softmin(side, local_h, s); });
      op->set_precision(Precision::full);
    }
  }
}

/// 1e-7 + 4e-8 |x| for exponents x of float exponentials, which lie at most this deep here.
constexpr Real deep = 1e-7 + 4e-8 * 45.0;

TEST(MatrixOperator, SweepEqualsTwoHalfSteps) {
  const Communicator world = Communicator::world();
  unsigned seed = 100;
  int visits = 0;
  for (const Case& c : cases()) {
    const OwnedRows source = own_rows(IndexSet{c.rows}, world), target = own_rows(IndexSet{c.columns}, world);
    const auto op = make_matrix_operator(matrix_of(c, random_costs(c, ++seed), source.range()), source, target);
    op->prepare(c.epsilon);
    Values log_a = reference::random_values(c.rows, seed, -8.0, 0.0),
           log_b = reference::random_values(c.columns, seed + 50, -8.0, 0.0);
    for (Index i = 1; i < c.rows; i += 4) log_a[i] = log_zero;
    for (Index j = 1; j < c.columns; j += 3) log_b[j] = log_zero;
    const Values g = reference::random_values(c.columns, seed + 60, 0.0, std::min(1.0, 300.0 * c.epsilon));
    const Field a = reference::field_of(part(log_a, c.rows, source.range())),
                b = reference::field_of(part(log_b, c.columns, target.range())),
                potential = reference::field_of(part(g, c.columns, target.range()));
    for (const MarginalPenalty& penalty :
         {MarginalPenalty(Balanced{}), MarginalPenalty(KullbackLeibler{0.5}), MarginalPenalty(TotalVariation{0.3}),
          MarginalPenalty(MassRange{0.5, 2.0})}) {
      const Field f("f", 1, source.local_n()), s("s", 1, target.local_n());
      if (!op->sweep({a, penalty, b, potential}, f, s)) continue;
      ++visits;
      Values h_target = reference::values_of(b), h_source = reference::values_of(a);
      const Values potentials = reference::values_of(potential);
      for (std::size_t j = 0; j < h_target.size(); ++j)
        h_target[j] += h_target[j] > 0.5 * log_zero ? potentials[j] / c.epsilon : 0.0;
      const Field half("half", 1, source.local_n()), other("other", 1, target.local_n());
      op->softmin(Side::source, reference::field_of(h_target), half);
      Values expected = reference::values_of(half);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] = std::visit([&](const auto& p) { return p.prox(expected[i], c.epsilon); }, penalty);
        h_source[i] += h_source[i] > 0.5 * log_zero ? expected[i] / c.epsilon : 0.0;
      }
      op->softmin(Side::target, reference::field_of(h_source), other);
      const Real rounding = 1e-14 * c.epsilon * (400.0 + 1.0 / c.epsilon);
      EXPECT_LE(reference::largest_difference(reference::values_of(f), expected), rounding)
          << describe(penalty) << " case " << seed;
      EXPECT_LE(reference::largest_difference(reference::values_of(s), reference::values_of(other)), rounding)
          << describe(penalty) << " case " << seed;
      op->set_precision(Precision::mixed);
      const Field f_mixed("f", 1, source.local_n()), s_mixed("s", 1, target.local_n());
      if (op->sweep({a, penalty, b, potential}, f_mixed, s_mixed)) {
        EXPECT_LE(reference::largest_difference(reference::values_of(f_mixed), expected), deep * c.epsilon + rounding);
        EXPECT_LE(reference::largest_difference(reference::values_of(s_mixed), reference::values_of(other)),
                  deep * c.epsilon + rounding);
      }
      op->set_precision(Precision::full);
    }
  }
  EXPECT_GE(visits, lanes::width > 1 ? 16 : 0) << "sweeps hardly ever stayed in range";
}

TEST(MatrixOperator, NothingToReachGivesAHugeFinitePotentialAndNoMean) {
  const Communicator world = Communicator::world();
  const Case c{130, 70, 0.5, 1.0, false};
  const OwnedRows source = own_rows(IndexSet{c.rows}, world), target = own_rows(IndexSet{c.columns}, world);
  const auto op = make_matrix_operator(matrix_of(c, random_costs(c, 3), source.range()), source, target);
  op->prepare(c.epsilon);
  for (const Side side : {Side::source, Side::target}) {
    const OwnedRows &in = side == Side::source ? target : source, &out = side == Side::source ? source : target;
    const Field h = reference::field_of(Values(in.local_n(), log_zero)), s("s", 1, out.local_n());
    op->softmin(side, h, s);
    for (const Real value : reference::values_of(s)) {
      EXPECT_GT(value, 1e299 * c.epsilon);
      EXPECT_TRUE(std::isfinite(value));
    }
    op->average_cost(side, h, s);
    for (const Real value : reference::values_of(s)) EXPECT_EQ(value, 0.0);
  }
}

}  // namespace
}  // namespace hpot
