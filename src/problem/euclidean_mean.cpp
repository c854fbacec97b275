#include "hpot/problem/euclidean_mean.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/orderless_sum.hpp"

namespace hpot {

Field euclidean_mean(const OwnedRows& rows, const Communicator& along_batches, const std::vector<Real>& lambda,
                     const std::vector<std::vector<Real>>& measures) {
  const Field mean = make_field("hpot::euclidean_mean", 1, rows.local_n());
  OrderlessSum sum(1, rows.local_n());
  for (std::size_t k = 0; k < measures.size(); ++k) {
    if (lambda[k] == 0.0) continue;
    set_entry(mean, 0, owned_values(measures[k], rows));
    combine(lambda[k], mean, 0.0, mean);
    sum.add(mean);
  }
  sum.total(along_batches, mean);
  return mean;
}

}  // namespace hpot
