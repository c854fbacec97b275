// Plans that Newton's method keeps, against sums over all pairs in long double, and the Hessian that is made of them. On any
// number of ranks.
#include "hpot/problem/kept_plan.hpp"

#include "hpot/measure/synthetic_points.hpp"
#include "hpot/problem/block_couplings.hpp"
#include "hpot/problem/dual_preconditioner.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

PointCloud cloud(const std::string& text) { return in_morton_order(synthetic_cloud(text, 0)).cloud; }

/// Two clouds in heaps, some points without weight, at potentials that are far from optimal. f meets its marginal.
struct Heaps {
  PointCloud source = cloud("points?n=300&dim=3&item=1&shape=clusters");
  PointCloud target = cloud("points?n=230&dim=3&item=2&shape=clusters");
  Values a = test::scaled_to_mass(test::random_measure(300, 5, 0.2), 1.3);
  Values b = test::scaled_to_mass(test::random_measure(230, 6, 0.2), 1.3);
  Values potential = reference::random_values(230, 7, -0.02, 0.02);
  TransportProblem problem;
  Field f, g;

  explicit Heaps(const MarginalPenalty& from = Balanced{}, const MarginalPenalty& to = Balanced{}, Real epsilon = 0.02)
      : problem(make_transport_problem({"dense", SquaredEuclidean{}}, {source, target, a, b, from, to},
                                       Communicator::world())) {
    problem.epsilon = epsilon;
    problem.kernel->prepare(epsilon);
    g = owned(potential, problem.target.rows);
    const Field h = copy_of(g);
    add_log_weight(problem.target.log_weight, g, epsilon, h);
    f = copy_of(problem.source.weight);
    problem.kernel->softmin(Side::source, h, f);
    apply_prox(from, f, epsilon, f);
  }

  static Field owned(const Values& all, const OwnedRows& rows) {
    return reference::field_of({all.begin() + rows.range().begin, all.begin() + rows.range().end});
  }
  static Values whole(const Field& local, const OwnedRows& rows) {
    const Field all = make_unset_field("all", 1, rows.partition.global_n());
    rows.along_rows.gather_points(local, all, rows.partition.offsets());
    return host_values(all);
  }
  [[nodiscard]] Field on_targets() const { return copy_of(g); }
  [[nodiscard]] Field on_sources() const { return copy_of(f); }
  [[nodiscard]] KeptPlan keep(Real most) const {
    auto plan = KeptPlan::of(problem, source, target, SquaredEuclidean{}, f, g, most);
    EXPECT_TRUE(plan);
    return std::move(*plan);
  }
  /// w_i P_ij; all of it.
  [[nodiscard]] std::vector<Values> plan() const {
    const Values potentials = whole(f, problem.source.rows);
    std::vector<Values> entries(a.size(), Values(b.size(), 0.0));
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) {
        long double square = 0.0L;
        for (int d = 0; d < 3; ++d)
          square += std::pow(static_cast<long double>(source.at(i, d)) - target.at(j, d), 2.0L);
        entries[i][j] = static_cast<Real>(static_cast<long double>(a[i]) * b[j] *
                                          std::exp((potentials[i] + potential[j] - square) / problem.epsilon));
      }
    }
    return entries;
  }
};

/// What averages and squares are of.
struct Dense {
  std::vector<Values> entries;
  Values rows, columns;
  explicit Dense(std::vector<Values> all) : entries(std::move(all)), rows(entries.size()), columns(entries[0].size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < columns.size(); ++j) {
        rows[i] += entries[i][j];
        columns[j] += entries[i][j];
      }
    }
  }
};

TEST(KeptPlan, HasTheMarginalsAveragesAndSquaresOfThePlanButForSmallShares) {
  const Heaps heaps;
  const KeptPlan kept = heaps.keep(infinity);
  const Dense plan(heaps.plan());
  const Values v = reference::random_values(230, 8, -1.0, 1.0), u = reference::random_values(300, 9, 0.0, 1.0);
  const Field mean = heaps.on_sources(), back = heaps.on_targets(), squares = heaps.on_targets();
  kept.average(Side::source, Heaps::owned(v, heaps.problem.target.rows), mean);
  kept.average(Side::target, Heaps::owned(u, heaps.problem.source.rows), back);
  kept.squares(Heaps::owned(u, heaps.problem.source.rows), squares);
  const Values means = Heaps::whole(mean, heaps.problem.source.rows);
  const Values backs = Heaps::whole(back, heaps.problem.target.rows);
  const Values square = Heaps::whole(squares, heaps.problem.target.rows);
  const Values r = Heaps::whole(kept.marginal(Side::source), heaps.problem.source.rows);
  const Values c = Heaps::whole(kept.marginal(Side::target), heaps.problem.target.rows);
  constexpr Real left_out = 230 * 1e-5;  // of a row at most
  for (std::size_t i = 0; i < r.size(); ++i) {
    EXPECT_NEAR(r[i], plan.rows[i], left_out * plan.rows[i]) << i;
    Real expected = 0.0;
    for (std::size_t j = 0; j < c.size(); ++j) expected += plan.entries[i][j] * v[j];
    if (plan.rows[i] > 0.0) EXPECT_NEAR(means[i], expected / plan.rows[i], 2.0 * left_out) << i;
  }
  for (std::size_t j = 0; j < c.size(); ++j) {
    EXPECT_NEAR(c[j], plan.columns[j], 300 * 1e-5 * plan.columns[j]) << j;
    Real expected = 0.0, sum = 0.0;
    for (std::size_t i = 0; i < r.size(); ++i) {
      expected += plan.entries[i][j] * u[i];
      sum += u[i] * plan.entries[i][j] * plan.entries[i][j];
    }
    if (plan.columns[j] > 0.0) EXPECT_NEAR(backs[j], expected / plan.columns[j], 600 * 1e-5) << j;
    EXPECT_NEAR(square[j], sum, 1e-5 * sum + 1e-14) << j;
  }
}

