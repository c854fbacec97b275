// One small type for CPU lanes and GPU scalars, with the exponential and the logarithm that every kernel uses.
//
// On a CPU with 256-bit vectors a Wide is 8 doubles (two registers) and a Narrow 8 floats (one), written with the
// compiler's vector extension: the same source serves AVX2, AVX-512 and NEON, and does not depend on the experimental
// SIMD interface of a Kokkos version. Elsewhere, and under nvcc, both are scalars.
//
// exp: x = n log 2 + r with n by the rounding trick (which -ffast-math would delete), polynomial in r, exponent by an
// integer shift. Ledger per value: exp(Narrow) 11 operations, relative error 1e-7; exp(Wide) 17 operations, 3e-16;
// exp_short(Wide) 11 operations, 4e-9, over the range of a double. exp2 needs no product to find n and r: 10 operations,
// of which 6 multiply, for Narrow, 16 for Wide, the errors the same.
// Arguments are clamped from below where the result would be subnormal (it then is about 1e-38, or 1e-307, not 0).
#pragma once

#include "hpot/core/types.hpp"

#include <cstring>

#ifdef HPOT_LANES  // set by a test that runs the scalar form on a CPU
#elif !defined(__CUDACC__) && !defined(__HIPCC__) && (defined(__AVX2__) || defined(__ARM_NEON))
#define HPOT_LANES 8
#else
#define HPOT_LANES 1
#endif

#if HPOT_LANES == 8 && defined(__AVX2__)
#include <immintrin.h>
#endif

