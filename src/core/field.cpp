#include "hpot/core/field.hpp"

#include <numeric>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

}  // namespace

Field make_field(const char* label, Index batch, Index points) { return Field(label, batch, points); }

Field make_field(const char* label, Index batch, const std::vector<Real>& values) {
  const Field field(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), batch,
                    batch == 0 ? 0 : values.size() / batch);
  const auto host = Kokkos::create_mirror_view(field);
  std::copy(values.begin(), values.end(), host.data());
  Kokkos::deep_copy(field, host);
  return field;
}

Field make_unset_field(const char* label, Index batch, Index points) {
  return Field(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), batch, points);
}

void set_entry(const Field& field, Index k, const std::vector<Real>& values) {
  using HostValues = Kokkos::View<const Real*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(Kokkos::subview(field, k, Kokkos::ALL), HostValues(values.data(), values.size()));
}

std::vector<Real> host_values(const ConstField& field) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, field);
  return {host.data(), host.data() + host.size()};
}

Field copy_of(const ConstField& field) {
  const Field copy(Kokkos::view_alloc("hpot::copy", Kokkos::WithoutInitializing), field.extent(0), field.extent(1));
  Kokkos::deep_copy(copy, field);
  return copy;
}

Field entries(const Field& field, Index begin, Index count) {
  return Kokkos::subview(field, std::make_pair(begin, begin + count), Kokkos::ALL);
}

Field quotient(const ConstField& x, Real y) {
  const Field z(Kokkos::view_alloc("hpot::quotient", Kokkos::WithoutInitializing), x.extent(0), x.extent(1));
  const Real* from = x.data();
  Real* to = z.data();
  Kokkos::parallel_for(
      "hpot::quotient", Policy(0, z.size()), KOKKOS_LAMBDA(Index i) { to[i] = from[i] / y; });
  return z;
}

void combine(Real alpha, const ConstField& x, Real beta, const Field& y) {
  const Real* from = x.data();
  Real* to = y.data();
  Kokkos::parallel_for(
      "hpot::combine", Policy(0, y.size()), KOKKOS_LAMBDA(Index i) { to[i] = alpha * from[i] + beta * to[i]; });
}

void add_constant(const Field& y, Real constant) {
  Real* to = y.data();
  Kokkos::parallel_for(
      "hpot::add_constant", Policy(0, y.size()), KOKKOS_LAMBDA(Index i) { to[i] += constant; });
}

void clamp(const Field& y, Real largest) {
  Real* to = y.data();
  Kokkos::parallel_for(
      "hpot::clamp", Policy(0, y.size()),
      KOKKOS_LAMBDA(Index i) { to[i] = Kokkos::max(-largest, Kokkos::min(to[i], largest)); });
}

Index packed_values(const Field& like) { return static_cast<Index>((like.size() + 1) / 2); }

Field make_packed_field(const char* label, const Field& like) { return make_field(label, 1, packed_values(like)); }

void extrapolate(Real beta, const ConstField& x, const Field& e, const Field& y) {
  constexpr Real largest = 1e30;  // potentials of points that nothing reaches do not move
  const Real* from = x.data();
  Real* to = y.data();
  auto* increment = reinterpret_cast<float*>(e.data());
  Kokkos::parallel_for(
      "hpot::extrapolate", Policy(0, y.size()), KOKKOS_LAMBDA(Index i) {
        const Real step = beta * ((to[i] - from[i]) + static_cast<Real>(increment[i]));
        increment[i] = Kokkos::fabs(step) < largest ? static_cast<float>(step) : 0.0F;
        to[i] += static_cast<Real>(increment[i]);
      });
}

void subtract_packed(const Field& e, const Field& x) {
  Real* to = x.data();
  const auto* increment = reinterpret_cast<const float*>(e.data());
  Kokkos::parallel_for(
      "hpot::subtract_packed", Policy(0, x.size()),
      KOKKOS_LAMBDA(Index i) { to[i] -= static_cast<Real>(increment[i]); });
}

std::vector<Real> entry_dots(const OwnedRows& rows, const ConstField& weight, const ConstField& x,
                             const std::vector<Field>& ys) {
  const Index batch = static_cast<Index>(x.extent(0));
  const bool common = weight.extent(0) == 1;
  const HostField partial("hpot::entry_dots", batch * static_cast<Index>(ys.size()), rows.partition.tiles());
  for (std::size_t m = 0; m < ys.size(); ++m) {
    const ConstField y = ys[m];
    const auto product = KOKKOS_LAMBDA(Index k, Index i) { return weight(common ? 0 : k, i) * x(k, i) * y(k, i); };
    const auto entries = std::make_pair(static_cast<Index>(m) * batch, static_cast<Index>(m + 1) * batch);
    tile_sums("hpot::entry_dots", rows, batch, product, Kokkos::subview(partial, entries, Kokkos::ALL));
  }
  return add_tiles(rows, partial);
}

std::vector<Real> weighted_dots(const OwnedRows& rows, const ConstField& weight, const ConstField& x,
                                const std::vector<Field>& ys) {
  const std::vector<Real> entries = entry_dots(rows, weight, x, ys);
  const auto batch = static_cast<std::ptrdiff_t>(x.extent(0));
  std::vector<Real> dots(ys.size());
  for (std::size_t m = 0; m < ys.size(); ++m) {
    const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(m) * batch;
    dots[m] = std::accumulate(begin, begin + batch, 0.0);
  }
  return dots;
}

}  // namespace hpot
