// Windows along the axes: what they leave out stays within the bound that the operator states, whatever the values are.
#include "hpot/kernel/axis_kernels.hpp"
#include "hpot/kernel/lanes.hpp"
#include "hpot/kernel/separable.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hpot {
namespace {

using reference::Values;

Grid grid_of(std::vector<Axis> axes) { return Grid{std::move(axes), {}}; }

std::unique_ptr<KernelOperator> separable(const Cost& cost, const Grid& source, const Grid& target, Real epsilon,
                                          Real cut) {
  auto op = make_separable_operator(cost, source, target, {0, source.points()}, {0, target.points()}, cut);
  op->prepare(epsilon);
  return op;
}

Values softmin_of(const KernelOperator& op, const Values& h, Index outputs) {
  const Field s("s", 1, outputs);
  op.softmin(Side::source, reference::field_of(h), s);
  return reference::values_of(s);
}

/// Log-values of several scales, concave, convex and rough, with single zeros and long holes.
Values rough_with_holes(const Grid& grid, unsigned seed, Real scale) {
  const Index n = grid.points();
  const Values noise = reference::random_values(n, seed, -1.0, 1.0);
  const Values lot = reference::random_values(n, seed + 1, 0.0, 1.0);
  const Values shape = reference::random_values(8, seed + 2, -1.0, 1.0);
  const auto points = reference::points_of(grid);
  const Index hole = 1 + n / 7;
  Values h(n);
  for (Index p = 0; p < n; ++p) {
    Real smooth = 0.0;
    for (std::size_t d = 0; d < points[p].size(); ++d) {
      const Axis& axis = grid.axes[d];
      const Real x = (points[p][d] - axis.origin) / (axis.spacing * static_cast<Real>(axis.n));
      smooth += shape[d] * x + shape[d + 3] * x * x * 4.0 + std::sin(20.0 * x * shape[6]);
    }
    h[p] = scale * (smooth + 0.3 * noise[p]);
    const bool in_hole = (p / hole) % 3 == static_cast<Index>(seed % 3);
    if (lot[p] < 0.5 * std::abs(shape[7]) || in_hole) h[p] = log_zero;
  }
  h[n / 2] = 0.0;
  return h;
}

Real largest_finite(const Values& h) {
  Real largest = 1.0;
  for (const Real value : h) largest = std::max(largest, value > 0.5 * log_zero ? std::abs(value) : 0.0);
  return largest;
}

/// Scalar lanes, the form of GPUs, take every term.
bool windows_exist() { return lanes::width > 1; }

struct Pair {
  Grid source, target;
};

std::vector<Pair> pairs() {
  const Grid line = grid_of({{213, 0.5, -3.0}});
  const Grid other_line = grid_of({{120, 1.0, -10.25}});
  const Grid image = grid_of({{101, 1.0, 0.0}, {58, 0.75, 2.0}});
  const Grid coarse_image = grid_of({{50, 2.0, 0.5}, {29, 1.5, 2.375}});
  const Grid volume = grid_of({{19, 3.0, 0.0}, {7, 2.0, 0.0}, {53, 2.5, 1.0}});
  const Grid coarse_volume = grid_of({{9, 6.0, 1.5}, {1, 4.0, 1.0}, {27, 5.0, 2.25}});
  return {{line, line},          {line, other_line},    {other_line, line},      {image, image},
          {image, coarse_image}, {coarse_image, image}, {volume, coarse_volume}, {volume, volume}};
}

TEST(Windows, EqualFullLinesOnRoughImagesWithHoles) {
  unsigned seed = 0;
  for (const auto& [source, target] : pairs()) {
    const Real unit = source.smallest_spacing() * source.smallest_spacing();
    for (const Real epsilon : {0.1 * unit, 0.5 * unit, 3.0 * unit, 16.0 * unit, 130.0 * unit, 1000.0 * unit}) {
      for (const Cost& cost : {Cost{SquaredEuclidean{}}, Cost{PowerAxes{1.5}}, Cost{PowerAxes{1.0}}}) {
        const Values h = rough_with_holes(target, seed, seed % 4 == 0 ? 3.0 : 300.0);
        ++seed;
        const auto windowed = separable(cost, source, target, epsilon, default_window_cut);
        const auto full = separable(cost, source, target, epsilon, 0.0);
        const Index n = source.points();
        EXPECT_EQ(full->softmin_excess(), 0.0);
        EXPECT_LT(reference::largest_difference(softmin_of(*windowed, h, n), softmin_of(*full, h, n)) / epsilon /
                      largest_finite(h),
                  1e-10)
            << source.describe() << " from " << target.describe() << ", eps " << epsilon << ", cost " << name(cost);
      }
    }
  }
}

/// A small random problem: 1-D to 3-D, lines that are longer and shorter than a stretch of outputs, eps over five decades.
struct RandomCase {
  Grid source, target;
  Cost cost;
  Real epsilon;
  Values h, v;