namespace hpot::lanes {

inline constexpr int width = HPOT_LANES;

namespace detail {

/// exp(r), |r| <= log(2)/2: least-squares fit of the relative error, 4e-9 before rounding.
template <class V, class S>
KOKKOS_FORCEINLINE_FUNCTION V exp_float_polynomial(V r, S) {
  V p = V{} + S(0.001375138214221163);
  p = p * r + S(0.008368923427201561);
  p = p * r + S(0.04166953422494536);
  p = p * r + S(0.16666518401084218);
  p = p * r + S(0.49999988588395905);
  p = p * r + S(1.0);
  return p * r + S(1.0);
}

/// Taylor's terms to r^12: 2e-16 before rounding.
template <class V>
KOKKOS_FORCEINLINE_FUNCTION V exp_double_polynomial(V r) {
  V p = V{} + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  return p * r + 1.0;
}

/// 2^r, |r| <= 1/2: the two above with r log 2 in place of r.
template <class V>
KOKKOS_FORCEINLINE_FUNCTION V exp2_float_polynomial(V r) {
  V p = V{} + 0.0001525102796005646f;
  p = p * r + 0.0013390503256751906f;
  p = p * r + 0.009618791040726432f;
  p = p * r + 0.05550361490388161f;
  p = p * r + 0.2402264521317049f;
  p = p * r + 0.6931471805599453f;
  return p * r + 1.0f;
}
template <class V>
KOKKOS_FORCEINLINE_FUNCTION V exp2_double_polynomial(V r) {
  V p = V{} + 2.5678435993488206e-11;
  p = p * r + 4.4455382718708116e-10;
  p = p * r + 7.054911620801123e-09;
  p = p * r + 1.01780860092397e-07;
  p = p * r + 1.321548679014431e-06;
  p = p * r + 1.5252733804059841e-05;
  p = p * r + 0.0001540353039338161;
  p = p * r + 0.0013333558146428443;
  p = p * r + 0.009618129107628477;
  p = p * r + 0.05550410866482158;
  p = p * r + 0.24022650695910072;
  p = p * r + 0.6931471805599453;
  return p * r + 1.0;
}

}  // namespace detail

#if HPOT_LANES == 8

using Double4 = double __attribute__((vector_size(32)));
using Long4 = std::int64_t __attribute__((vector_size(32)));
using Float4 = float __attribute__((vector_size(16)));
using Narrow = float __attribute__((vector_size(32)));
using Int8 = std::int32_t __attribute__((vector_size(32)));

struct Wide {
  Double4 low, high;
  friend Wide operator+(Wide a, Wide b) { return {a.low + b.low, a.high + b.high}; }
  friend Wide operator-(Wide a, Wide b) { return {a.low - b.low, a.high - b.high}; }
  friend Wide operator*(Wide a, Wide b) { return {a.low * b.low, a.high * b.high}; }
  friend Wide operator/(Wide a, Wide b) { return {a.low / b.low, a.high / b.high}; }
  friend Wide operator+(Wide a, double b) { return {a.low + b, a.high + b}; }
  friend Wide operator-(Wide a, double b) { return {a.low - b, a.high - b}; }
  friend Wide operator*(Wide a, double b) { return {a.low * b, a.high * b}; }
};

inline Wide broadcast(double value) { return {Double4{} + value, Double4{} + value}; }

inline Wide load(const double* from) {
  Double4 low, high;  // halves: g++ takes a copy of both through the stack
  std::memcpy(&low, from, sizeof low);
  std::memcpy(&high, from + 4, sizeof high);
  return {low, high};
}
inline void store(double* to, Wide from) {
  std::memcpy(to, &from.low, sizeof from.low);
  std::memcpy(to + 4, &from.high, sizeof from.high);
}

inline Narrow load(const float* from) {
  Narrow to;
  std::memcpy(&to, from, sizeof to);
  return to;
}
inline void store(float* to, Narrow from) { std::memcpy(to, &from, sizeof from); }

inline Wide max(Wide a, Wide b) { return {a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high}; }
inline Wide min(Wide a, Wide b) { return {a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high}; }

/// a >= b in some lane.
inline bool any_at_least(Wide a, Wide b) {
  const Long4 mask = (a.low >= b.low) | (a.high >= b.high);
#ifdef __AVX2__
  return _mm256_testz_si256(reinterpret_cast<__m256i>(mask), reinterpret_cast<__m256i>(mask)) == 0;
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}

inline bool any_at_least(Narrow a, Narrow b) {
  const Int8 mask = a >= b;
#ifdef __AVX2__
  return _mm256_testz_si256(reinterpret_cast<__m256i>(mask), reinterpret_cast<__m256i>(mask)) == 0;
#else
  int any = 0;
  for (int l = 0; l < 8; ++l) any |= mask[l];
  return any != 0;
#endif
}

/// value where a > limit, else `otherwise`.
inline Wide where_greater(Wide a, double limit, Wide value, double otherwise) {
  const Double4 other = Double4{} + otherwise;
  return {a.low > limit ? value.low : other, a.high > limit ? value.high : other};
}

/// value where a < 0, else 0.
inline Wide where_negative(Wide a, Wide value) {
  return {a.low < 0.0 ? value.low : Double4{}, a.high < 0.0 ? value.high : Double4{}};
}

/// Raises top to value, and sets `at` to the index, where value is larger.
inline void raise(Wide& top, Wide& at, Wide value, double index) {
  const Double4 i = Double4{} + index;
  at = {value.low > top.low ? i : at.low, value.high > top.high ? i : at.high};
  top = max(value, top);
}

#ifdef __AVX2__  // as the code for all, which g++ 12 takes through the stack
inline Narrow narrow(Wide a) { return _mm256_set_m128(_mm256_cvtpd_ps(a.high), _mm256_cvtpd_ps(a.low)); }
inline Wide widen(Narrow a) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1))};
}
/// a where it is larger, else b, which must not be NaN.
inline Narrow max(Narrow a, Narrow b) { return _mm256_max_ps(a, b); }
inline Double4 max(Double4 a, Double4 b) { return _mm256_max_pd(a, b); }
#else
inline Narrow narrow(Wide a) {
  const Float4 low = __builtin_convertvector(a.low, Float4);
  const Float4 high = __builtin_convertvector(a.high, Float4);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

inline Wide widen(Narrow a) {
  const Float4 low = __builtin_shufflevector(a, a, 0, 1, 2, 3);
  const Float4 high = __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return {__builtin_convertvector(low, Double4), __builtin_convertvector(high, Double4)};
}
inline Narrow max(Narrow a, Narrow b) { return a > b ? a : b; }
inline Double4 max(Double4 a, Double4 b) { return a > b ? a : b; }
#endif

inline Narrow exp(Narrow x) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23
  const Narrow lowest = Narrow{} - 87.0f;
  x = x > lowest ? x : lowest;
  const Narrow shifted = x * 1.44269504088896341f + magic;
  const Narrow n = shifted - magic;
  const Narrow r = (x - n * 0.693145751953125f) - n * 1.42860682030941723e-6f;
  const Narrow p = detail::exp_float_polynomial(r, float{});
  return reinterpret_cast<Narrow>(reinterpret_cast<Int8>(p) + (reinterpret_cast<Int8>(shifted) << 23));
}

