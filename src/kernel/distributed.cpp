#include "hpot/kernel/distributed.hpp"

namespace hpot {
namespace {

using Buffer = Kokkos::View<Real*, MemorySpace>;

class DistributedOperator final : public KernelOperator {
 public:
  DistributedOperator(std::unique_ptr<KernelOperator> local, const Communicator& along_rows, const Partition& source,
                      const Partition& target)
      : local_(std::move(local)), along_rows_(along_rows), source_(source), target_(target) {}

  void prepare(Real epsilon) override { local_->prepare(epsilon); }
  void set_precision(Precision precision) override { local_->set_precision(precision); }

  [[nodiscard]] Real softmin_excess() const override { return local_->softmin_excess(); }
  [[nodiscard]] KnownCosts known_costs() const override { return local_->known_costs(); }

  void softmin(Side side, const ConstField& h, const Field& s) const override {
    local_->softmin_spoiling(side, gathered(opposite(side), h, buffer_), s);
  }
  [[nodiscard]] bool sweep(const SweepTerms& terms, const Field& f, const Field& s) const override {
    return local_->has_sweep() && local_->sweep(gathered_terms(terms, along_rows_, target_), f, s);
  }
  [[nodiscard]] bool has_sweep() const override { return local_->has_sweep(); }
  void average(Side side, const ConstField& h, const ConstField& v, const Field& mean) const override {
    const Side other = opposite(side);
    local_->average(side, gathered(other, h, buffer_), gathered(other, v, values_buffer_), mean);
  }
  [[nodiscard]] std::unique_ptr<FixedAverage> fix_average(Side side, const ConstField& h) const override {
    const Side other = opposite(side);
    auto local = local_->fix_average(side, gathered(other, h, buffer_));
    if (along_rows_.max(local == nullptr ? 1.0 : 0.0) > 0.0) return nullptr;
    return std::make_unique<GatheredAverage>(*this, other, std::move(local));
  }
  void average_cost(Side side, const ConstField& h, const Field& mean) const override {
    local_->average_cost(side, gathered(opposite(side), h, buffer_), mean);
  }
  void hard_min(Side side, const ConstField& h, const Field& m) const override {
    local_->hard_min(side, gathered(opposite(side), h, buffer_), m);
  }
  void hard_max(Side side, const ConstField& h, const Field& m) const override {
    local_->hard_max(side, gathered(opposite(side), h, buffer_), m);
  }

 private:
  /// All points of `side`, in a buffer that both sides share.
  [[nodiscard]] Field gathered(Side side, const ConstField& local, Buffer& buffer) const {
    const Partition& partition = side == Side::source ? source_ : target_;
    const std::size_t size = local.extent(0) * static_cast<std::size_t>(partition.global_n());
    if (buffer.size() < size) {
      buffer = {};  // before the larger one is made
      buffer = Buffer(Kokkos::view_alloc("hpot::DistributedOperator::gathered", Kokkos::WithoutInitializing), size);
    }
    const Field full(buffer.data(), local.extent(0), partition.global_n());
    along_rows_.gather_points(local, full, partition.offsets());
    return full;
  }

  class GatheredAverage final : public FixedAverage {
   public:
    GatheredAverage(const DistributedOperator& op, Side inputs, std::unique_ptr<FixedAverage> local)
        : op_(op), inputs_(inputs), local_(std::move(local)) {}
    void apply(const ConstField& v, const Field& mean) const override {
      local_->apply(op_.gathered(inputs_, v, op_.values_buffer_), mean);
    }

   private:
    const DistributedOperator& op_;
    Side inputs_;
    std::unique_ptr<FixedAverage> local_;
  };

  std::unique_ptr<KernelOperator> local_;
  Communicator along_rows_;
  Partition source_;
  Partition target_;
  mutable Buffer buffer_;
  mutable Buffer values_buffer_;  // of average
};

}  // namespace

SweepTerms gathered_terms(const SweepTerms& terms, const Communicator& along_rows, const Partition& target) {
  if (along_rows.size() == 1 || terms.g.extent(0) != 1) return terms;
  const auto row = [](const Field& field, int k) {
    return Field(Kokkos::subview(field, std::make_pair(k, k + 1), Kokkos::ALL));
  };
  const Field local("hpot::gathered_terms::local", 2, terms.g.extent(1));
  const Field all("hpot::gathered_terms", 2, target.global_n());
  Kokkos::deep_copy(row(local, 0), terms.log_b);
  Kokkos::deep_copy(row(local, 1), terms.g);
  along_rows.gather_points(local, all, target.offsets());
  return {terms.log_a, terms.penalty, row(all, 0), row(all, 1)};
}

std::unique_ptr<KernelOperator> make_distributed_operator(std::unique_ptr<KernelOperator> local,
                                                          const Communicator& along_rows, const Partition& source,
                                                          const Partition& target) {
  if (along_rows.size() == 1) return local;
  return std::make_unique<DistributedOperator>(std::move(local), along_rows, source, target);
}

}  // namespace hpot
