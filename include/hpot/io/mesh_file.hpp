// Surfaces from files: GIfTI, FreeSurfer's, and synthetic:sphere.
#pragma once

#include "hpot/core/communicator.hpp"
#include "hpot/measure/mesh.hpp"

#include <string>

namespace hpot {

/// One surface, by its ending or its first bytes. Local; InputError that names the file.
MeshData read_mesh(const std::string& source);

/// The surfaces of a comma list as one, without the vertices where `mask`, a map on all of them, is 0 or NaN (empty: with
/// all). Read by rank 0, known to all. Collective.
Mesh read_surface(const Communicator& world, const std::string& list, const std::string& mask);

}  // namespace hpot
