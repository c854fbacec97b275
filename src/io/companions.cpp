#include "hpot/io/companions.hpp"

#include "hpot/problem/euclidean_mean.hpp"

namespace hpot {

std::vector<OptionKey> CompanionOptions::keys() {
  return {
      {"output.euclidean_mean", "false",
       "on grids and surfaces also write /euclidean_mean, sum_k lambda_k b_k of the measures as solved, for every row "
       "of weights, and files like the barycenter's, NAME_euclidean_mean",
       check::flag()},
      {"output.measures", "0",
       "on grids and surfaces also write /measures, so many of the measures, the first ones, as solved (without "
       "negative values; of mass 1 where input.normalize says so), and files like the barycenter's, NAME_measures",
       check::integer(0, Index{1} << 20)},
  };
}

CompanionOptions CompanionOptions::from(const Options& options) {
  const CompanionOptions result{options.flag("output.euclidean_mean"), options.integer("output.measures")};
  if (!options.text("barycenter.method").ends_with("free_support")) return result;
  for (const char* key : {"output.euclidean_mean", "output.measures"}) {
    if (options.given(key) && result.any())
      options.reject(key, "clouds have no points in common", "leave it out, or take a method on grids");
  }
  return result;
}

void add_companions(const CompanionOptions& options, const ProcessGrid& processes, const OwnedRows& rows,
                    const RawMeasures& raw, const std::vector<std::vector<Real>>& weights,
                    const std::vector<Real>& lambda, Companions& companions) {
  const Communicator& along_batches = processes.along_batches();
  const Index wanted = std::min(options.measures, static_cast<Index>(raw.names.size()));
  for (Index k = static_cast<Index>(companions.measures.size()); k < wanted; ++k) {
    std::vector<Real> alone(weights.size(), 0.0);
    if (k >= raw.owned.begin && k < raw.owned.end) alone[k - raw.owned.begin] = 1.0;
    companions.measures.push_back(euclidean_mean(rows, along_batches, alone, weights));
  }
  if (options.mean) companions.means.push_back(euclidean_mean(rows, along_batches, lambda, weights));
}

}  // namespace hpot
