#include "hpot/io/map_files.hpp"

#include "hpot/core/field.hpp"
#include "hpot/io/gifti.hpp"
#include "hpot/io/surface_picture.hpp"

#include <cstdio>

namespace hpot {
namespace {

/// The end of the name of map `k`'s file.
std::string file_suffix(const MapSet& set, std::size_t k) {
  return set.suffix + (set.maps.size() == 1 ? "" : "_" + std::to_string(k + 1));
}

std::vector<Raster> write_on_grid(const Communicator& world, const OutputOptions& output, Hdf5Writer* file,
                                  const Grid& grid, const MapSet& set) {
  const bool pictured = !output.picture.empty();
  Index room = 0;
  world.agree([&] {
    if (world.rank() == 0) room = file->room(set.dataset, data_shape(grid, static_cast<Index>(set.maps.size())));
  });
  std::vector<Raster> rasters;
  for (std::size_t k = 0; k < set.maps.size(); ++k) {
    const std::string volume =
        grid.affine && set.files ? beside(output.file, file_suffix(set, k) + ".nii.gz") : std::string();
    const Index place = room + static_cast<Index>(k) * grid.points() * static_cast<Index>(sizeof(Real));
    write_owned(world, file, place, set.rows, host_values(set.maps[k]));
    const std::vector<Real> whole = write_volume(world, volume, grid, set.rows, set.maps[k], pictured);
    if (pictured && world.rank() == 0) rasters.push_back(picture_of(grid, whole));
  }
  return rasters;
}

std::vector<Raster> write_on_surface(const Communicator& world, const OutputOptions& output, Hdf5Writer* file,
                                     const Mesh& mesh, const MapSet& set) {
  std::vector<std::vector<Real>> maps;
  for (const ConstField& map : set.maps) maps.push_back(in_input_order(mesh, gather_points(set.rows, map)));
  std::vector<Raster> rasters;
  world.agree([&] {
    if (world.rank() != 0) return;
    Array values{data_shape(mesh, static_cast<Index>(maps.size())), {}};
    for (std::size_t k = 0; k < maps.size(); ++k) {
      values.values.insert(values.values.end(), maps[k].begin(), maps[k].end());
      for (Raster& raster : write_surface_map(output, file_suffix(set, k), mesh, maps[k], set.files))
        rasters.push_back(std::move(raster));
    }
    file->dataset(set.dataset, values);
  });
  return rasters;
}

}  // namespace

std::vector<Raster> write_surface_map(const OutputOptions& output, const std::string& suffix, const Mesh& mesh,
                                      const std::vector<Real>& values, bool files) {
  if (files) {
    const std::string path = beside(output.file, suffix + ".func.gii");
    write_gifti_map(path, values);
    std::printf("map: %s\n", path.c_str());
  }
  if (output.picture.empty()) return {};
  return {picture_of(mesh, kept_values(mesh, values))};
}

std::vector<Raster> write_maps(const Communicator& world, const OutputOptions& output, Hdf5Writer* file,
                               const Support& support, const MapSet& set) {
  if (set.maps.empty()) return {};
  if (support.grid() != nullptr) return write_on_grid(world, output, file, *support.grid(), set);
  if (support.mesh() != nullptr) return write_on_surface(world, output, file, *support.mesh(), set);
  write_points(world, file, set.dataset, support, set.rows, set.maps[0]);  // of a cost matrix: one map, and no places
  return {};
}

void write_sheet(const std::string& path, const Support& support, const std::vector<Raster>& rasters, int columns) {
  if (rasters.empty()) return;
  const Grid* const grid = support.grid();
  const bool wide = support.mesh() != nullptr || (grid != nullptr && grid->dimension() == 3);
  write_png(path, contact_sheet(rasters, wide ? 1 : columns));
}

}  // namespace hpot
