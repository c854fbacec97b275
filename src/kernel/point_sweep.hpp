// Both half-steps of a sweep in one visit to every pair, for any terms of point_terms.hpp. Part of dense.cpp and
// matrix_operator.cpp.
//
//   h_j = log max(b_j, beta) + g_j/eps,  w_j = b_j/max(b_j, beta),  e_ij = exp(h_j - C_ij/eps - r_i)
//   t_i = sum_j w_j e_ij,  f_i = prox_a(-eps (r_i + log t_i))
//   q_i = exp(log a_i + f_i/eps + r_i),  c_j = sum_i q_i e_ij,  softmin(log a + f/eps)_j = eps (h_j - log c_j)
// r_i is the row's reference, close to its largest exponent so far (point_reductions.hpp); beta = 2^-20 max b, so that columns
// without weight have sums, too. The e_ij of a few rows wait in the second-level cache for q_i. Column sums are of chunks of
// rows, added in the order of the chunks and then over ranks.
//
// Where sums may be wrong the visit says so: rows without a weight in reach, columns whose terms lie too deep. Mixed: e_ij
// is 2^x of a float x, so its relative error is 1e-7 + 4e-8 |x|; a column is accepted where |x| < 64 in all that counts.
//
// Ledger per pair: the exponent, one exponential, 2 multiply-adds and 1 comparison; 4 bytes (mixed) or 8 written to the cache
// and read.
#pragma once

#include "hpot/core/field.hpp"
#include "point_reductions.hpp"

#include <optional>

namespace hpot {
namespace {

constexpr Index most_rows_of_visit = 16;          // whose exponentials wait
constexpr Index bytes_of_visit = Index{3} << 17;  // of them, of a thread, unless that is less than block_rows
constexpr Real least_weight = -20.0;              // log2 beta, relative to the largest weight
constexpr Index least_chunks = 16;

template <class Value>
using Array = Kokkos::View<Value*, MemorySpace>;
using ChunkSums = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;

/// Chunks of rows: a multiple of the threads, and the same for 1, 2, 4, 8 and 16 of them.
inline Index chunks_of(Index rows) {
  const Index threads = ExecutionSpace{}.concurrency();
  const Index wanted = (least_chunks + threads - 1) / threads * threads;
  return Kokkos::clamp<Index>(rows / block_rows, 1, wanted);
}

/// Exponentials over a reference: the least, and what rows and columns (relative to the sum of q) must exceed to be right.
template <Precision precision>
struct Depth;
template <>
struct Depth<Precision::mixed> {
  static constexpr Real least_row = 0x1p-40, least_column = 0x1p-40;
};
template <>
struct Depth<Precision::full> {
  static constexpr Real least_row = 0x1p-900, least_column = 0x1p-900;
};

struct LargestOf {
  ConstField values;
  KOKKOS_FUNCTION void operator()(Index j, Real& most) const { most = Kokkos::max(most, values(0, j)); }
};

/// h and w; w is padded with 0.
template <class Value>
struct TargetHeights {
  ConstField log_b, g;
  Real floor, epsilon;
  Field h;
  Array<Value> share;
  KOKKOS_FUNCTION void operator()(Index j) const {
    const Real weight = log_b(0, j);
    h(0, j) = Kokkos::max(weight, floor) + g(0, j) / epsilon;
    const Real lost = Kokkos::max(floor - weight, 0.0);
    share(j) = static_cast<Value>(weight > 0.5 * log_zero ? Kokkos::exp(-lost) : 0.0);
  }
};

/// A team (of one thread) takes a chunk of rows. sums: (chunks, padded columns, then the sum of q and the rows that may be
/// wrong).
template <class Terms, Precision precision>
struct OneVisit {
  using Team = Kokkos::TeamPolicy<ExecutionSpace>::member_type;
  using K = Kept<precision>;
  using Value = typename K::Value;
  using Lanes = typename K::Lanes;
  using Exponents = ExponentsOfTile<Terms, precision>;

  Terms terms;
  Array<Value> share;
  ConstField log_a;
  Field f;
  ChunkSums sums;
  MarginalPenalty penalty;
  Real epsilon;
  Index at_once;

  [[nodiscard]] Index columns() const { return padded(terms.columns()); }
  [[nodiscard]] Index tiles() const { return (columns() / lanes::width + tile_vectors - 1) / tile_vectors; }
  /// Between rows of e: an odd number of cache lines.
  [[nodiscard]] Index pitch() const {
    constexpr Index line = 64 / sizeof(Value);
    return ((columns() + line - 1) / line | 1) * line;
  }
  [[nodiscard]] static Index rows_in_cache(Index columns) {
    const Index fitting = bytes_of_visit / (columns * static_cast<Index>(sizeof(Value)));
    return Kokkos::clamp<Index>(fitting / block_rows * block_rows, block_rows, most_rows_of_visit);
  }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return at_once * (pitch() * sizeof(Value) + tiles() * sizeof(Real)) + 256;
  }

