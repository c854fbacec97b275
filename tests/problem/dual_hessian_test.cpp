// The semi-dual's gradient and Hessian against difference quotients, and the preconditioner against small cases that are
// known exactly.
#include "hpot/problem/block_couplings.hpp"
#include "hpot/problem/dual_preconditioner.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

constexpr Real epsilon = 0.7;
const Grid& grid() {
  static const Grid image = make_grid({6, 7}, {1.0, 1.3});
  return image;
}

struct Case {
  MarginalPenalty source, target;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {Balanced{}, Balanced{}},           {KullbackLeibler{2.0}, KullbackLeibler{0.8}},
      {Balanced{}, KullbackLeibler{3.0}}, {KullbackLeibler{3.0}, Balanced{}},
      {TotalVariation{1.5}, Balanced{}},  {MassRange{0.7, 1.4}, KullbackLeibler{1.0}}};
  return all;
}

/// Measures with holes, at potentials that are far from optimal. The mass is no power of two.
struct Point {
  TransportProblem problem;
  Field f, g;

  Point(const Case& c, const Values& potential)
      : problem(test::problem_of(grid(), test::scaled_to_mass(test::random_measure(42, 5, 0.3), 1.3),
                                 test::scaled_to_mass(test::random_measure(42, 6, 0.3), 1.3), c.source, c.target,
                                 epsilon)),
        f("f", 1, 42),
        g(reference::field_of(potential)) {
    const Field h("h", 1, 42);
    add_log_weight(problem.target.log_weight, g, epsilon, h);
    problem.kernel->softmin(Side::source, h, f);
    apply_prox(problem.source.penalty, f, epsilon, f);
  }

  /// D(g), the plan summed in long double.
  [[nodiscard]] Real dual() const {
    const Values a = host_values(problem.source.weight);
    const Values b = host_values(problem.target.weight);
    const test::Plan plan(reference::cost_matrix(SquaredEuclidean{}, grid(), grid()), a, b, host_values(f),
                          host_values(g), epsilon);
    return dual_term(problem.source, f)[0] + dual_term(problem.target, g)[0] - epsilon * plan.mass();
  }
};

Values start() { return reference::random_values(42, 7, -0.6, 0.9); }
Values direction() { return reference::random_values(42, 8, -1.0, 1.0); }

Values moved(const Values& g, const Values& v, Real step) {
  Values at(g.size());
  for (std::size_t j = 0; j < g.size(); ++j) at[j] = g[j] + step * v[j];
  return at;
}

std::string text(const Case& c) { return describe(c.source) + " " + describe(c.target); }

TEST(DualHessian, GradientIsTheDifferenceQuotientOfTheDual) {
  constexpr Real step = 1e-5;
  for (const Case& c : cases()) {
    const Point here(c, start());
    const DualHessian hessian(here.problem, here.f, here.g);
    const Real quotient =
        (Point(c, moved(start(), direction(), step)).dual() - Point(c, moved(start(), direction(), -step)).dual()) /
        (2.0 * step);
    EXPECT_NEAR(hessian.slope_along(reference::field_of(direction())), quotient, 1e-9) << text(c);
  }
}

TEST(DualHessian, IsTheDifferenceQuotientOfTheGradient) {
  constexpr Real step = 1e-5;
  for (const Case& c : cases()) {
    const Point here(c, start());
    const Point before(c, moved(start(), direction(), -step));
    const Point after(c, moved(start(), direction(), step));
    const Field product("product", 1, 42);
    DualHessian(here.problem, here.f, here.g).apply(reference::field_of(direction()), product);
    const Values low = host_values(DualHessian(before.problem, before.f, before.g).gradient());
    const Values high = host_values(DualHessian(after.problem, after.f, after.g).gradient());
    const Values result = host_values(product);
    for (std::size_t j = 0; j < result.size(); ++j) {
      EXPECT_NEAR(result[j], -epsilon * (high[j] - low[j]) / (2.0 * step), 1e-9) << text(c) << " " << j;
    }
  }
}

