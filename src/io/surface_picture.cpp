#include "hpot/io/surface_picture.hpp"

#include "color_scale.hpp"

#include "hpot/io/picture.hpp"

#include <stdexcept>

namespace hpot {
namespace {

using Vector = std::array<Real, 3>;

constexpr Index side = 480;  // pixels of a view
constexpr Index fine = 2;    // samples along a pixel's side
constexpr Real margin = 0.04;
constexpr Real ambient = 0.35;
constexpr Colour paper{255, 255, 255};

Real dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Vector point(const Mesh& mesh, Index v) { return {mesh.at(v, 0), mesh.at(v, 1), mesh.at(v, 2)}; }

/// Sums of the normals of the triangles around every vertex, each as long as twice its area; then of length 1.
std::vector<Vector> normals_of(const Mesh& mesh) {
  std::vector<Vector> normals(mesh.points(), Vector{});
  for (Index t = 0; t < mesh.faces(); ++t) {
    const Index* const v = mesh.triangles->data() + 3 * t;
    Vector u{}, w{};
    for (int d = 0; d < 3; ++d) {
      u[d] = mesh.at(v[1], d) - mesh.at(v[0], d);
      w[d] = mesh.at(v[2], d) - mesh.at(v[0], d);
    }
    const Vector normal = cross(u, w);
    for (int c = 0; c < 3; ++c) {
      for (int d = 0; d < 3; ++d) normals[v[c]][d] += normal[d];
    }
  }
  for (Vector& normal : normals) {
    const Real length = std::sqrt(dot(normal, normal));
    for (Real& x : normal) x = length > 0.0 ? x / length : 0.0;
  }
  return normals;
}

/// Directions of the picture in space: to the right, up, and away from the eye.
struct View {
  Vector right, up, away;
};

/// The part of a surface that a row of the picture shows.
struct Part {
  Index component;
  Vector centre;
  Real half;  // of the side of the square that holds it
  bool left;
};

Part part_of(const Mesh& mesh, Index component) {
  Vector low{infinity, infinity, infinity}, high{-infinity, -infinity, -infinity};
  Real x = 0.0, vertices = 0.0;
  for (Index v = 0; v < mesh.points(); ++v) {
    if ((*mesh.component)[v] != component) continue;
    x += mesh.at(v, 0);
    vertices += 1.0;
    for (int d = 0; d < 3; ++d) {
      low[d] = std::min(low[d], mesh.at(v, d));
      high[d] = std::max(high[d], mesh.at(v, d));
    }
  }
  constexpr Real middle = 1e-6;  // of its width: neither side, which is drawn as the left
  Part part{component, {}, 0.0, x <= middle * vertices * (high[0] - low[0])};
  for (int d = 0; d < 3; ++d) part.centre[d] = 0.5 * (low[d] + high[d]);
  part.half = 0.5 * std::max({high[1] - low[1], high[2] - low[2], 1e-3 * (high[0] - low[0])}) * (1.0 + 2.0 * margin);
  return part;
}

/// Samples with the depth of what they show.
class Canvas {
 public:
  Canvas() : depth_(n * n, infinity), colour_(n * n, paper) {}

  /// Corners in samples, with depth; `shade` gives the colour of a mixture of the corners.
  template <class Shade>
  void triangle(const std::array<Vector, 3>& corner, const Shade& shade) {
    const auto edge = [](const Vector& a, const Vector& b, Real x, Real y) {
      return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
    };
    const Real area = edge(corner[0], corner[1], corner[2][0], corner[2][1]);
    if (area == 0.0) return;
    const auto first = [](Real a, Real b, Real c) {
      return std::clamp<Index>(static_cast<Index>(std::floor(std::min({a, b, c}))), 0, n);
    };
    const auto last = [](Real a, Real b, Real c) {
      return std::clamp<Index>(static_cast<Index>(std::ceil(std::max({a, b, c}))) + 1, 0, n);
    };
    const auto& [a, b, c] = corner;
    for (Index y = first(a[1], b[1], c[1]); y < last(a[1], b[1], c[1]); ++y) {
      for (Index x = first(a[0], b[0], c[0]); x < last(a[0], b[0], c[0]); ++x) {
        const Real px = static_cast<Real>(x) + 0.5, py = static_cast<Real>(y) + 0.5;
        const Vector share{edge(b, c, px, py) / area, edge(c, a, px, py) / area, edge(a, b, px, py) / area};
        if (share[0] < 0.0 || share[1] < 0.0 || share[2] < 0.0) continue;
        const Real depth = share[0] * a[2] + share[1] * b[2] + share[2] * c[2];
        if (depth >= depth_[y * n + x]) continue;
        depth_[y * n + x] = depth;
        colour_[y * n + x] = shade(share);
      }
    }
  }

