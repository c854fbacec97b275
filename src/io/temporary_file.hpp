// A file under a temporary name beside its final one, so that readers never see half of it. Local.
#pragma once

#include <string>

namespace hpot {

class TemporaryFile {
 public:
  /// `path` is the final name; `suffix` ends the temporary one, for libraries that look at it.
  explicit TemporaryFile(const std::string& path, const std::string& suffix = {});
  /// Removes the temporary file unless commit() was called.
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::string& name() const { return temporary_; }
  /// Renames it to its final name. InputError when that fails.
  void commit();
  /// Throws the InputError of a file that cannot be written; `why` is usually strerror(errno).
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

/// Deletes the temporary files of `path` that killed programs left behind. Errors are ignored.
void remove_abandoned(const std::string& path);

}  // namespace hpot