TEST(DualHessian, IsSymmetricAndPositiveAndHasTheDiagonalThatItSays) {
  for (const Case& c : cases()) {
    const Point here(c, start());
    const DualHessian hessian(here.problem, here.f, here.g);
    const Field diagonal("diagonal", 1, 42);
    hessian.diagonal(diagonal);
    std::vector<Values> columns;
    for (Index j = 0; j < 42; ++j) {
      Values unit(42, 0.0);
      unit[j] = 1.0;
      const Field column("column", 1, 42);
      hessian.apply(reference::field_of(unit), column);
      columns.push_back(host_values(column));
    }
    const Values stated = host_values(diagonal);
    for (Index j = 0; j < 42; ++j) {
      EXPECT_NEAR(stated[j], columns[j][j], 1e-14) << text(c) << " " << j;
      Real row = 0.0;
      for (Index k = 0; k < 42; ++k) {
        EXPECT_NEAR(columns[j][k], columns[k][j], 1e-15) << text(c);
        if (k != j) EXPECT_LE(columns[j][k], 1e-17) << text(c);
        row += columns[k][j];
      }
      EXPECT_GE(row, -1e-15) << text(c);
      const bool constants_are_the_kernel = is_balanced(c.source) && is_balanced(c.target);
      if (constants_are_the_kernel) EXPECT_LE(row, 1e-15) << j;
    }
  }
}

TEST(DualHessian, SupportsTargetsWithoutKinks) {
  for (const Case& c : cases()) EXPECT_TRUE(DualHessian::supports(Point(c, start()).problem)) << text(c);
  EXPECT_FALSE(DualHessian::supports(Point({Balanced{}, TotalVariation{1.0}}, start()).problem));
  EXPECT_FALSE(DualHessian::supports(Point({Balanced{}, MassRange{0.5, 2.0}}, start()).problem));
}

TEST(DualHessian, RightHandSideSumsToZeroWhereConstantsAreTheKernel) {
  const Point here({Balanced{}, Balanced{}}, start());
  add_constant(here.f, 1e-6);  // rows that are not exact
  const DualHessian hessian(here.problem, here.f, here.g);
  const Field r("r", 1, 42);
  hessian.right_hand_side(r);
  EXPECT_NEAR(mass(hessian.rows(), hessian.gradient())[0], -1.3 * 1e-6 / epsilon, 1e-11);
  EXPECT_NEAR(mass(hessian.rows(), r)[0], 0.0, 1e-15);
}

/// Row i's share of every block, times the square root of q r: what Z'SZ is made of.
struct Shares {
  std::vector<Values> rows;
  Shares(const Point& at, const BlockSpace& blocks, const std::vector<Index>& block_of) {
    const Values a = host_values(at.problem.source.weight);
    const Values b = host_values(at.problem.target.weight);
    const Values f = host_values(at.f);
    const test::Plan plan(reference::cost_matrix(SquaredEuclidean{}, grid(), grid()), a, b, f, host_values(at.g),
                          epsilon);
    for (Index i = 0; i < 42; ++i) {
      Values row(blocks.blocks(), 0.0);
      Real mass = 0.0;
      for (Index j = 0; j < 42; ++j) {
        row[block_of[j]] += plan.entry(i, j);
        mass += plan.entry(i, j);
      }
      const Real slope =
          std::visit([&](const auto& p) { return p.prox_slope(f[i], epsilon); }, at.problem.source.penalty);
      for (Real& share : row) share *= mass > 0.0 ? std::sqrt(slope / mass) : 0.0;
      rows.push_back(row);
    }
  }
};

/// Blocks along one axis only: nothing is approximate but the single precision of shares.
TEST(BlockCouplings, AreThoseOfThePlanAlongOneAxis) {
  for (const Case& c : cases()) {
    const Point here(c, start());
    const DualHessian hessian(here.problem, here.f, here.g);
    for (const Index side : {2, 3}) {
      const BlockSpace blocks(grid(), hessian.rows(), {side, 7});
      std::vector<Index> block_of;
      for (Index j = 0; j < 42; ++j) block_of.push_back(j / 7 / side);
      const Shares shares(here, blocks, block_of);
      const Field work("work", 1, 42);
      const Real unit = std::ldexp(1.0, std::ilogb(1.3));
      std::vector<Values> found(blocks.blocks(), Values(blocks.blocks(), 0.0));
      for (const BlockCoupling& w : block_couplings(hessian, blocks, work)) found[w.first][w.second] = w.weight * unit;
      for (Index first = 0; first < blocks.blocks(); ++first) {
        for (Index second = first + 1; second < blocks.blocks(); ++second) {
          Real expected = 0.0;
          for (const Values& row : shares.rows) expected += row[first] * row[second];
          EXPECT_NEAR(found[first][second], expected, 1e-6) << text(c) << " " << side << " " << first << " " << second;
        }
      }
    }
  }
}

