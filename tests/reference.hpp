// Plain long-double loops that tests compare with. No cleverness: each line is a formula of the documentation.
#pragma once

#include "hpot/kernel/operator.hpp"
#include "hpot/measure/grid.hpp"

#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace hpot::reference {

using Values = std::vector<Real>;

inline std::vector<Values> points_of(const Grid& grid) {
  std::vector<Values> points;
  for (Index p = 0; p < grid.points(); ++p) {
    Values x(grid.dimension());
    Index rest = p;
    for (int d = grid.dimension() - 1; d >= 0; --d) {
      x[d] = grid.axes[d].coordinate(rest % grid.axes[d].n);
      rest /= grid.axes[d].n;
    }
    points.push_back(x);
  }
  return points;
}

inline Real cost_of(const Cost& cost, const Values& x, const Values& y) {
  return std::visit(
      [&](const auto& c) {
        Real sum = 0.0;
        for (std::size_t d = 0; d < x.size(); ++d) sum += c.along_axis(x[d] - y[d]);
        return c.of_sum(sum);
      },
      cost);
}

/// C of two grids, row-major.
inline std::vector<Values> cost_matrix(const Cost& cost, const Grid& source, const Grid& target) {
  const auto x = points_of(source);
  const auto y = points_of(target);
  std::vector<Values> matrix(x.size(), Values(y.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < y.size(); ++j) matrix[i][j] = cost_of(cost, x[i], y[j]);
  }
  return matrix;
}

/// -eps log sum_j exp(h_j - C_ij / eps) in long double.
inline Values softmin(const std::vector<Values>& cost, const Values& h, Real epsilon) {
  Values s;
  for (const Values& row : cost) {
    long double top = -1e4000L;
    for (std::size_t j = 0; j < h.size(); ++j) top = std::max(top, h[j] - static_cast<long double>(row[j]) / epsilon);
    long double sum = 0.0L;
    for (std::size_t j = 0; j < h.size(); ++j) sum += std::exp(h[j] - static_cast<long double>(row[j]) / epsilon - top);
    s.push_back(static_cast<Real>(-epsilon * (top + std::log(sum))));
  }
  return s;
}

/// sum_j w_ij v_j, w_ij = exp(h_j - C_ij / eps) normalised over j; 0 where every h_j is log_zero.
inline Values average(const std::vector<Values>& cost, const Values& h, const Values& v, Real epsilon) {
  Values means;
  for (const Values& row : cost) {
    long double top = -1e4000L;
    for (std::size_t j = 0; j < h.size(); ++j) top = std::max(top, h[j] - static_cast<long double>(row[j]) / epsilon);
    long double sum = 0.0L;
    long double moment = 0.0L;
    for (std::size_t j = 0; j < h.size(); ++j) {
      const long double weight = std::exp(h[j] - static_cast<long double>(row[j]) / epsilon - top);
      sum += weight;
      moment += weight * v[j];
    }
    means.push_back(top > 0.5L * log_zero ? static_cast<Real>(moment / sum) : 0.0);
  }
  return means;
}

inline Values random_values(Index n, unsigned seed, Real low, Real high) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<Real> uniform(low, high);
  Values values(n);
  for (Real& value : values) value = uniform(engine);
  return values;
}

inline Field field_of(const Values& values, Index batch = 1) {
  const Field field("field", batch, values.size() / batch);
  const auto host = Kokkos::create_mirror_view(field);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(field, host);
  return field;
}

inline Values values_of(const ConstField& field) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, field);
  return {host.data(), host.data() + host.size()};
}

inline Real largest_difference(const Values& a, const Values& b) {
  Real largest = a.size() == b.size() ? 0.0 : infinity;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace hpot::reference
