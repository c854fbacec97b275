#include "text_lines.hpp"

#include "hpot/core/error.hpp"

#include <charconv>
#include <cstdlib>

namespace hpot {

namespace {

constexpr std::string_view blanks = " \t\r\f\v";
constexpr std::size_t shown_characters = 40;

void trim_front(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size())); }

}  // namespace

std::string quoted(std::string_view word) {
  const std::string text(word.substr(0, shown_characters));
  return "'" + text + (word.size() > shown_characters ? "...'" : "'");
}

TextLines::TextLines(std::string_view text, const std::string& path, char end) : text_(text), path_(path), end_(end) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
}

bool TextLines::next() {
  line_ = {};
  if (text_.empty()) return false;
  const auto end = text_.find(end_);
  line_ = text_.substr(0, end);
  text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
  trim_front(line_);
  ++number_;
  return true;
}

bool TextLines::next_filled(bool comments) {
  while (next()) {
    if (comments) line_ = line_.substr(0, line_.find('#'));
    if (!line_.empty()) return true;
  }
  return false;
}

std::string_view TextLines::word() {
  const std::string_view word = line_.substr(0, line_.find_first_of(blanks));
  line_.remove_prefix(word.size());
  trim_front(line_);
  return word;
}

Real TextLines::number() {
  const std::string_view all = word();
  if (all.empty()) reject("it ends where a number should follow", "check the file");
  const std::string_view digits = all.starts_with('+') && !all.starts_with("+-") ? all.substr(1) : all;
  Real value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) {
    const bool comma = all.find(',') != std::string_view::npos;
    reject(quoted(all) + " is no number",
           comma ? "separate numbers by blanks and write decimals with a point" : "check the file");
  }
  // Too large or too small for a double: strtod tells which, and gives infinity or the nearest small number.
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(digits).c_str(), nullptr);
  return value;
}

Index TextLines::count(const std::string& what) {
  const std::string_view digits = word();
  Index value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0) {
    reject(quoted(digits) + " is no " + what, "check the file");
  }
  return value;
}

void TextLines::reject(const std::string& why, const std::string& what_to_do) const {
  throw InputError(error_text(path_ + ":" + std::to_string(number_), {}, {}, why, what_to_do));
}

}  // namespace hpot
