#include "hpot/io/raw_file.hpp"

#include "hpot/core/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hpot {
namespace {

static_assert(std::endian::native == std::endian::little, "files hold little-endian doubles");

/// transfer(address, bytes, offset) until all is done; its errno, or ENODATA where it does nothing more.
template <class Transfer>
int transfer_all(const Transfer& transfer, std::size_t bytes, Index offset) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = transfer(done, bytes - done, static_cast<off_t>(offset) + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ENODATA;
    done += static_cast<std::size_t>(n);
  }
  return 0;
}

}  // namespace

RawFile::RawFile(const std::string& path, std::string name, Access access) : name_(std::move(name)) {
  // With O_DSYNC an NFS client sends the bytes that were written and no more: else it may send whole pages, and overwrite what
  // another node has written to the same one.
  file_ = open(path.c_str(), (access == Access::read ? O_RDONLY : O_WRONLY | O_DSYNC) | O_CLOEXEC);
  if (file_ < 0) fail("cannot be opened by every rank", errno);
}

RawFile::~RawFile() {
  if (file_ >= 0) close(file_);
}

void RawFile::read(Index offset, std::vector<Real>& values) const {
  char* const to = reinterpret_cast<char*>(values.data());
  const auto transfer = [&](std::size_t at, std::size_t bytes, off_t place) {
    return pread(file_, to + at, bytes, place);
  };
  if (const int reason = transfer_all(transfer, values.size() * sizeof(Real), offset)) fail("cannot be read", reason);
}

void RawFile::write(Index offset, const std::vector<Real>& values) const {
  const char* const from = reinterpret_cast<const char*>(values.data());
  const auto transfer = [&](std::size_t at, std::size_t bytes, off_t place) {
    return pwrite(file_, from + at, bytes, place);
  };
  if (const int reason = transfer_all(transfer, values.size() * sizeof(Real), offset))
    fail("cannot be written", reason);
}

void RawFile::fail(const char* what, int reason) const {
  throw InputError(error_text(name_, {}, {}, std::string(what) + ": " + std::strerror(reason),
                              "check that its folder is one that all ranks share, its free space and the quota"));
}

}  // namespace hpot
