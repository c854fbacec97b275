// The only file that speaks HDF5: reading datasets of users' containers, and writing result files.
#pragma once

#include "hpot/core/types.hpp"
#include "hpot/solver/history.hpp"

#include <memory>
#include <string>
#include <vector>

namespace hpot {

/// A dense array of doubles, row-major.
struct Array {
  std::vector<Index> shape;
  std::vector<Real> values;
};

/// Any numeric dataset of rank 0 to 4 (integers, floats of any width and byte order, h5py's bool), converted to double.
/// Local. InputError names the file and dataset when either is missing (with the list of datasets that are there), is
/// not numeric, is cut short, or claims more values than the file can hold (checked before memory is taken).
Array read_hdf5(const std::string& path, const std::string& dataset);
/// The same in this process, for files that are known to be whole: libhdf5 may crash at others.
/// Entries `items` of the first axis alone, of a dataset of rank 1 to 4.
Array read_hdf5_items(const std::string& path, const std::string& dataset, Range items);
/// What one call of the library takes: an int holds the bytes of so many.
inline constexpr Index values_of_a_read = Index{1} << 27;
/// Of every leading axis that `part` names these entries alone, read `at_once` values at a time, at most.
Array read_hdf5_part(const std::string& path, const std::string& dataset, const std::vector<Range>& part,
                     Index at_once = values_of_a_read);
/// Shape only.
std::vector<Index> read_hdf5_shape(const std::string& path, const std::string& dataset);

/// Many readings of one file, which may be damaged. Local.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(std::string path);
  ~Hdf5Reader();
  Hdf5Reader(Hdf5Reader&&) noexcept;
  Hdf5Reader& operator=(Hdf5Reader&&) noexcept;

  /// As read_hdf5().
  Array dataset(const std::string& name);
  /// Where the values of such a dataset begin in the file, in bytes.
  Index place(const std::string& name);
  /// A dataset as Hdf5Writer::texts() writes it.
  std::vector<std::string> texts(const std::string& name);

 private:
  std::unique_ptr<class Apart> apart_;
};

/// One HDF5 file under a temporary name in the same folder, renamed to `path` by close(); destroyed without close() it
/// leaves nothing behind. Local: rank 0 makes one and writes; failures are InputErrors (a full disk, a folder that is
/// not there) that name `path`; after one, only destruction is left. Groups in a dataset's path are made as needed.
/// Strings of attributes are variable-length UTF-8 and bool is h5py's enumeration, so that h5py shows str and numpy.bool_.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// Attributes of `object` ("/" or a group or dataset that exists; a group is made if it does not). An attribute of
  /// that name is replaced.
  void attribute(const std::string& object, const std::string& name, const std::string& value);
  void attribute(const std::string& object, const std::string& name, const char* value) {
    attribute(object, name, std::string(value));  // else a literal would become a bool
  }
  void attribute(const std::string& object, const std::string& name, Real value);
  void attribute(const std::string& object, const std::string& name, Index value);
  void attribute(const std::string& object, const std::string& name, int value) {
    attribute(object, name, static_cast<Index>(value));
  }
  void attribute(const std::string& object, const std::string& name, bool value);
  void attribute(const std::string& object, const std::string& name, const std::vector<Real>& values);
  void attribute(const std::string& object, const std::string& name, const std::vector<std::string>& values);

  void dataset(const std::string& name, const Array& array);
  /// A dataset of 64-bit integers or doubles, compressed, that is written in parts: entries first, first + 1, ... of its first
  /// axis, in any order.
  void integers(const std::string& name, const std::vector<Index>& shape);
  void reals(const std::string& name, const std::vector<Index>& shape);
  /// A dataset of doubles as dataset() makes it, whose values others write: into the file temporary(), from this byte on.
  Index room(const std::string& name, const std::vector<Index>& shape);
  [[nodiscard]] const std::string& temporary() const;
  [[nodiscard]] const std::string& path() const;
  void part(const std::string& name, Index first, const std::vector<Index>& values);
  void part(const std::string& name, Index first, const std::vector<Real>& values);
  /// Texts without zero bytes, each filled up with them to the length of the longest.
  void texts(const std::string& name, const std::vector<std::string>& values);
  /// Compound rows: iteration, level, epsilon, marginal_error, seconds, row.
  void dataset(const std::string& name, const History& history);

  /// Flushes, checks and renames. A second call does nothing.
  void close();

 private:
  class File;
  std::unique_ptr<File> file_;
};

}  // namespace hpot
