#include "measure_source.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace hpot {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

template <class Number>
bool parse(const std::string& text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

bool MeasureSource::has(std::string_view key) const {
  return std::any_of(qualifiers.begin(), qualifiers.end(), [&](const auto& pair) { return pair.first == key; });
}

std::string MeasureSource::value(std::string_view key, const std::string& fallback) const {
  for (const auto& [name, value] : qualifiers) {
    if (name == key) return value;
  }
  return fallback;
}

void MeasureSource::reject(std::string_view key, const std::string& why, const std::string& what_to_do) const {
  throw InputError(error_text(path.empty() ? text : path, std::string(key), value(key, ""), why, what_to_do));
}

Index MeasureSource::integer(std::string_view key, Index fallback, Index highest) const {
  if (!has(key)) return fallback;
  Index number = -1;
  if (!parse(value(key, ""), number) || number < 0 || number > highest) {
    reject(key, "not an integer from 0 to " + std::to_string(highest), "give one");
  }
  return number;
}

bool MeasureSource::flag(std::string_view key) const {
  const std::string text_value = value(key, "0");
  for (const char* word : {"1", "true", "yes", "on"}) {
    if (text_value == word) return true;
  }
  for (const char* word : {"0", "false", "no", "off"}) {
    if (text_value == word) return false;
  }
  reject(key, "neither yes nor no", "write 1 or 0");
}

std::vector<Real> MeasureSource::spacing() const {
  std::vector<Real> numbers;
  if (!has("spacing")) return numbers;
  for (const std::string& part : split(value("spacing", ""), 'x')) {
    Real number = 0.0;
    if (!parse(part, number) || !std::isfinite(number) || number <= 0) {
      reject("spacing", "'" + part + "' is not a positive number", "write DX for all axes, or DXxDY, or DXxDYxDZ");
    }
    numbers.push_back(number);
  }
  return numbers;
}

void MeasureSource::allow(const std::vector<std::string>& known, const std::string& format) const {
  for (const auto& [key, value] : qualifiers) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      reject(key, "unknown qualifier of " + format, "known: " + joined(known));
    }
  }
}

MeasureSource parse_measure_source(const std::string& text) {
  MeasureSource source;
  source.text = text;
  const auto question = text.find('?');
  source.path = text.substr(0, question);
  if (question != std::string::npos) {
    for (const std::string& qualifier : split(text.substr(question + 1), '&')) {
      const auto equals = qualifier.find('=');
      require(equals != std::string::npos && equals > 0, text, "'" + qualifier + "' is no qualifier",
              "write PATH?key=value&key=value");
      const std::string key = qualifier.substr(0, equals);
      require(!source.has(key), text, "the qualifier " + key + " is there twice", "give it once");
      source.qualifiers.emplace_back(key, qualifier.substr(equals + 1));
    }
  }
  if (text.starts_with(synthetic_prefix)) {
    source.path.clear();
    return source;
  }
  for (const std::string ending : {".h5:", ".hdf5:"}) {
    const auto colon = source.path.find(ending);
    if (colon == std::string::npos) continue;
    source.dataset = source.path.substr(colon + ending.size());
    source.path.resize(colon + ending.size() - 1);
  }
  require(!source.path.empty(), text, "names no file", "write PATH?key=value");
  return source;
}

std::string measure_source_text(const MeasureSource& source, const std::string& path, Index item) {
  std::string text = path.empty() ? source.text.substr(0, source.text.find('?')) : path;
  if (!source.dataset.empty()) text += ":" + source.dataset;
  char separator = '?';
  for (const auto& [key, value] : source.qualifiers) {
    if (item >= 0 && key == "count" && !path.empty()) continue;
    text += separator + key + "=" + value;
    separator = '&';
  }
  if (item >= 0) text += separator + std::string("item=") + std::to_string(item);
  return text;
}

}  // namespace hpot
