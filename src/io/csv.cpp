#include "hpot/io/csv.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace hpot {

namespace {

constexpr std::string_view blanks = " \t\r\f\v";
constexpr std::size_t shown_characters = 40;  // of a field, in messages

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> fields_of(std::string_view line) {
  char separator = ' ';
  for (const char candidate : {';', ',', '\t'}) {
    if (separator == ' ' && line.find(candidate) != std::string_view::npos) separator = candidate;
  }
  std::vector<std::string_view> fields;
  while (true) {
    const auto end = line.find(separator);
    const std::string_view field = trimmed(line.substr(0, end));
    if (separator != ' ' || !field.empty()) fields.push_back(field);
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::optional<Real> number_of(std::string_view field) {
  if (field.starts_with('+') && !field.starts_with("+-")) field.remove_prefix(1);
  Real value = 0.0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || end != field.data() + field.size() || error == std::errc::invalid_argument) return {};
  // Too large or too small for a double: strtod tells which, and gives infinity or the nearest small number.
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(field).c_str(), nullptr);
  if (std::isnan(value)) return std::numeric_limits<Real>::quiet_NaN();
  return value;
}

std::string quoted(std::string_view field) {
  std::string text = "'";
  for (const char c : field.substr(0, shown_characters)) text += static_cast<unsigned char>(c) < 32 ? '?' : c;
  return text + (field.size() > shown_characters ? "...'" : "'");
}

[[noreturn]] void reject(const std::string& path, Index line, const std::string& why, const std::string& what_to_do) {
  throw InputError(error_text(path + ":" + std::to_string(line), {}, {}, why, what_to_do));
}

[[noreturn]] void reject_field(const std::string& path, Index line, std::string_view field) {
  if (field.empty()) reject(path, line, "an empty field", "write nan where there is no value");
  const bool comma = field.find(',') != std::string_view::npos;
  reject(path, line, quoted(field) + " is no number",
         comma ? "write decimals with a point" : "separate numbers by commas, semicolons, tabs or spaces");
}

}  // namespace

Array read_csv(const std::string& path) {
  ByteReader reader(path);
  const std::string bytes = reader.rest();
  std::string_view text = bytes;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);

  Array table;
  std::size_t columns = 0;
  bool header_allowed = true;
  for (Index line_number = 1; !text.empty(); ++line_number) {
    const auto end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    const std::string_view line = trimmed(raw.substr(0, raw.find('#')));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::vector<std::string_view> fields = fields_of(line);
    std::vector<Real> row;
    std::optional<std::string_view> bad;
    for (const std::string_view field : fields) {
      const std::optional<Real> value = number_of(field);
      if (value) row.push_back(*value);
      if (!value && !bad) bad = field;
    }
    const bool header = header_allowed && row.empty();
    header_allowed = false;
    if (header) continue;
    if (bad) reject_field(path, line_number, *bad);
    if (columns == 0) columns = row.size();
    if (row.size() != columns) {
      reject(path, line_number,
             std::to_string(row.size()) + " numbers where the rows above have " + std::to_string(columns),
             "give every row as many");
    }
    table.values.insert(table.values.end(), row.begin(), row.end());
  }
  require(columns > 0, path, "holds no numbers", "check the file");
  table.shape = {static_cast<Index>(table.values.size() / columns), static_cast<Index>(columns)};
  return table;
}

}  // namespace hpot
