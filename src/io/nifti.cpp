#include "hpot/io/nifti.hpp"

#include "byte_reader.hpp"
#include "temporary_file.hpp"

#include "hpot/core/error.hpp"

#include <nifti1_io.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace hpot {

namespace {

constexpr int header_bytes = 348;
constexpr int nifti2_header_bytes = 540;
constexpr int single_file_offset = 352;
constexpr Index longest_axis = 32767;  // dim[] is int16

/// niftilib computes with whatever bits a header holds; its floating-point exceptions mean nothing.
struct FloatExceptionsIgnored {
  std::fenv_t environment;
  FloatExceptionsIgnored() { std::feholdexcept(&environment); }
  ~FloatExceptionsIgnored() { std::fesetenv(&environment); }
};

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};
struct FreeImage {
  void operator()(nifti_image* image) const { nifti_image_free(image); }
};
using Image = std::unique_ptr<nifti_image, FreeImage>;

struct Header {
  nifti_1_header raw;                    // in this machine's byte order
  Index dim[7] = {1, 1, 1, 1, 1, 1, 1};  // x, y, z and up, 1 where the file has no such dimension
  bool swapped = false;
  bool analyze = false;
  Image image;
};

Number number_of(int datatype, const std::string& path) {
  switch (datatype) {
    case DT_INT8:
      return Number::int8;
    case DT_UINT8:
      return Number::uint8;
    case DT_INT16:
      return Number::int16;
    case DT_UINT16:
      return Number::uint16;
    case DT_INT32:
      return Number::int32;
    case DT_UINT32:
      return Number::uint32;
    case DT_INT64:
      return Number::int64;
    case DT_UINT64:
      return Number::uint64;
    case DT_FLOAT32:
      return Number::float32;
    case DT_FLOAT64:
      return Number::float64;
    default:
      throw InputError(
          error_text(path, "datatype", std::to_string(datatype),
                     std::string("voxels of type ") + nifti_datatype_string(datatype) + " have no real value",
                     "convert them to an integer or floating-point type"));
  }
}

void take_dimensions(Header& header, const std::string& path) {
  for (int d = 1; d <= header.raw.dim[0]; ++d) {
    const short n = header.raw.dim[d];
    // Analyze files in the wild leave unused dimensions at 0.
    require(n > 0 || (n == 0 && d > 3), path + ": dim[" + std::to_string(d) + "] = " + std::to_string(n),
            "dimensions are positive", "mend the header");
    header.dim[d - 1] = std::max(n, short{1});
  }
}

Header read_header(const std::string& path) {
  ByteReader existing(path);
  nifti_set_debug_level(0);
  const std::unique_ptr<char, FreeText> name(nifti_findhdrname(path.c_str()));
  require(name != nullptr, path, "no header beside it", "put the .hdr of the same name into its folder");
  ByteReader reader(name.get());
  Header header;
  const std::string not_known = "neither NIfTI-1 nor Analyze 7.5";
  const std::size_t got = reader.read(&header.raw, header_bytes);
  require(got == header_bytes, path, not_known + ": its header is cut short", "get the file anew");
  int size = header.raw.sizeof_hdr;
  if (size == nifti2_header_bytes || (nifti_swap_4bytes(1, &size), size == nifti2_header_bytes)) {
    throw InputError(error_text(path, {}, {}, "NIfTI-2 is not read", "convert it to NIfTI-1"));
  }
  header.analyze = std::memcmp(header.raw.magic, "n+1", 4) != 0 && std::memcmp(header.raw.magic, "ni1", 4) != 0;
  header.swapped = header.raw.dim[0] < 1 || header.raw.dim[0] > 7;
  if (header.swapped) swap_nifti_header(&header.raw, header.analyze ? 0 : 1);
  require(header.raw.sizeof_hdr == header_bytes && header.raw.dim[0] >= 1 && header.raw.dim[0] <= 7, path, not_known,
          "check what kind of file it is");
  take_dimensions(header, path);
  require(std::isfinite(header.raw.vox_offset) && header.raw.vox_offset >= 0 && header.raw.vox_offset < 1e9f, path,
          "its vox_offset is no place in a file", "mend the header");
  number_of(header.raw.datatype, path);
  header.image.reset(nifti_convert_nhdr2nim(header.raw, name.get()));
  require(header.image != nullptr, path, not_known, "check what kind of file it is");
  require(header.image->iname != nullptr, path, "no voxels beside it", "put the .img of the same name into its folder");
  return header;
}

Affine affine_of(const mat44& matrix, const std::string& path) {
  Affine affine;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 4; ++column) {
      affine[row][column] = matrix.m[row][column];
      require(std::isfinite(affine[row][column]), path, "its affine is not finite", "mend the header");
    }
  }
  return affine;
}