  /// e of some vectors of the r-th row, and its part of the row's sum.
  void add_to_row(const Exponents& exponents, int r, Index vectors, Index first, Value* e, RowSums& row) const {
    Wide sum = row.sum;
    for (Index v = 0; v < vectors; v += sum_vectors) {
      Lanes part[sum_vectors];
#pragma GCC unroll 4
      for (int w = 0; w < sum_vectors; ++w) {
        const Index at = (v + w) * lanes::width;
        const Lanes value = lanes::exp2(exponents.at(r, v + w));
        lanes::store(e + at, value);
        part[w] = value * lanes::load(&share(first) + at);
      }
      sum = sum + K::widen((part[0] + part[1]) + (part[2] + part[3]));
    }
    row.sum = sum;
  }

  /// f of a row; q over 2^reference in units of log 2. False where its sum may be wrong.
  bool finish_row(Index i, const RowSums& row, Real& height) const {
    const Real total = sum_of_lanes(row.sum);
    height = log_zero;
    f(0, i) = 0.0;
    if (!row.reached() || !(total > Depth<precision>::least_row && total < infinity)) return false;
    const Real of_row = terms.of_row(i);
    const Real s = -epsilon * (log_2 * (row.reference + of_row) + Kokkos::log(total));
    f(0, i) = std::visit([&](const auto& p) { return p.prox(s, epsilon); }, penalty);
    if (log_a(0, i) > 0.5 * log_zero) height = log2_e * (log_a(0, i) + f(0, i) / epsilon) + of_row;
    return true;
  }

  /// sum_j += sum over rows of q e, vector by vector; q has a multiple of block_rows entries.
  static void add_to_columns(const Value* const* e, const Value* q, int count, Real unit, Index vectors, Real* sum) {
    for (Index j = 0; j < vectors * lanes::width; j += lanes::width) {
      Lanes part{};
      for (int r = 0; r < count; r += block_rows) {
#pragma GCC unroll 4
        for (int s = 0; s < block_rows; ++s) part = part + lanes::load(e[r + s] + j) * q[r + s];
      }
      lanes::store(sum + j, lanes::load(sum + j) + K::widen(part) * unit);
    }
  }

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Index chunk = team.league_rank(), chunks = static_cast<Index>(sums.extent(0));
    const Index rows = static_cast<Index>(f.extent(1)), blocks = (rows + block_rows - 1) / block_rows;
    const Index last = Kokkos::min(rows, blocks * (chunk + 1) / chunks * block_rows);
    auto* const e = static_cast<Value*>(team.team_scratch(1).get_shmem_aligned(at_once * pitch() * sizeof(Value), 64));
    auto* const references = static_cast<Real*>(team.team_scratch(1).get_shmem(at_once * tiles() * sizeof(Real)));
    Real* const sum = &sums(chunk, 0);
    for (Index j = 0; j < columns() + 2; ++j) sum[j] = 0.0;
    Real& total_q = sum[columns()];
    Real& wrong = sum[columns() + 1];
    for (Index first = blocks * chunk / chunks * block_rows; first < last; first += at_once) {
      const auto count = static_cast<int>(Kokkos::min<Index>(at_once, last - first));
      RowSums row[most_rows];
      Index begin = 0;
      for_tiles<precision>(
          terms, {0, first, first + count}, row, [&](Index j, Index) { begin = j; },
          [&](const Exponents& exponents, int r, Index vectors, RowSums& here) {
            const Index at = &here - row;
            add_to_row(exponents, r, vectors, begin, e + at * pitch() + begin, here);
            references[begin / (tile_vectors * lanes::width) * at_once + at] = here.reference;
          });
      Real height[most_rows_of_visit], q_of_row[most_rows_of_visit];
      for (int r = 0; r < count; ++r) {
        wrong += finish_row(first + r, row[r], height[r]) ? 0.0 : 1.0;
        q_of_row[r] = Kokkos::exp2(height[r] + row[r].reference);
        total_q += q_of_row[r];
      }
      if (!(total_q < infinity)) wrong += 1.0;
      if (wrong > 0.0) return;
      for (Index tile = 0; tile < tiles(); ++tile) {
        Real q[most_rows_of_visit] = {}, unit = 0.0;
        for (int r = 0; r < count; ++r) {
          const Real reference = references[tile * at_once + r];
          q[r] = reference == row[r].reference ? q_of_row[r] : Kokkos::exp2(height[r] + reference);
          unit = Kokkos::max(unit, q[r]);
        }
        if (unit == 0.0) continue;
        Value parts[most_rows_of_visit] = {};
        const Value* from[most_rows_of_visit];
        const Index start = tile * tile_vectors * lanes::width;
        for (Index r = 0; r < most_rows_of_visit; ++r) {
          parts[r] = static_cast<Value>(q[r] / unit);
          from[r] = e + Kokkos::min<Index>(r, count - 1) * pitch() + start;
        }
        add_to_columns(from, parts, count, unit, Kokkos::min<Index>(tile_vectors, (columns() - start) / lanes::width),
                       sum + start);
      }
    }
  }
};

