#include "hpot/io/cloud_file.hpp"

#include "byte_reader.hpp"
#include "cloud_checks.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hpot {

namespace {

constexpr Index most_dimensions = 4096;

// By bits: vectorised comparisons may raise FE_INVALID on a NaN.
constexpr std::uint64_t magnitude = 0x7fffffffffffffffu, infinite = 0x7ff0000000000000u;
bool is_number(Real value) { return (std::bit_cast<std::uint64_t>(value) & infinite) != infinite; }
bool has_data(Real value) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value) & magnitude;
  return bits != 0 && bits <= infinite;
}

/// Takes the last column of `array`, of rank 2, out.
std::vector<Real> take_last_column(Array& array) {
  const auto rows = static_cast<std::size_t>(array.shape[0]), columns = static_cast<std::size_t>(array.shape[1]);
  std::vector<Real> column(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c + 1 < columns; ++c)
      array.values[row * (columns - 1) + c] = array.values[row * columns + c];
    column[row] = array.values[row * columns + columns - 1];
  }
  array.values.resize(rows * (columns - 1));
  --array.shape[1];
  return column;
}

/// Goes through the indices of a grid, slowest axis first.
void advance(std::vector<Index>& index, const Grid& grid) {
  for (std::size_t d = index.size(); d-- > 0;) {
    if (++index[d] < grid.axes[d].n) return;
    index[d] = 0;
  }
}

void append_coordinates(const Grid& grid, const std::vector<Index>& index, std::vector<Real>& coordinates) {
  if (!grid.affine) {
    for (std::size_t d = 0; d < index.size(); ++d) coordinates.push_back(grid.axes[d].coordinate(index[d]));
    return;
  }
  for (const auto& row : *grid.affine) {
    Real coordinate = row[3];
    for (std::size_t d = 0; d < index.size(); ++d)
      coordinate += row[index.size() - 1 - d] * static_cast<Real>(index[d]);
    coordinates.push_back(coordinate);
  }
}

}  // namespace

void check_number_of_points(Index points, const std::string& name) {
  constexpr Index most_points = 2'000'000'000;
  require(points <= most_points, name, std::to_string(points) + " points",
          "clouds have at most " + std::to_string(most_points) + "; thin them out, or put them on a grid");
}

CloudData checked_cloud(Index dimension, std::vector<Real> coordinates, std::vector<Real> weights,
                        const std::string& name) {
  require(!coordinates.empty(), name, "holds no points", "check the file");
  check_number_of_points(static_cast<Index>(coordinates.size()) / std::max<Index>(dimension, 1), name);
  require(dimension <= most_dimensions, name, "points in " + std::to_string(dimension) + " dimensions",
          "clouds have at most " + std::to_string(most_dimensions) + "; a row is a point");
  const auto bad = std::find_if_not(coordinates.begin(), coordinates.end(), is_number);
  if (bad != coordinates.end()) {
    throw InputError(error_text(name, "point", std::to_string((bad - coordinates.begin()) / dimension),
                                "a coordinate that is infinite or NaN",
                                "mend it or leave the point out; they count from 0"));
  }
  constexpr Real most = 1e100;  // squares of distances and their sums stay doubles
  const auto far = std::find_if(coordinates.begin(), coordinates.end(), [&](Real x) { return std::abs(x) > most; });
  if (far != coordinates.end()) {
    throw InputError(error_text(name, "point", std::to_string((far - coordinates.begin()) / dimension),
                                "a coordinate beyond 1e100, whose squares no sum can hold", "take another unit"));
  }
  reject_infinite(weights, name);
  return {make_cloud(static_cast<int>(dimension), std::move(coordinates)), std::move(weights), name};
}

CloudData checked_cloud(Index dimension, std::vector<Real> coordinates, const std::string& name) {
  const auto points = coordinates.size() / static_cast<std::size_t>(std::max<Index>(dimension, 1));
  return checked_cloud(dimension, std::move(coordinates), std::vector<Real>(points, 1.0), name);
}

CloudData cloud_of_array(Array array, CloudWeights weights, const std::string& name) {
  const std::size_t rank = array.shape.size();
  require(rank == 1 || rank == 2, name, "an array of " + std::to_string(rank) + " dimensions",
          "points are a table: rows are points, columns coordinates");
  if (rank == 1) array.shape.push_back(1);
  if (weights == CloudWeights::none) return checked_cloud(array.shape[1], std::move(array.values), name);
  if (array.shape[1] < 2 && !array.values.empty()) {
    throw InputError(error_text(name, "weights", "last", "the array has one column only",
                                "leave it out where that holds coordinates"));
  }
  std::vector<Real> column = array.values.empty() ? std::vector<Real>{} : take_last_column(array);
  return checked_cloud(array.shape[1], std::move(array.values), std::move(column), name);
}

CloudData voxels_of(const GridData& data) {
  reject_infinite(data.values, data.name);
  std::vector<Real> coordinates, weights;
  std::vector<Index> index(data.grid.axes.size(), 0);
  for (const Real value : data.values) {
    if (has_data(value)) {
      append_coordinates(data.grid, index, coordinates);
      weights.push_back(value);
    }
    advance(index, data.grid);
  }
  require(!weights.empty(), data.name, "all its values are 0 or NaN", "points are the voxels with a value");
  const Index dimension = data.grid.affine ? 3 : data.grid.dimension();
  return checked_cloud(dimension, std::move(coordinates), std::move(weights), data.name);
}

CloudData colors_of(const Raster& picture, Index pixels, const std::string& name) {
  constexpr Real golden_ratio = 0.61803398874989485, highest = 255.0;
  const Index all = picture.width * picture.height;
  const Index wanted = std::min(pixels, all);
  std::vector<Real> coordinates;
  coordinates.reserve(static_cast<std::size_t>(3 * wanted));
  for (Index k = 0; k < wanted; ++k) {
    const Index begin = k * all / wanted, end = (k + 1) * all / wanted;
    const Real share = std::fmod(static_cast<Real>(k) * golden_ratio, 1.0);
    const Index pixel = begin + static_cast<Index>(share * static_cast<Real>(end - begin));
    for (Index c = 0; c < 3; ++c) coordinates.push_back(picture.rgb[3 * pixel + c] / highest);
  }
  return checked_cloud(3, std::move(coordinates), name);
}

}  // namespace hpot
