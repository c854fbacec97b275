#include "hpot/kernel/balanced.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {
namespace {

constexpr Real worth_it = 0.9;       // of the largest share of pairs
constexpr Index times_measured = 2;  // at an eps: the first softmin may be of potentials that are not from here
constexpr Index even_shares = 2;     // of rows, that a rank takes at most
constexpr Index fewest_blocks = 8;   // of an even share: fewer can hardly be dealt better

Range common(Range a, Range b) {
  const Range both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
  return both.size() > 0 ? both : Range{a.begin, a.begin};
}

class BalancedOperator final : public KernelOperator {
 public:
  BalancedOperator(std::unique_ptr<TruncatedKernel> local, const Communicator& along_rows, const Partition& source,
                   const Partition& target)
      : local_(std::move(local)),
        along_rows_(along_rows),
        source_{source, source.offsets()},
        target_{target, target.offsets()} {}

  void prepare(Real epsilon) override {
    local_->prepare(epsilon);
    epsilon_ = epsilon;
  }
  void set_precision(Precision precision) override { local_->set_precision(precision); }
  [[nodiscard]] Real softmin_excess() const override { return local_->softmin_excess(); }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    reduce(side, s, [&](const Field& out) { local_->softmin(side, h, out); });
    DealtRows& rows = rows_of(side);
    if (rows.epsilon != epsilon_) rows.measured = 0;
    rows.epsilon = epsilon_;
    if (rows.measured++ < times_measured) deal(side, rows);
  }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    reduce(side, mean, [&](const Field& out) { local_->average(side, h, v, out); });
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    reduce(side, mean, [&](const Field& out) { local_->average_cost(side, h, out); });
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    reduce(side, m, [&](const Field& out) { local_->hard_min(side, h, out); });
  }
  void hard_max(Side side, const ConstField& h, const Field& m) const override {
    reduce(side, m, [&](const Field& out) { local_->hard_max(side, h, out); });
  }

 private:
  struct DealtRows {
    Partition owned;
    std::vector<Index> offsets;  // of the rows that the ranks reduce
    Real epsilon = 0.0;          // at which they were dealt
    Index measured = 0;          // softmins at this eps

    [[nodiscard]] Range of(int rank) const { return {offsets[rank], offsets[rank + 1]}; }
  };

  [[nodiscard]] DealtRows& rows_of(Side side) const { return side == Side::source ? source_ : target_; }

  /// work(out) for the rows dealt here; `mine` gets those that are owned here.
  template <class Work>
  void reduce(Side side, const Field& mine, const Work& work) const {
    const DealtRows& rows = rows_of(side);
    if (rows.offsets == rows.owned.offsets()) {
      work(mine);
      return;
    }
    const int here = along_rows_.rank();
    const Range dealt = rows.of(here), owned = rows.owned.block(here);
    const Field out(Kokkos::view_alloc("hpot::BalancedOperator::rows", Kokkos::WithoutInitializing), mine.extent(0),
                    dealt.size());
    work(out);
    Communicator::Blocks given, taken;
    for (int r = 0; r < along_rows_.size(); ++r) {
      const Range to = common(dealt, rows.owned.block(r)), from = common(owned, rows.of(r));
      given.add(to.begin - dealt.begin, to.size());
      taken.add(from.begin - owned.begin, from.size());
    }
    for (std::size_t k = 0; k < mine.extent(0); ++k) {
      along_rows_.begin_exchange(out.data() + k * out.extent(1), given, mine.data() + k * mine.extent(1), taken)
          .finish();
    }
  }

  /// By what the last softmin visited.
  void deal(Side side, DealtRows& rows) const {
    const int ranks = along_rows_.size(), here = along_rows_.rank();
    const Index n = rows.owned.global_n();
    const auto block_at = [](Index row) { return (row + truncated_block - 1) / truncated_block; };
    const Index even = (block_at(n) + ranks - 1) / ranks;
    if (even < fewest_blocks) return;
    std::vector<Real> pairs(static_cast<std::size_t>(block_at(n)), 0.0);
    const std::vector<Real> visited = local_->visited_pairs(side);
    std::copy(visited.begin(), visited.end(), pairs.begin() + rows.of(here).begin / truncated_block);
    along_rows_.sum(pairs);  // whole numbers: exact
    const auto largest = [&](const std::vector<Index>& blocks) {
      Real most = 0.0;
      for (int r = 0; r < ranks; ++r)
        most = std::max(most, std::accumulate(pairs.begin() + blocks[r], pairs.begin() + blocks[r + 1], 0.0));
      return most;
    };
    std::vector<Index> owned;
    for (const Index offset : rows.owned.offsets()) owned.push_back(block_at(offset));
    std::vector<Index> offsets = deal_blocks(pairs, ranks, even_shares * even);
    const bool worth = largest(offsets) < worth_it * largest(owned);
    for (Index& offset : offsets) offset = std::min(offset * truncated_block, n);
    if (!worth) offsets = rows.owned.offsets();
    if (offsets == rows.offsets) return;
    rows.offsets = std::move(offsets);
    local_->set_rows(side, rows.of(here));
  }

  std::unique_ptr<TruncatedKernel> local_;
  Communicator along_rows_;
  mutable DealtRows source_, target_;
  Real epsilon_ = 1.0;
};

}  // namespace

std::vector<Index> deal_blocks(const std::vector<Real>& pairs, int ranks, Index most_blocks) {
  const auto blocks = static_cast<Index>(pairs.size());
  Real rest = std::accumulate(pairs.begin(), pairs.end(), 0.0);
  std::vector<Index> offsets{0};
  for (int r = 0; r < ranks; ++r) {
    const int after = ranks - 1 - r;
    const Index begin = offsets.back();
    const Index least = std::max(begin, blocks - after * most_blocks);  // others take no more
    const Index most = after == 0 ? blocks : std::min(blocks, begin + most_blocks);
    const Real share = rest / static_cast<Real>(after + 1);
    Real taken = 0.0;
    Index end = begin;
    while (end < least || (end < most && taken + 0.5 * pairs[end] <= share)) taken += pairs[end++];
    if (after == 0) end = blocks;
    offsets.push_back(end);
    rest -= taken;
  }
  return offsets;
}

std::unique_ptr<KernelOperator> make_balanced_operator(std::unique_ptr<TruncatedKernel> local,
                                                       const Communicator& along_rows, const Partition& source,
                                                       const Partition& target) {
  if (along_rows.size() == 1) return local;
  return std::make_unique<BalancedOperator>(std::move(local), along_rows, source, target);
}

}  // namespace hpot
