#include "hpot/io/input.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/field.hpp"
#include "hpot/core/sha256.hpp"
#include "hpot/io/measure_file.hpp"
#include "hpot/io/mesh_file.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {
namespace {

/// Of every measure, over its rows in their order: from rank to rank along rows where they are divided.
std::vector<std::string> digests(const ProcessGrid& processes, const RawMeasures& raw) {
  constexpr std::size_t bytes = 32;
  std::vector<Sha256> sha(raw.data.size());
  for (std::size_t k = 0; k < sha.size(); ++k) {
    if (const PointCloud* cloud = raw.data[k].support.cloud(); cloud != nullptr)
      sha[k].update(cloud->coordinates->data(), cloud->coordinates->size() * sizeof(Real));
  }
  const OwnedRows rows = raw.data.empty() ? OwnedRows{{}, Communicator::self()} : raw.rows(0, processes.along_rows());
  for (int r = 0; r < rows.along_rows.size(); ++r) {
    if (rows.partition.block(r).size() == 0) continue;
    if (r == rows.along_rows.rank()) {
      for (std::size_t k = 0; k < sha.size(); ++k)
        sha[k].update(raw.data[k].values.data(), raw.data[k].values.size() * sizeof(Real));
    }
    if (rows.along_rows.size() == 1) continue;
    std::string states;
    for (const Sha256& one : sha) states += one.state();
    rows.along_rows.broadcast(states, r);
    for (std::size_t k = 0; k < sha.size(); ++k) sha[k].resume(states.substr(states.size() / sha.size() * k));
  }
  std::vector<Real> numbers(bytes * raw.names.size(), 0.0);
  for (std::size_t k = 0; k < sha.size(); ++k) {
    const auto digest = sha[k].finish();
    std::copy(digest.begin(), digest.end(), numbers.begin() + bytes * (raw.owned.begin + k));
  }
  processes.world().max(numbers);  // a measure's owners agree, others hold zeros
  std::vector<std::string> texts;
  for (std::size_t k = 0; k < raw.names.size(); ++k) {
    std::array<std::uint8_t, bytes> digest{};
    std::copy_n(numbers.begin() + bytes * k, bytes, digest.begin());
    texts.push_back(hexadecimal(digest));
  }
  return texts;
}

std::vector<std::string> joined(std::vector<std::string> all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Packed, of the first measure: empty where it is a cloud.
std::vector<Real> first_grid(const Communicator& world, const std::vector<std::string>& names) {
  std::vector<Real> packed;
  world.agree([&] {
    if (world.rank() != 0) return;
    for (const std::string& name : names)
      require(!is_surface_map(name), name, "values on the vertices of a surface, which is not named",
              "set input.mesh = FILE");
    if (!is_cloud(names[0])) packed = pack(read_grid(names[0]));
  });
  world.broadcast(packed);
  return packed;
}

/// Of weights by a cost matrix.
Support index_set_of(const MeasureData& data, const Support& entries) {
  require(data.support.points() == entries.points(), data.name,
          std::to_string(data.support.points()) + " weights, and there are " + entries.describe(),
          "give a weight for every entry of the cost matrix");
  return entries;
}

/// What the values of `data` live on, among measures on `supports`; of a map on a surface those of its vertices are kept.
Support support_of(MeasureData& data, const Support& first, const std::string& first_name) {
  if (const Mesh* mesh = first.mesh(); mesh != nullptr) {
    require(data.support.grid() != nullptr, data.name, "points; a map on a surface has a value for every vertex",
            "leave ?as= out");
    const auto values = static_cast<Index>(data.values.size());
    require(values == mesh->given, data.name,
            std::to_string(values) + " values, and the surface " + mesh->name + " has " + std::to_string(mesh->given) +
                " vertices",
            "give a value for every vertex");
    data.values = kept_values(*mesh, data.values);
    data.support = first;
    return first;
  }
  const std::string difference = support_mismatch(first, data.support);
  const bool grids = first.grid() != nullptr && data.support.grid() != nullptr;
  require(difference.empty(), data.name,
          (grids ? "its grid differs from that of " : "its points cannot be compared with those of ") +
              (data.name == first_name ? "the measures" : first_name) + ": " + difference,
          grids ? "resample it to the same grid" : "give both as clouds of one dimension, e.g. by ?as=points");
  return grids ? first : data.support;
}

/// Points that were read before, for their number: the same arrays again, so that they are there once.
void share_points(MeasureData& data, const Support& before) {
  const PointCloud* const earlier = before.cloud();
  const PointCloud* const now = data.support.cloud();
  if (earlier == nullptr || now == nullptr || earlier->points() == 0) return;
  const bool same_order = (earlier->order == nullptr) == (now->order == nullptr) &&
                          (now->order == nullptr || *earlier->order == *now->order);
  require(same_order && *earlier->coordinates == *now->coordinates, data.name, "it changes while it is read");
  data.support = before;
}

/// All rows of a table of points on every rank, each row read by one. Collective.
Array gathered_rows(const Communicator& world, const std::string& name, const std::vector<Index>& shape) {
  const Index width = shape.size() == 2 ? shape[1] : 1;
  std::vector<Index> offsets = Partition(shape[0], 1, world.size()).offsets();
  const Range mine{offsets[world.rank()], offsets[world.rank() + 1]};
  Array part{{0, width}, {}};
  world.agree([&] {
    if (mine.size() == 0) return;
    part = read_rows(name, mine);
    require(part.values.size() == static_cast<std::size_t>(mine.size() * width), name, "it changes while it is read");
  });
  for (Index& offset : offsets) offset *= width;
  const Field all = make_unset_field("hpot::gathered_rows", 1, offsets.back());
  world.gather_points(make_field("hpot::gathered_rows::mine", 1, part.values), all, offsets);
  return {shape, host_values(all)};
}

/// One measure that every rank needs whole: tables of points are read by all ranks together, other files by each. Collective.
MeasureData read_together(const Communicator& world, const std::string& name) {
  std::vector<Real> packed;
  world.agree([&] {
    if (world.rank() != 0) return;
    const std::vector<Index> shape = shape_of_rows(name);
    packed.assign(shape.begin(), shape.end());
  });
  world.broadcast(packed);
  MeasureData data;
  if (packed.empty()) {
    world.agree([&] { data = read_measure(name); });
    return data;
  }
  Array table = gathered_rows(world, name, {packed.begin(), packed.end()});
  world.agree([&] { data = measure_of_rows(name, std::move(table)); });
  return data;
}

}  // namespace

OwnedRows RawMeasures::rows(std::size_t k, const Communicator& along_rows) const {
  const Support& support = supports[k];
  return own_rows(support, support.grid() != nullptr ? along_rows : Communicator::self());
}

void RawMeasures::add_further(const RawMeasures& measures) {
  further_names = joined(std::move(further_names), measures.names);
  further_sha256 = joined(std::move(further_sha256), measures.sha256);
}

std::vector<std::string> RawMeasures::all_names() const { return joined(names, further_names); }
std::vector<std::string> RawMeasures::all_sha256() const { return joined(sha256, further_sha256); }

std::vector<OptionKey> InputOptions::keys() {
  return {
      {"input.normalize", "true", "scale every measure to mass 1", check::flag()},
      {"input.mesh", "none",
       "surfaces on whose vertices the measures are maps: .gii, .gii.gz, FreeSurfer's (lh.white) or synthetic:sphere; "
       "those of a comma list are components of one",
       check::text()},
      {"input.mask", "none", "a map on these: vertices where it is 0 or NaN are left out of the surface",
       check::text()},
      {"input.negative", "error",
       "error: refuse negative values; clip: count them as zero; split: solve the positive and the negative part",
       check::one_of({"error", "clip", "split"})},
  };
}

InputOptions InputOptions::from(const Options& options) {
  InputOptions input{options.flag("input.normalize"), options.text("input.negative"), options.text("input.mesh"),
                     options.text("input.mask")};
  for (std::string* name : {&input.mesh, &input.mask}) {
    if (*name == "none") name->clear();
  }
  if (input.mesh.empty() && !input.mask.empty())
    options.reject("input.mask", "it is of a surface, and input.mesh names none", "set input.mesh = FILE");
  return input;
}

std::vector<std::pair<NegativeValues, std::string>> InputOptions::parts() const {
  if (negative == "split") return {{NegativeValues::positive, "/positive"}, {NegativeValues::negative, "/negative"}};
  return {{negative == "clip" ? NegativeValues::clip : NegativeValues::error, ""}};
}

std::vector<std::string> expand_everywhere(const Communicator& world, const std::string& list) {
  std::vector<std::string> names;
  world.agree([&] {
    if (world.rank() == 0) names = expand_measures(list);
  });
  world.broadcast(names);
  return names;
}

Support read_common_support(const Communicator& world, const InputOptions& input,
                            const std::vector<std::string>& names) {
  if (!input.mesh.empty()) return read_surface(world, input.mesh, input.mask);
  const std::vector<Real> packed = first_grid(world, names);
  if (packed.empty())
    throw InputError(error_text(names[0], {}, {}, "a cloud of points; measures on one grid are needed",
                                "set barycenter.method = free_support"));
  return unpack_grid(packed);
}

std::vector<Support> read_supports(const Communicator& world, const InputOptions& input,
                                   const std::vector<std::string>& names) {
  if (!input.mesh.empty()) return {names.size(), read_surface(world, input.mesh, input.mask)};
  const std::vector<Real> packed = first_grid(world, names);
  if (!packed.empty()) return {names.size(), Support(unpack_grid(packed))};
  std::vector<Support> supports;
  for (const std::string& name : names) supports.push_back(read_together(world, name).support);
  return supports;
}

std::vector<Support> read_index_sets(const Communicator& world, const std::vector<std::string>& names) {
  std::vector<Real> numbers;
  world.agree([&] {
    if (world.rank() != 0) return;
    for (const std::string& name : names) {
      require(!is_cloud(name), name, "points; a cost matrix has entries, whose weights are wanted",
              "give an array of weights, or synthetic:uniform?dim=1&n=N");
      numbers.push_back(static_cast<Real>(read_grid(name).points()));
    }
  });
  world.broadcast(numbers);
  std::vector<Support> supports;
  for (const Real n : numbers) supports.emplace_back(IndexSet{static_cast<Index>(n)});
  return supports;
}

RawMeasures read_measures(const ProcessGrid& processes, const std::vector<std::string>& names, Range owned,
                          const std::vector<Support>& supports) {
  const Communicator& world = processes.world();
  RawMeasures raw{names, owned, {}, {}, {}, {}, {}};
  const Grid* const grid = supports[0].grid();
  const bool together = grid == nullptr && !world.any(owned.size() != static_cast<Index>(names.size()));
  const auto take = [&](MeasureData data) {
    const std::size_t index = owned.begin + raw.data.size();
    if (supports.size() == names.size()) share_points(data, supports[index]);
    raw.data.push_back(std::move(data));
  };
  for (Index k = 0; together && k < owned.size(); ++k) {
    MeasureData data = read_together(world, names[k]);
    world.agree([&] { take(std::move(data)); });
  }
  world.agree([&] {
    for (Index k = owned.begin; !together && k < owned.end; ++k) {
      take(grid == nullptr ? read_measure(names[k])
                           : read_planes(names[k], owned_planes(own_rows(*grid, processes.along_rows()), *grid)));
    }
    for (MeasureData& data : raw.data) {
      const std::size_t own = supports.size() == names.size() ? owned.begin + raw.supports.size() : 0;
      raw.supports.push_back(supports[0].dimension() == 0 ? index_set_of(data, supports[own])
                                                          : support_of(data, supports[0], names[0]));
    }
  });
  raw.sha256 = digests(processes, raw);
  if (const Mesh* mesh = supports[0].mesh(); mesh != nullptr) {
    Sha256 sha;
    sha.update(mesh->coordinates->data(), mesh->coordinates->size() * sizeof(Real));
    sha.update(mesh->triangles->data(), mesh->triangles->size() * sizeof(Index));
    sha.update(mesh->number->data(), mesh->number->size() * sizeof(Index));
    raw.further_names.push_back(mesh->name);
    raw.further_sha256.push_back(hexadecimal(sha.finish()));
  }
  return raw;
}

void check_components(const Communicator& world, const RawMeasures& raw, const MeasureSet& set) {
  constexpr Real rounding = 1e-9;
  const Mesh* const mesh = raw.supports.empty() ? nullptr : raw.supports[0].mesh();
  const Index components = static_cast<Index>(world.max(mesh == nullptr ? 1.0 : static_cast<Real>(mesh->components)));
  if (components == 1) return;
  std::vector<Real> shares(components * raw.names.size(), 0.0);
  for (std::size_t k = 0; k < set.weights.size(); ++k) {
    Real* const of_measure = &shares[components * (raw.owned.begin + k)];
    const Real sum = std::accumulate(set.weights[k].begin(), set.weights[k].end(), 0.0);
    for (Index v = 0; v < mesh->points(); ++v) of_measure[(*mesh->component)[v]] += set.weights[k][v] / sum;
  }
  world.max(shares);  // a measure's owners agree, others hold zeros
  for (std::size_t s = components; s < shares.size(); ++s) {
    const Real first = shares[s % components];
    if (std::abs(shares[s] - first) <= rounding) continue;
    throw InputError(error_text(raw.names[s / components], {}, {},
                                "it has " + std::to_string(100.0 * shares[s]) + " % of its mass on component " +
                                    std::to_string(s % components + 1) + " of " + std::to_string(components) +
                                    " of the surface, " + raw.names[0] + " has " + std::to_string(100.0 * first) +
                                    " %; no mass goes between components",
                                "solve each component by itself, or set kl or tv penalties"));
  }
}

MeasureSet make_measures(const ProcessGrid& processes, const RawMeasures& raw, std::vector<MeasureData> data,
                         NegativeValues negative, bool normalize) {
  const Communicator& world = processes.world();
  MeasureSet set;
  const std::size_t count = raw.names.size();
  std::vector<Real> numbers(3 * count, 0.0);  // masses; masked; clipped
  world.agree([&] {                           // ranks along rows, which communicate, fail together
    for (std::size_t k = 0; k < data.size(); ++k) {
      Measure measure = make_measure(std::move(data[k]), negative, normalize, raw.rows(k, processes.along_rows()));
      const std::size_t index = raw.owned.begin + k;
      numbers[index] = measure.mass;
      numbers[count + index] = static_cast<Real>(measure.masked);
      numbers[2 * count + index] = static_cast<Real>(measure.clipped);
      set.weights.push_back(std::move(measure.weights));
    }
  });
  world.max(numbers);  // a measure's owners agree, others hold zeros
  set.masses.assign(numbers.begin(), numbers.begin() + count);
  Real masked = 0.0;
  Real clipped = 0.0;
  for (std::size_t k = 0; k < count; ++k) {
    masked += numbers[count + k];
    clipped += numbers[2 * count + k];
  }
  set.masked = static_cast<Index>(masked + 0.5);
  set.clipped = static_cast<Index>(clipped + 0.5);
  return set;
}

}  // namespace hpot
