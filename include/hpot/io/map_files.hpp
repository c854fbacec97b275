// How programs write maps on a common support: a dataset, a file of each beside the result, and a sheet of pictures.
//
// Files are NIfTI of a grid with an affine, GIfTI functional maps of a surface, none of others. Nothing here is of clouds.
#pragma once

#include "hpot/io/result.hpp"

namespace hpot {

/// Maps on one support.
struct MapSet {
  std::string dataset;  // with one more axis in front where there are several maps
  std::string suffix;   // of the files' names, before a number where there are several maps
  const OwnedRows& rows;
  std::vector<ConstField> maps;  // one row each
  bool files = true;             // beside the result
};

/// Each in `file`, as a file of its own and, where output.picture is set, as the picture that is returned on rank 0; nothing of an empty
/// set. Collective; `file` is null but on rank 0.
std::vector<Raster> write_maps(const Communicator& world, const OutputOptions& output, Hdf5Writer* file,
                               const Support& support, const MapSet& set);

/// NAME + suffix + ".func.gii" of a map in the order of the files, and its picture as above. Rank 0.
std::vector<Raster> write_surface_map(const OutputOptions& output, const std::string& suffix, const Mesh& mesh,
                                      const std::vector<Real>& values, bool files = true);

/// One sheet: pictures that are wide themselves, of volumes and surfaces, below one another, others in rows of so many. Nothing
/// without pictures. Local.
void write_sheet(const std::string& path, const Support& support, const std::vector<Raster>& rasters, int columns);

}  // namespace hpot
