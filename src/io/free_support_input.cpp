#include "hpot/io/free_support_input.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/measure_file.hpp"
#include "hpot/measure/cloud_sample.hpp"

#include <algorithm>
#include <numeric>

namespace hpot {
namespace {

/// Dimension and number of points of every measure.
std::vector<Real> read_sizes(const Communicator& world, const std::vector<std::string>& names) {
  std::vector<Real> numbers(2 * names.size(), 0.0);
  world.agree([&] {
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (static_cast<int>(k) % world.size() != world.rank()) continue;
      require(is_cloud(names[k]), names[k], "a grid; the points of a free support are among points",
              "append ?as=voxels, or set barycenter.method = debiased");
      const Support support = read_measure(names[k]).support;
      numbers[2 * k] = support.dimension();
      numbers[2 * k + 1] = static_cast<Real>(support.points());
    }
  });
  world.max(numbers);
  return numbers;
}

}  // namespace

FreeSupportInput::FreeSupportInput(const Communicator& world, const Options& options,
                                   const std::vector<std::string>& names)
    : options_(options) {
  std::vector<std::string> all = names;
  const std::string& start = options.text("barycenter.start");
  if (start != "sample") {
    const auto found = expand_everywhere(world, start);
    if (found.size() != 1)
      options.reject("barycenter.start", "it names " + std::to_string(found.size()) + " clouds, one is needed",
                     "pick one, e.g. by ?item=0");
    file_ = found[0];
    all.push_back(file_);
  }
  const std::vector<Real> numbers = read_sizes(world, all);
  sizes_.dimension = static_cast<int>(numbers[0]);
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto dimension = static_cast<int>(numbers[2 * k]);
    require(dimension == sizes_.dimension, all[k],
            "points in " + std::to_string(dimension) + " dimensions, those of " + all[0] + " have " +
                std::to_string(sizes_.dimension),
            "give clouds of one dimension");
    if (k < names.size()) sizes_.points.push_back(static_cast<Index>(numbers[2 * k + 1]));
  }
  const bool automatic = options.text("barycenter.points") == "auto";
  sizes_.wanted =
      automatic ? *std::max_element(sizes_.points.begin(), sizes_.points.end()) : options.integer("barycenter.points");
  if (!file_.empty()) {
    const auto there = static_cast<Index>(numbers.back());
    if (!automatic && sizes_.wanted != there)
      options.reject("barycenter.points", "barycenter.start has " + std::to_string(there) + " points",
                     "set it to auto");
    sizes_.wanted = there;
  } else if (sizes_.wanted > std::accumulate(sizes_.points.begin(), sizes_.points.end(), Index{0})) {
    options.reject("barycenter.points", "the measures have fewer points together",
                   "ask for fewer, or give places in barycenter.start = FILE");
  }
}

Support FreeSupportInput::any_point() const { return make_cloud(sizes_.dimension, {}); }

void FreeSupportInput::read_start(const Communicator& world, RawMeasures& measures) {
  if (file_.empty()) return;
  const ProcessGrid processes(world, {1, world.size()});
  RawMeasures raw = read_measures(processes, {file_}, {0, 1}, {any_point()});
  measures.further_names.push_back(file_);
  measures.further_sha256.push_back(raw.sha256[0]);
  MeasureSet set = make_measures(processes, raw, std::move(raw.data), NegativeValues::error, true);
  of_file_ = {*raw.supports[0].cloud(), std::move(set.weights[0]), file_};
}

CloudData FreeSupportInput::start(const ProcessGrid& processes, const RawMeasures& raw,
                                  const std::vector<std::vector<Real>>& weights,
                                  const std::vector<Real>& lambda) const {
  if (!file_.empty()) return of_file_;
  const Communicator& world = processes.world();
  CloudSample sample{sizes_.dimension, {}};
  for (std::size_t k = 0; k < weights.size() && processes.along_rows().rank() == 0; ++k) {
    CloudSample here{sizes_.dimension, {}};
    const Real least = 1e-12;  // points of lambda 0 come last: every row of weights has as many points
    add_points(*raw.supports[k].cloud(), weights[k], std::max(lambda[k], least),
               raw.owned.begin + static_cast<Index>(k), options_.integer("barycenter.seed"), here);
    here = best_of(here, sizes_.wanted);
    sample.rows.insert(sample.rows.end(), here.rows.begin(), here.rows.end());
  }
  sample.rows = world.gather(best_of(sample, sizes_.wanted).rows);
  sample = best_of(sample, sizes_.wanted);
  world.broadcast(sample.rows);
  if (sample.points() < sizes_.wanted && options_.text("barycenter.points") != "auto")
    options_.reject("barycenter.points",
                    "the measures have weight at " + std::to_string(sample.points()) + " different places only",
                    "ask for no more, or give places in barycenter.start = FILE");
  const Real share = 1.0 / static_cast<Real>(sample.points());
  return in_morton_order(
      {cloud_of(sample), std::vector<Real>(static_cast<std::size_t>(sample.points()), share), "sample"});
}

}  // namespace hpot
