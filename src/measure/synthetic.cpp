#include "hpot/measure/synthetic.hpp"

#include "synthetic_source.hpp"

#include "hpot/core/error.hpp"
#include "hpot/measure/random.hpp"
#include "hpot/measure/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace hpot {
namespace {

using synthetic::Source;
using Vector = std::array<Real, 3>;
using Matrix = std::array<Vector, 3>;

constexpr Index most_items = 1'000'000;

/// q(p) = |M (p - centre)|^2 of a point in fractions of the sides, x first; 1 on the ellipsoid. Axes that a grid lacks
/// have rows of zeros.
struct Quadratic {
  Matrix matrix{};
  Vector centre{0.5, 0.5, 0.5};

  [[nodiscard]] Real operator()(const Vector& p) const {
    Real sum = 0;
    for (const Vector& row : matrix) {
      Real product = 0;
      for (std::size_t d = 0; d < 3; ++d) product += row[d] * (p[d] - centre[d]);
      sum += product * product;
    }
    return sum;
  }
};

/// Rows are the directions of a random frame: any in 3-D (a uniform quaternion, Shoemake 1992), about z in 2-D.
Matrix random_frame(RandomStream& random, int dimension) {
  constexpr Real turn = 2 * std::numbers::pi;
  if (dimension == 1) return {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  if (dimension == 2) {
    const Real angle = random.uniform(0, turn);
    return {{{std::cos(angle), std::sin(angle), 0}, {-std::sin(angle), std::cos(angle), 0}, {0, 0, 1}}};
  }
  const Real u = random.uniform();
  const Real first = random.uniform(0, turn);
  const Real second = random.uniform(0, turn);
  const Real a = std::sqrt(1 - u) * std::sin(first);
  const Real b = std::sqrt(1 - u) * std::cos(first);
  const Real c = std::sqrt(u) * std::sin(second);
  const Real d = std::sqrt(u) * std::cos(second);
  return {{{1 - 2 * (b * b + c * c), 2 * (a * b - c * d), 2 * (a * c + b * d)},
           {2 * (a * b + c * d), 1 - 2 * (a * a + c * c), 2 * (b * c - a * d)},
           {2 * (a * c - b * d), 2 * (b * c + a * d), 1 - 2 * (a * a + b * b)}}};
}

Quadratic random_quadratic(RandomStream& random, int dimension, Real centre_margin, Real shortest, Real longest) {
  Quadratic quadratic;
  for (int d = 0; d < dimension; ++d) quadratic.centre[d] = random.uniform(centre_margin, 1 - centre_margin);
  const Matrix frame = random_frame(random, dimension);
  for (int r = 0; r < dimension; ++r) {
    const Real semi_axis = random.uniform(shortest, longest);
    for (std::size_t d = 0; d < 3; ++d) quadratic.matrix[r][d] = frame[r][d] / semi_axis;
  }
  return quadratic;
}

/// Mean of `value` over `per_side` points along each axis of every cell of the planes.
template <typename Value>
std::vector<Real> sampled(const Grid& grid, Range planes, int per_side, const Value& value) {
  std::array<Index, 3> n{1, 1, 1};
  std::array<Index, 3> points{1, 1, 1};  // along an axis of a cell
  const int dimension = grid.dimension();
  for (int d = 0; d < dimension; ++d) {
    n[d] = grid.axes[dimension - 1 - d].n;
    points[d] = per_side;
  }
  const auto fraction = [&](int d, Index i) {
    return (static_cast<Real>(i) + 0.5) / static_cast<Real>(n[d] * points[d]);
  };
  const Real share = 1 / static_cast<Real>(points[0] * points[1] * points[2]);
  std::array<Range, 3> cells{Range{0, n[0]}, Range{0, n[1]}, Range{0, n[2]}};
  cells[dimension - 1] = planes;
  std::vector<Real> values(static_cast<std::size_t>(cells[0].size() * cells[1].size() * cells[2].size()));
  for (Index k = cells[2].begin * points[2]; k < cells[2].end * points[2]; ++k) {
    for (Index j = cells[1].begin * points[1]; j < cells[1].end * points[1]; ++j) {
      const Index line = (k / points[2] - cells[2].begin) * cells[1].size() + j / points[1] - cells[1].begin;
      Real* row = values.data() + line * cells[0].size();
      Vector p{0, fraction(1, j), fraction(2, k)};
      for (Index i = cells[0].begin; i < cells[0].end; ++i) {
        for (Index s = 0; s < points[0]; ++s) {
          p[0] = fraction(0, i * points[0] + s);
          row[i - cells[0].begin] += share * value(p);
        }
      }
    }
  }
  return values;
}

RandomStream stream(const Source& source, Index item) {
  const Index seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
  return {static_cast<std::uint64_t>(seed), source.family(), static_cast<std::uint64_t>(item)};
}

std::vector<Real> gaussian(const Source& source, const Grid& grid, Range planes, Index item) {
  RandomStream random = stream(source, item);
  const int dimension = grid.dimension();
  Quadratic quadratic = random_quadratic(random, dimension, 0.3, 0.04, 0.12);
  if (const auto mean = source.reals("mean", dimension, -1e3, 1e3)) {
    std::copy(mean->begin(), mean->end(), quadratic.centre.begin());
  }
  if (const auto sd = source.reals("sd", dimension, 1e-6, 1e6)) {
    quadratic.matrix = {};
    for (int d = 0; d < dimension; ++d) quadratic.matrix[d][d] = 1 / (*sd)[d];
  }
  return sampled(grid, planes, 1, [&](const Vector& p) { return std::exp(-0.5 * quadratic(p)); });
}

/// 1 where hole < |M (p - centre)| <= 1.
auto between(const Quadratic& quadratic, Real hole) {
  return [=](const Vector& p) {
    const Real q = quadratic(p);
    return q <= 1 && q >= hole * hole ? 1.0 : 0.0;
  };
}

std::vector<Real> ellipse(const Source& source, const Grid& grid, Range planes, Index item) {
  RandomStream random = stream(source, item);
  const Quadratic quadratic = random_quadratic(random, 2, 0.4, 0.12, 0.36);
  const bool hollow = source.integer("hollow", 0, 0, 1) == 1;
  return sampled(grid, planes, 4, between(quadratic, hollow ? random.uniform(0.6, 0.8) : 0.0));
}

std::vector<Real> shell(const Source& source, const Grid& grid, Range planes, Index item) {
  RandomStream random = stream(source, item);
  const Quadratic quadratic = random_quadratic(random, 3, 0.42, 0.18, 0.38);
  return sampled(grid, planes, 2, between(quadratic, random.uniform(0.65, 0.85)));
}

/// A random function of mean 0 and variance 1: waves of up to `most` periods along each axis.
auto random_waves(RandomStream& random, int dimension, Real most) {
  struct Wave {
    Vector turns{};
    Real phase = 0;
  };
  constexpr Real turn = 2 * std::numbers::pi;
  std::array<Wave, 16> waves;
  for (Wave& wave : waves) {
    for (int d = 0; d < dimension; ++d) wave.turns[d] = turn * random.uniform(-most, most);
    wave.phase = random.uniform(0, turn);
  }
  return [waves](const Vector& p) {
    Real sum = 0;
    for (const Wave& wave : waves) {
      sum += std::cos(wave.turns[0] * p[0] + wave.turns[1] * p[1] + wave.turns[2] * p[2] + wave.phase);
    }
    return sum * std::sqrt(2 / static_cast<Real>(waves.size()));
  };
}

std::vector<Real> waves(const Source& source, const Grid& grid, Range planes, Index item) {
  RandomStream random = stream(source, item);
  const auto density = random_waves(random, grid.dimension(), 3);
  const auto mask = random_waves(random, grid.dimension(), 3);
  constexpr Real hole = -0.8;  // a fifth of the points lie below
  return sampled(grid, planes, 1, [&](const Vector& p) { return mask(p) < hole ? 0.0 : std::exp(density(p)); });
}

struct Family {
  std::string name;
  int least_dimension;
  int largest_dimension;
  std::vector<std::string> keys;  // of its own
  std::vector<Real> (*values)(const Source& source, const Grid& grid, Range planes, Index item);
};

const std::vector<std::string> shared_keys{"n", "shape", "dim", "count", "item", "seed", "spacing"};

std::vector<Real> uniform(const Source&, const Grid& grid, Range planes, Index) {
  return std::vector<Real>(static_cast<std::size_t>(planes.size() * plane_points(grid)), 1.0);
}

const std::vector<Family>& families() {
  static const std::vector<Family> table{{"gaussian", 1, 3, {"mean", "sd"}, gaussian},
                                         {"ellipse", 2, 2, {"hollow"}, ellipse},
                                         {"shell", 3, 3, {}, shell},
                                         {"waves", 1, 3, {}, waves},
                                         {"uniform", 1, 3, {}, uniform},
                                         {"documents", 1, 1, {"topics", "words"}, synthetic::documents},
                                         {"phantom", 3, 3, {}, synthetic::phantom}};
  return table;
}

const Family& family_of(const Source& source) {
  std::vector<std::string> names;
  for (const Family& family : families()) {
    if (family.name == source.family()) {
      source.check_keys(shared_keys, family.keys);
      return family;
    }
    names.push_back(family.name);
  }
  throw InputError(error_text(source.text(), {}, {}, "there is no family '" + source.family() + "'",
                              "families: " + synthetic::join(names) + "; clouds: points"));
}

/// From `dim`, or else as many as `shape` has sides.
int dimension_of(const Source& source, const Family& family) {
  const auto shape = source.sides("shape", 1, std::numeric_limits<Index>::max());
  const Index fallback = std::clamp<Index>(shape ? static_cast<Index>(shape->size()) : 2, family.least_dimension,
                                           family.largest_dimension);
  return static_cast<int>(source.integer("dim", fallback, family.least_dimension, family.largest_dimension));
}

Index count_of(const Source& source) {
  const Index count = source.integer("count", 1, 1, most_items);
  return source.has("item") ? 1 : count;
}

}  // namespace

Index synthetic_count(const std::string& text) {
  const Source source(text);
  family_of(source);
  return count_of(source);
}

namespace {

Grid grid_of(const Source& source, const Family& family) {
  const bool anatomical = family.name == "shell" || family.name == "phantom";
  return synthetic::make_grid_of(source, dimension_of(source, family), anatomical);
}

}  // namespace

Grid synthetic_grid(const std::string& text) {
  const Source source(text);
  return grid_of(source, family_of(source));
}

GridData synthetic_measure(const std::string& text, Index item) {
  return synthetic_planes(text, item, {0, synthetic_grid(text).axes[0].n});
}

GridData synthetic_planes(const std::string& text, Index item, Range planes) {
  const Source source(text);
  const Family& family = family_of(source);
  GridData data;
  data.name = source.text();
  if (source.has("item")) {
    const Index count = source.has("count") ? source.integer("count", 1, 1, most_items) : most_items;
    item = source.integer("item", 0, 0, count - 1);
  } else {
    require(item >= 0 && item < count_of(source), source.text(), "there is no item " + std::to_string(item),
            "items count from 0 to count - 1");
    data.name += (text.find('?') == std::string::npos ? "?item=" : "&item=") + std::to_string(item);
  }
  data.grid = grid_of(source, family);
  data.values = family.values(source, data.grid, planes, item);
  return data;
}

}  // namespace hpot
