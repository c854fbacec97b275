#include "hpot/solver/free_support.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/barycenter_problem.hpp"
#include "hpot/problem/barycentric_map.hpp"
#include "hpot/problem/free_support.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

/// Largest coordinates and least ones with their sign turned, of all points, for every axis.
std::vector<Real> bounds_of(const FreeSupportData& data, const Communicator& along_batches) {
  const int dimension = data.start.dimension;
  std::vector<Real> bounds(2 * dimension, -infinity);
  const auto include = [&](const PointCloud& cloud) {
    for (int d = 0; d < dimension; ++d) {
      const auto [least, most] = extent(cloud, d);
      bounds[2 * d] = std::max(bounds[2 * d], most);
      bounds[2 * d + 1] = std::max(bounds[2 * d + 1], -least);
    }
  };
  include(data.start);
  for (const PointCloud& cloud : data.clouds) include(cloud);
  along_batches.max(bounds);
  return bounds;
}

std::vector<Real> part_of(const std::vector<Real>& all, Range range) {
  return {all.begin() + range.begin, all.begin() + range.end};
}

using Values = std::vector<Real>;

/// Fields of one row. Ranks hold different numbers of them: in one entry they have one name on all.
void archive_fields(Archive& archive, const std::string& name, std::vector<Field>& fields) {
  std::vector<Real> sizes, numbers;
  for (const Field& field : fields) {
    sizes.push_back(field.extent(0) > 0 ? static_cast<Real>(field.size()) : -1.0);  // a rank may own no rows
    const std::vector<Real> values = host_values(field);
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  archive.numbers(name + "_sizes", sizes);
  archive.numbers(name, numbers);
  if (!archive.loads()) return;
  fields.clear();
  auto next = numbers.begin();
  for (const Real size : sizes) {
    const auto end = next + static_cast<std::ptrdiff_t>(std::max(size, 0.0));
    fields.push_back(size >= 0.0 ? make_field("hpot::FreeSupport::potential", 1, Values(next, end)) : Field());
    next = end;
  }
}

void archive_descent(Archive& archive, std::vector<DescentStep>& descent) {
  constexpr std::size_t columns = 4;
  std::vector<Real> numbers;
  for (const DescentStep& step : descent)
    numbers.insert(numbers.end(), {step.sweeps, step.objective, step.movement, step.marginal_error});
  archive.numbers("descent", numbers);
  descent.clear();
  for (std::size_t n = 0; n + columns <= numbers.size(); n += columns)
    descent.push_back({numbers[n], numbers[n + 1], numbers[n + 2], numbers[n + 3]});
}

}  // namespace

Real extent_of(const FreeSupportData& data, const Communicator& along_batches) {
  const std::vector<Real> bounds = bounds_of(data, along_batches);
  Real square = 0.0;
  for (std::size_t d = 0; d < bounds.size(); d += 2) square += std::pow(bounds[d] + bounds[d + 1], 2);
  return square > 0.0 ? std::sqrt(square) : 1.0;
}

FreeSupportMap::FreeSupportMap(const ProcessGrid& processes, const TransportSettings& pair, FreeSupportData data)
    : processes_(processes),
      pair_(pair),
      data_(std::move(data)),
      rows_(own_rows(data_.start, processes.along_rows())),
      weight_(make_field("hpot::FreeSupport::weight", 1, part_of(data_.weight, rows_.range()))),
      positions_(positions_of(data_.start, rows_.range())),
      image_(make_field("hpot::FreeSupport::image", data_.start.dimension, rows_.local_n())),
      batch_(processes_.along_batches(), static_cast<Index>(data_.clouds.size())) {
  pair_.stopping.interruptible = false;
  pair_.stopping.time_limit = infinity;
  const Communicator& batches = processes_.along_batches();
  g_.resize(pairs(data_.start, {}).size());
  extent_ = extent_of(data_, batches);
  Real largest = 0.0;
  for (const Real bound : bounds_of(data_, batches)) largest = std::max(largest, std::abs(bound));
  quantum_ = quantum_for(2.0 * largest);  // G(x) - x is a difference of two means
}

