#include "temporary_file.hpp"

#include "hpot/core/error.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hpot {

TemporaryFile::TemporaryFile(const std::string& path, const std::string& suffix)
    : path_(path), temporary_(path + ".tmp." + std::to_string(getpid()) + suffix) {}

TemporaryFile::~TemporaryFile() {
  if (!committed_) unlink(temporary_.c_str());
}

void TemporaryFile::commit() {
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(std::strerror(errno));
  committed_ = true;
}

void TemporaryFile::fail(const std::string& why) const {
  throw InputError(error_text(path_, {}, {}, "cannot be written: " + why,
                              "check that the folder exists, may be written to and has room"));
}

}  // namespace hpot
