#include "synthetic_source.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <sstream>

namespace hpot::synthetic {
namespace {

template <typename Number>
std::optional<Number> number_in(const std::string& text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::vector<std::string> split(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find_first_of(separators, begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return parts;
}

std::string interval(Real low, Real high) {
  std::ostringstream text;
  text << "from " << low << " to " << high;
  return text.str();
}

}  // namespace

Real normal(RandomStream& stream) {
  const Real radius = std::sqrt(-2.0 * std::log1p(-stream.uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * stream.uniform());
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Source::Source(const std::string& text) : text_("synthetic:" + text), family_(text.substr(0, text.find('?'))) {
  if (family_.size() == text.size()) return;
  for (const std::string& item : split(text.substr(family_.size() + 1), "&")) {
    const std::size_t equals = item.find('=');
    require(equals != std::string::npos && equals > 0, text_, "'" + item + "' is not key=value",
            "write FAMILY?key=value&key=value");
    const bool added = values_.emplace(item.substr(0, equals), item.substr(equals + 1)).second;
    require(added, text_, "the key " + item.substr(0, equals) + " is given twice", "remove one");
  }
}

void Source::check_keys(const std::vector<std::string>& shared, const std::vector<std::string>& own) const {
  const auto lists = [](const std::vector<std::string>& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const auto& [key, value] : values_) {
    if (lists(shared, key) || lists(own, key)) continue;
    reject(key, family_ + " has no such key",
           "its keys: " + join(shared) + (own.empty() ? std::string() : ", " + join(own)));
  }
}

Index Source::integer(const std::string& key, Index fallback, Index low, Index high) const {
  if (!has(key)) return fallback;
  const auto value = number_in<Index>(values_.at(key));
  if (!value || *value < low || *value > high) {
    reject(key, "not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return *value;
}

std::string Source::word(const std::string& key, const std::vector<std::string>& known) const {
  if (!has(key)) return known[0];
  const std::string& value = values_.at(key);
  if (std::find(known.begin(), known.end(), value) == known.end()) reject(key, "not one of " + join(known));
  return value;
}

std::optional<std::vector<Real>> Source::reals(const std::string& key, int count, Real low, Real high) const {
  if (!has(key)) return std::nullopt;
  std::vector<Real> values;
  for (const std::string& part : split(values_.at(key), "x,")) {
    const auto value = number_in<Real>(part);
    if (!value || !std::isfinite(*value) || *value < low || *value > high) {
      reject(key, "'" + part + "' is not a number " + interval(low, high));
    }
    values.push_back(*value);
  }
  const auto wanted = static_cast<std::size_t>(count);
  if (values.size() == 1) values.resize(wanted, values[0]);
  if (values.size() != wanted) {
    reject(key, "it holds " + std::to_string(values.size()) + " numbers for " + std::to_string(count) + " axes",
           "give one for each axis, x first, or one for all");
  }
  return values;
}

std::optional<std::vector<Index>> Source::sides(const std::string& key, Index low, Index high) const {
  if (!has(key)) return std::nullopt;
  std::vector<Index> values;
  for (const std::string& part : split(values_.at(key), "x,")) {
    const auto value = number_in<Index>(part);
    if (!value || *value < low || *value > high) {
      reject(key, "'" + part + "' is not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    values.push_back(*value);
  }
  return values;
}

void Source::reject(const std::string& key, const std::string& why, const std::string& what_to_do) const {
  throw InputError(error_text(text_, key, has(key) ? values_.at(key) : "", why, what_to_do));
}

Grid make_grid_of(const Source& source, int dimension, bool centred) {
  constexpr Index longest_side = Index{1} << 24;
  constexpr Real most_points = 0x1p34;
  const Index n = source.integer("n", 64, 1, longest_side);
  const auto shape = source.sides("shape", 1, longest_side).value_or(std::vector<Index>(dimension, n));
  if (source.has("n") && source.has("shape")) source.reject("n", "shape is given as well", "remove one");
  if (static_cast<int>(shape.size()) != dimension) {
    source.reject("shape", "it has " + std::to_string(shape.size()) + " sides, the family's grids have " +
                               std::to_string(dimension));
  }
  Real points = 1;
  for (const Index side : shape) points *= static_cast<Real>(side);
  if (points > most_points) source.reject(source.has("shape") ? "shape" : "n", "more than 2^34 points");

  auto spacing = source.reals("spacing", dimension, 1e-9, 1e9).value_or(std::vector<Real>(dimension, 1.0));
  std::reverse(spacing.begin(), spacing.end());
  Grid grid = make_grid(shape, spacing);
  if (!centred) return grid;
  Affine affine{};
  for (std::size_t row = 0; row < 3; ++row) {
    const Axis& axis = grid.axes[2 - row];
    affine[row][row] = axis.spacing;
    affine[row][3] = -0.5 * axis.spacing * static_cast<Real>(axis.n - 1);
  }
  grid.affine = affine;
  return grid;
}

}  // namespace hpot::synthetic
