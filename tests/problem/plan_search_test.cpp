// The entries that a search finds, against a visit to all pairs in long double. On any number of ranks.
#include "hpot/problem/plan_search.hpp"

#include "hpot/measure/synthetic_points.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

namespace hpot {
namespace {

using test::Values;

struct Case {
  std::string what;
  Support source, target;
  Cost cost;
  Real epsilon;
  std::vector<Values> matrix{};  // of index sets
  bool narrow = false;           // kept as floats

  /// In the order of the supports.
  [[nodiscard]] std::vector<Values> costs() const {
    if (!matrix.empty()) return matrix;
    if (source.grid() != nullptr) return reference::cost_matrix(cost, *source.grid(), *target.grid());
    std::vector<Values> all(source.points(), Values(target.points()));
    for (Index i = 0; i < source.points(); ++i) {
      for (Index j = 0; j < target.points(); ++j)
        all[i][j] = reference::cost_of(cost, place(source, i), place(target, j));
    }
    return all;
  }

  static Values place(const Support& support, Index point) {
    Values x;
    for (int d = 0; d < support.dimension(); ++d) x.push_back(support.cloud()->at(point, d));
    return x;
  }
};

Support cloud(const std::string& text, Real offset = 0.0) {
  CloudData data = synthetic_cloud(text, 0);
  Values coordinates = *data.cloud.coordinates;
  for (Real& x : coordinates) x += offset;
  data.cloud = make_cloud(data.cloud.dimension, std::move(coordinates));
  return in_morton_order(std::move(data)).cloud;
}

std::vector<Values> random_costs(Index rows, Index columns) {
  std::vector<Values> matrix;
  for (Index i = 0; i < rows; ++i) matrix.push_back(reference::random_values(columns, 100 + i, 0.0, 8.0));
  for (Values& row : matrix) {
    for (Real& c : row) c = static_cast<Real>(static_cast<float>(c));  // the same when kept as floats
  }
  return matrix;
}

std::vector<Case> cases() {
  Grid shifted = make_grid({11, 9}, {1.3, 0.7});
  shifted.axes[0].origin = -2.5;
  return {
      {"line", make_grid({150}, {0.5}), make_grid({150}, {0.5}), SquaredEuclidean{}, 2.0},
      {"image", make_grid({17, 12}, {1.0, 1.0}), make_grid({17, 12}, {1.0, 1.0}), SquaredEuclidean{}, 1.5},
      {"volume", make_grid({5, 7, 6}, {1.0, 1.0, 2.0}), make_grid({5, 7, 6}, {1.0, 1.0, 2.0}), SquaredEuclidean{}, 2.0},
      {"two grids", make_grid({8, 13}, {1.0, 1.0}), shifted, SquaredEuclidean{}, 1.0},
      {"power_axes", make_grid({12, 9}, {1.0, 1.0}), make_grid({12, 9}, {1.0, 1.0}), PowerAxes{1.5}, 0.7},
      {"euclidean", make_grid({12, 9}, {1.0, 1.0}), make_grid({12, 9}, {1.0, 1.0}), Euclidean{}, 0.3},
      {"power", make_grid({12, 9}, {1.0, 1.0}), make_grid({12, 9}, {1.0, 1.0}), Power{0.7}, 0.2},
      {"one point", make_grid({1, 1}, {1.0, 1.0}), make_grid({4, 5}, {1.0, 1.0}), SquaredEuclidean{}, 4.0},
      {"one plane", make_grid({1, 30}, {1.0, 1.0}), make_grid({1, 30}, {1.0, 1.0}), SquaredEuclidean{}, 1.0},
      {"plane of points", cloud("points?n=210&item=1"), cloud("points?n=170&item=2&shape=gaussian"), SquaredEuclidean{},
       1e-3},
      {"far from the origin", cloud("points?n=100&item=1", 1e8), cloud("points?n=120&item=2", 1e8), SquaredEuclidean{},
       1e-3},
      {"heaps in space", cloud("points?n=150&dim=3&item=1&shape=clusters"), cloud("points?n=200&dim=3&item=2"),
       Power{3.0}, 1e-2},
      {"points on a line", cloud("points?n=90&dim=1&item=1"), cloud("points?n=130&dim=1&item=2"), Euclidean{}, 0.02},
      {"points in five dimensions", cloud("points?n=80&dim=5&item=1"), cloud("points?n=100&dim=5&item=2"),
       SquaredEuclidean{}, 0.05},
      {"power_axes of points", cloud("points?n=140&item=1&shape=sphere"), cloud("points?n=70&item=2"), PowerAxes{1.5},
       0.02},
      {"matrix", IndexSet{150}, IndexSet{90}, SquaredEuclidean{}, 0.4, random_costs(150, 90)},
      {"matrix of floats", IndexSet{70}, IndexSet{140}, SquaredEuclidean{}, 0.4, random_costs(70, 140), true},
  };
}

/// The owned rows of the case's matrix.
std::shared_ptr<const CostMatrix> matrix_of(const Case& c, const OwnedRows& rows) {
  auto made = std::make_shared<CostMatrix>();
  made->rows = c.source.points();
  made->columns = c.target.points();
  const auto fill = [&](auto& to, const char* label) {
    to = std::decay_t<decltype(to)>(label, rows.local_n(), padded_columns(made->columns));
    const auto host = Kokkos::create_mirror_view(to);
    for (Index i = 0; i < rows.local_n(); ++i) {
      for (Index j = 0; j < made->columns; ++j)
        host(i, j) = static_cast<typename std::decay_t<decltype(to)>::value_type>(c.matrix[rows.range().begin + i][j]);
    }
    Kokkos::deep_copy(to, host);
  };
  if (c.narrow) {
    fill(made->narrow, "narrow");
  } else {
    fill(made->wide, "wide");
  }
  return made;
}

/// Numbers in the input, of the rows of a support.
std::vector<Index> input_numbers(const Support& support) {
  if (support.cloud() != nullptr) return *support.cloud()->order;
  std::vector<Index> numbers(support.points());
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

/// Weights, potentials and the whole plan of one case. Potentials are random: no entry is where it is by symmetry.
struct Sample {
  Values a, b, f, g;
  std::vector<std::vector<long double>> plan;
  std::vector<long double> p, q;

  explicit Sample(const Case& c, unsigned seed)
      : a(test::random_measure(c.source.points(), seed, 0.4)),
        b(test::random_measure(c.target.points(), seed + 1, 0.4)),
        f(reference::random_values(c.source.points(), seed + 2, -2.0 * c.epsilon, 2.0 * c.epsilon)),
        g(reference::random_values(c.target.points(), seed + 3, -2.0 * c.epsilon, 2.0 * c.epsilon)),
        plan(a.size(), std::vector<long double>(b.size(), 0.0L)),
        p(a.size(), 0.0L),
        q(b.size(), 0.0L) {
    const auto cost = c.costs();
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) {
        plan[i][j] = static_cast<long double>(a[i]) * b[j] *
                     std::exp((static_cast<long double>(f[i]) + g[j] - cost[i][j]) / c.epsilon);
        p[i] += plan[i][j];
        q[j] += plan[i][j];
      }
    }
  }

