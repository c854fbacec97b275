#include "hpot/core/lbfgs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace hpot {
namespace {

/// Rosenbrock's valley, minimum 0 at (1, 1).
Real valley(const std::vector<Real>& x, std::vector<Real>& gradient) {
  const Real a = 1.0 - x[0];
  const Real b = x[1] - x[0] * x[0];
  gradient = {-2.0 * a - 400.0 * x[0] * b, 200.0 * b};
  return a * a + 100.0 * b * b;
}

bool is_flat(const std::vector<Real>& gradient) { return std::hypot(gradient[0], gradient[1]) < 1e-10; }

TEST(Lbfgs, FindsTheEndOfTheValley) {
  std::vector<Real> x{-1.2, 1.0};
  Real last = infinity;
  const bool ended = minimise({valley,
                               [&](const std::vector<Real>&, Real value, const std::vector<Real>& gradient) {
                                 EXPECT_LE(value, last);
                                 last = value;
                                 return is_flat(gradient);
                               }},
                              8, x);
  EXPECT_TRUE(ended);
  EXPECT_NEAR(x[0], 1.0, 1e-9);
  EXPECT_NEAR(x[1], 1.0, 1e-9);
}

TEST(Lbfgs, AcceptsTheStartAndEndsWhereItIsTold) {
  std::vector<Real> x{-1.2, 1.0};
  int accepted = 0;
  std::vector<Real> last;
  EXPECT_TRUE(minimise({valley,
                        [&](const std::vector<Real>& at, Real, const std::vector<Real>&) {
                          if (accepted == 0) {
                            EXPECT_EQ(at, (std::vector<Real>{-1.2, 1.0}));
                          }
                          last = at;
                          return ++accepted == 4;
                        }},
                       8, x));
  EXPECT_EQ(accepted, 4);
  EXPECT_EQ(x, last);
}

TEST(Lbfgs, SaysWhereNoValueIsLower) {
  std::vector<Real> x{3.0};
  // a kink: the slope promises what no step gives
  const bool ended = minimise({[](const std::vector<Real>& at, std::vector<Real>& gradient) {
                                 gradient = {1.0};
                                 return std::abs(at[0] - 3.0);
                               },
                               [](const std::vector<Real>&, Real, const std::vector<Real>&) { return false; }},
                              8, x);
  EXPECT_FALSE(ended);
  EXPECT_EQ(x[0], 3.0);
}

TEST(Lbfgs, ThrowsOnWhatTheFunctionThrows) {
  std::vector<Real> x{-1.2, 1.0};
  int evaluations = 0;
  const auto breaks = [&](const std::vector<Real>& at, std::vector<Real>& gradient) {
    if (++evaluations == 3) throw std::runtime_error("third");
    return valley(at, gradient);
  };
  EXPECT_THROW(minimise({breaks, [](const std::vector<Real>&, Real, const std::vector<Real>&) { return false; }}, 8, x),
               std::runtime_error);
  EXPECT_EQ(evaluations, 3);
}

}  // namespace
}  // namespace hpot
