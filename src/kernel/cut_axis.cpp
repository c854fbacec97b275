#include "cut_axis.hpp"

#include "hpot/kernel/lanes.hpp"

#include <algorithm>

namespace hpot {
namespace {

using Buffer = CutAxis::Buffer;
using Indices = Kokkos::View<Index*, MemorySpace>;

constexpr Index tile = 8;
static_assert(tile % lanes::width == 0, "a tile of lines must not be divided over ranks");

Indices on_device(const std::vector<Index>& values) {
  const Indices view("hpot::CutAxis::offsets", values.size());
  const auto host = Kokkos::create_mirror_view(view);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(view, host);
  return view;
}

void reserve(Buffer& buffer, Index values) {
  if (static_cast<Index>(buffer.size()) >= values) return;
  buffer = {};  // before the larger one is made
  buffer = Buffer(Kokkos::view_alloc("hpot::CutAxis::lines", Kokkos::WithoutInitializing), values);
}

using Team = Kokkos::TeamPolicy<ExecutionSpace>;
constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemorySpace>::accessible;
constexpr int team_size = on_host ? 1 : 128;

/// Of the first rank, which has most.
Index most_lines(Index lines, int ranks) { return Partition(lines, tile, ranks).block(0).size(); }

/// Lines [first_line(r) + begin, at most at_once) of (plane, line) to (rank r, plane, line).
void pack_by_lines(const Real* from, Index planes, Index lines, const Indices& first_line, Index begin, Index at_once,
                   Real* to) {
  const Index ranks = static_cast<Index>(first_line.size()) - 1;
  Kokkos::parallel_for(
      "hpot::CutAxis::pack_by_lines", Team(static_cast<int>(planes * ranks), team_size),
      KOKKOS_LAMBDA(const Team::member_type& team) {
        const Index z = team.league_rank() / ranks;
        const Index r = team.league_rank() % ranks;
        const Index first = first_line(r) + begin;
        const Index count = Kokkos::min(at_once, first_line(r + 1) - first);
        const Real* line = from + z * lines + first;
        Real* packed = to + r * planes * at_once + z * count;
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, Index{0}, count), [&](Index l) { packed[l] = line[l]; });
      });
}

/// (line, plane) to (rank, line, its plane); first and size: of the block that a plane is in.
void pack_by_planes(const Real* from, Index lines, const Indices& first, const Indices& size, Real* to) {
  const Index planes = static_cast<Index>(first.size());
  Kokkos::parallel_for(
      "hpot::CutAxis::pack_by_planes", Team(static_cast<int>(lines), team_size),
      KOKKOS_LAMBDA(const Team::member_type& team) {
        const Index l = team.league_rank();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, Index{0}, planes), [&](Index z) {
          to[first(z) * lines + l * size(z) + (z - first(z))] = from[l * planes + z];
        });
      });
}

}  // namespace

/// Lines [begin, begin + at_once) of every rank's.
struct CutAxis::Part {
  Index begin = 0;
  std::vector<int> lines;  // of every rank
  int mine = 0;            // of this one
};

CutAxis::CutAxis(const Communicator& along_rows, const Partition& planes_in, const Partition& planes_out, Index lines,
                 Index at_once)
    : along_rows_(along_rows),
      in_(planes_in),
      out_(planes_out),
      lines_(lines, tile, along_rows.size()),
      at_once_(lines_at_once(lines, along_rows.size(), std::max(in_.global_n(), out_.global_n()), at_once)) {
  first_line_ = on_device(lines_.offsets());
  std::vector<Index> first, size;
  for (int r = 0; r < along_rows.size(); ++r) {
    const Range planes = out_.block(r);
    first.insert(first.end(), planes.size(), planes.begin);
    size.insert(size.end(), planes.size(), planes.size());
  }
  block_first_ = on_device(first);
  block_size_ = on_device(size);
}

Index CutAxis::lines_at_once(Index lines, int ranks, Index longest, Index at_once) {
  const Index most = most_lines(lines, ranks);
  return std::clamp<Index>(at_once / longest / tile * tile, tile, std::max(tile, most));
}

