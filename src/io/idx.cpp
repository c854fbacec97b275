#include "hpot/io/idx.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <array>
#include <filesystem>

namespace hpot {

namespace {

constexpr std::uint32_t images_magic = 0x00000803;
constexpr std::uint32_t labels_magic = 0x00000801;

std::uint32_t read_word(ByteReader& reader) {
  std::array<unsigned char, 4> bytes{};
  reader.read_all(bytes.data(), bytes.size(), "header");
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) | (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

struct ImagesHeader {
  Index images = 0;
  Index rows = 0;
  Index columns = 0;
};

ImagesHeader read_images_header(ByteReader& reader) {
  require(read_word(reader) == images_magic, reader.path(), "not an IDX file of byte images (magic 0x00000803)",
          "name the images' file");
  ImagesHeader header;
  header.images = read_word(reader);
  header.rows = read_word(reader);
  header.columns = read_word(reader);
  require(header.images > 0 && header.rows > 0 && header.columns > 0, reader.path(), "it holds no pixels",
          "check the file");
  reader.require_room(16, static_cast<std::uint64_t>(header.images),
                      static_cast<std::uint64_t>(header.rows) * static_cast<std::uint64_t>(header.columns), "images");
  return header;
}

std::string labels_path(const std::string& path) {
  std::filesystem::path file(path);
  std::string name = file.filename().string();
  for (const auto& [images, labels] : {std::pair<std::string, std::string>{"images", "labels"}, {"idx3", "idx1"}}) {
    const auto at = name.rfind(images);
    if (at != std::string::npos) name.replace(at, images.size(), labels);
  }
  require(name != file.filename().string(), path, "labels are read from the file beside it, whose name cannot be told",
          "name the pair like x-images-idx3-ubyte.gz and x-labels-idx1-ubyte.gz");
  return file.replace_filename(name).string();
}

std::vector<unsigned char> read_labels(const std::string& path, Index images) {
  ByteReader reader(path);
  require(read_word(reader) == labels_magic, path, "not an IDX file of byte labels (magic 0x00000801)",
          "put the labels of the images there");
  const Index count = read_word(reader);
  require(count == images, path, std::to_string(count) + " labels for " + std::to_string(images) + " images",
          "put the labels of the same set there");
  reader.require_room(8, static_cast<std::uint64_t>(count), 1, "labels");
  std::vector<unsigned char> labels(static_cast<std::size_t>(count));
  reader.read_all(labels.data(), labels.size(), "labels");
  return labels;
}

/// The set's numbers of the images that bear the label.
std::vector<Index> selected_images(const std::string& path, Index images, const IdxSelection& selection) {
  const std::vector<unsigned char> labels = read_labels(labels_path(path), images);
  std::vector<Index> selected;
  for (Index i = 0; i < images; ++i) {
    if (labels[static_cast<std::size_t>(i)] == selection.label) selected.push_back(i);
  }
  require(!selected.empty(), path + ": label = " + std::to_string(selection.label), "no image bears it",
          "choose a label that is there");
  return selected;
}

}  // namespace

Index idx_count(const std::string& path, const IdxSelection& selection) {
  ByteReader reader(path);
  const ImagesHeader header = read_images_header(reader);
  if (selection.label < 0) return header.images;
  return static_cast<Index>(selected_images(path, header.images, selection).size());
}

Grid read_idx_grid(const std::string& path) {
  ByteReader reader(path);
  const ImagesHeader header = read_images_header(reader);
  return make_grid({header.rows, header.columns}, {1.0});
}

GridData read_idx(const std::string& path, const IdxSelection& selection, Index item) {
  ByteReader reader(path);
  const ImagesHeader header = read_images_header(reader);
  Index image = item, available = header.images;
  if (selection.label >= 0) {
    const std::vector<Index> selected = selected_images(path, header.images, selection);
    available = static_cast<Index>(selected.size());
    if (item >= 0 && item < available) image = selected[static_cast<std::size_t>(item)];
  }
  require(item >= 0 && item < available, path + ": item = " + std::to_string(item),
          "there are " + std::to_string(available) + " images", "items count from 0");
  GridData data;
  data.grid = make_grid({header.rows, header.columns}, {1.0});
  const Index pixels = data.grid.points();
  reader.skip(static_cast<std::uint64_t>(image) * static_cast<std::uint64_t>(pixels), "images");
  data.values = read_numbers(reader, Number::uint8, false, pixels, "images");
  data.name = path;
  return data;
}

}  // namespace hpot
