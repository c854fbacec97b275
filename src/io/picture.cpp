#include "hpot/io/picture.hpp"

#include "color_scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace hpot {
namespace {

constexpr Index least_height = 256;
constexpr Index most_length = 8192;  // an enlarged picture stays below this
constexpr Real largest_aspect = 16;

constexpr Colour line_colour{96, 96, 96};

class Canvas {
 public:
  Canvas(Index width, Index height, const Colour& background) : raster_{width, height, {}} {
    raster_.rgb.resize(static_cast<std::size_t>(3 * width * height));
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) set(x, y, background);
    }
  }
  void set(Index x, Index y, const Colour& colour) {
    std::uint8_t* pixel = raster_.rgb.data() + 3 * (y * raster_.width + x);
    for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(colour[c] + 0.5);
  }
  void paste(const Raster& part, Index left, Index top) {
    for (Index y = 0; y < part.height; ++y) {
      std::copy_n(part.rgb.begin() + 3 * y * part.width, 3 * part.width,
                  raster_.rgb.begin() + 3 * ((top + y) * raster_.width + left));
    }
  }
  Raster release() { return std::move(raster_); }

 private:
  Raster raster_;
};

Raster curve(const std::vector<Real>& values, const Scale& scale) {
  constexpr Index width = 512;
  constexpr Index height = 256;
  constexpr Index margin = 8;
  constexpr Colour paper{255, 255, 255};
  constexpr Colour fill{184, 152, 208};
  constexpr Colour edge{88, 24, 112};
  Canvas canvas(width, height, paper);
  const auto n = static_cast<Index>(values.size());
  Real low = 0;
  Real high = 0;
  for (const Real v : values) {
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  if (low == high) high = scale.high;
  const Real extent = std::max(high, -low);  // high - low may overflow
  const auto row_of = [&](Real value) {
    const Real share = (high / extent - value / extent) / (high / extent - low / extent);
    return margin + static_cast<Index>(std::lround(share * static_cast<Real>(height - 1 - 2 * margin)));
  };
  const Index zero = row_of(0);
  Index previous = -1;  // the edge in the column before; -1 where it had none
  for (Index x = 0; x < width; ++x) {
    canvas.set(x, zero, line_colour);
    // The cells that this column shows: one, or the largest of several.
    const Index first = x * n / width;
    const Index last = std::max(first + 1, (x + 1) * n / width);
    const Real* value = nullptr;
    for (Index i = first; i < std::min(last, n); ++i) {
      if (std::isfinite(values[i]) && (value == nullptr || std::abs(values[i]) > std::abs(*value))) value = &values[i];
    }
    if (value == nullptr) {
      previous = -1;
      continue;
    }
    const Index top = row_of(*value);
    const Index above = previous < 0 ? top : std::min(previous, top);
    const Index below = std::max(previous, top);
    previous = top;
    for (Index y = std::min(top, zero); y <= std::max(top, zero); ++y) canvas.set(x, y, fill);
    for (Index y = above - 1; y <= below + 1; ++y) canvas.set(x, y, edge);
  }
  return canvas.release();
}

/// A 2-D slice of the data: value(row, column) = values[offset + row * row_stride + column * column_stride].
struct Slice {
  Index rows = 1;
  Index columns = 1;
  Real row_spacing = 1;
  Real column_spacing = 1;
  Index offset = 0;
  Index row_stride = 0;
  Index column_stride = 0;
};

/// Pixels of a side of n cells of this spacing, where `unit` is the pixel's.
Index pixels(Index n, Real spacing, Real unit, Index enlargement) {
  const Real aspect = std::min(spacing / unit, largest_aspect);
  return std::max<Index>(1, std::llround(static_cast<Real>(n * enlargement) * aspect));
}

Raster draw(const Slice& slice, const std::vector<Real>& values, const Scale& scale, Real unit, Index enlargement) {
  const Index width = pixels(slice.columns, slice.column_spacing, unit, enlargement);
  const Index height = pixels(slice.rows, slice.row_spacing, unit, enlargement);
  Canvas canvas(width, height, scale.background());
  for (Index y = 0; y < height; ++y) {
    const Index row = slice.offset + (y * slice.rows / height) * slice.row_stride;
    for (Index x = 0; x < width; ++x) {
      canvas.set(x, y, scale.colour(values[row + (x * slice.columns / width) * slice.column_stride]));
    }
  }
  return canvas.release();
}

/// All slices with the same pixels, the tallest at least 256 high.
std::vector<Raster> draw_all(const std::vector<Slice>& slices, const std::vector<Real>& values, const Scale& scale) {
  Real unit = infinity;
  for (const Slice& s : slices) unit = std::min({unit, s.row_spacing, s.column_spacing});
  Index height = 1;
  Index longest = 1;
  for (const Slice& s : slices) {
    height = std::max(height, pixels(s.rows, s.row_spacing, unit, 1));
    longest = std::max({longest, height, pixels(s.columns, s.column_spacing, unit, 1)});
  }
  const Index wanted = (least_height + height - 1) / height;
  const Index enlargement = std::clamp<Index>(wanted, 1, std::max<Index>(1, most_length / longest));
  std::vector<Raster> rasters;
  for (const Slice& s : slices) rasters.push_back(draw(s, values, scale, unit, enlargement));
  return rasters;
}

/// Which grid axis (0 is z) runs along the right, anterior and superior directions, and whether forwards.
struct Orientation {
  std::array<int, 3> axis{2, 1, 0};
  std::array<bool, 3> forwards{true, true, true};
};

Orientation orientation_of(const Grid& grid) {
  Orientation best;
  if (!grid.affine) return best;
  const Affine& a = *grid.affine;
  std::array<int, 3> column{0, 1, 2};
  Real best_fit = -1;
  do {
    Real fit = 0;
    for (int row = 0; row < 3; ++row) {
      const Real spacing = grid.axes[2 - column[row]].spacing;
      fit += std::abs(a[row][column[row]]) / spacing;
    }
    if (fit <= best_fit) continue;
    best_fit = fit;
    for (int row = 0; row < 3; ++row) {
      best.axis[row] = 2 - column[row];
      best.forwards[row] = a[row][column[row]] >= 0;
    }
  } while (std::next_permutation(column.begin(), column.end()));
  return best;
}

/// The middle of the box that holds everything above 1% of the scale; of the grid where there is nothing.
std::array<Index, 3> middle(const Grid& grid, const std::vector<Real>& values, const Scale& scale) {
  const Index ny = grid.axes[1].n;
  const Index nx = grid.axes[2].n;
  std::array<Index, 3> low{grid.axes[0].n - 1, ny - 1, nx - 1};
  std::array<Index, 3> high{0, 0, 0};
  for (Index i = 0; i < static_cast<Index>(values.size()); ++i) {
    if (std::abs(scale.relative(values[i])) <= 0.01) continue;
    const std::array<Index, 3> voxel{i / (nx * ny), i / nx % ny, i % nx};
    for (std::size_t d = 0; d < 3; ++d) {
      low[d] = std::min(low[d], voxel[d]);
      high[d] = std::max(high[d], voxel[d]);
    }
  }
  return {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2};
}

/// The slice across direction `normal`, with `across` to the right and `up` upwards (0 right, 1 anterior, 2 superior).
Slice slice_of(const Grid& grid, const Orientation& orientation, const std::array<Index, 3>& centre, int normal,
               int across, int up) {
  const std::array<Index, 3> stride{grid.axes[1].n * grid.axes[2].n, grid.axes[2].n, 1};
  const int row_axis = orientation.axis[up];
  const int column_axis = orientation.axis[across];
  Slice slice;
  slice.rows = grid.axes[row_axis].n;
  slice.columns = grid.axes[column_axis].n;
  slice.row_spacing = grid.axes[row_axis].spacing;
  slice.column_spacing = grid.axes[column_axis].spacing;
  slice.offset = centre[orientation.axis[normal]] * stride[orientation.axis[normal]];
  slice.row_stride = stride[row_axis];
  slice.column_stride = stride[column_axis];
  if (orientation.forwards[up]) {  // rasters count rows downwards
    slice.offset += (slice.rows - 1) * slice.row_stride;
    slice.row_stride = -slice.row_stride;
  }
  if (!orientation.forwards[across]) {
    slice.offset += (slice.columns - 1) * slice.column_stride;
    slice.column_stride = -slice.column_stride;
  }
  return slice;
}

/// Side by side, centred vertically, on the background's colour.
Raster side_by_side(const std::vector<Raster>& panels, const Colour& background) {
  constexpr Index gap = 8;
  Index width = gap * static_cast<Index>(panels.size() - 1);
  Index height = 1;
  for (const Raster& panel : panels) {
    width += panel.width;
    height = std::max(height, panel.height);
  }
  Canvas canvas(width, height, background);
  Index left = 0;
  for (const Raster& panel : panels) {
    canvas.paste(panel, left, (height - panel.height) / 2);
    left += panel.width + gap;
  }
  return canvas.release();
}

}  // namespace