Real CutAxis::buffered_values(Index lines, const Partition& planes_of_ranks, int ranks, int arrays_in, int arrays_out,
                              Index values) {
  const Index planes = planes_of_ranks.global_n();
  const Index at_once = lines_at_once(lines, ranks, planes, values);
  const Index packed = planes_of_ranks.block(0).size() * ranks;
  const Index in = packed + (most_lines(lines, ranks) > at_once ? 2 : 1) * planes;
  const Index out = 2 * planes;
  return static_cast<Real>(at_once * (arrays_in * in + arrays_out * out));
}

CutAxis::Part CutAxis::part_from(Index begin) const {
  Part part;
  part.begin = begin;
  for (int r = 0; r < along_rows_.size(); ++r)
    part.lines.push_back(static_cast<int>(std::clamp<Index>(lines_.block(r).size() - begin, 0, at_once_)));
  part.mine = part.lines[along_rows_.rank()];
  return part;
}

CutAxis::Exchange CutAxis::bring(const Real* from, const Part& part, const Buffer& packed, const Buffer& whole) const {
  const Index planes = planes_in();
  pack_by_lines(from, planes, lines_.global_n(), first_line_, part.begin, at_once_, packed.data());
  Communicator::Blocks out, in;
  for (int r = 0; r < along_rows_.size(); ++r) {
    out.add(r * planes * at_once_, planes * part.lines[r]);
    in.add(in_.block(r).begin * part.mine, in_.block(r).size() * part.mine);
  }
  return along_rows_.begin_exchange(packed.data(), std::move(out), whole.data(), std::move(in));
}

CutAxis::Exchange CutAxis::take_back(const Buffer& whole, const Part& part, const Buffer& packed, Real* to) const {
  pack_by_planes(whole.data(), part.mine, block_first_, block_size_, packed.data());
  const Range planes = out_.block(along_rows_.rank());
  Communicator::Blocks out, in;
  for (int r = 0; r < along_rows_.size(); ++r) {
    out.add(out_.block(r).begin * part.mine, out_.block(r).size() * part.mine);
    in.add(lines_.block(r).begin + part.begin, planes.size() > 0 ? part.lines[r] : 0);
  }
  return along_rows_.begin_exchange(packed.data(), std::move(out), to, std::move(in),
                                    std::max<Index>(1, planes.size()));
}

void CutAxis::for_lines(std::initializer_list<const Real*> from, std::initializer_list<Real*> to, Buffers& buffers,
                        const std::function<void(const Lines&)>& run) const {
  const Index ends = std::max(in_.global_n(), out_.global_n());
  const Index end = lines_.block(0).size();  // the first rank has most
  for (std::size_t a = 0; a < from.size(); ++a) {
    reserve(buffers.packed_in[a], along_rows_.size() * planes_in() * at_once_);
    reserve(buffers.in[a], ends * at_once_);
    if (end > at_once_) reserve(buffers.next_in[a], ends * at_once_);
  }
  for (std::size_t a = 0; a < to.size(); ++a) {
    reserve(buffers.packed_out[a], out_.global_n() * at_once_);
    reserve(buffers.out[a], ends * at_once_);
  }
  std::array<Exchange, 2> coming, going;
  const auto bring_all = [&](const Part& part, const std::array<Buffer, 2>& whole) {
    for (std::size_t a = 0; a < from.size(); ++a)
      coming[a] = bring(from.begin()[a], part, buffers.packed_in[a], whole[a]);
  };
  Part part = part_from(0);
  if (end > 0) bring_all(part, buffers.in);
  while (part.begin < end) {
    for (Exchange& exchange : coming) exchange.finish();
    const Part next = part_from(part.begin + at_once_);
    if (next.begin < end) bring_all(next, buffers.next_in);
    if (part.mine > 0)
      run({part.mine, {buffers.in[0].data(), buffers.in[1].data()}, {buffers.out[0].data(), buffers.out[1].data()}});
    for (std::size_t a = 0; a < to.size(); ++a) {
      going[a].finish();
      going[a] = take_back(buffers.out[a], part, buffers.packed_out[a], to.begin()[a]);
    }
    if (next.begin < end) std::swap(buffers.in, buffers.next_in);
    part = next;
  }
  for (Exchange& exchange : going) exchange.finish();
}

}  // namespace hpot
