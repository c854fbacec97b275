// The text of a synthetic measure, FAMILY?key=value&..., taken apart. Private to measure/synthetic*.cpp.
#pragma once

#include "hpot/measure/grid.hpp"
#include "hpot/measure/random.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hpot::synthetic {

class Source {
 public:
  explicit Source(const std::string& text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& family() const { return family_; }
  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }

  /// InputError for a key that is in neither list.
  void check_keys(const std::vector<std::string>& shared, const std::vector<std::string>& own) const;

  [[nodiscard]] Index integer(const std::string& key, Index fallback, Index low, Index high) const;
  /// One of `known`, the first where the key is not given.
  [[nodiscard]] std::string word(const std::string& key, const std::vector<std::string>& known) const;
  /// `count` numbers in [low, high], or one for all of them, separated by `x` or `,`; empty when the key is not given.
  [[nodiscard]] std::optional<std::vector<Real>> reals(const std::string& key, int count, Real low, Real high) const;
  [[nodiscard]] std::optional<std::vector<Index>> sides(const std::string& key, Index low, Index high) const;

  [[noreturn]] void reject(const std::string& key, const std::string& why, const std::string& what_to_do = {}) const;

 private:
  std::string text_;
  std::string family_;
  std::map<std::string, std::string> values_;
};

/// Standard normal [Box, Muller 1958].
Real normal(RandomStream& stream);

std::string join(const std::vector<std::string>& words);

/// Of `dimension` axes from n or shape, spacing; an affine for volumes that are `centred`.
Grid make_grid_of(const Source& source, int dimension, bool centred);

/// Of a vocabulary of so many words: its topics, and that of one of them. The words of a topic follow one another.
Index topics_of(const Source& source, Index words);
Index topic_of(Index word, Index words, Index topics);
/// The counts of words first to last in document number `item`, see synthetic.hpp.
std::vector<Real> documents(const Source& source, const Grid& grid, Range planes, Index item);

/// The values of phantom number `item` in some planes, see synthetic_phantom.cpp.
std::vector<Real> phantom(const Source& source, const Grid& grid, Range planes, Index item);

}  // namespace hpot::synthetic
