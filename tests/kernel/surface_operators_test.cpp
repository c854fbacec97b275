// Operators on surfaces: heat against the formula of its steps, the matrix exponential and the sphere's closed form; near
// pairs against a matrix of all.
#include "hpot/kernel/geodesic.hpp"
#include "hpot/kernel/registry.hpp"
#include "hpot/measure/synthetic_surface.hpp"
#include "reference.hpp"
#include "surfaces.hpp"

#include "hpot/core/error.hpp"
#include "hpot/measure/intrinsic_mesh.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

namespace hpot::test {
namespace {

using reference::field_of;
using reference::Values;
using reference::values_of;
using Matrix = std::vector<std::vector<long double>>;

constexpr Index small_steps = 7;

Mesh sphere(int subdivisions, Real radius = 10.0) {
  Mesh mesh = make_mesh(synthetic_surface("sphere?subdivisions=" + std::to_string(subdivisions)));
  Values coordinates = *mesh.coordinates;
  for (Real& x : coordinates) x *= radius / 50.0;
  return make_mesh({coordinates, *mesh.triangles, "sphere"});
}

Matrix matrix_of(Index n) { return Matrix(n, std::vector<long double>(n, 0.0L)); }

/// M^-1/2 L M^-1/2, and M.
std::pair<Matrix, std::vector<long double>> normalised_stiffness(const Mesh& mesh) {
  IntrinsicMesh intrinsic(mesh);
  intrinsic.make_delaunay();
  const Values lumped = intrinsic.lumped_mass();
  std::vector<long double> mass(lumped.begin(), lumped.end());
  Matrix s = matrix_of(mesh.points());
  for (const MatrixEntry& e : intrinsic.stiffness()) {
    const long double value = e.value / std::sqrt(mass[e.row] * mass[e.column]);
    s[e.row][e.column] += value;
    if (e.row != e.column) s[e.column][e.row] += value;
  }
  return {s, mass};
}

/// Eigenvalues on the diagonal of `a` at the end, eigenvectors in the columns [Jacobi 1846].
Matrix diagonalise(Matrix& a) {
  const auto n = static_cast<Index>(a.size());
  Matrix vectors = matrix_of(n);
  for (Index i = 0; i < n; ++i) vectors[i][i] = 1.0L;
  for (int sweep = 0; sweep < 12; ++sweep) {
    for (Index p = 0; p < n; ++p) {
      for (Index q = p + 1; q < n; ++q) {
        if (std::abs(a[p][q]) < 1e-30L) continue;
        const long double theta = 0.5L * (a[q][q] - a[p][p]) / a[p][q];
        const long double t = (theta >= 0 ? 1.0L : -1.0L) / (std::abs(theta) + std::sqrt(theta * theta + 1.0L));
        const long double c = 1.0L / std::sqrt(t * t + 1.0L), s = t * c;
        for (Index k = 0; k < n; ++k) {
          const long double kp = a[k][p], kq = a[k][q];
          a[k][p] = c * kp - s * kq, a[k][q] = s * kp + c * kq;
        }
        for (Index k = 0; k < n; ++k) {
          const long double pk = a[p][k], qk = a[q][k];
          a[p][k] = c * pk - s * qk, a[q][k] = s * pk + c * qk;
          const long double kp = vectors[k][p], kq = vectors[k][q];
          vectors[k][p] = c * kp - s * kq, vectors[k][q] = s * kp + c * kq;
        }
      }
    }
  }
  return vectors;
}

/// K = 4 pi t M^-1/2 phi(S) M^-1/2 of a function of the eigenvalues.
template <class Phi>
Matrix kernel_of(const Mesh& mesh, Real epsilon, const Phi& phi) {
  auto [s, mass] = normalised_stiffness(mesh);
  const Matrix v = diagonalise(s);
  const Index n = mesh.points();
  Matrix k = matrix_of(n);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      for (Index e = 0; e < n; ++e) k[i][j] += v[i][e] * v[j][e] * phi(s[e][e]);
      k[i][j] *= std::numbers::pi_v<long double> * epsilon / std::sqrt(mass[i] * mass[j]);
    }
  }
  return k;
}

Values softmin_by(const Matrix& k, const Values& h, Real epsilon) {
  Values s;
  for (const auto& row : k) {
    long double sum = 0.0L;
    for (std::size_t j = 0; j < h.size(); ++j) sum += row[j] * std::exp(static_cast<long double>(h[j]));
    s.push_back(static_cast<Real>(-epsilon * std::log(sum)));
  }
  return s;
}