  [[nodiscard]] Raster raster() const {
    Raster raster{side, side, {}};
    for (Index y = 0; y < side; ++y) {
      for (Index x = 0; x < side; ++x) {
        for (std::size_t c = 0; c < 3; ++c) {
          Real sum = 0.0;
          for (Index s = 0; s < fine * fine; ++s) sum += colour_[(fine * y + s / fine) * n + fine * x + s % fine][c];
          raster.rgb.push_back(static_cast<std::uint8_t>(sum / (fine * fine) + 0.5));
        }
      }
    }
    return raster;
  }

  static constexpr Index n = side * fine;

 private:
  std::vector<Real> depth_;
  std::vector<Colour> colour_;
};

Raster view_of(const Mesh& mesh, const std::vector<Real>& values, const Scale& scale,
               const std::vector<Vector>& normals, const Part& part, const View& view) {
  Canvas canvas;
  const Real samples = 0.5 * static_cast<Real>(Canvas::n);
  for (Index t = 0; t < mesh.faces(); ++t) {
    const Index* const v = mesh.triangles->data() + 3 * t;
    if ((*mesh.component)[v[0]] != part.component) continue;
    std::array<Vector, 3> corner{};
    for (int c = 0; c < 3; ++c) {
      Vector x = point(mesh, v[c]);
      for (int d = 0; d < 3; ++d) x[d] -= part.centre[d];
      corner[c] = {samples * (1.0 + dot(x, view.right) / part.half), samples * (1.0 - dot(x, view.up) / part.half),
                   dot(x, view.away)};
    }
    canvas.triangle(corner, [&](const Vector& share) {
      Real value = 0.0, facing = 0.0;
      for (int c = 0; c < 3; ++c) {
        value += share[c] * values[v[c]];
        facing += share[c] * dot(normals[v[c]], view.away);
      }
      Colour colour = interpolate(blue_white_red, 0.5 + 0.5 * scale.relative(value));
      for (Real& x : colour) x *= ambient + (1.0 - ambient) * std::min(1.0, std::abs(facing));
      return colour;
    });
  }
  return canvas.raster();
}

}  // namespace

Raster picture_of(const Mesh& mesh, const std::vector<Real>& masses) {
  if (static_cast<Index>(masses.size()) != mesh.points())
    throw std::invalid_argument("picture_of: one value for every vertex");
  std::vector<Real> values = masses;
  for (Index v = 0; v < mesh.points(); ++v) values[v] /= (*mesh.areas)[v];
  const Scale scale(values);
  const std::vector<Vector> normals = normals_of(mesh);
  const View from_left{{0.0, -1.0, 0.0}, {0.0, 0.0, 1.0}, {1.0, 0.0, 0.0}};
  const View from_right{{0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}, {-1.0, 0.0, 0.0}};
  constexpr Index most_components = 8;  // small ones make no picture
  std::vector<Raster> views;
  for (Index c = 0; c < std::min(mesh.components, most_components); ++c) {
    const Part part = part_of(mesh, c);
    views.push_back(view_of(mesh, values, scale, normals, part, part.left ? from_left : from_right));
    views.push_back(view_of(mesh, values, scale, normals, part, part.left ? from_right : from_left));
  }
  return contact_sheet(views, 2);
}

}  // namespace hpot
