// NIfTI-1 and Analyze 7.5 volumes; headers through niftilib, voxels read by hand, since niftilib turns NaN into 0.
#pragma once

#include "hpot/measure/grid.hpp"

#include <string>

#include <memory>

namespace hpot {

/// .nii, .hdr/.img (either name), each also with .gz; any real datatype, both byte orders. Axes of one point at the end
/// are dropped, so that a slice is an image. `frame` selects one of a 4-D file, in the file's order; -1 means that the
/// file must hold one. Spacing |pixdim| in the file's unit (mm), 1 where that is 0. Affine: sform, else qform, else
/// diag(spacing), as for all Analyze files. scl_slope 0 means 1; SPM's scale factor of Analyze files is obeyed.
/// InputError: not such a file, cut short, RGB or complex voxels, infinite values. Local.
GridData read_nifti(const std::string& path, int frame = -1);

/// The same, with the voxels of some planes alone (indices of the slowest axis); it reads no farther, but .gz files from their
/// beginning.
GridData read_nifti_planes(const std::string& path, int frame, Range planes);

/// The grid alone, from the header.
Grid read_nifti_grid(const std::string& path);

/// Writes float64 .nii or .nii.gz with the grid's affine (diag(spacing) and the axes' origins without one) as its
/// sform, under a temporary name that is renamed when complete. Axes of up to 32767 points. Local: call it on one rank.
void write_nifti(const std::string& path, const Grid& grid, const std::vector<Real>& values);

/// The same in parts: values one after the other, as many as the grid has points before close(). Without it nothing is left.
class NiftiWriter {
 public:
  NiftiWriter(const std::string& path, const Grid& grid);
  ~NiftiWriter();
  void append(const std::vector<Real>& values);
  void close();

 private:
  friend void write_nifti_displacement(const std::string& path, const Grid& grid,
                                       const std::vector<Real>& displacement);
  class File;
  explicit NiftiWriter(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

/// A displacement at every point of a grid with an affine (its header as above): dim = x, y, z, 1, 3, intent
/// NIFTI_INTENT_DISPVECT. `displacement` holds (axis, point), axes counted fastest first, in the grid's own unit; the
/// file holds the same vectors in the affine's world (mm, right-anterior-superior), so that a voxel at affine * index moves
/// to affine * index + vector. Local.
void write_nifti_displacement(const std::string& path, const Grid& grid, const std::vector<Real>& displacement);

}  // namespace hpot