/// Sums of all chunks, in their order.
inline Array<Real> total_of(const ChunkSums& sums) {
  const Array<Real> all(Kokkos::view_alloc("hpot::OneVisit::total", Kokkos::WithoutInitializing), sums.extent(1));
  Kokkos::parallel_for(
      "hpot::OneVisit::total", Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, all.size()),
      KOKKOS_LAMBDA(Index j) {
        Real sum = 0.0;
        for (std::size_t chunk = 0; chunk < sums.extent(0); ++chunk) sum += sums(chunk, j);
        all(j) = sum;
      });
  return all;
}

/// s for the target's points in `range`, from column sums that are added over `along_rows` where there is one.
template <Precision precision>
bool finish_columns(const ChunkSums& sums, const ConstField& h, Real epsilon, Range range,
                    const std::optional<Communicator>& along_rows, const Field& s) {
  const auto columns = static_cast<Index>(h.extent(1));
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, total_of(sums));
  std::vector<Real> values(host.data(), host.data() + columns);
  const auto checks = static_cast<Index>(host.extent(0)) - 2;
  values.insert(values.end(), {host(checks), host(checks + 1)});
  if (along_rows) along_rows->sum(values);
  const Real least = Depth<precision>::least_column * values[columns];
  if (values[columns + 1] > 0.0 || !(least > 0.0)) return false;
  for (Index j = 0; j < columns; ++j) {
    if (!(values[j] > least && values[j] < infinity)) return false;  // on all ranks alike
  }
  const std::vector<Real> heights = host_values(h);
  std::vector<Real> mine;
  for (Index j = range.begin; j < range.end; ++j) mine.push_back(epsilon * (heights[j] - std::log(values[j])));
  set_entry(s, 0, mine);
  return true;
}

/// KernelOperator::sweep by terms that terms_of(h) gives. The target's values in `given` are of all its points, f and log_a
/// of the rows at hand, s of `range` of the target. Collective over `along_rows`.
template <Precision precision, class TermsOf>
bool sweep_of_rows(const TermsOf& terms_of, const SweepTerms& given, Real epsilon, Range range,
                   const std::optional<Communicator>& along_rows, const Field& f, const Field& s) {
  if constexpr (lanes::width == 1) {
    return false;
  } else {
    using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
    using Terms = decltype(terms_of(ConstField()));
    using Visit = OneVisit<Terms, precision>;
    if (given.g.extent(0) != 1) return false;
    const auto columns = static_cast<Index>(given.g.extent(1));
    Real largest = log_zero;
    Kokkos::parallel_reduce("hpot::OneVisit::largest", Policy(0, columns), LargestOf{given.log_b},
                            Kokkos::Max<Real>(largest));
    if (!(largest > 0.5 * log_zero)) return false;
    const Field h = make_unset_field("hpot::OneVisit::h", 1, columns);
    const Array<typename Visit::Value> share("hpot::OneVisit::share", padded(columns));
    Kokkos::parallel_for(
        "hpot::OneVisit::heights", Policy(0, columns),
        TargetHeights<typename Visit::Value>{given.log_b, given.g, largest + log_2 * least_weight, epsilon, h, share});
    const Index chunks = chunks_of(static_cast<Index>(f.extent(1)));
    const ChunkSums sums(Kokkos::view_alloc("hpot::OneVisit::sums", Kokkos::WithoutInitializing), chunks,
                         padded(columns) + 2);
    const Visit visit{terms_of(ConstField(h)),
                      share,
                      given.log_a,
                      f,
                      sums,
                      given.penalty,
                      epsilon,
                      Visit::rows_in_cache(padded(columns))};
    Kokkos::parallel_for("hpot::OneVisit",
                         Kokkos::TeamPolicy<ExecutionSpace>(static_cast<int>(chunks), 1)
                             .set_scratch_size(1, Kokkos::PerTeam(visit.scratch_bytes())),
                         visit);
    return finish_columns<precision>(sums, h, epsilon, range, along_rows, s);
  }
}

}  // namespace
}  // namespace hpot