Affine diagonal_affine(const Grid& grid) {
  Affine affine{};
  for (int row = 0; row < 3; ++row) affine[row][row] = 1.0;
  for (int d = 0; d < grid.dimension(); ++d) {
    const Axis& axis = grid.axes[grid.dimension() - 1 - d];
    affine[d][d] = axis.spacing;
    affine[d][3] = axis.origin;
  }
  return affine;
}

Grid grid_of(const Header& header, const std::string& path) {
  const nifti_image& image = *header.image;
  const float spacing[3] = {image.dx, image.dy, image.dz};
  int dimension = 3;
  while (dimension > 1 && header.dim[dimension - 1] == 1) --dimension;
  Grid grid;
  for (int d = dimension - 1; d >= 0; --d) {
    const Real step = std::abs(static_cast<Real>(spacing[d]));
    grid.axes.push_back({header.dim[d], std::isfinite(step) && step > 0 ? step : 1.0, 0.0});
  }
  if (!header.analyze && image.sform_code > 0) {
    grid.affine = affine_of(image.sto_xyz, path);
  } else if (!header.analyze && image.qform_code > 0) {
    grid.affine = affine_of(image.qto_xyz, path);
  } else {
    grid.affine = diagonal_affine(grid);
  }
  return grid;
}

Index choose_frame(const Header& header, int frame, const std::string& path) {
  const Index frames = header.dim[3] * header.dim[4] * header.dim[5] * header.dim[6];  // at most 2^60
  const std::string last = std::to_string(frames - 1);
  if (frame < 0) {
    require(frames == 1, path, "holds " + std::to_string(frames) + " frames", "choose one: ?frame=0 to ?frame=" + last);
    return 0;
  }
  require(frame < frames, path + ": frame = " + std::to_string(frame), "there are " + std::to_string(frames),
          "frames count from 0 to " + last);
  return frame;
}

/// Slope and intercept; {1, 0} where the file has none.
std::pair<Real, Real> scaling_of(const Header& header) {
  const float slope = header.analyze ? header.raw.scl_slope : header.image->scl_slope;
  const float intercept = header.analyze ? 0.0f : header.image->scl_inter;
  if (!std::isfinite(slope) || slope == 0.0f || !std::isfinite(intercept)) return {1.0, 0.0};
  return {slope, intercept};
}

}  // namespace

Grid read_nifti_grid(const std::string& path) {
  const FloatExceptionsIgnored guard;
  return grid_of(read_header(path), path);
}

GridData read_nifti(const std::string& path, int frame) {
  return read_nifti_planes(path, frame, {0, read_nifti_grid(path).axes[0].n});
}

GridData read_nifti_planes(const std::string& path, int frame, Range planes) {
  GridData data;
  Header header;
  std::pair<Real, Real> scaling;
  {
    const FloatExceptionsIgnored guard;
    header = read_header(path);
    data.grid = grid_of(header, path);
    scaling = scaling_of(header);
  }
  data.name = path;
  const nifti_image& image = *header.image;
  const Index chosen = choose_frame(header, frame, path);
  const Number number = number_of(image.datatype, path);
  const Index points = data.grid.points();  // at most 2^45

  ByteReader voxels(image.iname);
  const auto offset = static_cast<std::uint64_t>(std::max(image.iname_offset, 0));
  Index up_to = 0;
  require(!__builtin_mul_overflow(chosen + 1, points, &up_to), path, "too many voxels", "mend the header");
  voxels.require_room(offset, static_cast<std::uint64_t>(up_to), size_of(number), "voxels");
  const Index all = data.grid.axes[0].n;
  const Index plane = points / all;
  require(planes.begin >= 0 && planes.end <= all, path, "it changes while it is read");
  voxels.skip(offset + static_cast<std::uint64_t>(up_to - points + planes.begin * plane) * size_of(number), "voxels");
  data.values = read_numbers(voxels, number, header.swapped, planes.size() * plane, "voxels");
  if (frame < 0 && planes.end == all) voxels.verify_checksum();  // once, on the way

  const auto [slope, intercept] = scaling;
  if (slope != 1.0 || intercept != 0.0) {
    for (Real& value : data.values) value = slope * value + intercept;
  }
  reject_infinite(data.values, path);
  return data;
}

namespace {

/// Sides of the grid as a header holds them: {dimension, x, y, z, 1, ...}.
std::array<int, 8> header_dimensions(const std::string& path, const Grid& grid) {
  std::array<int, 8> dimensions{grid.dimension(), 1, 1, 1, 1, 1, 1, 1};
  for (int d = 0; d < grid.dimension(); ++d) {
    const Index n = grid.axes[grid.dimension() - 1 - d].n;
    require(n <= longest_axis, path, "an axis of " + std::to_string(n) + " points; NIfTI-1 holds 32767",
            "keep this result in HDF5");
    dimensions[d + 1] = static_cast<int>(n);
  }
  return dimensions;
}

}  // namespace

