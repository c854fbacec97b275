// What hpot_fuzz throws inputs at. Every target takes any bytes and either succeeds or throws InputError.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hpot::fuzz {

struct Target {
  std::string name;
  void (*run)(std::string_view input);
  /// Changes `input` in a way that its format survives; null leaves all to libFuzzer.
  void (*mutate)(std::string& input, std::size_t most_bytes, unsigned seed) = nullptr;
};

/// Readers of files; the working directory is theirs.
const std::vector<Target>& file_targets();
/// Lists of measures, synthetic families, INI files and command lines.
const std::vector<Target>& text_targets();

void mutate_png(std::string& input, std::size_t most_bytes, unsigned seed);

/// libFuzzer's own mutation.
void mutate_bytes(std::string& bytes, std::size_t most_bytes);

/// Ends the process with `claim` when it does not hold: a finding.
void expect(bool holds, const char* claim);
/// Runs `work`; false when it throws InputError, whose message is checked. Whatever else it throws is a finding.
bool succeeds(const std::function<void()>& work);
void write_file(const std::string& path, std::string_view bytes);

}  // namespace hpot::fuzz
