#include "hpot/measure/synthetic.hpp"

#include "hpot/core/error.hpp"
#include "hpot/measure/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

namespace hpot {
namespace {

using testing::HasSubstr;

Real mass(const GridData& data) { return std::accumulate(data.values.begin(), data.values.end(), 0.0); }

/// Mean and variance along grid axis d, in cells.
std::array<Real, 2> moments(const GridData& data, int d) {
  Index stride = 1;
  for (int e = data.grid.dimension() - 1; e > d; --e) stride *= data.grid.axes[e].n;
  Real first = 0;
  Real second = 0;
  for (std::size_t i = 0; i < data.values.size(); ++i) {
    const auto position = static_cast<Real>(static_cast<Index>(i) / stride % data.grid.axes[d].n);
    first += data.values[i] * position;
    second += data.values[i] * position * position;
  }
  const Real mean = first / mass(data);
  return {mean, second / mass(data) - mean * mean};
}

std::string message_of(const std::string& source, Index item = 0) {
  try {
    synthetic_measure(source, item);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(RandomStream, IsAFunctionOfSeedNameItemAndCounterAndNothingElse) {
  RandomStream stream(1, "phantom", 2);
  const RandomStream again(1, "phantom", 2);

  EXPECT_EQ(stream.bits(0), again.bits(0));
  EXPECT_EQ(stream.uniform(), static_cast<Real>(again.bits(0) >> 11) * 0x1p-53);
  EXPECT_EQ(stream.bits(7), again.bits(7));
  for (const RandomStream& other :
       {RandomStream(2, "phantom", 2), RandomStream(1, "phantom", 3), RandomStream(1, "shell", 2)}) {
    EXPECT_NE(stream.bits(0), other.bits(0));
  }
}

TEST(RandomStream, RepeatsTheNumbersOfEveryOtherMachine) {
  const RandomStream stream(42, "gaussian", 0);

  EXPECT_EQ(stream.bits(0), 7176601201649990952u);
  EXPECT_EQ(stream.bits(1), 12741250117081463125u);
}

TEST(RandomStream, UniformNumbersHaveTheMomentsOfTheUniformDistribution) {
  RandomStream stream(3, "test", 0);
  Real first = 0;
  Real second = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const Real u = stream.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    first += u / n;
    second += u * u / n;
  }
  EXPECT_NEAR(first, 1.0 / 2, 5e-3);
  EXPECT_NEAR(second, 1.0 / 3, 5e-3);
}

TEST(Synthetic, GaussianHasTheMeanAndDeviationAskedForOnEveryAxis) {
  const GridData data = synthetic_measure("gaussian?shape=40x60x80&mean=0.5,0.4,0.6&sd=0.05x0.08x0.1&spacing=1,2,3", 0);

  ASSERT_EQ(data.grid.dimension(), 3);
  EXPECT_EQ(data.grid.axes[0].spacing, 3);
  EXPECT_EQ(data.grid.axes[2].spacing, 1);
  EXPECT_FALSE(data.grid.affine.has_value());
  const std::array<Real, 3> mean{0.6, 0.4, 0.5};  // z, y, x
  const std::array<Real, 3> sd{0.1, 0.08, 0.05};
  for (int d = 0; d < 3; ++d) {
    const auto n = static_cast<Real>(data.grid.axes[d].n);
    EXPECT_NEAR(moments(data, d)[0], mean[d] * n - 0.5, 5e-3 * n);
    EXPECT_NEAR(std::sqrt(moments(data, d)[1]), sd[d] * n, 5e-3 * n);
  }
}

TEST(Synthetic, GaussianInOneDimensionEqualsItsFormula) {
  const GridData data = synthetic_measure("gaussian?dim=1&n=10&mean=0.25&sd=0.2", 0);

  for (int i = 0; i < 10; ++i) {
    const Real z = ((i + 0.5) / 10 - 0.25) / 0.2;
    EXPECT_NEAR(data.values[i], std::exp(-z * z / 2), 1e-15);
  }
}

TEST(Synthetic, RandomGaussiansAreCorrelatedAndInsideTheGrid) {
  for (Index item = 0; item < 10; ++item) {
    const GridData data = synthetic_measure("gaussian?n=50&count=10", item);
    for (int d = 0; d < 2; ++d) {
      EXPECT_GT(moments(data, d)[0], 12);
      EXPECT_LT(moments(data, d)[0], 38);
    }
  }
}

TEST(Synthetic, EllipseHasItsAreaAtAnyResolutionAndARingHasLess) {
  for (Index item = 0; item < 4; ++item) {
    const Real coarse = mass(synthetic_measure("ellipse?n=64&count=4&seed=5", item)) / (64 * 64);
    const Real fine = mass(synthetic_measure("ellipse?n=256&count=4&seed=5", item)) / (256 * 256);
    const Real ring = mass(synthetic_measure("ellipse?n=64&count=4&seed=5&hollow=1", item)) / (64 * 64);

    EXPECT_NEAR(coarse, fine, 2e-3);
    EXPECT_GT(fine, std::numbers::pi * 0.12 * 0.12);
    EXPECT_LT(fine, std::numbers::pi * 0.36 * 0.36);
    EXPECT_LT(ring, 0.65 * coarse);
    EXPECT_GT(ring, 0.35 * coarse);
  }
}

TEST(Synthetic, ShellIsHollowAndCarriesACentredAffine) {
  const GridData data = synthetic_measure("shell?shape=32x40x48&spacing=2", 0);

  const std::array<Real, 3> mean{moments(data, 0)[0], moments(data, 1)[0], moments(data, 2)[0]};
  const auto centre = (std::lround(mean[0]) * 40 + std::lround(mean[1])) * 48 + std::lround(mean[2]);
  EXPECT_EQ(data.values[static_cast<std::size_t>(centre)], 0.0);
  EXPECT_EQ(*std::max_element(data.values.begin(), data.values.end()), 1.0);
  ASSERT_TRUE(data.grid.affine.has_value());
  EXPECT_EQ((*data.grid.affine)[0], (std::array<Real, 4>{2, 0, 0, -47}));
  EXPECT_EQ((*data.grid.affine)[2], (std::array<Real, 4>{0, 0, 2, -31}));
}

TEST(Synthetic, PhantomShowsSkullBrainAndVentriclesInsideTheGrid) {
  for (Index item = 0; item < 5; ++item) {
    const GridData data = synthetic_measure("phantom?n=48&count=5&seed=1", item);
    std::array<Index, 3> count{};  // ventricles inside the head, brain, skull
    for (Index z = 0; z < 48; ++z) {
      for (Index y = 0; y < 48; ++y) {
        for (Index x = 0; x < 48; ++x) {
          const Real value = data.values[(z * 48 + y) * 48 + x];
          ASSERT_GE(value, 0.0);
          ASSERT_LE(value, 1.0 + 1e-12);
          const bool border = std::min({x, y, z}) == 0 || std::max({x, y, z}) == 47;
          ASSERT_TRUE(!border || value == 0.0) << "item " << item;
          if (std::abs(value - 0.2) < 1e-12) ++count[1];
          if (value > 0.8) ++count[2];
          const bool middle = std::hypot(x - 23.5, y - 23.5, z - 23.5) < 12;
          if (middle && value < 1e-12) ++count[0];
        }
      }
    }
    EXPECT_GT(count[0], 300) << "item " << item;
    EXPECT_GT(count[1], 10000) << "item " << item;
    EXPECT_GT(count[2], 300) << "item " << item;
  }
}

TEST(Synthetic, PhantomsAreDifferentSubjectsOfTheSameHead) {
  const GridData a = synthetic_measure("phantom?n=32&count=2&seed=1", 0);
  const GridData b = synthetic_measure("phantom?n=32&count=2&seed=1", 1);
  const GridData other_seed = synthetic_measure("phantom?n=32&count=2&seed=2", 0);

  EXPECT_NE(a.values, b.values);
  EXPECT_NE(a.values, other_seed.values);
  EXPECT_NEAR(mass(a) / mass(b), 1.0, 0.35);
}

TEST(Synthetic, AnItemDoesNotDependOnHowItIsNamed) {
  const GridData by_number = synthetic_measure("phantom?n=16&count=8&seed=1", 3);
  const GridData by_key = synthetic_measure("phantom?n=16&seed=1&item=3", 0);
  const GridData by_its_name = synthetic_measure(by_number.name.substr(std::string("synthetic:").size()), 0);

  EXPECT_EQ(by_number.name, "synthetic:phantom?n=16&count=8&seed=1&item=3");
  EXPECT_EQ(by_number.values, by_key.values);
  EXPECT_EQ(by_number.values, by_its_name.values);
  EXPECT_EQ(synthetic_count("phantom?count=8"), 8);
  EXPECT_EQ(synthetic_count("phantom?count=8&item=3"), 1);
  EXPECT_EQ(synthetic_count("phantom"), 1);
}

TEST(Synthetic, UnknownNamesAreAnsweredWithTheKnownOnes) {
  EXPECT_EQ(message_of("cube?n=3"),
            "synthetic:cube?n=3 (there is no family 'cube') [families: gaussian, ellipse, shell, waves, uniform, "
            "documents, phantom; clouds: points]");
  EXPECT_EQ(message_of("ellipse?sd=3"),
            "synthetic:ellipse?sd=3: sd = 3 (ellipse has no such key) "
            "[its keys: n, shape, dim, count, item, seed, spacing, hollow]");
  EXPECT_THROW(synthetic_count("ellipse?sd=3"), InputError);
}

TEST(Synthetic, BadValuesAreInputErrorsThatNameTheKey) {
  EXPECT_THAT(message_of("phantom?n=abc"), HasSubstr("n = abc (not a whole number"));
  EXPECT_THAT(message_of("phantom?n=0"), HasSubstr("n = 0 ("));
  EXPECT_THAT(message_of("phantom?n=16000000"), HasSubstr("more than 2^34 points"));
  EXPECT_THAT(message_of("phantom?n=8&n=9"), HasSubstr("the key n is given twice"));
  EXPECT_THAT(message_of("phantom?n"), HasSubstr("'n' is not key=value"));
  EXPECT_THAT(message_of("phantom?shape=4x4"), HasSubstr("it has 2 sides"));
  EXPECT_THAT(message_of("phantom?shape=4x4x4&n=4"), HasSubstr("shape is given as well"));
  EXPECT_THAT(message_of("phantom?dim=2"), HasSubstr("dim = 2"));
  EXPECT_THAT(message_of("phantom?spacing=0"), HasSubstr("spacing = 0"));
  EXPECT_THAT(message_of("phantom?spacing=1,2"), HasSubstr("2 numbers for 3 axes"));
  EXPECT_THAT(message_of("gaussian?sd=nan"), HasSubstr("sd = nan"));
  EXPECT_THAT(message_of("gaussian?sd=-1"), HasSubstr("'-1' is not a number from"));
  EXPECT_THAT(message_of("gaussian?mean=0.5,0.5,0.5"), HasSubstr("3 numbers for 2 axes"));
  EXPECT_THAT(message_of("gaussian?count=3", 3), HasSubstr("there is no item 3"));
  EXPECT_THAT(message_of("gaussian?count=3&item=3"), HasSubstr("item = 3"));
}

}  // namespace
}  // namespace hpot
