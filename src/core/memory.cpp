#include "hpot/core/memory.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace hpot {
namespace {

Index peak_at_start = 0;

Index peak_memory() {
  constexpr Index kibibyte = 1024;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    Index value = 0;
    if (word == "VmHWM:" && status >> value) return value * kibibyte;
  }
  return 0;
}

constexpr std::array<std::pair<const char*, Real>, 9> units{{{"B", 1.0},
                                                             {"kB", 1e3},
                                                             {"MB", 1e6},
                                                             {"GB", 1e9},
                                                             {"TB", 1e12},
                                                             {"KiB", 0x1p10},
                                                             {"MiB", 0x1p20},
                                                             {"GiB", 0x1p30},
                                                             {"TiB", 0x1p40}}};

/// The bytes of "8 GiB"; empty where the text is no such size.
std::optional<Real> parse_bytes(const std::string& text) {
  Real number = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number) || number <= 0.0) return {};
  std::string unit(rest, end);
  unit.erase(0, unit.find_first_not_of(' '));
  if (unit.empty()) return number;
  for (const auto& [name, bytes] : units) {
    if (unit == name) return number * bytes;
  }
  return {};
}

std::string size_problem(const std::string& text) {
  if (parse_bytes(text)) return {};
  std::string known;
  for (const auto& [name, bytes] : units) known += (known.empty() ? "" : " ") + std::string(name);
  return "not a size such as 8GiB (a number above 0 and one of " + known + ")";
}

}  // namespace

void begin_memory_count() {
#ifdef __GLIBC__
  // Fixed: by itself it grows up to 32 MiB, and freed arrays below it stay with the process.
  constexpr int large = 1 << 18;
  mallopt(M_MMAP_THRESHOLD, large);
  mallopt(M_TRIM_THRESHOLD, large);
#endif
  peak_at_start = peak_memory();
}

Index memory_at_start() { return peak_at_start; }

Index memory_growth() { return peak_memory() - peak_at_start; }

std::string bytes_text(Real bytes) {
  const auto& [name, unit] = bytes < 0x1p30 ? units[6] : bytes < 0x1p40 ? units[7] : units[8];
  char text[48];
  std::snprintf(text, sizeof text, bytes < 10.0 * unit ? "%.2f %s" : "%.1f %s", bytes / unit, name);
  return text;
}

std::vector<OptionKey> ResourceOptions::keys() {
  return {
      {"resources.memory_limit", "none",
       "memory that each rank may take (16GiB; B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), or none. What would need more "
       "is "
       "refused before anything is read, with what would fit",
       check::word_or({"none"}, size_problem)},
  };
}

ResourceOptions ResourceOptions::from(const Options& options) {
  const std::string& limit = options.text("resources.memory_limit");
  if (limit == "none") return {};
  return {parse_bytes(limit)};
}

}  // namespace hpot
