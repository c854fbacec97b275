// Files for the readers' tests: a folder of one's own, bytes to put into it, and real data where it is.
#pragma once

#include "hpot/core/error.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace hpot::test {

/// A new folder, removed with all that is in it.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::path(testing::TempDir()) / ("hpot_" + name + "_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return *this / name;
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

/// The path of a file of the real data sets; empty where they are not there (then skip the test).
inline std::string data_file(const std::string& name) {
  const char* folder = std::getenv("HPOT_DATA_DIR");
  const std::filesystem::path path =
      std::filesystem::path(folder != nullptr ? folder : HPOT_SOURCE_DIR "/../shared/data") / name;
  return std::filesystem::exists(path) ? path.string() : std::string();
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The message of the InputError that `work` throws; empty when it throws none.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

}  // namespace hpot::test
