// Result files (README, 'Outputs'): what a run leaves behind. Gathering is collective; files are written by rank 0, under
// temporary names that are renamed when complete.
#pragma once

#include "hpot/core/partition.hpp"
#include "hpot/core/reduction.hpp"
#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/input.hpp"
#include "hpot/io/picture.hpp"
#include "hpot/solver/fixed_point.hpp"

namespace hpot {

struct OutputOptions {
  std::string file = "result.h5";
  std::string picture;  // empty: none
  std::string progress = "auto";

  static std::vector<OptionKey> keys(const std::string& default_file);
  static OutputOptions from(const Options& options);
};

/// The one row of `field` on rank 0 of rows.along_rows, in the order of the points; elsewhere empty. Collective.
std::vector<Real> gather_points(const OwnedRows& rows, const ConstField& field);

/// take(first, values) on rank 0 of `world` for the owned rows of every rank, in their order: no more than one rank's values are
/// there at once. What it throws is thrown on all. Collective.
void take_parts(const Communicator& world, const OwnedRows& rows, const ConstField& field,
                const std::function<void(Index first, const std::vector<Real>& values)>& take);

/// `width` values of each owned point, every rank its own, into the room that rank 0 has made in its file. Collective.
void write_owned(const Communicator& world, const Hdf5Writer* file, Index room, const OwnedRows& rows,
                 const std::vector<Real>& values, Index width = 1);

/// A dataset of rank 0's file with the one row of `field`, in the shape of the support's data; of clouds in the order of the
/// input. Of grids no rank has another's values. Collective.
void write_points(const Communicator& world, Hdf5Writer* file, const std::string& name, const Support& support,
                  const OwnedRows& rows, const ConstField& field);

/// The same of all rows of `field`, entries of vectors: the dataset's last axis.
void write_vectors(const Communicator& world, Hdf5Writer* file, const std::string& name, const Support& support,
                   const OwnedRows& rows, const ConstField& field);

/// The one row of `field` as a NIfTI volume, which rank 0 writes, one rank's points after another's; without a path none. Where
/// it is wanted all of it, on rank 0. Collective.
std::vector<Real> write_volume(const Communicator& world, const std::string& path, const Grid& grid,
                               const OwnedRows& rows, const ConstField& field, bool wanted);

/// Fails now, on every rank, where the files' folders do not exist or cannot be written: not after hours of work. Collective.
void check_writable(const Communicator& world, const std::vector<std::string>& paths);

/// The result file on rank 0, null elsewhere; and its completion, with the memory that was planned and taken. Collective.
std::unique_ptr<Hdf5Writer> create_result(const Communicator& world, const std::string& path);
void close_result(const Communicator& world, Hdf5Writer* file, const OutputOptions& output, Real planned_bytes);

/// What every result records of its run.
struct RunRecord {
  const Options& options;
  const RawMeasures& raw;
  const MeasureSet& set;
  ProcessGridShape shape;
  History history;
  double seconds = 0.0;
};

/// Attributes that every result has. Rank 0.
void write_run(Hdf5Writer& file, const std::string& group, const Communicator& world, const RunRecord& run,
               const Outcome& outcome);

/// An attribute, left out where its value is not known: neither infinity nor NaN stands in a file.
void write_known(Hdf5Writer& file, const std::string& object, const std::string& name, Real value);

/// output.picture, with the part's name before its extension where input.negative = split makes two.
std::string picture_path(const std::string& picture, const std::string& group);

/// /support: spacing, origin and affine of a grid; points of a cloud, in the order of the input; areas of a surface's vertices, 0
/// where they are left out.
void write_support(Hdf5Writer& file, const std::string& name, const Support& support);

/// Shape of a grid's data, of a cloud's or of a surface's files, with `batch` in front unless it is 1.
std::vector<Index> data_shape(const Support& support, Index batch = 1);

/// `width` values a point, in the order of the input; 0 at vertices that are left out of a surface.
std::vector<Real> in_input_order(const Support& support, std::vector<Real> values, Index width = 1);

/// "dir/name.h5" -> "dir/name" + suffix.
std::string beside(const std::string& path, const std::string& suffix);

}  // namespace hpot
