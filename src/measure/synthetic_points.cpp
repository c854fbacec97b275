#include "hpot/measure/synthetic_points.hpp"

#include "hpot/core/error.hpp"
#include "synthetic_source.hpp"

#include <cmath>

namespace hpot {
namespace {

using synthetic::normal;
using synthetic::Source;

constexpr Index most_items = 1'000'000;
constexpr Index most_points = Index{1} << 30;

/// One point after the other, into `x`.
class Shape {
 public:
  Shape(const std::string& name, int dimension, Index seed, Index item)
      : name_(name), dimension_(dimension), frame_(seed, "points/frame", item), points_(seed, "points/points", item) {
    if (name == "gaussian" || name == "sphere") {
      for (int d = 0; d < dimension; ++d) {
        centre_.push_back(frame_.uniform(0.35, 0.65));
        width_.push_back(name == "gaussian" ? frame_.uniform(0.05, 0.15) : frame_.uniform(0.15, 0.35));
      }
    } else if (name == "clusters") {
      Real sum = 0.0;
      for (int c = 0; c < clusters; ++c) {
        for (int d = 0; d < dimension; ++d) centre_.push_back(frame_.uniform());
        sum += frame_.uniform(0.2, 1.0);
        bounds_.push_back(sum);
      }
      for (Real& bound : bounds_) bound /= sum;
    }
  }

  void next(Real* x) {
    if (name_ == "uniform") {
      for (int d = 0; d < dimension_; ++d) x[d] = points_.uniform();
    } else if (name_ == "gaussian") {
      for (int d = 0; d < dimension_; ++d) x[d] = centre_[d] + width_[d] * normal(points_);
    } else if (name_ == "clusters") {
      const Real choice = points_.uniform();
      int c = 0;
      while (c + 1 < clusters && choice >= bounds_[c]) ++c;
      for (int d = 0; d < dimension_; ++d) x[d] = centre_[c * dimension_ + d] + heap * normal(points_);
    } else {
      Real length = 0.0;
      while (!(length > 0.0)) {
        for (int d = 0; d < dimension_; ++d) x[d] = normal(points_);
        for (int d = 0; d < dimension_; ++d) length += x[d] * x[d];
      }
      for (int d = 0; d < dimension_; ++d) x[d] = centre_[d] + width_[d] * x[d] / std::sqrt(length);
    }
  }

 private:
  static constexpr int clusters = 32;
  static constexpr Real heap = 0.004;
  std::string name_;
  int dimension_;
  RandomStream frame_, points_;
  std::vector<Real> centre_, width_, bounds_;
};

Source checked(const std::string& text) {
  Source source(text);
  source.check_keys({"n", "count", "seed", "item"}, {"dim", "shape", "weights"});
  return source;
}

Index count_of(const Source& source) {
  const Index count = source.integer("count", 1, 1, most_items);
  return source.has("item") ? 1 : count;
}

}  // namespace

bool is_synthetic_cloud(const std::string& text) { return text.substr(0, text.find('?')) == "points"; }

Index synthetic_cloud_count(const std::string& text) { return count_of(checked(text)); }

CloudData synthetic_cloud(const std::string& text, Index item) {
  constexpr int most_dimensions = 1000;
  const Source source = checked(text);
  CloudData data;
  data.name = text;
  if (source.has("item")) {
    const Index count = source.has("count") ? source.integer("count", 1, 1, most_items) : most_items;
    item = source.integer("item", 0, 0, count - 1);
  }
  const std::string shape = source.word("shape", {"uniform", "gaussian", "clusters", "sphere"});
  const std::string weights = source.word("weights", {"equal", "random"});
  const bool sphere = shape == "sphere";
  const auto dimension = static_cast<int>(source.integer("dim", 2, sphere ? 2 : 1, sphere ? 3 : most_dimensions));
  const Index n = source.integer("n", 1000, 1, most_points / dimension);
  const Index seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
  std::vector<Real> coordinates(n * dimension);
  Shape points(shape, dimension, seed, item);
  for (Index p = 0; p < n; ++p) points.next(coordinates.data() + p * dimension);
  data.cloud = make_cloud(dimension, std::move(coordinates));
  data.values.assign(n, 1.0);
  if (weights == "random") {
    RandomStream stream(seed, "points/weights", item);
    for (Real& weight : data.values) weight = stream.uniform() < 0.2 ? 0.0 : stream.uniform(0.0, 2.0);
  }
  return data;
}

}  // namespace hpot
