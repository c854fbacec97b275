#include "hpot/core/communicator.hpp"

#include "windows.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/partition.hpp"

#include <mpi.h>
#include <Kokkos_Profiling_ScopedRegion.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace hpot {

struct Communicator::Handle {
  MPI_Comm comm = MPI_COMM_WORLD;
  bool owned = false;
  ~Handle() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (owned && finalized == 0) MPI_Comm_free(&comm);
  }
};

namespace {

Traffic sent;

/// One call that sends `count` values of `size` bytes to others.
void count_call(MPI_Comm comm, std::size_t count, std::size_t size) {
  int ranks = 1;
  MPI_Comm_size(comm, &ranks);
  if (ranks == 1) return;
  ++sent.calls;
  sent.bytes += static_cast<Index>(count * size);
}

/// In place. Every reduction of HPOT is this one.
void all_reduce(MPI_Comm comm, void* data, int count, MPI_Datatype type, std::size_t size, MPI_Op op) {
  const Kokkos::Profiling::ScopedRegion region("hpot: reduction over ranks");
  count_call(comm, count, size);
  MPI_Allreduce(MPI_IN_PLACE, data, count, type, op, comm);
}

template <class Call>
void in_chunks(std::size_t count, Call call) {
  constexpr std::size_t chunk = values_of_a_call;  // counts of MPI 3 are int
  for (std::size_t begin = 0; begin < count; begin += chunk) {
    call(begin, static_cast<int>(std::min(chunk, count - begin)));
  }
}

void broadcast_bytes(MPI_Comm comm, void* data, std::size_t count, int root) {
  in_chunks(count,
            [&](std::size_t begin, int n) { MPI_Bcast(static_cast<char*>(data) + begin, n, MPI_BYTE, root, comm); });
}

void sum_in_place(MPI_Comm comm, Real* data, std::size_t count) {
  in_chunks(count,
            [&](std::size_t begin, int n) { all_reduce(comm, data + begin, n, MPI_DOUBLE, sizeof(Real), MPI_SUM); });
}

}  // namespace

Communicator::Communicator(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {
  MPI_Comm_rank(handle_->comm, &rank_);
  MPI_Comm_size(handle_->comm, &size_);
}

Communicator Communicator::world() { return Communicator(std::make_shared<Handle>()); }

Communicator Communicator::self() {
  auto alone = std::make_shared<Handle>();
  alone->comm = MPI_COMM_SELF;
  return Communicator(std::move(alone));
}

Communicator Communicator::split(int colour) const {
  auto part = std::make_shared<Handle>();
  MPI_Comm_split(handle_->comm, colour, rank_, &part->comm);
  part->owned = true;
  return Communicator(std::move(part));
}

Traffic Communicator::traffic() { return sent; }

const void* Communicator::handle() const { return &handle_->comm; }

void Communicator::barrier() const { MPI_Barrier(handle_->comm); }

void Communicator::sum(const Field& field) const {
  if (size_ == 1 || field.size() == 0) return;
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, field);
  sum_in_place(handle_->comm, host.data(), host.size());
  Kokkos::deep_copy(field, host);
}

void Communicator::sum(std::vector<Real>& values) const {
  if (size_ > 1) sum_in_place(handle_->comm, values.data(), values.size());
}

Real Communicator::sum(Real value) const {
  all_reduce(handle_->comm, &value, 1, MPI_DOUBLE, sizeof value, MPI_SUM);
  return value;
}

void Communicator::sum(Index* values, std::size_t count) const {
  constexpr std::size_t at_once = std::size_t{1} << 19;  // MPI takes another copy
  for (std::size_t begin = 0; size_ > 1 && begin < count; begin += at_once) {
    const int n = static_cast<int>(std::min(at_once, count - begin));
    all_reduce(handle_->comm, values + begin, n, MPI_INT64_T, sizeof(Index), MPI_SUM);
  }
}

Real Communicator::max(Real value) const {
  all_reduce(handle_->comm, &value, 1, MPI_DOUBLE, sizeof value, MPI_MAX);
  return value;
}

void Communicator::max(std::vector<Real>& values) const {
  in_chunks(values.size(), [&](std::size_t begin, int n) {
    all_reduce(handle_->comm, values.data() + begin, n, MPI_DOUBLE, sizeof(Real), MPI_MAX);
  });
}

bool Communicator::any(bool value) const { return max(value ? 1.0 : 0.0) > 0.0; }