/// The last group of ranks, which has no more measures than others, has the points' transport to themselves.
std::vector<FreeSupportMap::Pair> FreeSupportMap::pairs(const PointCloud& points, const std::vector<Field>& g) const {
  std::vector<Pair> all;
  const auto g_of = [&](std::size_t k) { return k < g.size() ? g[k] : Field(); };
  for (std::size_t k = 0; k < data_.clouds.size(); ++k) {
    all.push_back({batch_.range().begin + static_cast<Index>(k), data_.lambda[k], data_.lambda[k], data_.clouds[k],
                   &data_.measures[k], g_of(k)});
  }
  const Communicator& batches = processes_.along_batches();
  if (data_.debiased && batches.rank() + 1 == batches.size())
    all.push_back({batch_.count(), -1.0, -0.5, points, &data_.weight, g_of(all.size())});
  return all;
}

TransportSettings FreeSupportMap::present_settings() const {
  TransportSettings settings = pair_;
  const Real tolerance = pair_.stopping.tolerance;
  const Real loosest = std::max(tolerance, pair_.schedule.stage_tolerance);
  settings.stopping.tolerance = std::clamp(share_of_a_solve * movement_, share_of_a_solve * tolerance, loosest);
  return settings;
}

TransportData FreeSupportMap::data_of(const Pair& pair, const PointCloud& points) const {
  return {points, pair.cloud, data_.weight, *pair.measure};
}

Real FreeSupportMap::evaluate() {
  const PointCloud points = moved(data_.start, rows_, positions_);
  const Index of_pair = 4;  // share of F, error, sweeps, whether it ran out of them
  std::vector<Real> numbers(static_cast<std::size_t>(of_pair * pair_count()), 0.0);
  Kokkos::deep_copy(image_, 0.0);
  latest_g_.clear();
  for (const Pair& pair : pairs(points, g_)) {
    const Field start = pair.g.extent(0) > 0 ? copy_of(pair.g) : Field();
    const SolvedPair solved = solve_potentials(processes_.along_rows(), present_settings(), data_of(pair, points),
                                               epsilon_, {}, nullptr, start);
    const TransportProblem& problem = solved.problem;
    latest_g_.push_back(solved.g);
    Real* const number = numbers.data() + of_pair * pair.number;
    const bool finite = std::isfinite(solved.outcome.error);
    number[1] = finite ? solved.outcome.error : infinity;
    number[2] = static_cast<Real>(solved.outcome.iterations);
    number[3] = solved.outcome.reason == StopReason::max_iterations ? 1.0 : 0.0;
    if (!finite) continue;
    number[0] = pair.share * (dual_term(problem.source, solved.f)[0] + dual_term(problem.target, solved.g)[0]);
    // G(x) += factor T(x),  T(x_i) = sum_j P_ij y_j / a_i
    add_rounded(pair.factor,
                barycentric_image(*problem.kernel, rows_.local_n(), problem.target, pair.cloud, solved.g, epsilon_),
                quantum_, image_);
  }
  processes_.along_batches().sum(numbers);  // a pair has one owner: zeros are added
  processes_.along_batches().sum(image_);
  if (data_.debiased) combine(1.0, positions_, 1.0, image_);
  const Field way = copy_of(image_);
  combine(-1.0, positions_, 1.0, way);
  DescentStep step;
  Real most_sweeps = 0.0, short_of_sweeps = 0.0;
  for (Index k = 0; k < pair_count(); ++k) {
    step.objective += numbers[of_pair * k];
    step.marginal_error = std::max(step.marginal_error, numbers[of_pair * k + 1]);
    most_sweeps = std::max(most_sweeps, numbers[of_pair * k + 2]);
    short_of_sweeps += numbers[of_pair * k + 3];
  }
  step.movement = std::sqrt(weighted_dots(rows_, weight_, way, {way})[0]) / extent_;
  const Real error = std::max(step.marginal_error, step.movement);
  last_sweeps_ = static_cast<Index>(most_sweeps);
  cut_short_ = short_of_sweeps > 0.0;
  if (cut_short_ || !std::isfinite(error)) return std::isfinite(error) ? error : infinity;
  g_ = latest_g_;
  movement_ = step.movement;
  sweeps_ += last_sweeps_;
  step.sweeps = static_cast<Real>(sweeps_);
  descent_.push_back(step);
  return error;
}