  [[nodiscard]] PlanSearch search(const Case& c, bool by_columns) const {
    const Communicator world = Communicator::world();
    KernelOptions kernel{"auto", c.cost};
    if (!c.matrix.empty()) {
      kernel.matrix_file = "costs";
      kernel.matrix = matrix_of(c, own_rows(c.source, world));
    }
    const auto problem = [&] {
      TransportProblem made = make_transport_problem(kernel, {c.source, c.target, a, b, Balanced{}, Balanced{}}, world);
      made.epsilon = c.epsilon;
      return made;
    }();
    const auto owned = [](const Values& all, const OwnedRows& rows) {
      return reference::field_of({all.begin() + rows.range().begin, all.begin() + rows.range().end});
    };
    return make_plan_search(problem, c.source, c.target, kernel, owned(f, problem.source.rows),
                            owned(g, problem.target.rows), by_columns);
  }
};

PlanEntries all_entries(const PlanSearch& search, Real share, const EntryCounts& counts) {
  std::vector<Index> rows(search.rows.local_n());
  std::iota(rows.begin(), rows.end(), Index{0});
  return entries_of(search, share, counts, rows);
}

TEST(PlanSearch, FindsExactlyTheEntriesThatAVisitToAllPairsFinds) {
  for (const Case& c : cases()) {
    const Sample sample(c, 11);
    for (const bool by_columns : {true, false}) {
      const PlanSearch search = sample.search(c, by_columns);
      for (const Real share : {0.9, 0.2, 1e-2, 1e-4, 1e-9}) {
        const EntryCounts counts = count_entries(search, share);
        const PlanEntries found = all_entries(search, share, counts);
        std::vector<std::pair<Index, Index>> expected, entries;
        Index global = 0;
        long double kept = 0.0L;
        long double error = 0.0L;
        const std::vector<Index> sources = input_numbers(c.source), targets = input_numbers(c.target);
        const Range mine = search.rows.range();
        for (Index i = 0; i < c.source.points(); ++i) {
          const std::size_t row_begin = expected.size();
          for (Index j = 0; j < c.target.points(); ++j) {
            const long double value = sample.plan[i][j];
            if (!(value > 0.0L && (value >= share * sample.p[i] || (by_columns && value >= share * sample.q[j]))))
              continue;
            ++global;
            kept += value;
            if (i >= mine.begin && i < mine.end) expected.emplace_back(i, targets[j]);
          }
          std::sort(expected.begin() + static_cast<std::ptrdiff_t>(row_begin), expected.end());
        }
        std::vector<Index> place_of(targets.size());
        for (std::size_t j = 0; j < targets.size(); ++j) place_of[targets[j]] = static_cast<Index>(j);
        for (std::size_t e = 0; e < found.value.size() && e < expected.size(); ++e) {
          error = std::max(
              error, std::abs(found.value[e] / sample.plan[expected[e].first][place_of[expected[e].second]] - 1.0L));
          expected[e].first = sources[expected[e].first];
        }
        for (std::size_t e = 0; e < found.value.size(); ++e) entries.emplace_back(found.source[e], found.target[e]);
        const std::string what = c.what + ", share " + std::to_string(share);
        EXPECT_EQ(entries, expected) << what;
        EXPECT_LT(error, 1e-12L) << what;
        EXPECT_EQ(counts.global, global) << what;
        EXPECT_NEAR(counts.mass, static_cast<Real>(kept), 1e-13 * static_cast<Real>(kept)) << what;
        EXPECT_LE(static_cast<Real>(counts.global), static_cast<Real>(c.source.points() + c.target.points()) / share)
            << what;
      }
    }
  }
}

TEST(PlanSearch, FindsTheEntriesOfAFarTranslationWithHoles) {
  // f + g - C = -|y - x - s|^2: potentials that rise far more steeply than the plan is wide
  const Grid grid = make_grid({36, 31}, {1.0, 2.0});
  const Case c{"translation", grid, grid, SquaredEuclidean{}, 1.5};
  const Real shift[2] = {14.0, -23.0};
  Sample sample(c, 41);
  const auto points = reference::points_of(grid);
  const auto along = [&](const Values& x) { return 2.0 * (shift[0] * x[0] + shift[1] * x[1]); };
  for (std::size_t i = 0; i < points.size(); ++i) {
    sample.f[i] = -along(points[i]);
    sample.g[i] = along(points[i]) - shift[0] * shift[0] - shift[1] * shift[1];
  }
  const auto cost = reference::cost_matrix(c.cost, grid, grid);
  std::vector<long double> row_mass(points.size(), 0.0L), column_mass(points.size(), 0.0L);
  const auto value = [&](std::size_t i, std::size_t j) {
    return static_cast<long double>(sample.a[i]) * sample.b[j] *
           std::exp((static_cast<long double>(sample.f[i]) + sample.g[j] - cost[i][j]) / c.epsilon);
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = 0; j < points.size(); ++j) {
      row_mass[i] += value(i, j);
      column_mass[j] += value(i, j);
    }
  }
  const PlanSearch search = sample.search(c, true);
  for (const Real share : {0.1, 1e-5}) {
    const PlanEntries found = all_entries(search, share, count_entries(search, share));
    const Range mine = search.rows.range();
    std::vector<std::pair<Index, Index>> expected;
    for (Index i = mine.begin; i < mine.end; ++i) {
      for (Index j = 0; j < grid.points(); ++j) {
        const long double p = value(i, j);
        if (p > 0.0L && (p >= share * row_mass[i] || p >= share * column_mass[j])) expected.emplace_back(i, j);
      }
    }
    std::vector<std::pair<Index, Index>> entries;
    for (std::size_t e = 0; e < found.value.size(); ++e) entries.emplace_back(found.source[e], found.target[e]);
    EXPECT_EQ(entries, expected) << share;
  }
}