  explicit RandomCase(unsigned seed) {
    const std::vector<std::vector<Index>> shapes = {{150}, {9, 17}, {2, 75}, {75, 2}, {3, 5, 11}, {4, 51, 1}};
    const Values draw = reference::random_values(10, seed, 0.0, 1.0);
    const auto& shape = shapes[seed % shapes.size()];
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const Real spacing = 0.5 + draw[d];
      const bool coarse = draw[3] < 0.3;
      source.axes.push_back({shape[d], spacing, draw[4]});
      target.axes.push_back({coarse ? (shape[d] + 1) / 2 : shape[d], coarse ? 2.0 * spacing : spacing, draw[5]});
    }
    cost = seed % 3 == 0 ? Cost{SquaredEuclidean{}} : Cost{PowerAxes{seed % 3 == 1 ? 1.5 : draw[6] < 0.5 ? 1.0 : 2.0}};
    epsilon = std::pow(10.0, -2.0 + 5.0 * draw[7]);
    h = rough_with_holes(target, seed, std::pow(10.0, 3.0 * draw[8]));
    v = reference::random_values(target.points(), seed + 5, -1.0, 1.0);
  }
};

TEST(Windows, NeverLoseMoreThanTheBound) {
  constexpr Real rounding = 1e-13;  // of the largest exponent
  Real largest_loss = 0.0;
  int kept_cases = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const RandomCase c(seed);
    const Real cut = seed % 4 == 0 ? default_window_cut : seed % 4 == 1 ? 1e-6 : 1e-3;
    const auto op = separable(c.cost, c.source, c.target, c.epsilon, cut);
    const auto all_costs = reference::cost_matrix(c.cost, c.source, c.target);
    std::vector<Values> cost;  // of every fifth output
    for (std::size_t i = seed % 5; i < all_costs.size(); i += 5) cost.push_back(all_costs[i]);
    const Values exact = reference::softmin(cost, c.h, c.epsilon);
    const Values windowed = softmin_of(*op, c.h, c.source.points());
    const Field mean("mean", 1, c.source.points());
    op->average(Side::source, reference::field_of(c.h), reference::field_of(c.v), mean);
    const Values means = reference::values_of(mean);
    if (const auto fixed = op->fix_average(Side::source, reference::field_of(c.h)); fixed != nullptr) {
      const Field kept("kept", 1, c.source.points());
      fixed->apply(reference::field_of(c.v), kept);
      ASSERT_EQ(reference::values_of(kept), means) << "case " << seed;
      ++kept_cases;
    }
    const Values exact_means = reference::average(cost, c.h, c.v, c.epsilon);
    const Real excess = op->softmin_excess();
    for (std::size_t r = 0; r < exact.size(); ++r) {
      const std::size_t i = seed % 5 + 5 * r;
      const Real lost = (windowed[i] - exact[r]) / c.epsilon;
      const Real slack =
          rounding * (largest_finite(c.h) + *std::max_element(cost[r].begin(), cost[r].end()) / c.epsilon);
      ASSERT_GE(lost, -slack) << "case " << seed;
      ASSERT_LE(lost, excess + slack) << "case " << seed;
      ASSERT_NEAR(means[i], exact_means[r], 2.0 * std::expm1(excess) + 4.0 * slack) << "case " << seed;
      largest_loss = std::max(largest_loss, lost);
    }
  }
  EXPECT_GT(largest_loss, windows_exist() ? 1e-6 : -1.0) << "no window left anything out";
  EXPECT_GE(kept_cases, windows_exist() ? 100 : 0) << "weights were hardly ever kept";
}

TEST(Windows, AreNotWidenedByLinesOfZeros) {
  constexpr Index n = 100;
  constexpr Index lines = 8;
  const Axis axis{n, 1.0, 0.0};
  AxisCost cost(SquaredEuclidean{}, axis, axis);
  cost.prepare(1.0);
  Values h = reference::random_values(n * lines, 1, -4.0, 0.0);
  for (Index j = 0; j < n; ++j) {
    for (Index line = 1; line < lines; ++line) h[j * lines + line] = h[j * lines];
  }
  const auto exps = [&](const Values& values) {
    const Field in = reference::field_of(values), out("out", 1, n * lines);
    return count_windows(cost, {in.data(), out.data(), 1, lines, 0, n, 0, 1, 1e-13}).exps;
  };
  const double before = exps(h);
  for (Index j = 0; j < n; ++j) {
    for (Index line = 0; line < 5; ++line) h[j * lines + line] = log_zero;
  }
  EXPECT_EQ(exps(h), before);
}

