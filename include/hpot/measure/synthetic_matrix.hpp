// Built-in cost matrices, the same on any number of ranks (random.hpp; values to rounding).
//
//   synthetic:FAMILY?key=value&...     e.g. synthetic:words?n=600&m=500&seed=1
//
// words   distances between two vocabularies as embeddings of words have them: C_ij = 1 - cos(angle between x_i and y_j), in
//         [0, 2], where x_i, y_j are random directions around `topics` common ones, normal with standard deviation
//         `spread`/sqrt(dim) along every axis. n (1000) rows, m (n) columns, dim (50), topics (20), spread (0.6), seed (0).
// vocabulary
//         squared distances between the words of one vocabulary, square and symmetric: C_ij = |x_i - x_j|^2, x_i normal with standard
//         deviation `spread`/sqrt(dim) along every axis about its topic's unit vector, of random direction. The first n/topics words
//         are of the first topic, and so on: those of synthetic:documents. n (1000), dim (50), topics (4), spread (0.5), seed (0).
#pragma once

#include "hpot/core/types.hpp"

#include <string>
#include <utility>
#include <vector>

namespace hpot {

/// Rows and columns of `source`, the text after "synthetic:". Local; InputError for unknown families, keys and values.
std::pair<Index, Index> synthetic_matrix_shape(const std::string& source);

/// These rows, row-major. Makes the vectors of all columns: 8 m dim bytes. Local; InputError likewise.
std::vector<Real> synthetic_matrix_rows(const std::string& source, Range rows);

}  // namespace hpot
