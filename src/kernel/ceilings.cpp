#include "hpot/kernel/ceilings.hpp"

#include "hpot/kernel/lanes.hpp"

namespace hpot {
namespace {

using lanes::Narrow;
using lanes::Wide;
using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Buffer = Kokkos::View<Real*, MemorySpace>;

constexpr int sums = 4;                  // independent sums of the exponentials and of reading
constexpr int chains = 6;                // of multiply-adds: two registers each, three are left for the factors
constexpr Index arguments = 64;          // of the exponentials, per thread: 4 KiB as doubles
constexpr Index calculations = 200'000;  // per thread and repetition

KOKKOS_FORCEINLINE_FUNCTION Wide total(const Wide* parts, int count) {
  Wide sum = parts[0];
  for (int p = 1; p < count; ++p) sum = sum + parts[p];
  return sum;
}

/// Sums exp over `count` arguments in (-20, 0], `rounds` times. `count` is a member so that no compiler unrolls it away.
template <class Lanes>
struct ExpRounds {
  Index count, rounds;
  Buffer out;
  KOKKOS_FUNCTION void operator()(Index item) const {
    Lanes x[arguments];
    for (Index j = 0; j < count; ++j) {
      const Wide argument =
          lanes::broadcast(-20.0 * static_cast<Real>((item + 13 * j) % count) / static_cast<Real>(count));
      if constexpr (std::is_same_v<Lanes, Narrow>) {
        x[j] = lanes::narrow(argument);
      } else {
        x[j] = argument;
      }
    }
    Wide all = lanes::broadcast(0.0);
    Lanes sum[sums] = {};
    for (Index round = 0; round < rounds; ++round) {
      for (Index j = 0; j < count; j += sums) {
        for (int s = 0; s < sums; ++s) sum[s] = sum[s] + lanes::exp(x[j + s]);
      }
    }
    for (const Lanes& s : sum) {
      if constexpr (std::is_same_v<Lanes, Narrow>) {
        all = all + lanes::widen(s);
      } else {
        all = all + s;
      }
    }
    lanes::store(&out(item * lanes::width), all);
  }
};

struct MultiplyAddRounds {
  Index rounds;
  Real factor, shift;
  Buffer out;
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Wide a = lanes::broadcast(factor);
    const Wide b = lanes::broadcast(shift);
    Wide x[chains];
    for (int c = 0; c < chains; ++c) x[c] = lanes::broadcast(static_cast<Real>(item + c));
    for (Index round = 0; round < rounds; ++round) {
      for (auto& chain : x) chain = chain * a + b;
    }
    lanes::store(&out(item * lanes::width), total(x, chains));
  }
};

/// Which entries (lanes::width values each) a thread takes: a block of its own on a CPU, every n-th on a GPU.
struct Share {
  Index items, entries;
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Index first(Index item) const {
    return lanes::width > 1 ? item * entries : item;
  }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Index step() const { return lanes::width > 1 ? 1 : items; }
};

struct ReadSum {
  Share share;
  Buffer x, out;
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Real* from = x.data() + share.first(item) * lanes::width;
    Wide sum[sums];
    for (auto& s : sum) s = lanes::broadcast(0.0);
    for (Index e = 0; e + sums <= share.entries; e += sums) {
      for (int s = 0; s < sums; ++s) sum[s] = sum[s] + lanes::load(from + (e + s) * share.step() * lanes::width);
    }
    lanes::store(&out(item * lanes::width), total(sum, sums));
  }
};

struct Triad {
  Share share;
  Buffer x, y, z;
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Index first = share.first(item) * lanes::width;
    for (Index e = 0; e < share.entries; ++e) {
      const Index at = first + e * share.step() * lanes::width;
      lanes::store(&z(at), lanes::load(&x(at)) + lanes::load(&y(at)) * 3.0);
    }
  }
};

template <class Functor>
CeilingMeasurement measured(const Effort& effort, double amount, const char* label, Index items,
                            const Functor& functor) {
  return {amount, time_of(effort, [&] { Kokkos::parallel_for(label, Policy(0, items), functor); })};
}

struct Names {
  const char* name;
  const char* unit;
};
constexpr Names names[] = {{"exp float", "exp"},
                           {"exp double", "exp"},
                           {"multiply-add", "multiply-adds"},
                           {"memory read", "bytes"},
                           {"memory triad", "bytes"}};

}  // namespace

const char* name(Ceiling ceiling) { return names[static_cast<std::size_t>(ceiling)].name; }
const char* unit(Ceiling ceiling) { return names[static_cast<std::size_t>(ceiling)].unit; }

Ceilings Ceilings::measure(const Effort& effort, Index array_bytes) {
  const Index items = ExecutionSpace{}.concurrency();
  const Index entry_bytes = static_cast<Index>(lanes::width * sizeof(Real));
  const Share share{items, std::max<Index>(1, array_bytes / (items * entry_bytes * sums)) * sums};
  const Index values = share.items * share.entries * lanes::width;
  const Buffer out("hpot::Ceilings::out", items * lanes::width);

  const Index rounds = calculations / arguments;
  const double exps = static_cast<double>(items * rounds * arguments * lanes::width);
  Ceilings result;
  const auto at = [&](Ceiling c) -> CeilingMeasurement& { return result.values_[static_cast<std::size_t>(c)]; };
  at(Ceiling::exp_float) =
      measured(effort, exps, "hpot::Ceilings::exp_float", items, ExpRounds<Narrow>{arguments, rounds, out});
  at(Ceiling::exp_double) =
      measured(effort, exps, "hpot::Ceilings::exp_double", items, ExpRounds<Wide>{arguments, rounds, out});
  at(Ceiling::multiply_add) =
      measured(effort, static_cast<double>(items * calculations * chains * lanes::width),
               "hpot::Ceilings::multiply_add", items, MultiplyAddRounds{calculations, 0.999, 0.001, out});

  const Buffer x("hpot::Ceilings::x", values);
  const Buffer y("hpot::Ceilings::y", values);
  const Buffer z("hpot::Ceilings::z", values);
  const double bytes = static_cast<double>(values) * sizeof(Real);
  at(Ceiling::memory_read) = measured(effort, bytes, "hpot::Ceilings::read", items, ReadSum{share, x, out});
  at(Ceiling::memory_triad) = measured(effort, 3.0 * bytes, "hpot::Ceilings::triad", items, Triad{share, x, y, z});
  return result;
}

}  // namespace hpot
