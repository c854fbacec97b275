// GIfTI files, surfaces and maps on their vertices, through giftiio. Text, base64 and compressed data of any real type.
//
// A name that ends in .gz is unzipped first. The library runs in a process of its own (apart.hpp), since damaged files may
// crash it, and every size that a file claims is compared with what it can hold. Local.
#pragma once

#include "hpot/measure/mesh.hpp"

#include <string>
#include <vector>

namespace hpot {

/// The first array of points and the first of triangles. Coordinates as they stand there: no transformation is applied.
MeshData read_gifti_mesh(const std::string& path);

/// One of the arrays of values, in the file's order, points and triangles not counted; -1 means that there must be one. NaN
/// stays NaN; infinite values are an InputError.
std::vector<Real> read_gifti_map(const std::string& path, int frame = -1);

/// A functional map: `values` as 32-bit floats, compressed, under a temporary name that is renamed when complete.
void write_gifti_map(const std::string& path, const std::vector<Real>& values);

}  // namespace hpot
