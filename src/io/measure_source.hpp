// The grammar of one measure's text: PATH[:DATASET][?key=value[&key=value...]]. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hpot {

struct MeasureSource {
  std::string text;     // as given
  std::string path;     // of the file; empty for a synthetic family
  std::string dataset;  // of an HDF5 file
  std::vector<std::pair<std::string, std::string>> qualifiers;

  [[nodiscard]] bool has(std::string_view key) const;
  /// The value of `key`, or `fallback`.
  [[nodiscard]] std::string value(std::string_view key, const std::string& fallback) const;
  /// InputError when it is there and is no integer from 0 to `highest`.
  [[nodiscard]] Index integer(std::string_view key, Index fallback, Index highest) const;
  [[nodiscard]] bool flag(std::string_view key) const;
  /// The numbers of ?spacing=, in the order x, y, z; empty without it.
  [[nodiscard]] std::vector<Real> spacing() const;
  /// InputError when a key is not one of `known`.
  void allow(const std::vector<std::string>& known, const std::string& format) const;
  /// Throws the InputError about the value of `key`.
  [[noreturn]] void reject(std::string_view key, const std::string& why, const std::string& what_to_do) const;
};

inline constexpr std::string_view synthetic_prefix = "synthetic:";

/// InputError for qualifiers that are not key=value, or twice there.
MeasureSource parse_measure_source(const std::string& text);

/// The text of the same source with another path, and with number `item` picked (-1: none).
std::string measure_source_text(const MeasureSource& source, const std::string& path, Index item);

}  // namespace hpot
