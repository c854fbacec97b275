#include "option_text.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <sstream>

namespace hpot::option_text {
namespace {

constexpr const char* blanks = " \t";

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

template <class Number>
std::optional<Number> parse_whole(const std::string& text) {
  // from_chars takes no leading '+'.
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const char* const end = text.data() + text.size();
  Number number{};
  const auto [stop, error] = std::from_chars(text.data() + (plus ? 1 : 0), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

std::string without_comment(const std::string& line) {
  std::string content = trim(line);
  if (content.empty() || content[0] == '#' || content[0] == ';') return {};
  for (std::size_t i = 1; i < content.size(); ++i) {
    if (content[i] == '#' && (content[i - 1] == ' ' || content[i - 1] == '\t')) return trim(content.substr(0, i));
  }
  return content;
}

void check_section(const std::string& name, const std::string& where, const std::vector<std::string>& sections) {
  if (contains(sections, name)) return;
  const std::string hint = resembling(name, sections);
  throw InputError(error_text(where, {}, {}, "unknown section",
                              hint + (hint.empty() ? "" : " ") + "known sections: " + join(sections, ", ")));
}

}  // namespace

std::string trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string join(const std::vector<std::string>& items, const std::string& separator) {
  std::string text;
  for (const std::string& item : items) text += (&item == items.data() ? "" : separator) + item;
  return text;
}

bool contains(const std::vector<std::string>& items, const std::string& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

std::optional<Real> parse_real(const std::string& text) {
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return std::nullopt;
  return parse_whole<Real>(text);
}

std::optional<Index> parse_integer(const std::string& text) { return parse_whole<Index>(text); }

std::string resembling(const std::string& name, const std::vector<std::string>& known) {
  std::vector<std::string> found;
  const std::size_t near = std::max<std::size_t>(2, name.size() / 5);
  for (const std::string& candidate : known) {
    const bool spelled_alike = edit_distance(name, candidate) <= near;
    const bool begun = name.size() >= 3 && candidate.compare(0, name.size(), name) == 0;
    if (spelled_alike || begun || last_part(name) == last_part(candidate)) found.push_back(candidate);
  }
  return found.empty() ? "" : "did you mean " + join(found, " or ") + "?";
}

std::string prepare_ini(const std::string& bytes, const std::string& file, const std::vector<std::string>& sections) {
  const bool marked = bytes.compare(0, 3, "\xEF\xBB\xBF") == 0;
  std::istringstream lines(marked ? bytes.substr(3) : bytes);
  std::string prepared;
  bool in_section = false;
  std::string raw;
  for (Index number = 1; std::getline(lines, raw); ++number) {
    if (!raw.empty() && raw.back() == '\r') raw.pop_back();
    const std::string where = file + ": line " + std::to_string(number);
    require(std::none_of(raw.begin(), raw.end(), is_control), where, "holds bytes that are no text",
            "give an INI file in UTF-8 or ASCII");
    std::string content = without_comment(raw);
    if (content.empty()) continue;
    const std::size_t equals = content.find('=');
    if (content.front() == '[' && content.back() == ']') {
      const std::string section = trim(content.substr(1, content.size() - 2));
      check_section(section, where + ": " + content, sections);
      in_section = true;
      content.replace(1, content.size() - 2, section);
    } else {
      require(equals != std::string::npos && equals > 0 && content.front() != '[', where + ": " + content,
              "neither [section] nor name = value",
              "comments start with '#', or with ';' at the start of a line; a value stands on one line");
      require(in_section, where + ": " + content, "a key before the first [section]",
              "put it below one of [" + join(sections, "], [") + "]");
    }
    std::replace(content.begin(), content.end(), '#', protected_hash);
    prepared += content + "\n";
  }
  return prepared;
}

std::string ini_line(const std::string& name, const std::string& value) {
  return name + " =" + (value.empty() || value[0] == '#' ? "" : " ") + value;
}

std::string unwritable(const std::string& value) {
  if (std::any_of(value.begin(), value.end(), is_control)) return "holds a line break or another control character";
  if (without_comment("k = " + value) != trim("k = " + value)) return "a '#' after white space would open a comment";
  return {};
}

}  // namespace hpot::option_text
