#include "hpot/core/error.hpp"

#include <algorithm>
#include <new>
#include <string_view>

namespace hpot {

std::string error_text(const std::string& file, const std::string& key, const std::string& value,
                       const std::string& why, const std::string& what_to_do) {
  std::string text = file;
  if (!key.empty()) text += (text.empty() ? "" : ": ") + key + " = " + value;
  if (!why.empty()) text += (text.empty() ? "(" : " (") + why + ")";
  if (!what_to_do.empty()) text += " [" + what_to_do + "]";
  // Names and values may come from a damaged file: none of them may break the line or steer a terminal.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

bool is_out_of_memory(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         std::string_view(error.what()).find("memory space failed to allocate") != std::string_view::npos;
}

std::string out_of_memory_text(int rank) {
  return error_text("rank " + std::to_string(rank), {}, {}, "out of memory",
                    "use more nodes, fewer ranks per node, or smaller input");
}

}  // namespace hpot
