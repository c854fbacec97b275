// Marginal penalties: the pointwise problems that their formulas claim to solve, and their texts.
#include "hpot/core/error.hpp"
#include "hpot/cost/marginal_penalty.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace hpot {
namespace {

using testing::HasSubstr;

const std::vector<MarginalPenalty>& penalties() {
  static const std::vector<MarginalPenalty> all = {
      Balanced{},          KullbackLeibler{0.3}, KullbackLeibler{5.0}, TotalVariation{0.4},  TotalVariation{3.0},
      MassRange{0.5, 2.0}, MassRange{0.0, 1.0},  MassRange{0.9, 0.9},  MassRange{1.0, 1e30},
  };
  return all;
}

/// The half-step's dual at one point of weight w: dual(w, f) - eps w exp((f - s)/eps).
template <class Penalty>
Real half_step_dual(const Penalty& penalty, Real w, Real s, Real epsilon, Real f) {
  return penalty.dual(w, f) - epsilon * w * std::exp((f - s) / epsilon);
}

TEST(MarginalPenalty, ProxMaximisesTheDualOfItsPoint) {
  for (const MarginalPenalty& any : penalties()) {
    for (const Real epsilon : {0.05, 1.0, 20.0}) {
      for (const Real s : {-4.0, -0.7, -0.1, 0.0, 0.2, 0.9, 6.0}) {
        std::visit(
            [&](const auto& penalty) {
              const Real best = penalty.prox(s, epsilon);
              const Real value = half_step_dual(penalty, 0.7, s, epsilon, best);
              for (int step = -4000; step <= 4000; ++step) {
                const Real f = best + 1e-3 * step * std::max(epsilon, 1.0);
                const auto* tv = std::get_if<TotalVariation>(&any);
                if (tv != nullptr && f < -tv->rho) continue;  // outside the conjugate's domain
                EXPECT_LE(half_step_dual(penalty, 0.7, s, epsilon, f), value + 1e-13 * (1.0 + std::abs(value)))
                    << describe(any) << " eps " << epsilon << " s " << s << " f " << f;
              }
            },
            any);
      }
    }
  }
}

TEST(MarginalPenalty, GainOfTheDualIsTheDifferenceOfDuals) {
  for (const MarginalPenalty& any : penalties()) {
    for (const Real f : {-3.0, -0.2, 0.0, 0.3, 2.5}) {
      for (const Real x : {-2.0, -0.2, 0.0, 0.1, 4.0}) {
        std::visit(
            [&](const auto& penalty) {
              const Real difference = penalty.dual(1.0, x) - penalty.dual(1.0, f);
              EXPECT_NEAR(penalty.dual_gain(f, x), difference, 1e-12 * (1.0 + std::abs(difference))) << describe(any);
            },
            any);
      }
    }
  }
}

/// At s where neither prox nor dual term has a kink nearby.
TEST(MarginalPenalty, SlopesAreDifferenceQuotients) {
  constexpr Real step = 1e-5;
  for (const MarginalPenalty& any : penalties()) {
    for (const Real epsilon : {0.05, 1.0}) {
      for (const Real s : {-4.0, -0.7, -0.11, 0.21, 0.9, 6.0}) {
        std::visit(
            [&](const auto& penalty) {
              const Real f = penalty.prox(s, epsilon);
              EXPECT_NEAR(penalty.prox_slope(f, epsilon),
                          (penalty.prox(s + step, epsilon) - penalty.prox(s - step, epsilon)) / (2.0 * step), 1e-8)
                  << describe(any) << " eps " << epsilon << " s " << s;
              const auto dual = [&](Real at) { return penalty.dual(0.7, at); };
              const Real at = 0.3 * s;
              const auto* tv = std::get_if<TotalVariation>(&any);
              if (tv != nullptr && at < -tv->rho) return;
              EXPECT_NEAR(penalty.dual_slope(0.7, at), (dual(at + step) - dual(at - step)) / (2.0 * step),
                          1e-7 * (1.0 + std::abs(penalty.dual_slope(0.7, at))))
                  << describe(any) << " f " << at;
              const Real slopes = penalty.dual_slope(0.7, at - step) - penalty.dual_slope(0.7, at + step);
              EXPECT_NEAR(penalty.dual_curvature(0.7, at), slopes / (2.0 * step),
                          1e-7 * (1.0 + penalty.dual_slope(0.7, at)))
                  << describe(any) << " f " << at;
            },
            any);
      }
    }
  }
}

TEST(MarginalPenalty, TotalVariationKeepsPotentialsAboveMinusRho) {
  EXPECT_EQ(TotalVariation{0.4}.prox(-1e300, 1.0), -0.4);
  EXPECT_EQ(TotalVariation{0.4}.prox(1e300, 1.0), 0.4);
}

/// The dual term is -w times the conjugate at -f: min over p of D(p | w) + p f.
TEST(MarginalPenalty, DualTermIsTheSmallestPenaltyPlusLinearTerm) {
  const Real w = 0.7;
  for (const MarginalPenalty& any : {MarginalPenalty{KullbackLeibler{0.8}}, MarginalPenalty{TotalVariation{0.8}}}) {
    for (const Real f : {-0.75, -0.2, 0.0, 0.3, 0.79, 2.0}) {
      std::visit(
          [&](const auto& penalty) {
            Real smallest = infinity;
            for (int step = 0; step <= 700000; ++step) {
              const Real p = 1e-5 * step;
              smallest = std::min(smallest, penalty.primal(w, p) + p * f);
            }
            EXPECT_NEAR(penalty.dual(w, f), smallest, 1e-9) << describe(any) << " f " << f;
          },
          any);
    }
  }
}

TEST(MarginalPenalty, PenaltiesVanishAtTheWeightAndCountMissingMass) {
  EXPECT_EQ(KullbackLeibler{2.0}.primal(0.25, 0.25), 0.0);
  EXPECT_EQ(KullbackLeibler{2.0}.primal(0.25, 0.0), 0.5);
  EXPECT_EQ(TotalVariation{2.0}.primal(0.25, 0.0), 0.5);
  EXPECT_EQ(TotalVariation{2.0}.primal(0.25, 0.5), 0.5);
}

TEST(ParsePenalty, ReadsWhatDescribeWrites) {
  for (const char* text : {"balanced", "kl:0.5", "tv:2", "range:0.5,2", "range:0,1"}) {
    EXPECT_EQ(describe(parse_penalty(text)), text);
    EXPECT_EQ(penalty_problem(text), "");
  }
}

TEST(ParsePenalty, UnitScalesRhoButNotRanges) {
  EXPECT_EQ(describe(parse_penalty("kl:0.5", 9.0)), "kl:4.5");
  EXPECT_EQ(describe(parse_penalty("tv:2", 0.25)), "tv:0.5");
  EXPECT_EQ(describe(parse_penalty("range:0.5,2", 9.0)), "range:0.5,2");
}

TEST(ParsePenalty, UnknownNamesAnswerWithTheKnownOnes) {
  for (const char* text : {"huber:1", "", "KL:1", "balanced:1"}) {
    EXPECT_THAT(penalty_problem(text), HasSubstr("known: balanced, kl:RHO, tv:RHO, range:LO,HI")) << text;
    EXPECT_THROW(parse_penalty(text), InputError) << text;
  }
}

TEST(ParsePenalty, NumbersThatMakeNoPenaltyAreNamed) {
  EXPECT_THAT(penalty_problem("kl:fast"), HasSubstr("'fast' is no number"));
  EXPECT_THAT(penalty_problem("kl"), HasSubstr("is no number"));
  EXPECT_THAT(penalty_problem("kl:1x"), HasSubstr("'1x' is no number"));
  EXPECT_THAT(penalty_problem("kl:inf"), HasSubstr("'inf' is no number"));
  EXPECT_THAT(penalty_problem("tv:nan"), HasSubstr("'nan' is no number"));
  EXPECT_THAT(penalty_problem("kl:0"), HasSubstr("rho must be positive"));
  EXPECT_THAT(penalty_problem("tv:-1"), HasSubstr("rho must be positive"));
  EXPECT_THAT(penalty_problem("range:1"), HasSubstr("two numbers are needed"));
  EXPECT_THAT(penalty_problem("range:2,1"), HasSubstr("0 <= LO <= HI"));
  EXPECT_THAT(penalty_problem("range:-1,1"), HasSubstr("0 <= LO <= HI"));
  EXPECT_THAT(penalty_problem("range:0,0"), HasSubstr("HI > 0"));
}

TEST(IsFinite, HoldsWhereEveryPlanHasAFinitePenalty) {
  EXPECT_TRUE(is_finite(KullbackLeibler{}));
  EXPECT_TRUE(is_finite(TotalVariation{}));
  EXPECT_FALSE(is_finite(Balanced{}));
  EXPECT_FALSE(is_finite(MassRange{}));
}

}  // namespace
}  // namespace hpot