TEST(Windows, LoseTheirBoundWhereAllElseLiesJustOutside) {
  constexpr Index n = 100;
  constexpr Real cut = 1e-4;
  const Axis axis{n, 1.0, 0.0};
  AxisCost cost(SquaredEuclidean{}, axis, axis);
  cost.prepare(1e12);  // exp(-c/eps) is 1
  for (const Real below : {std::log(1.0 / cut) + 0.01, std::log(n / cut) + 0.01}) {
    for (const Index top : {Index{0}, Index{37}, n - 1}) {
      Values h(n, -below);
      h[top] = 0.0;
      const Field in = reference::field_of(h), out("out", 1, n);
      log_sum_exp_along(cost, {in.data(), out.data(), 1, 1, 0, n, 0, 1, cut}, Precision::full);
      const Real exact = std::log1p((n - 1) * std::exp(-below));
      for (const Real value : reference::values_of(out)) {
        EXPECT_LE(exact - value, std::log1p(fraction_cut(cost, cut)) + 1e-9);
        EXPECT_GT(exact - value, windows_exist() && below > std::log(n / cut) ? 0.9 * cut : -1e-9);
      }
    }
  }
}

TEST(Windows, OfMixedPrecisionStateTheirOwnBound) {
  const Grid image = grid_of({{60, 1.0, 0.0}, {60, 1.0, 0.0}});
  const auto op = separable(SquaredEuclidean{}, image, image, 0.5, default_window_cut);
  const Real full = op->softmin_excess();
  op->set_precision(Precision::mixed);
  if (!windows_exist()) GTEST_SKIP() << "scalar lanes";
  EXPECT_NEAR(full, 2.0 * default_window_cut, 1e-18);
  EXPECT_NEAR(op->softmin_excess(), 2e-10, 1e-18);
}

TEST(Windows, AreForConvexCostsOnly) {
  const Axis axis{90, 0.5, 0.0};
  for (const Real p : {1.0, 1.25, 1.5, 2.0, 3.0}) EXPECT_TRUE(AxisCost(PowerAxes{p}, axis, axis).convex()) << p;
  const AxisCost concave(PowerAxes{0.5}, axis, axis);
  EXPECT_FALSE(concave.convex());
  EXPECT_EQ(fraction_cut(concave, 1e-3), 0.0);

  const Grid line = grid_of({axis});
  const Values h = rough_with_holes(line, 4, 30.0);
  for (const Real epsilon : {0.002, 0.05, 1.0}) {
    const auto op = separable(PowerAxes{0.5}, line, line, epsilon, 1e-3);
    const Values exact = reference::softmin(reference::cost_matrix(PowerAxes{0.5}, line, line), h, epsilon);
    EXPECT_LT(reference::largest_difference(softmin_of(*op, h, 90), exact) / epsilon, 1e-11);
    const Field m("m", 1, 90);
    op->hard_min(Side::source, reference::field_of(h), m);
    const Values minima = reference::values_of(m);
    for (Index i = 0; i < 90; ++i) {
      Real least = infinity;
      for (Index j = 0; j < 90; ++j) {
        if (h[j] > 0.5 * log_zero) least = std::min(least, std::sqrt(std::abs(0.5 * static_cast<Real>(i - j))) - h[j]);
      }
      EXPECT_NEAR(minima[i], least, 1e-12);
    }
  }
}

TEST(Windows, HardMinimaOfLongLinesEqualPlainLoops) {
  for (unsigned seed = 1; seed < 20; ++seed) {
    const Grid image = grid_of({{11, 1.0, 0.0}, {203, 0.75, 2.0}});
    const Real p = seed % 2 == 0 ? 2.0 : 1.5;
    const Values h = rough_with_holes(image, seed, seed < 10 ? 5.0 : 500.0);
    const auto op = separable(PowerAxes{p}, image, image, 1.0, default_window_cut);
    const Field m("m", 1, image.points());
    op->hard_min(Side::source, reference::field_of(h), m);
    const Values minima = reference::values_of(m);
    const auto points = reference::points_of(image);
    for (Index i = 0; i < image.points(); i += 3) {
      Real least = infinity;
      for (Index j = 0; j < image.points(); ++j) {
        if (h[j] > 0.5 * log_zero)
          least = std::min(least, reference::cost_of(PowerAxes{p}, points[i], points[j]) - h[j]);
      }
      ASSERT_NEAR(minima[i], least, 1e-12 * (1.0 + std::abs(least))) << "case " << seed;
    }
  }
}

}  // namespace
}  // namespace hpot
