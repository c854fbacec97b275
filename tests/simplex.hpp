// LEMON's network simplex on costs that are no integers: an exact solver whose own error is stated.
#pragma once

#include "transport.hpp"

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

namespace hpot::test {

using Integers = std::vector<std::int64_t>;

/// min <P,C> over plans between integer weights of equal mass, per unit of mass; at most `error` from the truth: costs are
/// rounded to multiples of 2^-52 times the power of two above the largest, all else is exact.
struct ExactCost {
  Real value = 0.0;
  Real error = 0.0;
};

inline ExactCost exact_cost(const std::vector<Values>& cost, const Integers& a, const Integers& b) {
  lemon::SmartDigraph graph;
  std::vector<lemon::SmartDigraph::Node> sources, targets;
  for (std::size_t i = 0; i < a.size(); ++i) sources.push_back(graph.addNode());
  for (std::size_t j = 0; j < b.size(); ++j) targets.push_back(graph.addNode());
  lemon::SmartDigraph::NodeMap<std::int64_t> supply(graph, 0);
  lemon::SmartDigraph::ArcMap<std::int64_t> arc_cost(graph, 0);
  Real largest = std::numeric_limits<Real>::min();
  for (const Values& row : cost) largest = std::max(largest, *std::max_element(row.begin(), row.end()));
  const int bits = 52 - std::ilogb(largest) - 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    supply[sources[i]] = a[i];
    for (std::size_t j = 0; j < b.size(); ++j)
      arc_cost[graph.addArc(sources[i], targets[j])] = std::llround(std::ldexp(cost[i][j], bits));
  }
  for (std::size_t j = 0; j < b.size(); ++j) supply[targets[j]] = -b[j];
  lemon::NetworkSimplex<lemon::SmartDigraph, std::int64_t, std::int64_t> simplex(graph);
  simplex.supplyMap(supply).costMap(arc_cost);
  if (simplex.run() != decltype(simplex)::OPTIMAL) throw std::logic_error("the exact problem has a solution");
  const std::int64_t mass = std::accumulate(a.begin(), a.end(), std::int64_t{0});
  const long double value = simplex.totalCost<long double>() / static_cast<long double>(mass);
  return {static_cast<Real>(std::ldexp(value, -bits)), std::ldexp(1.0, -bits)};
}

/// Random integers of sum `total`, about `zeros` of them zero.
inline Integers integer_measure(Index n, std::mt19937_64& engine, std::int64_t total, Real zeros) {
  std::uniform_real_distribution<Real> uniform(0.0, 1.0);
  Integers weights(n, 0);
  for (auto& weight : weights) {
    const bool empty = uniform(engine) < zeros;
    weight = static_cast<std::int64_t>(uniform(engine) * static_cast<Real>(total) / static_cast<Real>(n));
    if (empty) weight = 0;
  }
  const Index at = static_cast<Index>(uniform(engine) * static_cast<Real>(n));
  weights[at] += total - std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
  return weights;
}

/// The weights times a power of two and a small integer: no rounding.
inline Values scaled(const Integers& weights, Real factor) {
  Values values;
  for (const std::int64_t weight : weights) values.push_back(static_cast<Real>(weight) * factor);
  return values;
}

}  // namespace hpot::test
