#include "hpot/core/error.hpp"

namespace hpot {

std::string error_text(const std::string& file, const std::string& key, const std::string& value,
                       const std::string& why, const std::string& what_to_do) {
  std::string text = file;
  if (!key.empty()) text += (text.empty() ? "" : ": ") + key + " = " + value;
  if (!why.empty()) text += (text.empty() ? "(" : " (") + why + ")";
  if (!what_to_do.empty()) text += " [" + what_to_do + "]";
  return text;
}

}  // namespace hpot