TEST(PlanSearch, MarginalsOfAllEntriesAreThoseOfThePlan) {
  for (const Case& c : cases()) {
    const Sample sample(c, 23);
    const PlanSearch search = sample.search(c, true);
    const Real share = 1e-15;
    const PlanEntries found = all_entries(search, share, count_entries(search, share));
    Values columns(c.target.points(), 0.0);
    Values rows(c.source.points(), 0.0);
    for (std::size_t e = 0; e < found.value.size(); ++e) {
      columns[found.target[e]] += found.value[e];
      rows[found.source[e]] += found.value[e];
    }
    search.rows.along_rows.sum(columns);
    search.rows.along_rows.sum(rows);
    const std::vector<Index> sources = input_numbers(c.source), targets = input_numbers(c.target);
    for (std::size_t j = 0; j < columns.size(); ++j)
      EXPECT_NEAR(columns[targets[j]], static_cast<Real>(sample.q[j]), 1e-12 * static_cast<Real>(sample.q[j]))
          << c.what;
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_NEAR(rows[sources[i]], static_cast<Real>(sample.p[i]), 1e-12 * static_cast<Real>(sample.p[i])) << c.what;
    EXPECT_NEAR(test::weighted_sum(Values(search.rows.local_n(), 1.0), host_values(search.mass)),
                static_cast<Real>(std::accumulate(sample.p.begin() + search.rows.range().begin,
                                                  sample.p.begin() + search.rows.range().end, 0.0L)),
                1e-12)
        << c.what;
    EXPECT_NEAR(search.plan_mass, static_cast<Real>(std::accumulate(sample.p.begin(), sample.p.end(), 0.0L)), 1e-12);
  }
}

