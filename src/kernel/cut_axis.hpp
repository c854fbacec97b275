// Whole lines along a grid's slowest axis while its planes are divided over ranks (slabs): lines are divided instead, by two
// transposes. Private to the separable operator.
//
// Bytes. N points, N_r in the slab of rank r, n planes, R ranks; L_r = n times the lines of rank r, about N/R. A transpose
// there hands 8 N_r bytes to MPI and one back 8 L_r, of which the share (R - 1)/R leaves the rank: 16 (N/R) (R - 1)/R. Two
// other ways to whole lines:
//   gather   8 N (R - 1)/R arrive at every rank: the same for two ranks, R/2 times as much for R, and all N stay in memory;
//            windows are searched for by every rank in all lines, which are divided here
//   halos    16 h N/n for h planes on either side, less where h < n (R - 1)/R^2. But h belongs to the potentials at hand: a
//            window reaches to the nearest mass however far that is, and is certified by the whole line (axis_kernels.hpp)
// So lines are transposed, always, some of a rank's at a time: while those are at work, the next ones are on their way there
// and the ones before on their way back. Bits: lines are dealt in tiles of eight, which share their windows on any number of ranks.
#pragma once

#include "hpot/core/partition.hpp"

#include <array>
#include <functional>
#include <initializer_list>

namespace hpot {

class CutAxis {
 public:
  using Buffer = Kokkos::View<Real*, MemorySpace>;
  /// What is in flight: of two arrays in and two out at most. May serve several axes in turn.
  struct Buffers {
    std::array<Buffer, 2> packed_in, packed_out, in, next_in, out;
  };

  /// So many values of an array are on their way there, as many at work, as many on their way back.
  static constexpr Index values_at_once = Index{1} << 18;

  /// Planes of inputs and of outputs are divided as `planes_in` and `planes_out` say, both of `lines` points. Local.
  CutAxis(const Communicator& along_rows, const Partition& planes_in, const Partition& planes_out, Index lines,
          Index at_once = values_at_once);

  /// Lines that a rank has on their way at once, of `lines` over `ranks`, `longest` points each at most.
  static Index lines_at_once(Index lines, int ranks, Index longest, Index at_once = values_at_once);

  /// Values in all buffers of the rank with most, the first one, where so many arrays are brought and taken back, planes of both
  /// divided alike.
  static Real buffered_values(Index lines, const Partition& planes, int ranks, int arrays_in, int arrays_out,
                              Index at_once = values_at_once);

  /// Some lines of this rank: in[a] is (plane, line), out[a] to be (line, plane), all planes.
  struct Lines {
    Index count;
    std::array<const Real*, 2> in;
    std::array<Real*, 2> out;
  };

  /// `run` for all lines of this rank, in one or several calls: of owned planes `from[a]`, (plane, line), it makes `to[a]`,
  /// (line, plane). Collective; every rank calls with as many arrays.
  void for_lines(std::initializer_list<const Real*> from, std::initializer_list<Real*> to, Buffers& buffers,
                 const std::function<void(const Lines&)>& run) const;

  [[nodiscard]] const Communicator& along_rows() const { return along_rows_; }
  [[nodiscard]] Index planes_in() const { return in_.block(along_rows_.rank()).size(); }

 private:
  struct Part;
  using Exchange = Communicator::Exchange;
  [[nodiscard]] Part part_from(Index begin) const;
  [[nodiscard]] Exchange bring(const Real* from, const Part& part, const Buffer& packed, const Buffer& whole) const;
  [[nodiscard]] Exchange take_back(const Buffer& whole, const Part& part, const Buffer& packed, Real* to) const;

  Communicator along_rows_;
  Partition in_, out_, lines_;
  Index at_once_;                                               // lines of a rank
  Kokkos::View<Index*, MemorySpace> first_line_;                // of every rank, and the end
  Kokkos::View<Index*, MemorySpace> block_first_, block_size_;  // of the block that an output plane is in
};

}  // namespace hpot
