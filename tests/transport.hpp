// Small transport problems for tests: settings, random measures, and plans written out in long double.
#pragma once

#include "hpot/core/field.hpp"
#include "hpot/solver/solve_transport.hpp"
#include "reference.hpp"

#include <numeric>

namespace hpot::test {

using reference::Values;

/// A communicator of this rank alone. Collective at its first call.
inline const Communicator& alone() {
  static const Communicator self = Communicator::world().split(Communicator::world().rank());
  return self;
}

/// eps in the cost's unit, double precision, multiscale and Anderson as users have them.
inline TransportSettings transport_settings(Real epsilon, Real tolerance, const std::string& penalty = "balanced") {
  TransportSettings settings;
  settings.kernel.type = "separable";
  settings.epsilon = {epsilon, "cost"};
  settings.stopping = {tolerance, 100000, infinity};
  settings.source_penalty = penalty;
  settings.target_penalty = penalty;
  return settings;
}

inline Values scaled_to_mass(Values weights, Real mass) {
  const Real sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (Real& weight : weights) weight *= mass / sum;
  return weights;
}

/// cost.type = matrix, with the owned rows of `costs`.
inline KernelOptions matrix_kernel(const std::vector<Values>& costs, const OwnedRows& rows) {
  KernelOptions kernel;
  kernel.matrix_file = "costs of the test";
  auto matrix = std::make_shared<CostMatrix>();
  matrix->rows = static_cast<Index>(costs.size());
  matrix->columns = static_cast<Index>(costs[0].size());
  matrix->wide = CostMatrix::Rows<Real>("test::costs", rows.local_n(), padded_columns(matrix->columns));
  const auto host = Kokkos::create_mirror_view(matrix->wide);
  for (Index i = 0; i < rows.local_n(); ++i) {
    const Values& row = costs[rows.range().begin + i];
    for (std::size_t j = 0; j < row.size(); ++j) host(i, j) = row[j];
  }
  Kokkos::deep_copy(matrix->wide, host);
  for (const Values& row : costs)
    matrix->largest = std::max(matrix->largest, *std::max_element(row.begin(), row.end()));
  kernel.matrix = std::move(matrix);
  return kernel;
}

/// Squared distances of random points in five dimensions, about 2 in the mean, as embeddings have them; or, not symmetric, costs
/// of which each is random.
inline std::vector<Values> random_costs(Index n, bool symmetric) {
  constexpr Index dimension = 5;
  const Values x = reference::random_values(n * dimension, 77, 0.0, 1.5);
  std::vector<Values> costs(n, Values(n));
  for (Index i = 0; i < n; ++i) {
    if (!symmetric) costs[i] = reference::random_values(n, 500 + static_cast<unsigned>(i), 0.0, 4.0);
    for (Index j = 0; symmetric && j < n; ++j) {
      for (Index d = 0; d < dimension; ++d) costs[i][j] += std::pow(x[i * dimension + d] - x[j * dimension + d], 2);
    }
  }
  return costs;
}

/// Uniform random weights of mass 1, about `zeros` of them zero (never all).
inline Values random_measure(Index n, unsigned seed, Real zeros = 0.0) {
  Values weights = reference::random_values(n, seed, 0.05, 1.0);
  const Values lot = reference::random_values(n, seed + 1000, 0.0, 1.0);
  for (Index i = 1; i < n; ++i) {
    if (lot[i] < zeros) weights[i] = 0.0;
  }
  return scaled_to_mass(weights, 1.0);
}

inline TransportSolution solve_alone(const TransportSettings& settings, const Grid& grid, const Values& a,
                                     const Values& b) {
  return solve_transport(alone(), settings, {grid, grid, a, b}, {});
}

/// The pieces of a pair on one grid, as the library's lower layers take them.
inline TransportProblem problem_of(const Grid& grid, const Values& a, const Values& b, const MarginalPenalty& source,
                                   const MarginalPenalty& target, Real epsilon, const Cost& cost = SquaredEuclidean{}) {
  const OwnedRows rows = own_rows(grid, alone());
  TransportProblem problem{
      make_marginal(rows, reference::field_of(a), source), make_marginal(rows, reference::field_of(b), target),
      make_kernel({is_separable(cost) ? "separable" : "dense", cost}, grid, rows, grid, rows), epsilon};
  problem.kernel->prepare(epsilon);
  return problem;
}

inline Real weighted_sum(const Values& weights, const Values& values) {
  return std::inner_product(weights.begin(), weights.end(), values.begin(), 0.0);
}

/// -sum a log a.
inline Real entropy_of(const Values& weights) {
  Real sum = 0.0;
  for (const Real weight : weights) sum -= weight > 0.0 ? weight * std::log(weight) : 0.0;
  return sum;
}

/// P_ij = a_i b_j exp((f_i + g_j - C_ij)/eps), all of it.
class Plan {
 public:
  Plan(const std::vector<Values>& cost, const Values& a, const Values& b, const Values& f, const Values& g,
       Real epsilon)
      : cost_(cost), a_(a), b_(b), entries_(a.size(), std::vector<long double>(b.size(), 0.0L)) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) {
        if (a[i] <= 0.0 || b[j] <= 0.0) continue;
        entries_[i][j] = static_cast<long double>(a[i]) * b[j] *
                         std::exp((static_cast<long double>(f[i]) + g[j] - cost[i][j]) / epsilon);
      }
    }
  }

  [[nodiscard]] Real entry(std::size_t i, std::size_t j) const { return static_cast<Real>(entries_[i][j]); }
  [[nodiscard]] Values source_marginal() const {
    return sums(a_.size(), [](std::size_t i, std::size_t) { return i; });
  }
  [[nodiscard]] Values target_marginal() const {
    return sums(b_.size(), [](std::size_t, std::size_t j) { return j; });
  }
  [[nodiscard]] Real mass() const {
    return sums(1, [](std::size_t, std::size_t) { return std::size_t{0}; })[0];
  }
  [[nodiscard]] Real transport_cost() const {
    return total([&](std::size_t i, std::size_t j) { return entries_[i][j] * cost_[i][j]; });
  }
  /// KL(P | a (x) b) = sum P log(P/(a b)) - P + a b.
  [[nodiscard]] Real relative_entropy() const {
    return total([&](std::size_t i, std::size_t j) {
      const long double p = entries_[i][j];
      const long double r = static_cast<long double>(a_[i]) * b_[j];
      return p > 0.0L ? p * std::log(p / r) - p + r : r;
    });
  }

  /// The feasible plan of [Altschuler, Weed, Rigollet 2017, Alg. 2].
  void round() {
    const Values r = source_marginal();
    for (std::size_t i = 0; i < a_.size(); ++i) {
      for (auto& entry : entries_[i]) entry *= r[i] > a_[i] ? static_cast<long double>(a_[i]) / r[i] : 1.0L;
    }
    const Values c = target_marginal();
    for (auto& row : entries_) {
      for (std::size_t j = 0; j < b_.size(); ++j)
        row[j] *= c[j] > b_[j] ? static_cast<long double>(b_[j]) / c[j] : 1.0L;
    }
    const Values missing_a = difference(a_, source_marginal());
    const Values missing_b = difference(b_, target_marginal());
    const Real d = std::accumulate(missing_a.begin(), missing_a.end(), 0.0);
    if (d <= 0.0) return;
    for (std::size_t i = 0; i < a_.size(); ++i) {
      for (std::size_t j = 0; j < b_.size(); ++j) entries_[i][j] += missing_a[i] * missing_b[j] / d;
    }
  }

 private:
  template <class Where>
  [[nodiscard]] Values sums(std::size_t n, const Where& where) const {
    std::vector<long double> totals(n, 0.0L);
    for (std::size_t i = 0; i < a_.size(); ++i) {
      for (std::size_t j = 0; j < b_.size(); ++j) totals[where(i, j)] += entries_[i][j];
    }
    return {totals.begin(), totals.end()};
  }
  template <class Term>
  [[nodiscard]] Real total(const Term& term) const {
    long double sum = 0.0L;
    for (std::size_t i = 0; i < a_.size(); ++i) {
      for (std::size_t j = 0; j < b_.size(); ++j) sum += term(i, j);
    }
    return static_cast<Real>(sum);
  }
  static Values difference(const Values& x, const Values& y) {
    Values z;
    for (std::size_t i = 0; i < x.size(); ++i) z.push_back(std::max(x[i] - y[i], 0.0));
    return z;
  }

  std::vector<Values> cost_;
  Values a_, b_;
  std::vector<std::vector<long double>> entries_;
};

}  // namespace hpot::test
