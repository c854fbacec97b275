// Closed forms of entropic transport between Gaussians, in this project's convention: cost |x-y|^2, entropy
// eps KL(P | a (x) b), no factor 2 (sigma^2 of the reference is eps/2, its gamma is rho).
//
// Balanced [Janati, Muzellec, Peyre, Cuturi 2020, Theorem 1]. The best plan is Gaussian; write its cross-covariance as
// K = A^1/2 X B^1/2 with |X| <= 1. Then <P,C> = |m_a-m_b|^2 + tr A + tr B - 2 tr K and KL = -(1/2) log det(1 - X X').
// tr K is largest, at given singular values of X, when X is aligned with A^1/2 B^1/2, whose singular values are the square
// roots m of the eigenvalues of A B. What is left is one scalar problem each:
//   max over x of 2 m x + (eps/2) log(1 - x^2):   m (1 - x^2) = (eps/2) x,   2 m x = d - eps/2,   1 - x^2 = eps/(d + eps/2)
// with d = sqrt((eps/2)^2 + 4 m^2), so that
//   OT_eps = |m_a-m_b|^2 + tr A + tr B - sum [ d - eps/2 + (eps/2) log(eps/(d + eps/2)) ].
// In one dimension k = (d - eps/2)/2 is the plan's covariance; comparing log P/(a b) = (f + g - C)/eps with the plan's
// precision matrix gives f(x) = (1 - k/A)(x - m_a)^2 + linear terms.
//
// Unbalanced, KL(rho) on both sides [same, Theorem 3], diagonal covariances. Let P = m pi with pi of mass 1 and
//   T(pi) = <pi,C> + eps KL(pi | a' b') + rho KL(pi_1 | a') + rho KL(pi_2 | b'),   a', b' the normalised measures.
// The best m obeys T + eps log(m/(m_a m_b)) + rho log(m/m_a) + rho log(m/m_b) = 0, and with that
//   OT_eps = rho (m_a + m_b) + eps m_a m_b - (eps + 2 rho) m.
// T adds over axes. On one axis let w = (rho + eps)/2. The means u, v minimise (u-v)^2 + w (u-m_a)^2/A + w (v-m_b)^2/B:
// three springs in series, (m_a-m_b)^2/(1 + (A+B)/w). The covariance (X, K; K, Y) minimises
//   X + Y - 2K + (eps/2)(X/A + Y/B - 2 - log((XY-K^2)/(AB))) + (rho/2)(X/A - 1 - log(X/A) + Y/B - 1 - log(Y/B)).
// d/dK: XY - K^2 = eps K/2. With it d/dX: 1 + w/A = (K + w)/X, so X = A (K+w)/(A+w), likewise Y, and
//   (1-t) K^2 + (eps/2 - 2 t w) K - t w^2 = 0,   t = A B/((A+w)(B+w)) < 1:   K is the positive root.
//
// Barycenters in one dimension, of measures with variances v_k: variance S of the result, e = eps/4.
//   plain      S = e + sum lambda_k sqrt(e^2 + S v_k)
//   debiased   sqrt(e^2 + S^2) = sum lambda_k sqrt(e^2 + S v_k)          [Janati, Cuturi, Gramfort 2020]
#pragma once

#include "reference.hpp"

#include <array>

