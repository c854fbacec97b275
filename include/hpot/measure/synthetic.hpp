// Built-in families of measures, of any size, the same on any number of ranks and any machine (counter-based random
// numbers; values to rounding).
//
//   synthetic:FAMILY?key=value&...     e.g. synthetic:phantom?n=64&count=8&seed=1
//
// gaussian   exp(-q/2) with a peak of 1 at the mean. mean=X,Y,Z and sd=X,Y,Z (or one number for all axes) are fractions
// of
//            the side, from its edge; a mean or covariance that is not given is random per item, the covariance
//            rotated. dim = 1, 2 (default) or 3.
// ellipse    2-D, 1 inside, 0 outside, edges antialiased; hollow=1 leaves a ring.
// shell      3-D, 1 between two similar ellipsoids.
// waves      exp(random smooth function), with holes: 0 on about a fifth of the points. dim = 1, 2 (default) or 3.
// uniform    1 everywhere. dim = 1, 2 (default) or 3.
// documents  1-D: how often each word of the vocabulary of n words (synthetic_matrix.hpp) occurs among the words=100 of a
//            text. Every word is drawn from one of topics=4 topics, of which a text has most of one or two (shares are cubes of
//            exponential random numbers), and in it with a probability that falls like 1, 1/2, 1/3, ...
// phantom    3-D head in [0, 1]: the ten ellipsoids of Shepp and Logan (IEEE Trans. Nucl. Sci. 21, 1974; in 3-D: Shepp,
//            J. Comput. Assist. Tomogr. 4, 1980, and Kak and Slaney, Principles of Computerized Tomographic Imaging,
//            1988, ch. 3) with the contrasts raised for the eye (Toft 1996), seen through a random smooth deformation:
//            every item is another 'subject'.
//
// All: n (side; 64), or shape=ZxYxX; count (1), seed (0), item; spacing (1) as DX,DY,DZ, or one number. `x` and `,`
// both separate. The field of view is the whole grid: shapes are given in fractions of each side. Grids: shells and
// phantoms carry the affine diag(spacing) with the volume's centre at 0 (axes right, anterior, superior); the others
// none.
#pragma once

#include "hpot/measure/grid.hpp"

namespace hpot {

/// How many measures `source` (the text after "synthetic:") stands for: its `count`, 1 when it names an `item`.
/// Local; throws InputError as synthetic_measure does.
Index synthetic_count(const std::string& source);

/// The grid of the family's measures. Local; throws InputError likewise.
Grid synthetic_grid(const std::string& source);

/// Measure number `item` of the family, 0 <= item < count; a source that names its own `item` stands for that one,
/// whatever is passed. Local; throws InputError for unknown families or keys, naming the known ones.
GridData synthetic_measure(const std::string& source, Index item);

/// The same, with the values of some planes (indices of the slowest axis) alone.
GridData synthetic_planes(const std::string& source, Index item, Range planes);

}  // namespace hpot
