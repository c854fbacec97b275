#include "hpot/io/result.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/field.hpp"
#include "hpot/core/memory.hpp"
#include "hpot/core/session.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/io/raw_file.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

namespace hpot {

std::vector<OptionKey> OutputOptions::keys(const std::string& default_file) {
  return {
      {"output.file", default_file, "HDF5 file of the results; its folder must exist", check::text()},
      {"output.picture", "none", "PNG picture of the results, or none", check::text()},
      progress_key(),
  };
}

OutputOptions OutputOptions::from(const Options& options) {
  OutputOptions result{options.text("output.file"), options.text("output.picture"), options.text("output.progress")};
  if (result.file.empty()) options.reject("output.file", "no file name");
  if (result.picture == "none") result.picture.clear();
  if (!result.picture.empty() && !result.picture.ends_with(".png"))
    options.reject("output.picture", "pictures are PNG files", "give a name that ends in .png, or none");
  return result;
}

std::vector<Real> gather_points(const OwnedRows& rows, const ConstField& field) {
  return rows.along_rows.gather(host_values(field));
}

void take_parts(const Communicator& world, const OwnedRows& rows, const ConstField& field,
                const std::function<void(Index first, const std::vector<Real>& values)>& take) {
  std::string failure;  // of rank 0, which goes on receiving
  rows.along_rows.to_root(host_values(field), [&](int rank, std::vector<Real>& values) {
    if (world.rank() != 0 || !failure.empty() || values.empty()) return;
    try {
      take(rows.partition.block(rank).begin, values);
    } catch (const InputError& error) {
      failure = error.what();
    }
  });
  world.agree([&] {
    if (!failure.empty()) throw InputError(failure);
  });
}

void write_owned(const Communicator& world, const Hdf5Writer* file, Index room, const OwnedRows& rows,
                 const std::vector<Real>& values, Index width) {
  std::string temporary, path;
  std::vector<Real> place{static_cast<Real>(room)};
  std::vector<Real> first_of_rows{static_cast<Real>(world.rank())};
  if (world.rank() == 0) {
    temporary = file->temporary();
    path = file->path();
  }
  world.broadcast(temporary);
  world.broadcast(path);
  world.broadcast(place);
  rows.along_rows.broadcast(first_of_rows);
  world.agree([&] {
    if (first_of_rows[0] != 0.0) return;  // others have the same rows
    const RawFile raw(temporary, path, RawFile::Access::write);
    const Index begin = rows.partition.block(rows.along_rows.rank()).begin * width;
    raw.write(static_cast<Index>(place[0]) + begin * static_cast<Index>(sizeof(Real)), values);
  });
}

namespace {

/// (point, entry) of a field (entry, point).
std::vector<Real> by_points(const ConstField& field) {
  std::vector<Real> values = host_values(field);
  const std::size_t width = field.extent(0), points = field.extent(1);
  if (width == 1) return values;
  std::vector<Real> result(values.size());
  for (std::size_t k = 0; k < width; ++k) {
    for (std::size_t i = 0; i < points; ++i) result[i * width + k] = values[k * points + i];
  }
  return result;
}

void write_of_shape(const Communicator& world, Hdf5Writer* file, const std::string& name,
                    const std::vector<Index>& shape, const Support& support, const OwnedRows& rows,
                    const ConstField& field) {
  const Index width = static_cast<Index>(field.extent(0));
  if (support.grid() == nullptr) {
    std::vector<Real> values = rows.along_rows.gather(by_points(field));
    world.agree([&] {
      if (world.rank() == 0) file->dataset(name, {shape, in_input_order(support, std::move(values), width)});
    });
    return;
  }
  Index room = 0;
  world.agree([&] {
    if (world.rank() == 0) room = file->room(name, shape);
  });
  write_owned(world, file, room, rows, by_points(field), width);
}

}  // namespace

void write_points(const Communicator& world, Hdf5Writer* file, const std::string& name, const Support& support,
                  const OwnedRows& rows, const ConstField& field) {
  write_of_shape(world, file, name, data_shape(support), support, rows, field);
}

void write_vectors(const Communicator& world, Hdf5Writer* file, const std::string& name, const Support& support,
                   const OwnedRows& rows, const ConstField& field) {
  std::vector<Index> shape = data_shape(support);
  shape.push_back(static_cast<Index>(field.extent(0)));
  write_of_shape(world, file, name, shape, support, rows, field);
}

std::vector<Real> write_volume(const Communicator& world, const std::string& path, const Grid& grid,
                               const OwnedRows& rows, const ConstField& field, bool wanted) {
  std::vector<Real> whole;
  if (path.empty() && !wanted) return whole;
  std::unique_ptr<NiftiWriter> nifti;
  world.agree([&] {
    if (world.rank() == 0 && !path.empty()) nifti = std::make_unique<NiftiWriter>(path, grid);
  });
  take_parts(world, rows, field, [&](Index, const std::vector<Real>& values) {
    if (nifti != nullptr) nifti->append(values);
    if (wanted) whole.insert(whole.end(), values.begin(), values.end());
  });
  world.agree([&] {
    if (nifti == nullptr) return;
    nifti->close();
    std::printf("volume: %s\n", path.c_str());
  });
  return whole;
}

void check_writable(const Communicator& world, const std::vector<std::string>& paths) {
  world.agree([&] {
    if (world.rank() != 0) return;
    for (const std::string& path : paths) {
      if (path.empty()) continue;
      auto folder = std::filesystem::path(path).parent_path();
      if (folder.empty()) folder = ".";
      require(std::filesystem::is_directory(folder), path, "the folder " + folder.string() + " does not exist",
              "make it first");
      require(access(folder.c_str(), W_OK) == 0, path, "the folder " + folder.string() + " is not writable");
      require(!std::filesystem::is_directory(path), path, "it is a folder", "name a file");
    }
  });
}

std::unique_ptr<Hdf5Writer> create_result(const Communicator& world, const std::string& path) {
  std::unique_ptr<Hdf5Writer> file;
  world.agree([&] {
    if (world.rank() == 0) file = std::make_unique<Hdf5Writer>(path);
  });
  return file;
}

void close_result(const Communicator& world, Hdf5Writer* file, const OutputOptions& output, Real planned_bytes) {
  const Real growth = world.max(static_cast<Real>(memory_growth()));
  world.agree([&] {
    if (world.rank() != 0) return;
    file->attribute("/", "memory_planned", static_cast<Index>(planned_bytes));
    file->attribute("/", "memory_growth_max", static_cast<Index>(growth));
    file->close();
    std::printf("results: %s%s%s\n", output.file.c_str(), output.picture.empty() ? "" : ", ", output.picture.c_str());
  });
}

void write_run(Hdf5Writer& file, const std::string& group, const Communicator& world, const RunRecord& run,
               const Outcome& outcome) {
  const std::string root = group.empty() ? "/" : group;
  file.attribute(root, "hpot_version", version_text());
  file.attribute(root, "config", run.options.dump());
  file.attribute(root, "stop_reason", std::string(name(outcome.reason)));
  file.attribute(root, "converged", outcome.reason == StopReason::converged);
  file.attribute(root, "iterations", outcome.iterations);
  file.attribute(root, "seconds", run.seconds);
  file.attribute(root, "ranks", static_cast<Index>(world.size()));
  file.attribute(root, "ranks_along_rows", static_cast<Index>(run.shape.rows));
  file.attribute(root, "ranks_along_batches", static_cast<Index>(run.shape.batches));
  file.attribute(root, "threads", static_cast<Index>(threads_per_rank()));
  file.attribute(root, "epsilon", outcome.epsilon);
  file.attribute(root, "inputs", run.raw.all_names());
  file.attribute(root, "input_sha256", run.raw.all_sha256());
  file.attribute(root, "input_masses", run.set.masses);
  file.attribute(root, "masked_values", run.set.masked);
  file.attribute(root, "clipped_values", run.set.clipped);
  if (run.set.masked + run.set.clipped > 0) {
    std::printf("%sinput: %lld NaN values masked, %lld negative values clipped\n",
                group.empty() ? "" : (group.substr(1) + ": ").c_str(), static_cast<long long>(run.set.masked),
                static_cast<long long>(run.set.clipped));
  }
}

void write_support(Hdf5Writer& file, const std::string& name, const Support& support) {
  if (const PointCloud* cloud = support.cloud(); cloud != nullptr) {
    file.attribute(name, "type", "points");
    file.dataset(name + "/points",
                 {{cloud->points(), cloud->dimension}, in_input_order(*cloud, *cloud->coordinates, cloud->dimension)});
    return;
  }
  if (const Mesh* mesh = support.mesh(); mesh != nullptr) {
    file.attribute(name, "type", "surface");
    file.attribute(name, "vertices_left_out", mesh->given - mesh->points());
    file.attribute(name, "components", mesh->components);
    file.attribute(name, "mean_edge", mesh->mean_edge);
    file.dataset(name + "/areas", {{mesh->given}, in_file_order(*mesh, *mesh->areas)});
    return;
  }
  if (support.grid() == nullptr) {
    file.attribute(name, "type", "entries of a cost matrix");
    return;
  }
  const Grid& grid = *support.grid();
  std::vector<Real> spacing;
  std::vector<Real> origin;
  for (const Axis& axis : grid.axes) {
    spacing.push_back(axis.spacing);
    origin.push_back(axis.origin);
  }
  file.attribute(name, "type", std::string("grid"));
  file.attribute(name, "axes", std::string("slowest first: [x], [y,x] or [z,y,x]"));
  file.dataset(name + "/spacing", {{static_cast<Index>(spacing.size())}, spacing});
  file.dataset(name + "/origin", {{static_cast<Index>(origin.size())}, origin});
  if (!grid.affine) return;
  Array affine{{4, 4}, {}};
  for (const auto& row : *grid.affine) affine.values.insert(affine.values.end(), row.begin(), row.end());
  affine.values.insert(affine.values.end(), {0.0, 0.0, 0.0, 1.0});
  file.dataset(name + "/affine", affine);
}

std::vector<Index> data_shape(const Support& support, Index batch) {
  std::vector<Index> shape;
  if (batch != 1) shape.push_back(batch);
  if (support.grid() == nullptr) {
    shape.push_back(support.mesh() != nullptr ? support.mesh()->given : support.points());
  } else {
    for (const Axis& axis : support.grid()->axes) shape.push_back(axis.n);
  }
  return shape;
}

std::vector<Real> in_input_order(const Support& support, std::vector<Real> values, Index width) {
  if (support.mesh() != nullptr) return in_file_order(*support.mesh(), values, width);
  return support.cloud() == nullptr ? std::move(values) : in_input_order(*support.cloud(), values, width);
}

void write_known(Hdf5Writer& file, const std::string& object, const std::string& name, Real value) {
  if (std::isfinite(value)) file.attribute(object, name, value);
}

std::string picture_path(const std::string& picture, const std::string& group) {
  return group.empty() ? picture : beside(picture, "_" + group.substr(1) + ".png");
}

std::string beside(const std::string& path, const std::string& suffix) {
  return (std::filesystem::path(path).parent_path() / (std::filesystem::path(path).stem().string() + suffix)).string();
}

}  // namespace hpot
