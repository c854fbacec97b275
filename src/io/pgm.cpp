#include "pgm.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <cctype>
#include <string_view>

namespace hpot {

namespace {

constexpr Index longest_side = Index{1} << 24;

/// White space and comments apart, a PGM header is a few numbers.
class PgmText {
 public:
  PgmText(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Index number(const char* what, Index highest) {
    skip_blanks();
    if (at_ == text_.size()) reject(std::string("cut short: it ends within its ") + what, "get the file anew");
    Index value = 0;
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) && value <= highest) {
      value = 10 * value + (text_[at_++] - '0');
    }
    if (at_ == begin || value > highest) {
      reject(std::string("its ") + what + " is no number from 0 to " + std::to_string(highest), "check the file");
    }
    return value;
  }

  [[noreturn]] void reject(const std::string& why, const std::string& what_to_do) const {
    throw InputError(error_text(path_, {}, {}, why, what_to_do));
  }

  /// What follows the single white-space byte after the header.
  std::string_view raster() const { return text_.substr(std::min(at_ + 1, text_.size())); }

 private:
  void skip_blanks() {
    for (bool comment = false; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#') comment = true;
      if (c == '\n' || c == '\r') comment = false;
      if (!comment && !std::isspace(static_cast<unsigned char>(c))) return;
    }
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 2;  // after P2 or P5
};

}  // namespace

GridData read_pgm(const std::string& path) {
  ByteReader reader(path);
  const std::string bytes = reader.rest();
  const bool binary = bytes.starts_with("P5");
  require(binary || bytes.starts_with("P2"), path, "not a PGM image: it begins with neither P2 nor P5",
          "convert it to PGM or PNG");
  PgmText text(bytes, path);
  const Index width = text.number("width", longest_side), height = text.number("height", longest_side);
  const Index highest = text.number("maximal value", 65535);
  require(width > 0 && height > 0 && highest > 0, path, "its width, height or maximal value is 0", "check the file");

  const Index sample_bytes = highest > 255 ? 2 : 1;
  const auto raster = text.raster();
  const Index pixels = width * height;
  const Index least_bytes = binary ? pixels * sample_bytes : 2 * pixels - 1;  // in text a digit and, between, a blank
  require(least_bytes <= static_cast<Index>(raster.size()), path, "cut short: it ends within its pixels",
          "get the file anew");
  GridData data;
  data.grid = make_grid({height, width}, {1.0});
  data.values.reserve(static_cast<std::size_t>(pixels));
  for (Index i = 0; i < pixels; ++i) {
    Index sample = 0;
    if (binary) {
      for (Index b = 0; b < sample_bytes; ++b) {
        sample = 256 * sample + static_cast<unsigned char>(raster[static_cast<std::size_t>(i * sample_bytes + b)]);
      }
    } else {
      sample = text.number("pixels", 65535);
    }
    if (sample > highest) {
      text.reject("a pixel of " + std::to_string(sample) + " above the maximal value " + std::to_string(highest),
                  "check the file");
    }
    data.values.push_back(static_cast<Real>(sample) / static_cast<Real>(highest));
  }
  data.name = path;
  return data;
}

}  // namespace hpot