Values softmin_of(const KernelOperator& op, const Values& h, Index batch = 1) {
  const Field s("s", batch, h.size() / batch);
  op.softmin(Side::source, field_of(h, batch), s);
  return values_of(s);
}

std::unique_ptr<KernelOperator> heat_of(const Mesh& mesh, Index steps, Real epsilon,
                                        HeatSolver solver = HeatSolver::factor) {
  const Range all{0, mesh.points()};
  auto op = make_heat_operator(mesh, steps, solver, all, all);
  op->prepare(epsilon);
  return op;
}

/// Rough, with points of no weight.
Values rough_logs(Index n, unsigned seed) {
  Values h = reference::random_values(n, seed, -400.0, 0.0);
  for (Index i = 0; i < n; ++i) {
    if (i % 5 != 0) h[i] = log_zero;
  }
  return h;
}

/// Sums of far and of near vertices alike, and means of values of any sign.
TEST(Heat, IterationsGiveTheSumsOfTheFactor) {
  const Mesh two = make_mesh(joined({folded(6, 5), folded(4, 9)}));
  for (const Mesh& mesh : {sphere(2), make_mesh(folded(14, 11)), two}) {
    const Index n = mesh.points();
    for (const Index steps : {Index{1}, Index{7}, Index{20}}) {
      for (const Real spacings : {1.0, 8.0, 200.0}) {
        const Real epsilon = spacings * mesh.mean_edge * mesh.mean_edge;
        const auto by_factor = heat_of(mesh, steps, epsilon);
        const auto by_iterations = heat_of(mesh, steps, epsilon, HeatSolver::iterations);
        Values h = rough_logs(n, 3);
        const Values other = rough_logs(n, 4);
        h.insert(h.end(), other.begin(), other.end());
        const Values expected = softmin_of(*by_factor, h, 2);
        EXPECT_LT(reference::largest_difference(softmin_of(*by_iterations, h, 2), expected), 2e-11 * epsilon)
            << n << " vertices, " << steps << " steps, eps " << epsilon;
        Values v(2 * n);
        for (Index i = 0; i < 2 * n; ++i) v[i] = std::sin(static_cast<Real>(7 * i));
        const auto mean_of = [&](const KernelOperator& op) {
          const Field mean("mean", 2, n);
          op.average(Side::target, field_of(h, 2), field_of(v, 2), mean);
          return values_of(mean);
        };
        EXPECT_LT(reference::largest_difference(mean_of(*by_iterations), mean_of(*by_factor)), 2e-11);
      }
    }
  }
}

TEST(Heat, SoftminIsThatOfTheImplicitSteps) {
  for (const bool with_boundary : {false, true}) {
    const Mesh mesh = with_boundary ? make_mesh(folded(8, 7)) : sphere(1);
    for (const Real epsilon : {2.0, 30.0}) {
      const long double step = 0.25L * epsilon / small_steps;
      const Matrix k = kernel_of(mesh, epsilon, [&](long double lambda) {
        return std::pow(1.0L + step * lambda, -static_cast<long double>(small_steps));
      });
      const Values h = reference::random_values(mesh.points(), 3, -20.0, 20.0);
      const Values expected = softmin_by(k, h, epsilon);
      const Values found = softmin_of(*heat_of(mesh, small_steps, epsilon), h);
      EXPECT_LT(reference::largest_difference(found, expected), 1e-10 * epsilon);
    }
  }
}

TEST(Heat, TendsToTheMatrixExponentialWithTheSteps) {
  const Mesh mesh = sphere(1);
  const Real epsilon = 40.0;
  const Matrix k = kernel_of(mesh, epsilon, [&](long double lambda) { return std::exp(-0.25L * epsilon * lambda); });
  const Values h = reference::random_values(mesh.points(), 4, -1.0, 1.0);
  const Values expected = softmin_by(k, h, epsilon);
  Real before = 0.0;
  for (const Index steps : {20, 40, 80}) {
    const Real error = reference::largest_difference(softmin_of(*heat_of(mesh, steps, epsilon), h), expected);
    EXPECT_LT(error, 2.0 * epsilon / static_cast<Real>(steps));
    if (before > 0.0) {
      EXPECT_NEAR(before / error, 2.0, 0.2);
    }
    before = error;
  }
}