Raster picture_of(const Grid& grid, const std::vector<Real>& values) {
  if (static_cast<Index>(values.size()) != grid.points() || values.empty()) {
    throw std::invalid_argument("picture_of: " + std::to_string(values.size()) + " values for a grid of " +
                                std::to_string(grid.points()) + " points");
  }
  const Scale scale(values);
  if (grid.dimension() == 1) return curve(values, scale);
  if (grid.dimension() == 2) {
    const Axis& y = grid.axes[0];
    const Axis& x = grid.axes[1];
    return draw_all({{y.n, x.n, y.spacing, x.spacing, 0, x.n, 1}}, values, scale)[0];
  }
  const Orientation orientation = orientation_of(grid);
  const std::array<Index, 3> centre = middle(grid, values, scale);
  constexpr int right = 0;
  constexpr int anterior = 1;
  constexpr int superior = 2;
  return side_by_side(draw_all({slice_of(grid, orientation, centre, right, anterior, superior),
                                slice_of(grid, orientation, centre, anterior, right, superior),
                                slice_of(grid, orientation, centre, superior, right, anterior)},
                               values, scale),
                      scale.background());
}

Raster contact_sheet(const std::vector<Raster>& rasters, int columns) {
  if (rasters.empty()) return {};
  constexpr Index line = 2;
  const auto count = static_cast<Index>(rasters.size());
  const Index across = std::clamp<Index>(columns, 1, count);
  const Index down = (count + across - 1) / across;
  Index width = 1;
  Index height = 1;
  for (const Raster& raster : rasters) {
    width = std::max(width, raster.width);
    height = std::max(height, raster.height);
  }
  Canvas canvas(across * (width + line) - line, down * (height + line) - line, line_colour);
  for (Index i = 0; i < count; ++i) {
    const Raster& raster = rasters[i];
    canvas.paste(raster, (i % across) * (width + line) + (width - raster.width) / 2,
                 (i / across) * (height + line) + (height - raster.height) / 2);
  }
  return canvas.release();
}

}  // namespace hpot
