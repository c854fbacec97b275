// Text behind options.cpp: numbers, names that resemble one another, and INI text made ready for its parser. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace hpot::option_text {

std::string trim(const std::string& text);
std::string join(const std::vector<std::string>& items, const std::string& separator);
bool contains(const std::vector<std::string>& items, const std::string& item);

/// Decimal notation and nothing else: no nan, inf, hexadecimal, blanks or trailing characters; empty when out of range.
std::optional<Real> parse_real(const std::string& text);
std::optional<Index> parse_integer(const std::string& text);

/// "did you mean a or b?" for the known names that resemble `name`, by spelling or by what follows their last dot;
/// empty when none does.
std::string resembling(const std::string& name, const std::vector<std::string>& known);

/// Stands for a '#' that belongs to a value, where a parser would cut the line at it.
inline constexpr char protected_hash = '\x01';

/// One `[section]` or `name = value` a line, without comments, byte-order mark and carriage returns. A '#' opens a
/// comment at the start of a line or after white space, a ';' at the start of a line only. Throws InputError for a line
/// of another form, a key before the first section, a section that is not in `sections`, and bytes that are no text.
std::string prepare_ini(const std::string& bytes, const std::string& file, const std::vector<std::string>& sections);

/// `name = value` as a line of an INI that reads back as this value; one that begins with '#' follows the '=' at once.
std::string ini_line(const std::string& name, const std::string& value);

/// Why an INI line `name = value` could not hold `value` as it is; empty when it can.
std::string unwritable(const std::string& value);

}  // namespace hpot::option_text
