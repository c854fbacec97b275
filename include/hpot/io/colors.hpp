// Transported colours: the picture that a measure ?as=colors comes from, every pixel's colour moved by the plan's barycentric
// map (barycentric_map.hpp). The map is evaluated at all colours of the picture, each once, not only at those of the measure.
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/io/image.hpp"
#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"

namespace hpot {

inline constexpr Index colors_at_once = Index{1} << 16;  // over all ranks

/// Pixels of the picture whose colours `source` is. InputError of output.colors where it is none. Collective.
Index count_pixels(const Communicator& world, const Options& options, const std::string& source);

/// `target`, on `target_support`, and its potential g make the map T, at `epsilon`; x goes to (1 - share) x + share T(x), what
/// leaves the unit cube to its side. Rank 0 writes the PNG. Collective.
void write_colors(const Communicator& world, const std::string& path, Real share, const std::string& source,
                  KernelOptions kernel, const Marginal& target, const Support& target_support, const ConstField& g,
                  Real epsilon);

}  // namespace hpot
