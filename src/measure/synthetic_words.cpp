#include "synthetic_source.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hpot::synthetic {
namespace {

/// Running sums of weight(0), weight(1), ...
template <class Weight>
std::vector<Real> running_sums(Index count, const Weight& weight) {
  std::vector<Real> sums;
  Real sum = 0.0;
  for (Index k = 0; k < count; ++k) sums.push_back(sum += weight(k));
  return sums;
}

/// One of the first `count`, k with the probability of its weight.
Index drawn(RandomStream& random, const std::vector<Real>& sums, Index count) {
  const auto end = sums.begin() + count;
  const auto place = std::upper_bound(sums.begin(), end, random.uniform() * *(end - 1));
  return std::min<Index>(place - sums.begin(), count - 1);
}

}  // namespace

Index topics_of(const Source& source, Index words) {
  constexpr Index usual = 4;
  return source.integer("topics", std::min(usual, words), 1, words);
}

Index topic_of(Index word, Index words, Index topics) { return word * topics / words; }

std::vector<Real> documents(const Source& source, const Grid& grid, Range planes, Index item) {
  constexpr Index longest = 1'000'000;
  const Index n = grid.points();
  const Index topics = topics_of(source, n);
  const Index length = source.integer("words", 100, 1, longest);
  const Index seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
  std::vector<Index> first;  // words of every topic
  for (Index word = 0; word < n; ++word) {
    if (topic_of(word, n, topics) == static_cast<Index>(first.size())) first.push_back(word);
  }
  first.push_back(n);
  RandomStream shares(static_cast<std::uint64_t>(seed), "documents/shares", static_cast<std::uint64_t>(item));
  const auto of_topics =
      running_sums(topics, [&](Index) { return std::pow(-std::log1p(-shares.uniform()), 3); });  // mostly of one or two
  const auto of_ranks = running_sums(n, [](Index rank) { return 1.0 / static_cast<Real>(rank + 1); });
  RandomStream draws(static_cast<std::uint64_t>(seed), "documents/words", static_cast<std::uint64_t>(item));
  std::vector<Real> counts(static_cast<std::size_t>(n), 0.0);
  for (Index k = 0; k < length; ++k) {
    const Index topic = drawn(draws, of_topics, topics);
    counts[first[topic] + drawn(draws, of_ranks, first[topic + 1] - first[topic])] += 1.0;
  }
  return {counts.begin() + planes.begin, counts.begin() + planes.end};
}

}  // namespace hpot::synthetic
