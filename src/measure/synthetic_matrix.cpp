#include "hpot/measure/synthetic_matrix.hpp"

#include "hpot/core/error.hpp"
#include "hpot/measure/random.hpp"
#include "synthetic_source.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hpot {
namespace {

using synthetic::Source;

struct Words {
  Index n, m, topics, seed;
  int dimension;
  Real spread;

  explicit Words(const std::string& text) {
    constexpr Index longest = Index{1} << 24;
    constexpr int most_dimensions = 1000;
    constexpr Real widest = 100.0;
    const Source source(text);
    require(source.family() == "words", source.text(), "no family of cost matrices", "known: words");
    source.check_keys({"n", "m", "seed"}, {"dim", "topics", "spread"});
    n = source.integer("n", 1000, 1, longest);
    m = source.integer("m", n, 1, longest);
    topics = source.integer("topics", 20, 1, longest);
    seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
    dimension = static_cast<int>(source.integer("dim", 50, 1, most_dimensions));
    spread = source.reals("spread", 1, 0.0, widest).value_or(std::vector<Real>{0.6})[0];
  }

  /// The unit vector of word number `word` of a side.
  [[nodiscard]] std::vector<Real> vector(const char* side, Index word) const {
    RandomStream stream(seed, side, word);
    const auto topic = static_cast<Index>(stream.uniform() * static_cast<Real>(topics));
    std::vector<Real> x = direction("words/topics", topic);
    const Real width = spread / std::sqrt(static_cast<Real>(dimension));
    for (Real& value : x) value += width * synthetic::normal(stream);
    return normalised(std::move(x));
  }

 private:
  [[nodiscard]] std::vector<Real> direction(const char* name, Index item) const {
    RandomStream stream(seed, name, item);
    std::vector<Real> x(dimension);
    for (Real& value : x) value = synthetic::normal(stream);
    return normalised(std::move(x));
  }
  [[nodiscard]] static std::vector<Real> normalised(std::vector<Real> x) {
    Real square = 0.0;
    for (const Real value : x) square += value * value;
    if (!(square > 0.0)) {
      x[0] = 1.0;
      return x;
    }
    for (Real& value : x) value /= std::sqrt(square);
    return x;
  }
};

}  // namespace

std::pair<Index, Index> synthetic_matrix_shape(const std::string& source) {
  const Words words(source);
  return {words.n, words.m};
}

std::vector<Real> synthetic_matrix_rows(const std::string& source, Range rows) {
  const Words words(source);
  std::vector<std::vector<Real>> targets;
  for (Index j = 0; j < words.m; ++j) targets.push_back(words.vector("words/targets", j));
  std::vector<Real> costs;
  costs.reserve(rows.size() * words.m);
  for (Index i = rows.begin; i < rows.end; ++i) {
    const std::vector<Real> x = words.vector("words/sources", i);
    for (const std::vector<Real>& y : targets) {
      Real cosine = 0.0;
      for (int d = 0; d < words.dimension; ++d) cosine += x[d] * y[d];
      costs.push_back(std::clamp(1.0 - cosine, 0.0, 2.0));
    }
  }
  return costs;
}

}  // namespace hpot
