#include "hpot/core/options.hpp"

#include "option_text.hpp"

#include <sstream>

namespace hpot::check {
namespace {

using option_text::contains;
using option_text::join;

const std::vector<std::string> flag_names{"true", "false", "yes", "no", "on", "off", "1", "0"};

template <class Number>
std::string number_text(Number number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

template <class Number>
std::string range_reason(Number value, Number low, Number high, bool open_below, bool open_above) {
  if (low <= value && value <= high) return {};
  if (open_above) return "must be at least " + number_text(low);
  if (open_below) return "must be at most " + number_text(high);
  return "must lie between " + number_text(low) + " and " + number_text(high);
}

const char* const no_real = "not a finite decimal number such as 0.5 or 1e-3";
const char* const no_integer = "not a whole number such as 100";

}  // namespace

ValueCheck text() {
  return [](const std::string&) { return std::string(); };
}

ValueCheck real(Real low, Real high) {
  return [low, high](const std::string& value) -> std::string {
    const auto number = option_text::parse_real(value);
    if (!number) return no_real;
    return range_reason(*number, low, high, low == -infinity, high == infinity);
  };
}

ValueCheck positive() {
  return [](const std::string& value) -> std::string {
    const auto number = option_text::parse_real(value);
    if (!number) return no_real;
    return *number > 0 ? "" : "must be greater than 0";
  };
}

ValueCheck integer(Index low, Index high) {
  using Limits = std::numeric_limits<Index>;
  return [low, high](const std::string& value) -> std::string {
    const auto number = option_text::parse_integer(value);
    if (!number) return no_integer;
    return range_reason(*number, low, high, low == Limits::min(), high == Limits::max());
  };
}

ValueCheck flag() { return one_of(flag_names); }

ValueCheck one_of(std::vector<std::string> names) {
  return [names = std::move(names)](const std::string& value) -> std::string {
    if (contains(names, value)) return {};
    const std::string hint = option_text::resembling(value, names);
    return "none of: " + join(names, ", ") + (hint.empty() ? "" : "; " + hint);
  };
}

ValueCheck word_or(std::vector<std::string> words, ValueCheck otherwise) {
  return [words = std::move(words), otherwise = std::move(otherwise)](const std::string& value) -> std::string {
    if (contains(words, value)) return {};
    const std::string reason = otherwise(value);
    return reason.empty() ? "" : "not " + join(words, " or ") + ", and " + reason;
  };
}

}  // namespace hpot::check
