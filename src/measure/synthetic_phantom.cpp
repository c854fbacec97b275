// The head of Shepp and Logan (references in synthetic.hpp) and its random 'subjects'.
//
// Coordinates p in [-1, 1]^3 over the grid, x right, y anterior, z superior. A subject is head(q(p)),
//     q = D^-1 R (p + u(p)) + t,    u_c(p) = sum_m a_cm prod_d sin(w_cmd p_d + s_cmd),
// with a small rotation R, scales D, shift t. The sum over m and d of |a w| stays below 0.8, so that p + u is one to
// one. Products of sines cost no sine per voxel. Values are means over 2 x 2 x 2 points of each voxel.

#include "synthetic_source.hpp"

#include "hpot/measure/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace hpot::synthetic {
namespace {

using Vector = std::array<Real, 3>;
using Matrix = std::array<Vector, 3>;

struct Ellipsoid {
  Real contrast;  // added inside
  Vector semi_axes;
  Vector centre;
  Real degrees;  // about z, anticlockwise
};

/// Outlines in the plane and contrasts as in the 2-D head (Toft's contrasts); the extents along z let every structure
/// but the two dots at z = 0.25 cross the middle plane.
constexpr std::array<Ellipsoid, 10> head{{
    {+1.0, {0.6900, 0.9200, 0.810}, {0.00, 0.0000, 0.00}, 0},    // skull
    {-0.8, {0.6624, 0.8740, 0.780}, {0.00, -0.0184, 0.00}, 0},   // brain
    {-0.2, {0.1100, 0.3100, 0.220}, {0.22, 0.0000, 0.00}, -18},  // right ventricle
    {-0.2, {0.1600, 0.4100, 0.280}, {-0.22, 0.0000, 0.00}, 18},  // left ventricle
    {+0.1, {0.2100, 0.2500, 0.410}, {0.00, 0.3500, -0.15}, 0},
    {+0.1, {0.0460, 0.0460, 0.050}, {0.00, 0.1000, 0.25}, 0},
    {+0.1, {0.0460, 0.0460, 0.050}, {0.00, -0.1000, 0.25}, 0},
    {+0.1, {0.0460, 0.0230, 0.050}, {-0.08, -0.6050, 0.00}, 0},
    {+0.1, {0.0230, 0.0230, 0.020}, {0.00, -0.6060, 0.00}, 0},
    {+0.1, {0.0230, 0.0460, 0.020}, {0.06, -0.6050, 0.00}, 0},
}};

/// An ellipsoid made ready for many points.
struct Form {
  explicit Form(const Ellipsoid& e)
      : contrast(e.contrast),
        centre(e.centre),
        inverse{1 / e.semi_axes[0], 1 / e.semi_axes[1], 1 / e.semi_axes[2]},
        cosine(std::cos(e.degrees * std::numbers::pi / 180)),
        sine(std::sin(e.degrees * std::numbers::pi / 180)) {}

  [[nodiscard]] bool contains(const Vector& q) const {
    const Real x = q[0] - centre[0];
    const Real y = q[1] - centre[1];
    const Real along = (cosine * x + sine * y) * inverse[0];
    const Real across = (cosine * y - sine * x) * inverse[1];
    const Real up = (q[2] - centre[2]) * inverse[2];
    return along * along + across * across + up * up <= 1;
  }

  Real contrast;
  Vector centre;
  Vector inverse;
  Real cosine;
  Real sine;
};

class Head {
 public:
  Head() {
    for (const Ellipsoid& e : head) forms_.emplace_back(e);
  }
  /// The sum of the contrasts; the skull holds everything, the brain everything but the skull.
  [[nodiscard]] Real value(const Vector& q) const {
    if (!forms_[0].contains(q)) return 0;
    if (!forms_[1].contains(q)) return forms_[0].contrast;
    Real sum = forms_[0].contrast + forms_[1].contrast;
    for (std::size_t i = 2; i < forms_.size(); ++i) {
      if (forms_[i].contains(q)) sum += forms_[i].contrast;
    }
    return std::max(sum, 0.0);
  }

