#include "hpot/io/matrix_file.hpp"

#include "measure_source.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/sha256.hpp"
#include "hpot/io/csv.hpp"
#include "hpot/io/npy.hpp"
#include "hpot/measure/synthetic_matrix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace hpot {
namespace {

enum class Format { npy, hdf5, csv, synthetic };

struct MatrixSource {
  Format format;
  MeasureSource source;
};

bool has_ending(const std::string& path, const std::string& ending) { return path.ends_with(ending); }

MatrixSource parse(const std::string& file) {
  const MeasureSource source = parse_measure_source(file);
  if (source.path.empty()) return {Format::synthetic, source};
  require(source.qualifiers.empty(), file, "a cost matrix takes no qualifiers", "name the file alone");
  if (has_ending(source.path, ".npy")) return {Format::npy, source};
  if (has_ending(source.path, ".csv") || has_ending(source.path, ".csv.gz")) return {Format::csv, source};
  require(has_ending(source.path, ".h5") || has_ending(source.path, ".hdf5"), file, "no format of matrices",
          "known: .npy, FILE.h5:/dataset, .csv, .csv.gz, and synthetic:FAMILY");
  require(!source.dataset.empty(), file, "names no dataset", "write FILE.h5:/group/dataset");
  return {Format::hdf5, source};
}

std::string family_of(const MatrixSource& matrix) { return matrix.source.text.substr(synthetic_prefix.size()); }

std::vector<Index> shape_of(const MatrixSource& matrix) {
  if (matrix.format == Format::synthetic) {
    const auto [rows, columns] = synthetic_matrix_shape(family_of(matrix));
    return {rows, columns};
  }
  if (matrix.format == Format::npy) return read_npy_shape(matrix.source.path);
  if (matrix.format == Format::hdf5) return read_hdf5_shape(matrix.source.path, matrix.source.dataset);
  return read_csv(matrix.source.path).shape;
}

std::vector<Real> rows_of(const MatrixSource& matrix, Range rows) {
  if (matrix.format == Format::synthetic) return synthetic_matrix_rows(family_of(matrix), rows);
  if (matrix.format == Format::npy) return read_npy_items(matrix.source.path, rows).values;
  if (matrix.format == Format::hdf5) return read_hdf5_items(matrix.source.path, matrix.source.dataset, rows).values;
  const Array all = read_csv(matrix.source.path);
  return {all.values.begin() + rows.begin * all.shape[1], all.values.begin() + rows.end * all.shape[1]};
}

/// Of the whole values of a row; `row` counts in the file.
void check_entries(const std::string& file, const std::vector<Real>& values, Index row, Index columns, Real largest) {
  const auto bad = std::find_if(values.begin(), values.end(), [&](Real c) { return !(c >= 0.0 && c <= largest); });
  if (bad == values.end()) return;
  const Index at = bad - values.begin();
  const std::string place = "row " + std::to_string(row + at / columns) + ", column " + std::to_string(at % columns);
  require(false, file, place + ": " + std::to_string(*bad) + " is no cost",
          std::isfinite(*bad) && *bad > 0.0 ? "it is too large for a float; cost.storage = double keeps it"
                                            : "costs are finite and not negative; a constant can be added to all");
}

using DigestSums = std::array<Index, 32>;

/// Adds the bytes of the digest of row number `row`.
void add_digest(Index row, const Real* values, Index columns, DigestSums& sums) {
  Sha256 sha;
  sha.update(&row, sizeof row);
  sha.update(values, columns * sizeof(Real));
  const auto digest = sha.finish();
  for (std::size_t b = 0; b < sums.size(); ++b) sums[b] += digest[b];
}

template <class T>
void fill(const std::string& file, Range rows, Index columns, const CostMatrix::Rows<T>& to, Real& largest,
          DigestSums& digests) {
  const MatrixSource matrix = parse(file);
  const Index at_once = matrix.format == Format::csv ? std::max<Index>(1, rows.size())
                                                     : std::max<Index>(1, values_read_at_once / columns);
  const auto host = Kokkos::create_mirror_view(to);
  for (Index first = rows.begin; first < rows.end; first += at_once) {
    const Range some{first, std::min(first + at_once, rows.end)};
    const std::vector<Real> values = rows_of(matrix, some);
    check_entries(file, values, first, columns, static_cast<Real>(std::numeric_limits<T>::max()));
    for (Index i = 0; i < some.size(); ++i) {
      add_digest(first + i, values.data() + i * columns, columns, digests);
      for (Index j = 0; j < columns; ++j) {
        host(first - rows.begin + i, j) = static_cast<T>(values[i * columns + j]);
        largest = std::max(largest, static_cast<Real>(host(first - rows.begin + i, j)));
      }
    }
  }
  Kokkos::deep_copy(to, host);
}

}  // namespace

std::pair<Index, Index> read_matrix_shape(const std::string& file) {
  const auto shape = shape_of(parse(file));
  require(shape.size() == 2, file, "an array of " + std::to_string(shape.size()) + " dimensions",
          "a cost matrix has two: source, target");
  return {shape[0], shape[1]};
}

void read_cost_matrix(const Communicator& along_rows, const std::vector<Support>& supports, KernelOptions& options,
                      RawMeasures& raw) {
  const OwnedRows rows = own_rows(supports[0], along_rows);
  const std::string& file = options.matrix_file;
  auto matrix = std::make_shared<CostMatrix>();
  matrix->rows = supports[0].points();
  matrix->columns = supports[1].points();
  DigestSums digests{};
  along_rows.agree([&] {
    const auto [given_rows, given_columns] = read_matrix_shape(file);
    require(given_rows == matrix->rows && given_columns == matrix->columns, file,
            "it is " + std::to_string(given_rows) + " x " + std::to_string(given_columns) + ", the measures have " +
                std::to_string(matrix->rows) + " and " + std::to_string(matrix->columns) + " entries",
            "give a row for every source entry and a column for every target entry");
    const Index padded = padded_columns(matrix->columns);
    if (options.short_storage) {
      matrix->narrow = CostMatrix::Rows<float>("hpot::CostMatrix", rows.local_n(), padded);
      fill(file, rows.range(), matrix->columns, matrix->narrow, matrix->largest, digests);
    } else {
      matrix->wide = CostMatrix::Rows<Real>("hpot::CostMatrix", rows.local_n(), padded);
      fill(file, rows.range(), matrix->columns, matrix->wide, matrix->largest, digests);
    }
  });
  matrix->largest = along_rows.max(matrix->largest);
  along_rows.sum(digests.data(), digests.size());
  Sha256 sha;
  sha.update(digests.data(), sizeof digests);
  raw.further_names.push_back(file);
  raw.further_sha256.push_back(hexadecimal(sha.finish()));
  options.matrix = std::move(matrix);
}

}  // namespace hpot