/// sum over l of (2 l + 1)/(4 pi r^2) exp(-l (l + 1) t/r^2) P_l(cos angle).
TEST(Heat, OfTheSphereIsItsClosedForm) {
  const Real radius = 10.0, epsilon = 60.0, t = 0.25 * epsilon;
  const Mesh mesh = sphere(4, radius);
  const auto op = heat_of(mesh, 400, epsilon);
  Values h(mesh.points(), log_zero);
  h[0] = 0.0;
  const Values s = softmin_of(*op, h);
  for (Index v = 0; v < mesh.points(); v += 37) {
    Real cosine = 0.0;
    for (int d = 0; d < 3; ++d) cosine += mesh.at(v, d) * mesh.at(0, d) / (radius * radius);
    Real sum = 0.0, previous = 1.0, legendre = cosine;
    for (int l = 0; l < 60; ++l) {
      const Real p = l == 0 ? 1.0 : legendre;
      sum += (2.0 * l + 1.0) * std::exp(-l * (l + 1.0) * t / (radius * radius)) * p;
      if (l > 0) {
        const Real next = ((2.0 * l + 1.0) * cosine * legendre - l * previous) / (l + 1.0);
        previous = legendre, legendre = next;
      }
    }
    const Real closed =
        -epsilon * std::log(4.0 * std::numbers::pi * t * sum / (4.0 * std::numbers::pi * radius * radius));
    const Real x = closed / epsilon;  // heat of a random time: log K is off by about x^2/(2 n)
    if (x > 5.0) continue;
    EXPECT_NEAR(s[v], closed, epsilon * (0.012 + 0.75 * x * x / 400.0)) << cosine;
  }
}

TEST(Heat, ReachesEveryVertexAcrossAHugeRangeAndNoneOfAnotherComponent) {
  const MeshData one = plane(40, 5, 2);
  MeshData other = one;
  for (std::size_t v = 2; v < other.coordinates.size(); v += 3) other.coordinates[v] = 9.0;
  const Mesh mesh = make_mesh(joined({one, other}));
  ASSERT_EQ(mesh.components, 2);
  const auto op = heat_of(mesh, 20, 2.0);
  Values h(mesh.points(), log_zero);
  h[0] = 500.0;
  h[39] = -500.0;
  const Values s = softmin_of(*op, h);
  for (Index v = 0; v < 200; ++v) {
    EXPECT_TRUE(std::isfinite(s[v]));
    EXPECT_LT(s[v], 0.0);
    EXPECT_GT(s[200 + v], 1e299);
  }
  EXPECT_LT(s[0], s[39]);
  EXPECT_EQ(values_of(field_of(s)).size(), 400u);
}

TEST(Heat, AverageIsThatOfItsWeights) {
  const Mesh mesh = sphere(1);
  const Real epsilon = 25.0;
  const auto op = heat_of(mesh, 5, epsilon);
  const Index n = mesh.points();
  const Values h = reference::random_values(2 * n, 5, -3.0, 3.0), v = reference::random_values(2 * n, 6, -1.0, 1.0);
  const Field mean("mean", 2, n);
  op->average(Side::target, field_of(h, 2), field_of(v, 2), mean);
  const Values found = values_of(mean);
  for (Index k = 0; k < 2; ++k) {
    std::vector<long double> sum(n, 0.0L), moment(n, 0.0L);
    for (Index j = 0; j < n; ++j) {
      Values delta(n, log_zero);
      delta[j] = h[k * n + j];
      const Values s = softmin_of(*op, delta);
      for (Index i = 0; i < n; ++i) {
        sum[i] += std::exp(-static_cast<long double>(s[i]) / epsilon);
        moment[i] += v[k * n + j] * std::exp(-static_cast<long double>(s[i]) / epsilon);
      }
    }
    for (Index i = 0; i < n; ++i) EXPECT_NEAR(found[k * n + i], static_cast<Real>(moment[i] / sum[i]), 1e-11);
  }
}

TEST(Heat, BelowItsFloorIsOneClearError) {
  const Mesh mesh = sphere(3);
  KernelOptions options;
  options.type = "heat";
  options.along_surface = true;
  const Real unit = mesh.mean_edge * mesh.mean_edge;
  EXPECT_NO_THROW(check_epsilon(options, mesh, unit));
  try {
    check_epsilon(options, mesh, 0.3 * unit);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("heat of so short a time is noise"));
    EXPECT_THAT(error.what(), testing::HasSubstr("raise it to 1 of epsilon.unit = spacing2"));
  }
  // A strip so long that heat of few steps does not reach its end in doubles.
  const Mesh strip = make_mesh(plane(700, 2, 1));
  const Real least = heat_floor(strip, 20);
  EXPECT_GT(least, 5.0 * strip.mean_edge * strip.mean_edge);
  options.heat_steps = 20;
  EXPECT_NO_THROW(check_epsilon(options, strip, least));
  EXPECT_THROW(check_epsilon(options, strip, 0.9 * least), InputError);
}