void Communicator::gather_points(const ConstField& local, const Field& full, const std::vector<Index>& offsets) const {
  const Kokkos::Profiling::ScopedRegion region("hpot: gather over ranks");
  const auto local_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, local);
  const auto full_host = Kokkos::create_mirror_view(Kokkos::HostSpace{}, full);
  for (std::size_t k = 0; k < full.extent(0); ++k) {
    const Real* const mine = local_host.data() + k * local_host.extent(1);
    Real* const all = full_host.data() + k * full_host.extent(1);
    in_windows(offsets, rank_, values_of_a_call, [&](Index from, Index to, const auto& counts, const auto& starts) {
      count_call(handle_->comm, counts[rank_], sizeof(Real));
      MPI_Allgatherv(mine + from, counts[rank_], MPI_DOUBLE, all + to, counts.data(), starts.data(), MPI_DOUBLE,
                     handle_->comm);
    });
  }
  Kokkos::deep_copy(full, full_host);
}

void Communicator::Blocks::add(Index start, Index count) {
  constexpr Index most = std::numeric_limits<int>::max();  // of MPI 3
  if (start > most || count > most) throw std::logic_error("Communicator::exchange: a block is too large");
  starts.push_back(static_cast<int>(start));
  counts.push_back(static_cast<int>(count));
}

struct Communicator::Exchange::State {
  State(MPI_Comm comm, Blocks sent_blocks, Index out_unit, Blocks received_blocks, Index in_unit)
      : out(std::move(sent_blocks)),
        in(std::move(received_blocks)),
        out_run(run_of(out_unit)),
        in_run(run_of(in_unit)) {
    const auto runs = std::accumulate(out.counts.begin(), out.counts.end(), std::size_t{0});
    count_call(comm, runs, static_cast<std::size_t>(out_unit) * sizeof(Real));
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    wait();
    MPI_Type_free(&out_run);
    MPI_Type_free(&in_run);
  }

  static MPI_Datatype run_of(Index unit) {
    MPI_Datatype run = MPI_DATATYPE_NULL;
    MPI_Type_contiguous(static_cast<int>(unit), MPI_DOUBLE, &run);
    MPI_Type_commit(&run);
    return run;
  }
  /// Not the blocking call, which may go through all ranks one by one, empty blocks too.
  void post(MPI_Comm comm, const Real* send, Real* receive) {
    MPI_Ialltoallv(send, out.counts.data(), out.starts.data(), out_run, receive, in.counts.data(), in.starts.data(),
                   in_run, comm, &request);
  }
  void wait() { MPI_Wait(&request, MPI_STATUS_IGNORE); }

  Blocks out, in;
  MPI_Datatype out_run, in_run;
  MPI_Request request = MPI_REQUEST_NULL;
  // of values in Kokkos' memory space: where they are received, and both on the host
  Kokkos::View<Real*, MemorySpace> taken;
  Kokkos::View<const Real*, Kokkos::HostSpace> given_host;
  Kokkos::View<Real*, Kokkos::HostSpace> taken_host;
};

Communicator::Exchange::Exchange() = default;
Communicator::Exchange::Exchange(std::unique_ptr<State> state) : state_(std::move(state)) {}
Communicator::Exchange::Exchange(Exchange&& other) noexcept = default;
Communicator::Exchange& Communicator::Exchange::operator=(Exchange&& other) noexcept = default;
Communicator::Exchange::~Exchange() = default;

void Communicator::Exchange::finish() {
  if (state_ == nullptr) return;
  const Kokkos::Profiling::ScopedRegion region("hpot: exchange between ranks");
  state_->wait();
  Kokkos::deep_copy(state_->taken, state_->taken_host);
  state_.reset();
}

Communicator::Exchange Communicator::begin_exchange(const Real* send, Blocks out, Real* receive, Blocks in,
                                                    Index unit) const {
  const Kokkos::Profiling::ScopedRegion region("hpot: exchange between ranks");
  const auto end_of = [](const Blocks& blocks) {
    std::size_t end = 0;
    for (std::size_t r = 0; r < blocks.counts.size(); ++r) {
      if (blocks.counts[r] > 0) end = std::max(end, static_cast<std::size_t>(blocks.starts[r]) + blocks.counts[r]);
    }
    return end;
  };
  const Kokkos::View<const Real*, MemorySpace> given(send, end_of(out));
  const Kokkos::View<Real*, MemorySpace> taken(receive, end_of(in) * static_cast<std::size_t>(unit));
  auto state = std::make_unique<Exchange::State>(handle_->comm, std::move(out), 1, std::move(in), unit);
  state->taken = taken;
  state->given_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, given);
  state->taken_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, taken);
  state->post(handle_->comm, state->given_host.data(), state->taken_host.data());
  return Exchange(std::move(state));
}

std::vector<Real> Communicator::take_items(const Partition& items, Index width, const std::vector<Real>& mine,
                                           const std::function<Range(int rank)>& wanted) const {
  const auto common = [](Range a, Range b) {
    const Range both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
    return both.size() > 0 ? both : Range{a.begin, a.begin};
  };
  const Range had = items.block(rank_);
  const Range here = wanted(rank_);
  Blocks out, in;
  for (int r = 0; r < size_; ++r) {
    const Range given = common(had, wanted(r));
    const Range taken = common(here, items.block(r));
    out.add(given.begin - had.begin, given.size());
    in.add(taken.begin - here.begin, taken.size());
  }
  std::vector<Real> result(static_cast<std::size_t>(here.size() * width));
  Exchange::State state(handle_->comm, std::move(out), width, std::move(in), width);
  state.post(handle_->comm, mine.data(), result.data());
  state.wait();
  return result;
}