inline Double4 exp(Double4 x) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
  const Double4 lowest = Double4{} - 707.0;
  x = x > lowest ? x : lowest;
  const Double4 shifted = x * 1.4426950408889634074 + magic;
  const Double4 n = shifted - magic;
  const Double4 r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  const Double4 p = detail::exp_double_polynomial(r);
  return reinterpret_cast<Double4>(reinterpret_cast<Long4>(p) + (reinterpret_cast<Long4>(shifted) << 52));
}
inline Wide exp(Wide x) { return {exp(x.low), exp(x.high)}; }

inline Double4 exp_short(Double4 x) {
  constexpr double magic = 6755399441055744.0;
  const Double4 lowest = Double4{} - 707.0;
  x = x > lowest ? x : lowest;
  const Double4 shifted = x * 1.4426950408889634074 + magic;
  const Double4 n = shifted - magic;
  const Double4 p = detail::exp_float_polynomial(x - n * 0.69314718055994530942, double{});
  return reinterpret_cast<Double4>(reinterpret_cast<Long4>(p) + (reinterpret_cast<Long4>(shifted) << 52));
}
inline Wide exp_short(Wide x) { return {exp_short(x.low), exp_short(x.high)}; }

inline Narrow exp2(Narrow x) {
  constexpr float magic = 12582912.0f;
  x = max(x, Narrow{} - 125.0f);
  const Narrow shifted = x + magic;
  const Narrow p = detail::exp2_float_polynomial(x - (shifted - magic));
  return reinterpret_cast<Narrow>(reinterpret_cast<Int8>(p) + (reinterpret_cast<Int8>(shifted) << 23));
}

inline Double4 exp2(Double4 x) {
  constexpr double magic = 6755399441055744.0;
  x = max(x, Double4{} - 1021.0);
  const Double4 shifted = x + magic;
  const Double4 p = detail::exp2_double_polynomial(x - (shifted - magic));
  return reinterpret_cast<Double4>(reinterpret_cast<Long4>(p) + (reinterpret_cast<Long4>(shifted) << 52));
}
inline Wide exp2(Wide x) { return {exp2(x.low), exp2(x.high)}; }

inline Double4 sqrt(Double4 x) {
#ifdef __AVX2__
  return _mm256_sqrt_pd(x);
#else
  for (int l = 0; l < 4; ++l) x[l] = __builtin_sqrt(x[l]);
  return x;
#endif
}
inline Wide sqrt(Wide x) { return {sqrt(x.low), sqrt(x.high)}; }

/// Normal positive arguments.
inline Double4 log(Double4 x) {
  const Long4 bits = reinterpret_cast<Long4>(x);
  // The exponent such that the mantissa lies in [sqrt(1/2), sqrt(2)).
  const Long4 shifted = bits - 0x3fe6a09e667f3bcdLL;
  const Long4 exponent = shifted >> 52;
  const Double4 m = reinterpret_cast<Double4>(bits - (exponent << 52));
  const Double4 magic = Double4{} + 6755399441055744.0;
  const Double4 n = reinterpret_cast<Double4>(exponent + reinterpret_cast<Long4>(magic)) - magic;
  const Double4 f = (m - 1.0) / (m + 1.0);
  const Double4 z = f * f;
  Double4 p = Double4{} + 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  return n * 6.93147180369123816490e-01 + (n * 1.90821492927058770002e-10 + (f * z * p + 2.0 * f));
}
inline Wide log(Wide x) { return {log(x.low), log(x.high)}; }

inline double lane(Wide a, int i) { return i < 4 ? a.low[i] : a.high[i - 4]; }

