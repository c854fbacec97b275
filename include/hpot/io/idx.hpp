// IDX image sets, as MNIST comes in.
#pragma once

#include "hpot/measure/grid.hpp"

#include <string>

namespace hpot {

/// Which images of a set are meant: those that bear `label`, or all.
struct IdxSelection {
  int label = -1;  // -1: any
};

/// How many images of the set are selected. With a label: the labels are read from the file beside it, in whose name
/// `images` is replaced by `labels` and `idx3` by `idx1`. Local.
Index idx_count(const std::string& path, const IdxSelection& selection);

/// The grid of its images, from the header.
Grid read_idx_grid(const std::string& path);

/// Selected image number `item`, axes [y, x], values 0 to 255. IDX files of unsigned bytes (magic 0x00000803), .gz or
/// not. InputError: not such a file, cut short, no such item. Local.
GridData read_idx(const std::string& path, const IdxSelection& selection, Index item);

}  // namespace hpot
