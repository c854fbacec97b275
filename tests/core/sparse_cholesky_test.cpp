#include "hpot/core/sparse_cholesky.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hpot {
namespace {

/// A path of n points with ends held: 2 on the diagonal, -1 beside it, each value in two parts.
std::vector<MatrixEntry> path(Index n, Real diagonal) {
  std::vector<MatrixEntry> lower;
  for (Index i = 0; i < n; ++i) {
    lower.push_back({i, i, 0.25 * diagonal});
    lower.push_back({i, i, 0.75 * diagonal});
    if (i > 0) lower.push_back({i, i - 1, -1.0});
  }
  return lower;
}

TEST(SparseCholesky, SolvesThePathWhoseInverseIsKnown) {
  constexpr Index n = 200;
  const SparseCholesky factor(n, path(n, 2.0));
  ASSERT_TRUE(factor.positive());
  for (const Index k : {0, 17, 199}) {
    std::vector<Real> x(n, 0.0);
    x[k] = 1.0;
    factor.solve(x);
    for (Index i = 0; i < n; ++i) {
      const Real exact = static_cast<Real>((std::min(i, k) + 1) * (n - std::max(i, k))) / static_cast<Real>(n + 1);
      EXPECT_NEAR(x[i], exact, 1e-10) << i << " " << k;
    }
  }
}

TEST(SparseCholesky, TellsAMatrixThatIsNotPositive) {
  EXPECT_FALSE(SparseCholesky(2, {{0, 0, 1.0}, {1, 1, 0.0}}).positive());
  EXPECT_TRUE(SparseCholesky(1, {{0, 0, 1e-300}}).positive());
}

TEST(SparseCholesky, RepeatsItsBits) {
  std::vector<Real> x(300, 1.0);
  std::vector<Real> y(300, 1.0);
  SparseCholesky(300, path(300, 2.3)).solve(x);
  SparseCholesky(300, path(300, 2.3)).solve(y);
  EXPECT_EQ(x, y);
}

}  // namespace
}  // namespace hpot