namespace detail {
inline void store_transposed(double* to, std::int64_t stride, Double4 a, Double4 b, Double4 c, Double4 d) {
  const Double4 ab0 = __builtin_shufflevector(a, b, 0, 4, 2, 6);
  const Double4 ab1 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
  const Double4 cd0 = __builtin_shufflevector(c, d, 0, 4, 2, 6);
  const Double4 cd1 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
  const Double4 lane[4] = {__builtin_shufflevector(ab0, cd0, 0, 1, 4, 5), __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5),
                           __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7),
                           __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7)};
  for (int l = 0; l < 4; ++l) std::memcpy(to + l * stride, &lane[l], sizeof lane[l]);
}
inline void store_transposed(double* to, std::int64_t stride, Double4 a, Double4 b) {
  const Double4 even = __builtin_shufflevector(a, b, 0, 4, 2, 6);
  const Double4 odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
  std::memcpy(to, &even, 16);
  std::memcpy(to + stride, &odd, 16);
  std::memcpy(to + 2 * stride, reinterpret_cast<const char*>(&even) + 16, 16);
  std::memcpy(to + 3 * stride, reinterpret_cast<const char*>(&odd) + 16, 16);
}
}  // namespace detail

/// to[lane * stride + r] = lane of values[r], r < 6.
inline void store_transposed(double* to, std::int64_t stride, const Wide* values) {
  detail::store_transposed(to, stride, values[0].low, values[1].low, values[2].low, values[3].low);
  detail::store_transposed(to + 4 * stride, stride, values[0].high, values[1].high, values[2].high, values[3].high);
  detail::store_transposed(to + 4, stride, values[4].low, values[5].low);
  detail::store_transposed(to + 4 * stride + 4, stride, values[4].high, values[5].high);
}

#else

using Wide = double;
using Narrow = float;

KOKKOS_FORCEINLINE_FUNCTION Wide broadcast(double value) { return value; }
KOKKOS_FORCEINLINE_FUNCTION Wide load(const double* from) { return *from; }
KOKKOS_FORCEINLINE_FUNCTION void store(double* to, Wide from) { *to = from; }
KOKKOS_FORCEINLINE_FUNCTION Narrow load(const float* from) { return *from; }
KOKKOS_FORCEINLINE_FUNCTION void store(float* to, Narrow from) { *to = from; }
KOKKOS_FORCEINLINE_FUNCTION Wide max(Wide a, Wide b) { return a > b ? a : b; }
KOKKOS_FORCEINLINE_FUNCTION Wide min(Wide a, Wide b) { return a < b ? a : b; }
KOKKOS_FORCEINLINE_FUNCTION Narrow max(Narrow a, Narrow b) { return a > b ? a : b; }
KOKKOS_FORCEINLINE_FUNCTION bool any_at_least(Narrow a, Narrow b) { return a >= b; }
KOKKOS_FORCEINLINE_FUNCTION bool any_at_least(Wide a, Wide b) { return a >= b; }
KOKKOS_FORCEINLINE_FUNCTION Wide where_greater(Wide a, double limit, Wide value, double otherwise) {
  return a > limit ? value : otherwise;
}
KOKKOS_FORCEINLINE_FUNCTION Wide where_negative(Wide a, Wide value) { return a < 0.0 ? value : 0.0; }
KOKKOS_FORCEINLINE_FUNCTION void raise(Wide& top, Wide& at, Wide value, double index) {
  if (value > top) at = index;
  top = max(value, top);
}
KOKKOS_FORCEINLINE_FUNCTION Narrow narrow(Wide a) { return static_cast<float>(a < -1e30 ? -1e30 : a); }
KOKKOS_FORCEINLINE_FUNCTION Wide widen(Narrow a) { return a; }
KOKKOS_FORCEINLINE_FUNCTION Narrow exp(Narrow x) { return Kokkos::exp(x); }
KOKKOS_FORCEINLINE_FUNCTION Wide exp(Wide x) { return Kokkos::exp(x); }
KOKKOS_FORCEINLINE_FUNCTION Wide exp_short(Wide x) { return Kokkos::exp(x); }
KOKKOS_FORCEINLINE_FUNCTION Narrow exp2(Narrow x) { return Kokkos::exp2(x); }
KOKKOS_FORCEINLINE_FUNCTION Wide exp2(Wide x) { return Kokkos::exp2(x); }
KOKKOS_FORCEINLINE_FUNCTION Wide sqrt(Wide x) { return Kokkos::sqrt(x); }
KOKKOS_FORCEINLINE_FUNCTION Wide log(Wide x) { return Kokkos::log(x); }
KOKKOS_FORCEINLINE_FUNCTION double lane(Wide a, int) { return a; }
KOKKOS_FORCEINLINE_FUNCTION void store_transposed(double* to, std::int64_t, const Wide* values) {
  for (int r = 0; r < 6; ++r) to[r] = values[r];
}

#endif

}  // namespace hpot::lanes
