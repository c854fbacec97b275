#include "hpot/kernel/lanes.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hpot {
namespace {

/// Largest relative error of f over `count` arguments from low to high, `width` at a time.
template <class F, class Exact>
double largest_relative_error(double low, double high, int count, F f, Exact exact) {
  double largest = 0.0;
  for (int c = 0; c < count; c += lanes::width) {
    double x[lanes::width];
    for (int l = 0; l < lanes::width; ++l) x[l] = low + (high - low) * (c + l) / count;
    const lanes::Wide y = f(lanes::load(x));
    for (int l = 0; l < lanes::width; ++l) {
      const double expected = static_cast<double>(exact(static_cast<long double>(x[l])));
      largest = std::max(largest, std::abs(lanes::lane(y, l) - expected) / std::abs(expected));
    }
  }
  return largest;
}

TEST(Lanes, FloatExpHasRelativeError2em7) {
  const auto f = [](lanes::Wide x) { return lanes::widen(lanes::exp(lanes::narrow(x))); };
  const auto exact = [](long double x) { return std::exp(static_cast<long double>(static_cast<float>(x))); };
  EXPECT_LT(largest_relative_error(-86.0, 0.0, 1 << 16, f, exact), 2e-7);
  EXPECT_LT(largest_relative_error(0.0, 80.0, 1 << 16, f, exact), 2e-7);
}

TEST(Lanes, DoubleExpHasRelativeError1em15) {
  const auto f = [](lanes::Wide x) { return lanes::exp(x); };
  const auto exact = [](long double x) { return std::exp(x); };
  EXPECT_LT(largest_relative_error(-700.0, 1.0, 1 << 16, f, exact), 1e-15);
}

TEST(Lanes, ShortExpHasRelativeError1em8OverTheRangeOfADouble) {
  const auto f = [](lanes::Wide x) { return lanes::exp_short(x); };
  const auto exact = [](long double x) { return std::exp(x); };
  EXPECT_LT(largest_relative_error(-700.0, 1.0, 1 << 16, f, exact), 1e-8);
}

TEST(Lanes, PowersOfTwoHaveTheErrorsOfExp) {
  const auto exact = [](long double x) { return std::exp2(x); };
  const auto exact_float = [](long double x) { return std::exp2(static_cast<long double>(static_cast<float>(x))); };
  const auto narrow = [](lanes::Wide x) { return lanes::widen(lanes::exp2(lanes::narrow(x))); };
  const auto wide = [](lanes::Wide x) { return lanes::exp2(x); };
  EXPECT_LT(largest_relative_error(-125.0, 100.0, 1 << 16, narrow, exact_float), 2e-7);
  EXPECT_LT(largest_relative_error(-1020.0, 64.0, 1 << 16, wide, exact), 1e-15);
  EXPECT_LT(lanes::lane(wide(lanes::broadcast(-1e300)), 0), 1e-300);
  EXPECT_LT(lanes::lane(narrow(lanes::broadcast(-1e300)), 0), 1e-35);
}

TEST(Lanes, TransposedStoresPutSixValuesOfALaneSideBySide) {
  constexpr int stride = 9;
  lanes::Wide values[6];
  for (int r = 0; r < 6; ++r) {
    double x[lanes::width];
    for (int l = 0; l < lanes::width; ++l) x[l] = 10.0 * l + r;
    values[r] = lanes::load(x);
  }
  double to[lanes::width * stride] = {};
  lanes::store_transposed(to, stride, values);
  for (int l = 0; l < lanes::width; ++l) {
    for (int r = 0; r < stride; ++r) EXPECT_EQ(to[l * stride + r], r < 6 ? 10.0 * l + r : 0.0);
  }
}

TEST(Lanes, LogIsTheInverseToRounding) {
  const auto f = [](lanes::Wide x) { return lanes::log(x); };
  const auto exact = [](long double x) { return std::log(x); };
  EXPECT_LT(largest_relative_error(1.5, 5000.0, 1 << 16, f, exact), 1e-15);
  EXPECT_LT(largest_relative_error(1e-250, 1e-200, 1 << 12, f, exact), 1e-15);
}

TEST(Lanes, HugeNegativeExponentsGiveNextToNothing) {
  const lanes::Wide lowest = lanes::broadcast(-1e300);
  EXPECT_LT(lanes::lane(lanes::widen(lanes::exp(lanes::narrow(lowest))), 0), 1e-37);
  EXPECT_LT(lanes::lane(lanes::exp(lowest), 0), 1e-300);
}

}  // namespace
}  // namespace hpot
