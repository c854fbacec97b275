// All collectives of HPOT. Every member that is not marked local is collective over the communicator.
// Reductions of fields go through host buffers unless set_gpu_aware(true) was called and the memory is a device's.
#pragma once

#include "hpot/core/types.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hpot {

class Partition;

/// What this process has handed to MPI to send in reductions, gathers and messages over communicators of several ranks:
/// calls and bytes of its own part. Broadcasts and agreements on errors, which no sweep makes, do not count.
struct Traffic {
  Index calls = 0;
  Index bytes = 0;
};

class Communicator {
 public:
  /// All ranks of the job. Local. MPI must be running (see session.hpp).
  static Communicator world();
  /// This rank alone. Local.
  static Communicator self();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

  /// Ranks of equal colour form a communicator, in the order of their ranks here.
  [[nodiscard]] Communicator split(int colour) const;

  void barrier() const;

  /// field <- sum over ranks, in place, one reduction for the whole field. Contiguous fields only.
  void sum(const Field& field) const;
  void sum(std::vector<Real>& values) const;
  [[nodiscard]] Real sum(Real value) const;
  /// The same, of `count` integers: exact, in any order.
  void sum(Index* values, std::size_t count) const;
  [[nodiscard]] Real max(Real value) const;
  void max(std::vector<Real>& values) const;
  [[nodiscard]] bool any(bool value) const;

  /// full(:, offsets[r] .. offsets[r+1]) <- rank r's local, for every batch entry. offsets has size() + 1 entries.
  void gather_points(const ConstField& local, const Field& full, const std::vector<Index>& offsets) const;

  /// Blocks of one array, one for every rank; starts and counts in some unit of values.
  struct Blocks {
    std::vector<int> starts, counts;
    void add(Index start, Index count);
  };

  /// Values on their way between ranks. Until finish(), or the end of this, what is sent may not change and what is received
  /// has no values yet. Both are local: they wait for what other ranks have begun to send.
  class Exchange {
   public:
    Exchange();  // of nothing
    Exchange(Exchange&& other) noexcept;
    Exchange& operator=(Exchange&& other) noexcept;
    ~Exchange();
    void finish();

   private:
    friend class Communicator;
    struct State;
    explicit Exchange(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };

  /// Sends block r of `send` to rank r, which finds it in its `receive` as block (rank here): in values, there in `unit` values
  /// each. Both in Kokkos' memory space; what lies outside of the blocks stays. Collective: several may be on their way, begun
  /// in one order on all ranks.
  [[nodiscard]] Exchange begin_exchange(const Real* send, Blocks out, Real* receive, Blocks in, Index unit = 1) const;

  /// mine[t] is item t, `width` values, of those that this rank has by `items`; the result the items [wanted(rank)), by whatever
  /// rank they are had. `wanted` is the same on all ranks. Collective.
  [[nodiscard]] std::vector<Real> take_items(const Partition& items, Index width, const std::vector<Real>& mine,
                                             const std::function<Range(int rank)>& wanted) const;

  /// On `root` the concatenation by rank of all `local`, elsewhere empty.
  [[nodiscard]] std::vector<Real> gather(const std::vector<Real>& local, int root = 0) const;

  /// On rank 0 `take(r, values of rank r)` for every rank r in turn: no more than one rank's values are there at once.
  void to_root(std::vector<Real> mine, const std::function<void(int rank, std::vector<Real>& values)>& take) const;
  /// Every rank r gets what rank 0 makes by `give(r)`, one after the other. `give` must not throw.
  [[nodiscard]] std::vector<Real> from_root(const std::function<std::vector<Real>(int rank)>& give) const;

  void broadcast(std::string& bytes, int root = 0) const;
  void broadcast(std::vector<std::string>& texts, int root = 0) const;
  void broadcast(std::vector<Real>& values, int root = 0) const;

  /// Runs `work` on every rank; when it throws InputError on any rank, throws that of the lowest such rank on all.
  /// `work` itself must not communicate.
  void agree(const std::function<void()>& work) const;

  /// Since the program began. Local.
  [[nodiscard]] static Traffic traffic();

  /// The MPI_Comm, for io's HDF5 file. Local.
  [[nodiscard]] const void* handle() const;

 private:
  struct Handle;
  explicit Communicator(std::shared_ptr<Handle> handle);
  std::shared_ptr<Handle> handle_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace hpot
