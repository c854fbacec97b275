#include "hpot/solver/dictionary_objective.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace hpot {
namespace {

/// Values of all atoms that a sweep along the axes of a grid takes some tenth of a second for: shorter ones look around only after so
/// many of them.
constexpr Index long_sweep = Index{1} << 18;
constexpr Index between_looks = Index{1} << 22;

/// What a sweep of an atom takes, in such values.
Index work_of_sweep(const KernelOptions& kernel, const Support& support) {
  constexpr Index pairs_of_value = 64;
  const Index n = support.points();
  return kernel.resolved_type(support) == "separable" ? n : n * (1 + n / pairs_of_value);
}

}  // namespace

DictionaryObjective::DictionaryObjective(const ProcessGrid& processes, const SweepSettings& settings,
                                         const Support& support, const Field& maps, Index atoms, Real epsilon,
                                         std::function<void()> look_around)
    : along_batches_(processes.along_batches()),
      rows_(own_rows(support, processes.along_rows())),
      atoms_(atoms),
      points_(support.points()),
      batch_(along_batches_, static_cast<Index>(maps.extent(0))),
      look_around_(std::move(look_around)),
      each_sweep_(atoms * work_of_sweep(settings.kernel, support) >= long_sweep),
      maps_between_looks_(settings.loss.starts_with("wasserstein")
                              ? 1
                              : std::max<Index>(1, between_looks / (atoms * work_of_sweep(settings.kernel, support) *
                                                                    settings.sweeps))),
      log_atoms_(make_field("hpot::DictionaryObjective::log_atoms", atoms, rows_.local_n())),
      slope_(make_field("hpot::DictionaryObjective::slope", atoms, rows_.local_n())),
      objective_(make_sweeps(settings, {{support, rows_, log_atoms_, epsilon, settings.places}}, Communicator::self(),
                             each_sweep_ ? look_around_ : nullptr),
                 nullptr),
      sum_(atoms, rows_.local_n()) {
  partition_ = Partition(batch_.count(), 1, along_batches_.size());
  const Reference q(objective_.sweeps().problem().log_reference, points_);
  for (Index n = 0; n < batch_.range().size(); ++n)
    losses_.push_back(make_map_loss(settings.loss_at(epsilon), support, rows_, q, entries(maps, n, 1)));
}

void DictionaryObjective::set_atoms(const std::vector<Real>& point) {
  for (Index k = 0; k < atoms_; ++k) {
    const auto atom = point.begin() + k * points_;
    set_entry(log_atoms_, k, {atom + rows_.range().begin, atom + rows_.range().end});
  }
  take_log(log_atoms_);
}

std::vector<Real> DictionaryObjective::weights(const std::vector<Real>& point, Index map) const {
  const auto first = point.begin() + atoms_ * points_ + map * atoms_;
  return {first, first + atoms_};
}

std::vector<Real> DictionaryObjective::whole(const ConstField& owned) const {
  const Field all = make_unset_field("hpot::DictionaryObjective::whole", static_cast<Index>(owned.extent(0)), points_);
  rows_.along_rows.gather_points(owned, all, rows_.partition.offsets());
  return host_values(all);
}

void DictionaryObjective::for_maps(const std::vector<Index>& maps, Index looks,
                                   const std::function<void(Index map)>& work) {
  std::vector<Index> share(static_cast<std::size_t>(along_batches_.size()), 0);  // of every group of ranks
  std::vector<Index> mine;
  for (const Index n : maps) {
    const auto& offsets = partition_.offsets();
    ++share[static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), n) - offsets.begin() - 1)];
    if (n >= batch_.range().begin && n < batch_.range().end) mine.push_back(n);
  }
  const Index most = *std::max_element(share.begin(), share.end());
  for (Index turn = 0; turn < most; ++turn) {
    const bool busy = turn < static_cast<Index>(mine.size());
    if (!each_sweep_ && turn % maps_between_looks_ == 0) look_around_();
    for (Index look = 0; each_sweep_ && !busy && look < looks; ++look) look_around_();  // as those do who are busy
    if (!busy) continue;
    const Index n = mine[static_cast<std::size_t>(turn)];
    objective_.set_loss(losses_[static_cast<std::size_t>(n - batch_.range().begin)]);
    work(n);
  }
}

Real DictionaryObjective::evaluate(const std::vector<Real>& point, const std::vector<Index>& maps,
                                   std::vector<Real>& slope) {
  set_atoms(point);
  sum_.clear();
  std::vector<Real> of_maps(static_cast<std::size_t>(batch_.count() * (1 + atoms_)), 0.0);  // losses, then gradients
  for_maps(maps, sweeps() + objective_.sweeps().states() - 1, [&](Index n) {
    std::vector<Real> gradient;
    of_maps[n] = objective_.evaluate(weights(point, n), gradient, slope_);
    std::copy(gradient.begin(), gradient.end(), of_maps.begin() + batch_.count() + n * atoms_);
    sum_.add(slope_);
  });
  sum_.total(along_batches_, slope_);
  along_batches_.sum(of_maps);  // an entry has one owner: zeros are added, no rounding
  slope = whole(slope_);
  slope.insert(slope.end(), of_maps.begin() + batch_.count(), of_maps.end());
  const Real share = 1.0 / static_cast<Real>(maps.size());
  for (Real& s : slope) s *= share;
  return share * std::accumulate(of_maps.begin(), of_maps.begin() + batch_.count(), 0.0);
}

std::vector<Real> DictionaryObjective::losses(const std::vector<Real>& point) {
  set_atoms(point);
  std::vector<Real> of_maps(static_cast<std::size_t>(batch_.count()), 0.0);
  std::vector<Index> all(of_maps.size());
  std::iota(all.begin(), all.end(), 0);
  for_maps(all, objective_.sweeps().states(), [&](Index n) { of_maps[n] = objective_.value(weights(point, n)); });
  along_batches_.sum(of_maps);
  return of_maps;
}

}  // namespace hpot