TEST(Heat, FactorIsAsLargeAsPlanned) {
  for (const int subdivisions : {3, 5}) {
    const Mesh mesh = sphere(subdivisions);
    IntrinsicMesh intrinsic(mesh);
    intrinsic.make_delaunay();
    std::vector<MatrixEntry> entries = intrinsic.stiffness();
    for (Index v = 0; v < mesh.points(); ++v) entries.push_back({v, v, 1.0});
    const Real of_entry = 16.0;
    const Real planned = of_entry * heat_factor_entries(mesh.points());
    EXPECT_NEAR(SparseCholesky(mesh.points(), entries).bytes() / planned, 1.0, 0.3) << subdivisions;
  }
}

struct Reduction {
  const char* name;
  std::function<void(const KernelOperator&, const ConstField& h, const ConstField& v, const Field&)> reduce;
};

std::vector<Reduction> reductions(Side side) {
  return {{"softmin", [=](auto& op, auto& h, auto&, auto& out) { op.softmin(side, h, out); }},
          {"average", [=](auto& op, auto& h, auto& v, auto& out) { op.average(side, h, v, out); }},
          {"average_cost", [=](auto& op, auto& h, auto&, auto& out) { op.average_cost(side, h, out); }},
          {"hard_min", [=](auto& op, auto& h, auto&, auto& out) { op.hard_min(side, h, out); }},
          {"hard_max", [=](auto& op, auto& h, auto&, auto& out) { op.hard_max(side, h, out); }}};
}

TEST(NearPairs, OfALargeRadiusAreTheMatrixOfAll) {
  const Communicator world = Communicator::world();
  const Mesh mesh = make_mesh(folded(12, 11));
  const OwnedRows rows = own_rows(mesh, world);
  KernelOptions all, near;
  all.along_surface = near.along_surface = true;
  near.radius = 1e3;
  const auto of_all = make_kernel(all, mesh, rows, mesh, rows), of_near = make_kernel(near, mesh, rows, mesh, rows);
  EXPECT_EQ(of_near->known_costs(), KnownCosts::near);
  Values h = reference::random_values(2 * rows.local_n(), 8, -30.0, 5.0);
  for (std::size_t j = 0; j < h.size(); j += 5) h[j] = log_zero;
  const Values v = reference::random_values(2 * rows.local_n(), 9, -1.0, 1.0);
  for (const Real epsilon : {0.3, 20.0}) {
    of_all->prepare(epsilon);
    of_near->prepare(epsilon);
    for (const Side side : {Side::source, Side::target}) {
      for (const Reduction& reduction : reductions(side)) {
        const Field a("a", 2, rows.local_n()), b("b", 2, rows.local_n());
        reduction.reduce(*of_all, field_of(h, 2), field_of(v, 2), a);
        reduction.reduce(*of_near, field_of(h, 2), field_of(v, 2), b);
        EXPECT_LT(reference::largest_difference(values_of(a), values_of(b)), 1e-9) << reduction.name << " " << epsilon;
      }
    }
  }
}

TEST(SurfaceOperators, HaveTheBitsOfOneRank) {
  const Communicator world = Communicator::world();
  const Communicator self = world.split(world.rank());
  const Mesh mesh = make_mesh(folded(17, 16));
  const OwnedRows rows = own_rows(mesh, world), all_rows = own_rows(mesh, self);
  KernelOptions heat, near;
  heat.type = "heat";
  heat.along_surface = near.along_surface = true;
  near.radius = 3.0;
  const Values h = reference::random_values(mesh.points(), 11, -5.0, 5.0);
  const Range range = rows.range();
  const Values mine(h.begin() + range.begin, h.begin() + range.end);
  for (const KernelOptions& options : {heat, near}) {
    const auto divided = make_kernel(options, mesh, rows, mesh, rows);
    const auto whole = make_kernel(options, mesh, all_rows, mesh, all_rows);
    const Field part("part", 1, range.size()), full("full", 1, mesh.points());
    for (KernelOperator* op : {divided.get(), whole.get()}) op->prepare(4.0);
    divided->softmin(Side::source, field_of(mine), part);
    whole->softmin(Side::source, field_of(h), full);
    const Values expected = values_of(full);
    EXPECT_EQ(values_of(part), Values(expected.begin() + range.begin, expected.begin() + range.end));
  }
}

}  // namespace
}  // namespace hpot::test