/// Header of float64 values, dimensions {count, x, y, z, ...}, and values, under a temporary name.
class NiftiWriter::File {
 public:
  File(const std::string& path, const Grid& grid, const std::array<int, 8>& dimensions, int intent)
      : temporary_(checked(path), path.ends_with(".gz") ? ".nii.gz" : ".nii") {
    nifti_set_debug_level(0);
    const std::unique_ptr<nifti_1_header, decltype(&std::free)> header(
        nifti_make_new_header(dimensions.data(), DT_FLOAT64), &std::free);
    require(header != nullptr, path, "niftilib made no header for " + grid.describe());
    header->vox_offset = single_file_offset;
    header->scl_slope = 1.0f;
    header->intent_code = static_cast<short>(intent);
    header->xyzt_units = NIFTI_UNITS_MM;
    header->sform_code = grid.affine ? NIFTI_XFORM_ALIGNED_ANAT : NIFTI_XFORM_SCANNER_ANAT;
    for (int d = 0; d < grid.dimension(); ++d) {
      header->pixdim[d + 1] = static_cast<float>(grid.axes[grid.dimension() - 1 - d].spacing);
    }
    const Affine affine = grid.affine ? *grid.affine : diagonal_affine(grid);
    float* rows[3] = {header->srow_x, header->srow_y, header->srow_z};
    for (int row = 0; row < 3; ++row) {
      for (int column = 0; column < 4; ++column) rows[row][column] = static_cast<float>(affine[row][column]);
    }
    errno = 0;
    file_ = znzopen(temporary_.name().c_str(), "wb", path.ends_with(".gz") ? 1 : 0);
    if (znz_isnull(file_)) temporary_.fail(why());
    const char no_extension[4] = {0, 0, 0, 0};
    write(header.get(), header_bytes);
    write(no_extension, sizeof no_extension);
  }
  ~File() {
    if (!znz_isnull(file_)) znzclose(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(const void* data, std::size_t bytes) {
    errno = 0;
    if (bytes > 0 && znzwrite(data, 1, bytes, file_) != bytes) temporary_.fail(why());
  }

  void close() {
    errno = 0;
    if (znzclose(file_) != 0) temporary_.fail(why());
    temporary_.commit();
  }

 private:
  static const std::string& checked(const std::string& path) {
    require(path.ends_with(".nii.gz") || path.ends_with(".nii"), path, "not the name of a NIfTI file",
            "let it end in .nii or .nii.gz");
    return path;
  }
  static std::string why() { return errno != 0 ? std::strerror(errno) : "the write failed"; }

  TemporaryFile temporary_;
  znzFile file_ = nullptr;
};

NiftiWriter::NiftiWriter(std::unique_ptr<File> file) : file_(std::move(file)) {}
NiftiWriter::NiftiWriter(const std::string& path, const Grid& grid)
    : NiftiWriter(std::make_unique<File>(path, grid, header_dimensions(path, grid), NIFTI_INTENT_NONE)) {}
NiftiWriter::~NiftiWriter() = default;
void NiftiWriter::append(const std::vector<Real>& values) { file_->write(values.data(), values.size() * sizeof(Real)); }
void NiftiWriter::close() { file_->close(); }

void write_nifti(const std::string& path, const Grid& grid, const std::vector<Real>& values) {
  require(static_cast<Index>(values.size()) == grid.points(), path, "values and grid differ in size");
  NiftiWriter file(path, grid);
  file.append(values);
  file.close();
}

std::unique_ptr<NiftiWriter> NiftiWriter::of_displacements(const std::string& path, const Grid& grid) {
  std::array<int, 8> dimensions = header_dimensions(path, grid);
  dimensions[0] = 5;
  dimensions[5] = 3;
  auto file = std::make_unique<File>(path, grid, dimensions, NIFTI_INTENT_DISPVECT);
  return std::unique_ptr<NiftiWriter>(new NiftiWriter(std::move(file)));
}

std::vector<Real> in_world(const Grid& grid, int axis, const std::vector<Real>& displacement) {
  const Affine affine = grid.affine ? *grid.affine : diagonal_affine(grid);
  const std::size_t points = displacement.size() / grid.dimension();
  std::vector<Real> component(points, 0.0);
  for (int d = 0; d < grid.dimension(); ++d) {
    const Real factor = affine[axis][d] / grid.axes[grid.dimension() - 1 - d].spacing;
    if (factor == 0.0) continue;
    for (std::size_t i = 0; i < points; ++i) component[i] += factor * displacement[d * points + i];
  }
  return component;
}

}  // namespace hpot