/// Columns' sums of a sample are those of all within what chance does; heaps' borders are drawn first.
TEST(KeptPlan, DrawsSourcesSoThatSumsStayAboutWhatTheyAre) {
  const Heaps heaps({}, {}, 0.5);
  const KeptPlan all = heaps.keep(infinity), some = heaps.keep(0.5 * all.entries_of_a_row());
  const Real whole = mass(heaps.problem.source.rows, all.marginal(Side::source))[0];
  EXPECT_NEAR(mass(heaps.problem.source.rows, some.marginal(Side::source))[0], whole, 0.1 * whole);
  EXPECT_NEAR(mass(heaps.problem.target.rows, some.marginal(Side::target))[0], whole, 0.1 * whole);
  const Values drawn = Heaps::whole(some.marginal(Side::source), heaps.problem.source.rows);
  const auto count = static_cast<Real>(std::count_if(drawn.begin(), drawn.end(), [](Real r) { return r > 0.0; }));
  const auto there = static_cast<Real>(std::count_if(heaps.a.begin(), heaps.a.end(), [](Real r) { return r > 0.0; }));
  EXPECT_LT(count, 0.75 * there);
  EXPECT_GT(count, 0.25 * there);
  EXPECT_FALSE(KeptPlan::of(heaps.problem, heaps.source, heaps.target, SquaredEuclidean{}, heaps.f, heaps.g, 1.0));
}

TEST(KeptPlan, MakesAHessianThatIsNearTheWholeOneSymmetricAndPositive) {
  for (const auto& [from, to] : {std::pair<MarginalPenalty, MarginalPenalty>{Balanced{}, Balanced{}},
                                 {KullbackLeibler{0.5}, KullbackLeibler{0.8}},
                                 {TotalVariation{0.4}, Balanced{}}}) {
    const Heaps heaps(from, to);
    for (const Real most : {infinity, 20.0}) {
      DualHessian whole(heaps.problem, heaps.f, heaps.g), hessian(heaps.problem, heaps.f, heaps.g);
      hessian.keep_plan(heaps.keep(most), 0.0);
      const OwnedRows& rows = hessian.rows();
      const Field u = Heaps::owned(reference::random_values(230, 18, -1.0, 1.0), rows);
      const Field v = Heaps::owned(reference::random_values(230, 19, -1.0, 1.0), rows);
      const Field su = heaps.on_targets(), sv = heaps.on_targets(), exact = heaps.on_targets();
      hessian.apply(u, su);
      hessian.apply(v, sv);
      whole.apply(v, exact);
      EXPECT_NEAR(dot(rows, u, sv), dot(rows, v, su), 1e-6 * absolute_sum(rows, sv)) << describe(from);
      EXPECT_GT(dot(rows, v, sv), 0.0);
      EXPECT_EQ(dot(rows, hessian.gradient(), v), dot(rows, whole.gradient(), v));
      if (most < infinity) continue;
      const Real size = absolute_sum(rows, exact);
      combine(-1.0, exact, 1.0, sv);
      EXPECT_LT(absolute_sum(rows, sv), 0.005 * size) << describe(from);
      const Field diagonal = heaps.on_targets(), expected = heaps.on_targets();
      hessian.diagonal(diagonal);
      whole.diagonal(expected);
      const Real sum = absolute_sum(rows, expected);
      combine(-1.0, expected, 1.0, diagonal);
      EXPECT_LT(absolute_sum(rows, diagonal), 0.005 * sum) << describe(from);
    }
  }
}

/// Z'SZ of runs of points, off the diagonal, from the couplings.
TEST(KeptPlan, CouplesRunsOfPointsAsTheHessianDoes) {
  const Heaps heaps({}, {}, 0.1);
  DualHessian hessian(heaps.problem, heaps.f, heaps.g);
  hessian.keep_plan(heaps.keep(infinity), 0.0);
  const OwnedRows& rows = hessian.rows();
  const BlockSpace blocks(make_grid({230}, {1.0}), rows, {16});
  const auto couplings = block_couplings(hessian, blocks, heaps.on_targets());
  std::vector<Values> found(blocks.blocks(), Values(blocks.blocks(), 0.0));
  for (const BlockCoupling& w : couplings) found[w.first][w.second] = found[w.second][w.first] = w.weight;
  for (Index block = 0; block < blocks.blocks(); ++block) {
    const Field indicator = heaps.on_targets(), product = heaps.on_targets();
    Values one(blocks.blocks(), 0.0);
    one[block] = 1.0;
    Kokkos::deep_copy(indicator, 0.0);
    blocks.add(one, indicator);
    hessian.apply(indicator, product);
    const Values sums = blocks.sums(product);
    for (Index other = 0; other < blocks.blocks(); ++other) {
      if (other != block) EXPECT_NEAR(found[block][other], -sums[other], 1e-7) << block << " " << other;
    }
  }
}

}  // namespace
}  // namespace hpot
