#include "hpot/core/parallel_options.hpp"

namespace hpot {
namespace {

constexpr int most_ranks = 1 << 20;

int number_or_auto(const Options& options, const std::string& key) {
  return options.text(key) == "auto" ? 0 : static_cast<int>(options.integer(key));
}

}  // namespace

std::vector<OptionKey> ParallelOptions::keys() {
  const auto check = check::word_or({"auto"}, check::integer(1, most_ranks));
  return {
      {"parallel.rows", "auto", "ranks that share the rows of each kernel; rows * batches = number of ranks", check},
      {"parallel.batches", "auto", "groups of ranks that the measures are divided over", check},
  };
}

ParallelOptions ParallelOptions::from(const Options& options) {
  return {number_or_auto(options, "parallel.rows"), number_or_auto(options, "parallel.batches")};
}

ProcessGridShape ParallelOptions::shape(int ranks, Index batch) const {
  if (rows == 0 && batches == 0) return choose_process_grid(ranks, most_ranks, batch);
  ProcessGridShape shape{rows, batches};
  if (rows == 0) shape.rows = ranks / batches;
  if (batches == 0) shape.batches = ranks / rows;
  return shape;
}

}  // namespace hpot
