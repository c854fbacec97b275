#include "temporary_file.hpp"

#include "hpot/core/error.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

namespace hpot {
namespace {

const char* const temporary_mark = ".tmp.";

}  // namespace

TemporaryFile::TemporaryFile(const std::string& path, const std::string& suffix)
    : path_(path), temporary_(path + temporary_mark + std::to_string(getpid()) + suffix) {}

TemporaryFile::~TemporaryFile() {
  if (!committed_) unlink(temporary_.c_str());
}

void TemporaryFile::commit() {
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(std::strerror(errno));
  committed_ = true;
}

void remove_abandoned(const std::string& path) {
  if (path.empty()) return;
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  const std::string beginning = fs::path(path).filename().string() + temporary_mark;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(beginning)) found.push_back(entry.path());
  }
  for (const fs::path& file : found) fs::remove(file, ignored);
}

void TemporaryFile::fail(const std::string& why) const {
  throw InputError(error_text(path_, {}, {}, "cannot be written: " + why,
                              "check that the folder exists, may be written to and has room"));
}

}  // namespace hpot
