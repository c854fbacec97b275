// Where a measure lives: on a regular grid, on a cloud of points, on a surface's vertices, or on the rows or columns of a cost
// matrix.
#pragma once

#include "hpot/measure/grid.hpp"
#include "hpot/measure/mesh.hpp"
#include "hpot/measure/point_cloud.hpp"

#include <variant>

namespace hpot {

/// Points of which nothing but their number is known.
struct IndexSet {
  Index n = 0;
  [[nodiscard]] Index points() const { return n; }
  [[nodiscard]] std::string describe() const { return std::to_string(n) + " entries"; }
};

class Support {
 public:
  Support() = default;
  Support(Grid grid) : value_(std::move(grid)) {}
  Support(PointCloud cloud) : value_(std::move(cloud)) {}
  Support(Mesh mesh) : value_(std::move(mesh)) {}
  Support(IndexSet set) : value_(set) {}

  /// Null where it is something else.
  [[nodiscard]] const Grid* grid() const { return std::get_if<Grid>(&value_); }
  [[nodiscard]] const PointCloud* cloud() const { return std::get_if<PointCloud>(&value_); }
  [[nodiscard]] const Mesh* mesh() const { return std::get_if<Mesh>(&value_); }

  [[nodiscard]] Index points() const;
  /// 0 for an index set, 2 for a surface.
  [[nodiscard]] int dimension() const;
  [[nodiscard]] std::string describe() const;
  /// Ends of the smallest box with all points, along an axis; of grids and clouds.
  [[nodiscard]] std::pair<Real, Real> extent(int axis) const;

 private:
  std::variant<Grid, PointCloud, Mesh, IndexSet> value_;
};

/// Empty where two measures on these supports, grids or clouds, can be compared: grids that agree (grid_mismatch), clouds of
/// one dimension; else what differs.
std::string support_mismatch(const Support& a, const Support& b);

/// What a file or a synthetic family gives: values as they stand there, NaN where there is no data.
struct MeasureData {
  Support support;
  std::vector<Real> values;  // [z][y][x], or of the cloud's points, the mesh's vertices
  std::string name;          // for messages and result.h5

  MeasureData() = default;
  MeasureData(GridData data)
      : support(std::move(data.grid)), values(std::move(data.values)), name(std::move(data.name)) {}
  MeasureData(CloudData data)
      : support(std::move(data.cloud)), values(std::move(data.values)), name(std::move(data.name)) {}
};

}  // namespace hpot
