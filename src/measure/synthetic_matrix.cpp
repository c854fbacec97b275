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
  bool one_vocabulary;  // of both sides

  explicit Words(const std::string& text) {
    constexpr Index longest = Index{1} << 24;
    constexpr int most_dimensions = 1000;
    constexpr Real widest = 100.0;
    const Source source(text);
    one_vocabulary = source.family() == "vocabulary";
    require(one_vocabulary || source.family() == "words", source.text(), "no family of cost matrices",
            "known: words, vocabulary");
    if (one_vocabulary) {
      source.check_keys({"n", "seed"}, {"dim", "topics", "spread"});
    } else {
      source.check_keys({"n", "m", "seed"}, {"dim", "topics", "spread"});
    }
    n = source.integer("n", 1000, 1, longest);
    m = source.integer("m", n, 1, longest);
    topics = one_vocabulary ? synthetic::topics_of(source, n) : source.integer("topics", 20, 1, longest);
    seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
    dimension = static_cast<int>(source.integer("dim", 50, 1, most_dimensions));
    const Real usual = one_vocabulary ? 0.5 : 0.6;
    spread = source.reals("spread", 1, 0.0, widest).value_or(std::vector<Real>{usual})[0];
  }

  /// Of word number `word` of a side; of two vocabularies a unit vector.
  [[nodiscard]] std::vector<Real> vector(const char* side, Index word) const {
    RandomStream stream(seed, one_vocabulary ? "vocabulary" : side, word);
    const Index topic = one_vocabulary ? synthetic::topic_of(word, n, topics)
                                       : static_cast<Index>(stream.uniform() * static_cast<Real>(topics));
    std::vector<Real> x = direction("words/topics", topic);
    const Real width = spread / std::sqrt(static_cast<Real>(dimension));
    for (Real& value : x) value += width * synthetic::normal(stream);
    return one_vocabulary ? x : normalised(std::move(x));
  }

  [[nodiscard]] Real cost(const std::vector<Real>& x, const std::vector<Real>& y) const {
    Real cosine = 0.0;
    Real square = 0.0;
    for (int d = 0; d < dimension; ++d) {
      cosine += x[d] * y[d];
      square += (x[d] - y[d]) * (x[d] - y[d]);
    }
    return one_vocabulary ? square : std::clamp(1.0 - cosine, 0.0, 2.0);
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
    for (const std::vector<Real>& y : targets) costs.push_back(words.cost(x, y));
  }
  return costs;
}

}  // namespace hpot
