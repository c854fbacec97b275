// Measures from files, by extension, and from synthetic families.
//
//   maps/*.nii.gz, other.nii       globs and comma lists
//   con_0001.img                   NIfTI-1 and Analyze 7.5: .nii .hdr/.img, each also with .gz; any real datatype
//   bold.nii.gz?frame=0            one frame of a 4-D file
//   shape.png?channel=r&invert=1   .png .jpg .jpeg .pgm; channel r, g, b, a or luminance
//   digits-images-idx3-ubyte.gz?label=3&count=200
//                                  IDX images (.idx, idx3-ubyte, each also with .gz); labels from the file beside it
//   table.csv  array.npy           a row or column: 1-D; a matrix: 2-D, rows are y; a 3-D array: a volume [z][y][x]
//   data.h5:/group/dataset         1 to 3-D, likewise
//   data.h5:/maps?stack=1          the first axis of a .npy or .h5 array, or the rows of a table, count measures; `count` of them
//   synthetic:FAMILY?key=value&... see synthetic.hpp
// Clouds of points, weights 1 where none are given:
//   bunny.ply  spot.obj  atoms.xyz             each also with .gz
//   table.csv?as=points  array.npy?as=points   (n, d) coordinates; &weights=last: the last column holds weights
//   knee.nii.gz?as=voxels  shape.png?as=voxels any grid: its points of non-zero value, which is their weight (as=points is
//                                              the same where rows cannot be points)
//   photograph.jpg?as=colors                   .png .jpg .jpeg: colours of pixels in the RGB cube [0,1]^3, see colors_of; of
//                                              &pixels=10000 of them, or all
//   synthetic:points?shape=...                 see synthetic_points.hpp
//   synthetic:scene?item=0&pixels=10000        see synthetic_picture.hpp
// Maps on a surface (input.mesh), a value for every vertex, as tables and arrays may hold them, too:
//   lh.func.gii?frame=0                        .gii .gii.gz: one of its maps
//   lh.thickness?and=rh.thickness              FreeSurfer's, known by their first bytes; `and`: the values of another follow
//   synthetic:sphere?subdivisions=5&item=1     see synthetic_surface.hpp
// `item` picks one of an IDX file, a stack or a family. Images, tables, arrays and IDX take ?spacing=DX or
// ?spacing=DXxDYxDZ, in the order x, y, z of Grid::describe. A '?' always opens the qualifiers; axes of length 1 of
// tables and arrays are dropped.
#pragma once

#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/image.hpp"
#include "hpot/measure/support.hpp"

namespace hpot {

/// One text for every measure that `list` names, in its order: globs sorted, containers and families expanded (each
/// text then carries `item`). Local: call it on rank 0 and broadcast. Throws InputError where a pattern matches
/// nothing.
std::vector<std::string> expand_measures(const std::string& list);

/// The grid of a measure, from its header where the format has one (images and tables are read). Local. InputError as
/// read_measure, but for what the values would tell.
Grid read_grid(const std::string& source);

/// Whether the measure is a cloud of points. Local. InputError as read_grid.
bool is_cloud(const std::string& source);

/// Whether the measure is a map on a surface and nothing else. Local.
bool is_surface_map(const std::string& source);

/// Whether the measure is the colours of a picture. Local.
bool is_colors(const std::string& source);
/// That picture. Local. InputError as read_raster.
Raster picture_of_colors(const std::string& source);

/// Shape of a table of points whose rows can be read apart, by several ranks (?as=points of .npy and .h5, no stack); empty for
/// all else. Local. InputError as read_grid.
std::vector<Index> shape_of_rows(const std::string& source);
/// These rows of it, one at least.
Array read_rows(const std::string& source, Range rows);
/// What read_measure gives, of a table that holds all rows.
MeasureData measure_of_rows(const std::string& source, Array table);

/// Reads one measure; a cloud comes in Morton order. Local. NaN stays NaN; infinite values, cut or unreadable files, unknown
/// extensions and qualifiers are InputErrors that name the file. `name` is `source`.
MeasureData read_measure(const std::string& source);

/// The same of a measure on a grid, with the values of some of its planes (indices of the slowest axis) alone, none of them
/// where the grid has fewer. Volumes, arrays and synthetic families hold no others; other formats are read whole first.
MeasureData read_planes(const std::string& source, Range planes);

}  // namespace hpot