 private:
  std::vector<Form> forms_;
};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

Matrix rotation(int axis, Real angle) {
  const int i = (axis + 1) % 3;
  const int j = (axis + 2) % 3;
  Matrix r{};
  r[axis][axis] = 1;
  r[i][i] = r[j][j] = std::cos(angle);
  r[j][i] = std::sin(angle);
  r[i][j] = -r[j][i];
  return r;
}

struct Mode {
  Real amplitude;
  Vector frequency;
  Vector phase;
};

struct Subject {
  explicit Subject(RandomStream random) {
    constexpr Real size = 0.88;  // keeps every subject inside the grid
    Matrix inverse_scale{};
    for (int d = 0; d < 3; ++d) inverse_scale[d][d] = 1 / (size * random.uniform(0.93, 1.05));
    Matrix turn = rotation(0, random.uniform(-0.15, 0.15));
    for (int d = 1; d < 3; ++d) turn = product(rotation(d, random.uniform(-0.15, 0.15)), turn);
    affine = product(inverse_scale, turn);
    for (Real& t : shift) t = random.uniform(-0.03, 0.03);
    for (auto& component : modes) {
      for (Mode& mode : component) {
        mode.amplitude = random.uniform(-0.025, 0.025);
        for (Real& w : mode.frequency) w = random.uniform(1.5, 3.5);
        for (Real& s : mode.phase) s = random.uniform(0, 2 * std::numbers::pi);
      }
    }
  }

  static constexpr std::size_t mode_count = 3;  // for each component of u
  Matrix affine;
  Vector shift;
  std::array<std::array<Mode, mode_count>, 3> modes;
};

/// The subsamples of one axis: coordinates, and each mode's factor there.
struct Line {
  Line(const Subject& subject, Index n, int axis) {
    constexpr Index per_voxel = 2;
    for (Index i = 0; i < n * per_voxel; ++i) {
      coordinate.push_back((2 * static_cast<Real>(i) + 1) / static_cast<Real>(n * per_voxel) - 1);
    }
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t m = 0; m < Subject::mode_count; ++m) {
        const Mode& mode = subject.modes[c][m];
        for (const Real p : coordinate) factor[c][m].push_back(std::sin(mode.frequency[axis] * p + mode.phase[axis]));
      }
    }
  }
  std::vector<Real> coordinate;
  std::array<std::array<std::vector<Real>, Subject::mode_count>, 3> factor;
};

}  // namespace

std::vector<Real> phantom(const Source& source, const Grid& grid, Range planes, Index item) {
  const auto seed = static_cast<std::uint64_t>(source.integer("seed", 0, 0, std::numeric_limits<Index>::max()));
  const Subject subject(RandomStream(seed, "phantom", static_cast<std::uint64_t>(item)));
  const Head head_forms;
  const Index nx = grid.axes[2].n;
  const Index ny = grid.axes[1].n;
  const Index nz = grid.axes[0].n;
  const Line x(subject, nx, 0);
  const Line y(subject, ny, 1);
  const Line z(subject, nz, 2);
  std::vector<Real> values(static_cast<std::size_t>(nx * ny * planes.size()));
  for (Index k = 2 * planes.begin; k < 2 * planes.end; ++k) {
    for (Index j = 0; j < 2 * ny; ++j) {
      Real* row = values.data() + ((k / 2 - planes.begin) * ny + j / 2) * nx;
      std::array<std::array<Real, Subject::mode_count>, 3> weight;
      for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t m = 0; m < Subject::mode_count; ++m) {
          weight[c][m] = subject.modes[c][m].amplitude * y.factor[c][m][j] * z.factor[c][m][k];
        }
      }
      for (Index i = 0; i < 2 * nx; ++i) {
        Vector p{x.coordinate[i], y.coordinate[j], z.coordinate[k]};
        for (std::size_t c = 0; c < 3; ++c) {
          for (std::size_t m = 0; m < Subject::mode_count; ++m) p[c] += weight[c][m] * x.factor[c][m][i];
        }
        Vector q = subject.shift;
        for (std::size_t c = 0; c < 3; ++c) {
          for (std::size_t d = 0; d < 3; ++d) q[c] += subject.affine[c][d] * p[d];
        }
        row[i / 2] += 0.125 * head_forms.value(q);
      }
    }
  }
  return values;
}

}  // namespace hpot::synthetic
