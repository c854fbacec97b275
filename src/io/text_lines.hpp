// Lines, words and numbers of text files, for the readers of this folder. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <string>
#include <string_view>

namespace hpot {

/// Walks over the lines of a text and the words of each, which blanks separate. Views: text and path must stay.
class TextLines {
 public:
  /// Lines end in `end`; a byte order mark before the first is passed over.
  TextLines(std::string_view text, const std::string& path, char end = '\n');

  /// Goes to the next line, whatever is on it. False where there is none.
  bool next();
  /// Goes to the next line that holds a word. What '#' opens is left out where `comments`.
  bool next_filled(bool comments);

  /// Takes the next word of the line; empty where there is none.
  std::string_view word();
  /// Takes the next word as a number, which may be NaN or infinite.
  Real number();
  /// Takes the next word as an integer from 0.
  Index count(const std::string& what);
  /// What of the line is left.
  [[nodiscard]] std::string_view line() const { return line_; }
  /// What of the text follows the line.
  [[nodiscard]] std::string_view rest() const { return text_; }

  /// InputError that names the file and the line, from 1.
  [[noreturn]] void reject(const std::string& why, const std::string& what_to_do) const;

 private:
  std::string_view text_, line_;
  const std::string& path_;
  Index number_ = 0;
  char end_;
};

/// The first characters of a word, in quotes, for messages.
std::string quoted(std::string_view word);

}  // namespace hpot