TEST(PlanSearch, BlocksOfRowsAreTheWhole) {
  const Case c = cases()[1];
  const PlanSearch search = Sample(c, 31).search(c, true);
  const EntryCounts counts = count_entries(search, 1e-3);
  const PlanEntries whole = all_entries(search, 1e-3, counts);
  PlanEntries joined;
  for (Index row = 0; row < search.rows.local_n(); row += 7) {
    std::vector<Index> rows(std::min<Index>(7, search.rows.local_n() - row));
    std::iota(rows.begin(), rows.end(), row);
    const PlanEntries part = entries_of(search, 1e-3, counts, rows);
    joined.source.insert(joined.source.end(), part.source.begin(), part.source.end());
    joined.target.insert(joined.target.end(), part.target.begin(), part.target.end());
    joined.value.insert(joined.value.end(), part.value.begin(), part.value.end());
  }
  EXPECT_EQ(joined.source, whole.source);
  EXPECT_EQ(joined.target, whole.target);
  EXPECT_EQ(joined.value, whole.value);
}

TEST(PlanSearch, KeepsWhatAColumnLivesOnWhereOneRowHoldsAllMass) {
  const Grid grid = make_grid({20, 20}, {1.0, 1.0});
  Case c{"one source", grid, grid, SquaredEuclidean{}, 1e3};
  Sample sample(c, 5);
  sample.a.assign(400, 0.0);
  sample.a[210] = 1.0;
  sample.b.assign(400, 1.0 / 400.0);
  EXPECT_EQ(count_entries(sample.search(c, true), 0.5).global, 400);
  EXPECT_EQ(count_entries(sample.search(c, false), 0.5).global, 0);
}

TEST(PlanSearch, MassesAtTheEndsOfDoublesRangeGiveTheSameEntries) {
  const Case c = cases()[1];
  const Sample sample(c, 7);
  const Index expected = count_entries(sample.search(c, true), 1e-2).global;
  for (const Real mass : {1e-300, 1e300}) {
    Sample scaled = sample;
    for (Real& weight : scaled.a) weight *= mass;
    EXPECT_EQ(count_entries(scaled.search(c, true), 1e-2).global, expected) << mass;
  }
}

}  // namespace
}  // namespace hpot