std::vector<Real> Communicator::gather(const std::vector<Real>& local, int root) const {
  const auto count = static_cast<Index>(local.size());
  std::vector<Index> offsets(size_ + 1, 0);
  MPI_Allgather(&count, 1, MPI_INT64_T, offsets.data() + 1, 1, MPI_INT64_T, handle_->comm);
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<Real> all;
  if (rank_ == root) all.resize(static_cast<std::size_t>(offsets.back()));
  in_windows(offsets, rank_, values_of_a_call, [&](Index from, Index to, const auto& counts, const auto& starts) {
    MPI_Gatherv(local.data() + from, counts[rank_], MPI_DOUBLE, rank_ == root ? all.data() + to : nullptr,
                counts.data(), starts.data(), MPI_DOUBLE, root, handle_->comm);
  });
  return all;
}

void Communicator::to_root(std::vector<Real> mine,
                           const std::function<void(int rank, std::vector<Real>& values)>& take) const {
  constexpr int tag = 1;
  std::uint64_t count = mine.size();
  if (rank_ == 0) take(0, mine);
  if (rank_ != 0) {
    MPI_Send(&count, 1, MPI_UINT64_T, 0, tag, handle_->comm);
    in_chunks(count,
              [&](std::size_t begin, int n) { MPI_Send(mine.data() + begin, n, MPI_DOUBLE, 0, tag, handle_->comm); });
    return;
  }
  for (int r = 1; r < size_; ++r) {
    MPI_Recv(&count, 1, MPI_UINT64_T, r, tag, handle_->comm, MPI_STATUS_IGNORE);
    std::vector<Real> values(count);
    in_chunks(count, [&](std::size_t begin, int n) {
      MPI_Recv(values.data() + begin, n, MPI_DOUBLE, r, tag, handle_->comm, MPI_STATUS_IGNORE);
    });
    take(r, values);
  }
}

std::vector<Real> Communicator::from_root(const std::function<std::vector<Real>(int rank)>& give) const {
  constexpr int tag = 2;
  std::uint64_t count = 0;
  std::vector<Real> mine;
  if (rank_ == 0) mine = give(0);
  for (int r = 1; rank_ == 0 && r < size_; ++r) {
    const std::vector<Real> values = give(r);
    count = values.size();
    MPI_Send(&count, 1, MPI_UINT64_T, r, tag, handle_->comm);
    in_chunks(count,
              [&](std::size_t begin, int n) { MPI_Send(values.data() + begin, n, MPI_DOUBLE, r, tag, handle_->comm); });
  }
  if (rank_ == 0) return mine;
  MPI_Recv(&count, 1, MPI_UINT64_T, 0, tag, handle_->comm, MPI_STATUS_IGNORE);
  mine.resize(count);
  in_chunks(count, [&](std::size_t begin, int n) {
    MPI_Recv(mine.data() + begin, n, MPI_DOUBLE, 0, tag, handle_->comm, MPI_STATUS_IGNORE);
  });
  return mine;
}

void Communicator::broadcast(std::string& bytes, int root) const {
  std::uint64_t count = bytes.size();
  MPI_Bcast(&count, 1, MPI_UINT64_T, root, handle_->comm);
  bytes.resize(count);
  broadcast_bytes(handle_->comm, bytes.data(), count, root);
}

void Communicator::broadcast(std::vector<std::string>& texts, int root) const {
  std::string joined;
  for (const std::string& text : texts) joined += text + '\0';
  broadcast(joined, root);
  texts.clear();
  for (std::size_t begin = 0; begin < joined.size();) {
    const std::size_t end = joined.find('\0', begin);
    texts.push_back(joined.substr(begin, end - begin));
    begin = end + 1;
  }
}

void Communicator::broadcast(std::vector<Real>& values, int root) const {
  std::uint64_t count = values.size();
  MPI_Bcast(&count, 1, MPI_UINT64_T, root, handle_->comm);
  values.resize(count);
  broadcast_bytes(handle_->comm, values.data(), count * sizeof(Real), root);
}

void Communicator::agree(const std::function<void()>& work) const {
  std::string message;
  int failed = size_;
  try {
    work();
  } catch (const InputError& error) {
    message = error.what();
    failed = rank_;
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    message = out_of_memory_text(rank_);
    failed = rank_;
  }
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MIN, handle_->comm);
  if (failed == size_) return;
  broadcast(message, failed);
  throw InputError(message);
}

}  // namespace hpot
