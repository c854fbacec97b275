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
  /// Of a displacement at every point of a grid: dim = x, y, z, 1, 3, intent NIFTI_INTENT_DISPVECT. Three times as many values, those
  /// of in_world() of all points one axis after the other (mm): a voxel at affine * index moves to affine * index + vector.
  static std::unique_ptr<NiftiWriter> of_displacements(const std::string& path, const Grid& grid);
  ~NiftiWriter();
  void append(const std::vector<Real>& values);
  void close();

 private:
  class File;
  explicit NiftiWriter(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

/// Values for a file of displacements: component `axis` (0, 1, 2: right, anterior, superior) in the affine's world. `displacement`
/// holds (axis, point), a grid's axes counted fastest first, in the grid's own unit. Local.
std::vector<Real> in_world(const Grid& grid, int axis, const std::vector<Real>& displacement);

}  // namespace hpot
