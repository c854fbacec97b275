// libFuzzer's entry points. hpot_fuzz --target=NAME [libFuzzer's options and corpus folders, as absolute paths]
#include "fuzz.hpp"

#include "hpot/core/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most_bytes);

namespace hpot::fuzz {
namespace {

const Target* chosen = nullptr;
std::string folder;

std::vector<const Target*> all_targets() {
  std::vector<const Target*> all;
  for (const auto* table : {&file_targets(), &text_targets()}) {
    for (const Target& target : *table) all.push_back(&target);
  }
  return all;
}

[[noreturn]] void list_targets() {
  for (const Target* target : all_targets()) std::printf("%s\n", target->name.c_str());
  std::exit(0);
}

/// scripts/fuzz.sh lets TMPDIR be in memory: a run writes hundreds of thousands of files.
void enter_own_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "hpot-fuzz-XXXXXX").string();
  expect(mkdtemp(name.data()) != nullptr && chdir(name.c_str()) == 0, "a folder can be made in TMPDIR");
  folder = name;
  std::atexit([] {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  });
}

bool is_one_readable_line(std::string_view text) {
  return !text.empty() && text.size() < 16384 &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

void mutate_bytes(std::string& bytes, std::size_t most_bytes) {
  std::size_t size = bytes.size();
  bytes.resize(std::max(most_bytes, size));
  size = LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size());
  bytes.resize(size);
}

void expect(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "hpot_fuzz: this does not hold: %s\n", claim);
  std::abort();
}

bool succeeds(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const InputError& error) {
    if (!is_one_readable_line(error.what())) std::fprintf(stderr, "%s\n", error.what());
    expect(is_one_readable_line(error.what()), "an InputError is one line that can be read");
    return false;
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  expect(file >= 0 && write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
         "input can be written to the folder");
  close(file);
}

}  // namespace hpot::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  using namespace hpot::fuzz;
  const std::string key = "--target=";
  std::string name;
  for (int i = 1; i < *argc; ++i) {
    const std::string argument = (*argv)[i];
    if (argument == "--list") list_targets();
    if (argument.starts_with(key)) name = argument.substr(key.size());
  }
  for (const Target* target : all_targets()) {
    if (target->name == name) chosen = target;
  }
  expect(chosen != nullptr, "--target=NAME names one of the targets that --list prints");
  enter_own_folder();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hpot::fuzz;
  feenableexcept(FE_INVALID | FE_DIVBYZERO);
  chosen->run({reinterpret_cast<const char*>(data), size});
  fedisableexcept(FE_INVALID | FE_DIVBYZERO);
  std::feclearexcept(FE_ALL_EXCEPT);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most_bytes,
                                               unsigned seed) {
  using namespace hpot::fuzz;
  if (chosen->mutate == nullptr) return LLVMFuzzerMutate(data, size, most_bytes);
  std::string input(reinterpret_cast<const char*>(data), size);
  chosen->mutate(input, most_bytes, seed);
  input.resize(std::min(input.size(), most_bytes));
  std::memcpy(data, input.data(), input.size());
  return input.size();
}
