// FreeSurfer's binary files: surfaces (lh.white, rh.pial) and maps on their vertices (lh.thickness, rh.curv). They are known
// by their first three bytes, not by their names. Numbers are big-endian. Local.
#pragma once

#include "hpot/measure/mesh.hpp"

#include <string>
#include <vector>

namespace hpot {

enum class FreeSurferKind { none, surface, map };

/// By the first bytes of the file; none where it cannot be read.
FreeSurferKind freesurfer_kind(const std::string& path);

/// A triangle file. Coordinates as they stand there. InputError: the old quadrangle files, cut short.
MeshData read_freesurfer_surface(const std::string& path);

/// A map of the new format, one value a vertex; NaN stays NaN. InputError: infinite values, cut short.
std::vector<Real> read_freesurfer_map(const std::string& path);

}  // namespace hpot