std::vector<Real> FreeSupportMap::dots(const std::vector<Field>& x, const std::vector<std::vector<Field>>& ys) const {
  std::vector<Field> fields;
  for (const auto& y : ys) fields.push_back(y[0]);
  return weighted_dots(rows_, weight_, x[0], fields);
}

void FreeSupportMap::archive(Archive& archive) {
  FixedPointMap::archive(archive);
  archive.number("epsilon", epsilon_);
  archive.number("movement", movement_);
  archive.number("sweeps", sweeps_);
  archive_fields(archive, "potentials", g_);
  archive_descent(archive, descent_);
}

FreeSupportResult FreeSupportMap::result() {
  FreeSupportResult result;
  result.points = moved(data_.start, rows_, positions_);
  result.descent = descent_;
  constexpr std::size_t quantities = all_transport_values.size();
  const auto count = static_cast<std::size_t>(pair_count());
  std::vector<Real> shares(count, 0.0), numbers(quantities * count, 0.0);
  for (const Pair& pair : pairs(result.points, latest_g_)) {
    SinkhornMap map(make_transport_problem(pair_.kernel, data_of(pair, result.points), processes_.along_rows()),
                    pair.g);
    map.set_epsilon(epsilon_);
    map.evaluate();
    const TransportValues values = evaluate_transport(processes_.along_rows(), map.problem(), map.f(), map.g());
    for (std::size_t q = 0; q < quantities; ++q)
      numbers[quantities * pair.number + q] = values.*all_transport_values[q].value;
    shares[pair.number] = pair.share;
    if (pair.number == batch_.count()) continue;
    result.f.push_back(map.f());
    result.g.push_back(map.g());
  }
  processes_.along_batches().sum(numbers);
  processes_.along_batches().sum(shares);
  result.values.resize(count);
  for (std::size_t n = 0; n < numbers.size(); ++n)
    result.values[n / quantities].*all_transport_values[n % quantities].value = numbers[n];
  for (std::size_t k = 0; k < count; ++k) {
    result.objective += shares[k] * result.values[k].dual_cost;
    result.gap += std::abs(shares[k]) * result.values[k].gap;
  }
  result.movement = movement_;
  return result;
}

void archive(Archive& archive, FreeSupportResult& result) {
  Index dimension = result.points.dimension;
  archive.number("dimension", dimension);
  std::vector<Real> numbers;
  if (!archive.loads()) numbers = *result.points.coordinates;
  archive.numbers("points", numbers);
  if (archive.loads()) {
    result.points.dimension = static_cast<int>(dimension);
    result.points.coordinates = std::make_shared<const std::vector<Real>>(std::move(numbers));
  }
  numbers.clear();
  for (const TransportValues& values : result.values) {
    for (const auto& [name, value] : all_transport_values) numbers.push_back(values.*value);
  }
  archive.numbers("values", numbers);
  constexpr std::size_t quantities = all_transport_values.size();
  result.values.resize(numbers.size() / quantities);
  for (std::size_t n = 0; n < numbers.size(); ++n)
    result.values[n / quantities].*all_transport_values[n % quantities].value = numbers[n];
  archive.number("objective", result.objective);
  archive.number("gap", result.gap);
  archive.number("movement", result.movement);
  archive_fields(archive, "f", result.f);
  archive_fields(archive, "g", result.g);
  archive_descent(archive, result.descent);
}

}  // namespace hpot