namespace hpot::test {

using reference::Values;

/// Of one or two dimensions; in one only covariance[0][0] counts.
struct Gaussian {
  Values mean;
  std::array<std::array<Real, 2>, 2> covariance{};
  Real mass = 1.0;
};

/// Samples of the density at the grid's points, scaled to the Gaussian's mass. Sums over such samples are integrals up to
/// exp(-2 pi^2 variance/spacing^2) and the tails cut off.
inline Values sampled(const Gaussian& gaussian, const Grid& grid) {
  const auto& c = gaussian.covariance;
  const bool plane = gaussian.mean.size() == 2;
  const Real determinant = plane ? c[0][0] * c[1][1] - c[0][1] * c[1][0] : c[0][0];
  Values weights;
  Real sum = 0.0;
  for (const Values& point : reference::points_of(grid)) {
    const Real x = point[0] - gaussian.mean[0];
    const Real y = plane ? point[1] - gaussian.mean[1] : 0.0;
    const Real square = plane ? c[1][1] * x * x - 2.0 * c[0][1] * x * y + c[0][0] * y * y : x * x;
    weights.push_back(std::exp(-0.5 * square / determinant));
    sum += weights.back();
  }
  for (Real& weight : weights) weight *= gaussian.mass / sum;
  return weights;
}

inline Real squared_distance(const Values& x, const Values& y) {
  Real sum = 0.0;
  for (std::size_t d = 0; d < x.size(); ++d) sum += (x[d] - y[d]) * (x[d] - y[d]);
  return sum;
}

struct GaussianTransport {
  Real value = 0.0;           // OT_eps
  Real transport_cost = 0.0;  // <P,C>
  Real plan_mass = 1.0;
};

inline GaussianTransport balanced_transport(const Gaussian& a, const Gaussian& b, Real epsilon) {
  const auto& A = a.covariance;
  const auto& B = b.covariance;
  Values eigenvalues{A[0][0] * B[0][0]};  // of A B
  Real traces = A[0][0] + B[0][0];
  if (a.mean.size() == 2) {
    const Real trace = A[0][0] * B[0][0] + A[0][1] * B[1][0] + A[1][0] * B[0][1] + A[1][1] * B[1][1];
    const Real determinant = (A[0][0] * A[1][1] - A[0][1] * A[1][0]) * (B[0][0] * B[1][1] - B[0][1] * B[1][0]);
    const Real root = std::sqrt(0.25 * trace * trace - determinant);
    eigenvalues = {0.5 * trace + root, 0.5 * trace - root};
    traces += A[1][1] + B[1][1];
  }
  const Real half = 0.5 * epsilon;
  GaussianTransport result;
  result.transport_cost = squared_distance(a.mean, b.mean) + traces;
  result.value = result.transport_cost;
  for (const Real eigenvalue : eigenvalues) {
    const Real d = std::sqrt(half * half + 4.0 * eigenvalue);
    result.transport_cost -= d - half;
    result.value -= d - half + half * std::log(epsilon / (d + half));
  }
  return result;
}

/// f(x) = balanced_curvature (x - m_a)^2 + linear terms, one dimension.
inline Real balanced_curvature(Real variance_a, Real variance_b, Real epsilon) {
  const Real k = 0.5 * (std::sqrt(0.25 * epsilon * epsilon + 4.0 * variance_a * variance_b) - 0.5 * epsilon);
  return 1.0 - k / variance_a;
}

inline GaussianTransport unbalanced_transport(const Gaussian& a, const Gaussian& b, Real epsilon, Real rho) {
  const Real w = 0.5 * (rho + epsilon);
  Real normalised_cost = 0.0;  // <pi,C>
  Real total = 0.0;            // T(pi)
  for (std::size_t d = 0; d < a.mean.size(); ++d) {
    const Real A = a.covariance[d][d];
    const Real B = b.covariance[d][d];
    const Real t = A * B / ((A + w) * (B + w));
    const Real p = 0.5 * epsilon - 2.0 * t * w;
    const Real K = (-p + std::sqrt(p * p + 4.0 * (1.0 - t) * t * w * w)) / (2.0 * (1.0 - t));
    const Real X = A * (K + w) / (A + w);
    const Real Y = B * (K + w) / (B + w);
    const Real shift = (a.mean[d] - b.mean[d]) * (a.mean[d] - b.mean[d]);
    const Real stretched = 1.0 + (A + B) / w;
    normalised_cost += shift / (stretched * stretched) + X + Y - 2.0 * K;
    total += shift / stretched + X + Y - 2.0 * K +
             0.5 * epsilon * (X / A + Y / B - 2.0 - std::log(0.5 * epsilon * K / (A * B))) +
             0.5 * rho * (X / A - 1.0 - std::log(X / A) + Y / B - 1.0 - std::log(Y / B));
  }
  GaussianTransport result;
  result.plan_mass = std::exp(((epsilon + rho) * std::log(a.mass * b.mass) - total) / (epsilon + 2.0 * rho));
  result.transport_cost = result.plan_mass * normalised_cost;
  result.value = rho * (a.mass + b.mass) + epsilon * a.mass * b.mass - (epsilon + 2.0 * rho) * result.plan_mass;
  return result;
}

/// The variance S of a barycenter, by iterating its equation.
inline Real barycenter_variance(const Values& lambda, const Values& variances, Real epsilon, bool debiased) {
  const Real e = 0.25 * epsilon;
  Real S = variances[0];
  for (int iteration = 0; iteration < 10000; ++iteration) {
    Real sum = 0.0;
    for (std::size_t k = 0; k < lambda.size(); ++k) sum += lambda[k] * std::sqrt(e * e + S * variances[k]);
    S = debiased ? std::sqrt(sum * sum - e * e) : e + sum;
  }
  return S;
}

}  // namespace hpot::test
