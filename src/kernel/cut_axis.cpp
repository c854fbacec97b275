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
  const Index most = Partition(lines, tile, ranks).block(0).size();  // the first rank has most
  return std::clamp<Index>(at_once / longest / tile * tile, tile, std::max(tile, most));
}

void CutAxis::bring(const Real* from, const Part& part, const Buffer& packed, const Buffer& whole) const {
  const Index planes = planes_in();
  pack_by_lines(from, planes, lines_.global_n(), first_line_, part.begin, at_once_, packed.data());
  Communicator::Blocks out, in;
  for (int r = 0; r < along_rows_.size(); ++r) {
    out.add(r * planes * at_once_, planes * part.lines[r]);
    in.add(in_.block(r).begin * part.mine, in_.block(r).size() * part.mine);
  }
  along_rows_.exchange(packed.data(), out, whole.data(), in);
}

void CutAxis::take_back(const Buffer& whole, const Part& part, const Buffer& packed, Real* to) const {
  pack_by_planes(whole.data(), part.mine, block_first_, block_size_, packed.data());
  const Range planes = out_.block(along_rows_.rank());
  Communicator::Blocks out, in;
  for (int r = 0; r < along_rows_.size(); ++r) {
    out.add(out_.block(r).begin * part.mine, out_.block(r).size() * part.mine);
    in.add(lines_.block(r).begin + part.begin, planes.size() > 0 ? part.lines[r] : 0);
  }
  along_rows_.exchange(packed.data(), out, to, in, std::max<Index>(1, planes.size()));
}

void CutAxis::for_lines(std::initializer_list<const Real*> from, std::initializer_list<Real*> to, Buffers& buffers,
                        const std::function<void(const Lines&)>& run) const {
  const int ranks = along_rows_.size();
  const Index ends = std::max(in_.global_n(), out_.global_n());
  reserve(buffers.packed, std::max(ranks * planes_in(), out_.global_n()) * at_once_);
  for (std::size_t a = 0; a < from.size(); ++a) reserve(buffers.in[a], ends * at_once_);
  for (std::size_t a = 0; a < to.size(); ++a) reserve(buffers.out[a], ends * at_once_);
  for (Index begin = 0; begin < lines_.block(0).size(); begin += at_once_) {  // the first rank has most
    Part part;
    part.begin = begin;
    for (int r = 0; r < ranks; ++r)
      part.lines.push_back(static_cast<int>(std::clamp<Index>(lines_.block(r).size() - begin, 0, at_once_)));
    part.mine = part.lines[along_rows_.rank()];
    for (std::size_t a = 0; a < from.size(); ++a) bring(from.begin()[a], part, buffers.packed, buffers.in[a]);
    if (part.mine > 0)
      run({part.mine, {buffers.in[0].data(), buffers.in[1].data()}, {buffers.out[0].data(), buffers.out[1].data()}});
    for (std::size_t a = 0; a < to.size(); ++a) take_back(buffers.out[a], part, buffers.packed, to.begin()[a]);
  }
}

}  // namespace hpot
