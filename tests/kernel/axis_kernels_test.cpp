// The reductions along one axis against plain loops, where the operators' tests do not reach.
#include "hpot/kernel/axis_kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reference.hpp"

namespace hpot {
namespace {

using reference::Values;

/// One line of n points with spacing 1 per entry of `lines`, squared distance.
struct Lines {
  Index n, lines;
  AxisCost cost;
  Field in;

  Lines(Index points, Index count, Real epsilon)
      : n(points),
        lines(count),
        cost(SquaredEuclidean{}, Axis{points, 1.0, 0.0}, Axis{points, 1.0, 0.0}),
        in(reference::field_of(reference::random_values(points * count, 3, -4.0, 0.0))) {
    cost.prepare(epsilon);
  }

  [[nodiscard]] AxisPass pass(const Field& out, Index first, Index count) const {
    AxisPass p;
    p.in = in.data();
    p.out = out.data();
    p.lines = lines;
    p.first = first;
    p.count = count;
    p.cut = 1e-13;
    return p;
  }
};

/// log sum_j exp(A_j - (i-j)^2/eps) and the mean of A_j + (i-j)^2 under these weights, for one output.
std::pair<Real, Real> plain(const Lines& data, Index line, Index i, Real epsilon) {
  long double sum = 0.0L;
  long double moment = 0.0L;
  for (Index j = 0; j < data.n; ++j) {
    const long double a = data.in.data()[j * data.lines + line];
    const long double c = static_cast<long double>((i - j) * (i - j));
    const long double weight = std::exp(a - c / epsilon);
    sum += weight;
    moment += weight * (a + c);
  }
  return {static_cast<Real>(std::log(sum)), static_cast<Real>(moment / sum)};
}

TEST(AxisKernels, LinesOfAnyLengthEqualPlainLoops) {
  for (const Index n : {1, 7, 64, 700, 1500}) {
    const Real epsilon = static_cast<Real>(n * n) / 400.0;
    const Lines data(n, 9, epsilon);
    const Field sums("sums", 1, 9 * n), products("products", 1, 9 * n), means("means", 1, 9 * n),
        same("same", 1, 9 * n);

    log_sum_exp_along(data.cost, data.pass(sums, 0, n), Precision::full);
    ASSERT_TRUE(data.cost.fits_product());
    product_along(data.cost, data.pass(products, 0, n));
    mean_cost_along(data.cost, data.pass(same, 0, n), data.in.data(), means.data());

    for (Index line = 0; line < 9; ++line) {
      for (Index i = 0; i < n; i += 1 + n / 50) {
        const auto [sum, mean] = plain(data, line, i, epsilon);
        EXPECT_NEAR(sums(0, line * n + i), sum, 1e-13 * 500.0) << n;
        EXPECT_NEAR(products(0, line * n + i), sum, 1e-13 * 500.0) << n;
        EXPECT_NEAR(same(0, line * n + i), sum, 1e-13 * 500.0) << n;
        EXPECT_NEAR(means(0, line * n + i), mean, 1e-11 * epsilon + 1e-12) << n;
      }
    }
  }
}

TEST(AxisKernels, OutputsDoNotDependOnWhichOthersAreFormed) {
  const Index n = 150;
  const Index first = 37;
  const Index count = 71;
  const Lines data(n, 11, 2.0);
  const auto run = [&](int kernel, const AxisPass& pass, Real* more) {
    if (kernel == 0) log_sum_exp_along(data.cost, pass, Precision::mixed);
    if (kernel == 1) log_sum_exp_along(data.cost, pass, Precision::full);
    if (kernel == 2) mean_cost_along(data.cost, pass, data.in.data(), more);
    if (kernel == 3) max_along(data.cost, pass, -1.0);
  };
  for (int kernel = 0; kernel < 4; ++kernel) {
    const Field whole("whole", 2, 11 * n), part("part", 2, 11 * count);

    run(kernel, data.pass(whole, 0, n), whole.data() + 11 * n);
    run(kernel, data.pass(part, first, count), part.data() + 11 * count);

    for (int row = 0; row < (kernel == 2 ? 2 : 1); ++row) {
      for (Index line = 0; line < 11; ++line) {
        for (Index i = 0; i < count; ++i) {
          ASSERT_EQ(part(row, line * count + i), whole(row, line * n + first + i)) << "kernel " << kernel;
        }
      }
    }
  }
}

TEST(AxisKernels, LinesOfZeroWeightsGiveFiniteMeansAndLogZero) {
  const Lines data(100, 8, 0.5);
  Kokkos::deep_copy(data.in, log_zero);
  const Field sums("sums", 1, 800), means("means", 1, 800), zeros("zeros", 1, 800);

  mean_cost_along(data.cost, data.pass(sums, 0, 100), zeros.data(), means.data());
  for (Index i = 0; i < 800; ++i) {
    ASSERT_TRUE(std::isfinite(means(0, i)));
    ASSERT_LT(sums(0, i), 0.99 * log_zero);
  }
  max_along(data.cost, data.pass(sums, 0, 100), -1.0);
  for (Index i = 0; i < 800; ++i) ASSERT_EQ(sums(0, i), log_zero);
}

}  // namespace
}  // namespace hpot
