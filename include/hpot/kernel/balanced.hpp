// The truncated operator with its rows dealt anew to ranks, so that each visits as many pairs.
//
// Who owns which rows stays what it is: a rank reduces other rows than it owns, and hands them to their owners. As a row's bits
// do not depend on which other rows are given, nothing else changes: potentials, checkpoints and files are those of owned rows.
// After the first two softmins of a side at another eps the pairs that every block of 64 rows visited are added over ranks, and
// consecutive blocks are dealt so that the largest share of pairs is small, no rank having over twice the rows of an even
// share. Where that takes less than a tenth off the largest share, or a rank has few blocks, owners keep their rows.
// Bytes per softmin and rank beside those of the gather, where rows are dealt: 8 * batch * (rows here); twice an eps 8 * (blocks).
#pragma once

#include "hpot/kernel/truncated.hpp"

namespace hpot {

/// Offsets of `ranks` runs of consecutive blocks, `ranks` + 1 of them, of about the same sum of `pairs`, none longer than
/// `most_blocks` where so many hold all.
std::vector<Index> deal_blocks(const std::vector<Real>& pairs, int ranks, Index most_blocks);

/// Wraps `local`, of the rows owned here, which takes all points of the other side: local in h, collective in every
/// reduction. With one rank along rows `local` itself is returned.
std::unique_ptr<KernelOperator> make_balanced_operator(std::unique_ptr<TruncatedKernel> local,
                                                       const Communicator& along_rows, const Partition& source,
                                                       const Partition& target);

}  // namespace hpot