TEST(BlockCouplings, RowSumsAreThoseOfTheHessian) {
  for (const Case& c : cases()) {
    const Point here(c, start());
    const DualHessian hessian(here.problem, here.f, here.g);
    const Field ones = reference::field_of(Values(42, 1.0));
    const Field expected("expected", 1, 42);
    const Field sums("sums", 1, 42);
    hessian.apply(ones, expected);
    hessian.row_sums(sums);
    EXPECT_LT(reference::largest_difference(host_values(sums), host_values(expected)), 1e-15) << text(c);
  }
}

/// With two blocks along one axis Z'SZ is exact.
TEST(DualPreconditioner, SolvesExactlyForFunctionsThatAreConstantOnItsBlocks) {
  for (const Case& c : {cases()[1], cases()[2]}) {
    const Point here(c, start());
    const DualHessian hessian(here.problem, here.f, here.g);
    const BlockSpace blocks(grid(), hessian.rows(), {3, 7});
    ASSERT_EQ(blocks.blocks(), 2);
    const Field work("work", 1, 42);
    const DualPreconditioner preconditioner(hessian, &blocks, work);
    const Field constant("constant", 1, 42);
    blocks.add(reference::random_values(2, 9, -1.0, 1.0), constant);
    const Field r("r", 1, 42);
    hessian.apply(constant, r);
    const Field z("z", 1, 42);
    preconditioner.apply(r, z);
    const Field by_diagonal("by_diagonal", 1, 42);
    DualPreconditioner(hessian, nullptr, work).apply(r, by_diagonal);
    const Values expected = host_values(constant);
    const Values b = host_values(here.problem.target.weight);
    const Values both = host_values(z);
    const Values diagonal_part = host_values(by_diagonal);
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (b[j] > 0.0) EXPECT_NEAR(both[j] - diagonal_part[j], expected[j], 1e-6) << text(c) << " " << j;
    }
  }
}

TEST(DualPreconditioner, WithoutBlocksDividesByTheDiagonal) {
  const Point here(cases()[0], start());
  const DualHessian hessian(here.problem, here.f, here.g);
  const Field diagonal("diagonal", 1, 42);
  hessian.diagonal(diagonal);
  const Field z("z", 1, 42);
  DualPreconditioner(hessian, nullptr, z).apply(hessian.gradient(), z);
  const Values d = host_values(diagonal);
  const Values r = host_values(hessian.gradient());
  const Values result = host_values(z);
  for (std::size_t j = 0; j < d.size(); ++j) EXPECT_EQ(result[j], d[j] > 0.0 ? r[j] / d[j] : 0.0);
}

TEST(DualPreconditioner, IsSymmetricAndPositiveWhateverItsBlocks) {
  for (const Case& c : cases()) {
    const Point here(c, start());
    const DualHessian hessian(here.problem, here.f, here.g);
    for (const std::vector<Index>& sides : {std::vector<Index>{1, 1}, {1, 2}, {6, 7}}) {
      const BlockSpace blocks(grid(), hessian.rows(), sides);
      const Field work("work", 1, 42);
      const DualPreconditioner preconditioner(hessian, &blocks, work);
      const Field x("x", 1, 42);
      const Field y("y", 1, 42);
      const Field u("u", 1, 42);
      const Field v("v", 1, 42);
      hessian.apply(reference::field_of(direction()), u);
      hessian.apply(reference::field_of(start()), v);
      preconditioner.apply(u, x);
      preconditioner.apply(v, y);
      const Real one = dot(hessian.rows(), u, y);
      EXPECT_NEAR(one, dot(hessian.rows(), v, x), 1e-12 * std::abs(one)) << text(c);
      EXPECT_GT(dot(hessian.rows(), u, x), 0.0) << text(c);
    }
  }
}

}  // namespace
}  // namespace hpot
