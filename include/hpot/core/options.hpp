// Options: an INI file, then the command line, over defaults. Parsed alike on every rank from text that rank 0 read.
//
// Keys are `section.name`. On the command line `--section.name value` or `--section.name=value`; in the INI
//     [section]
//     name = value
// In the INI '#' opens a comment at the start of a line or after white space, ';' at the start of a line only (values
// may hold ';', '=' and 'a#b'). `--section.name=` clears a value; a value that equals the default is always accepted.
// Unknown and duplicate keys, unknown sections, abbreviations, missing files and values that a key's check rejects are
// InputErrors, also where an override would hide them. Missing required keys are errors where something would run.
// A key that is declared wrongly or never declared is a std::logic_error.
#pragma once

#include "hpot/core/communicator.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace hpot {

/// Why `value` is no value of this key; empty when it is one. Alike on every rank.
using ValueCheck = std::function<std::string(const std::string& value)>;

namespace check {
ValueCheck text();                     // anything
ValueCheck real(Real low, Real high);  // finite, low <= value <= high
ValueCheck positive();                 // finite, > 0
ValueCheck integer(Index low, Index high);
ValueCheck flag();                                                         // true|false|yes|no|on|off|1|0
ValueCheck one_of(std::vector<std::string> names);                         // answers an unknown name with the list
ValueCheck word_or(std::vector<std::string> words, ValueCheck otherwise);  // e.g. `auto` or an integer
}  // namespace check

struct OptionKey {
  std::string name;      // section.name
  std::string fallback;  // default, in the INI's spelling
  std::string help;      // one or two lines, with units
  ValueCheck check = check::text();
  bool required = false;  // no default: must be given
};

class Options;

/// Where --restart finds what an earlier run was asked for.
struct RestartSource {
  std::function<std::string(const Options& options)> file;  // the file that `auto` means; need not be there
  std::function<std::string(const std::string& file)>
      read_ini;  // the INI in it; called on rank 0, may throw InputError
};

class Options {
 public:
  /// What a command line asks for besides running.
  enum class Action { run, help, version, dump_config, dry_run };

  /// Collective over `world`; argv may differ by rank, rank 0's counts. With a `restart`, `--restart FILE` lays the INI in
  /// FILE under the other sources, which may then change keys of [output], [stopping], [checkpoint] and [resources] only;
  /// `--restart auto` does so where there is a file.
  static Options parse(const Communicator& world, const std::vector<OptionKey>& keys, int argc, const char* const* argv,
                       const RestartSource* restart = nullptr);

  [[nodiscard]] Action action() const { return action_; }
  /// The file to go on from; empty for a fresh start.
  [[nodiscard]] const std::string& restart_file() const { return restart_file_; }
  /// Whether an earlier run of this configuration may have been killed: --restart was given, a file or auto.
  [[nodiscard]] bool restarts() const { return restarts_; }
  [[nodiscard]] const std::string& text(const std::string& key) const;
  [[nodiscard]] Real real(const std::string& key) const;
  [[nodiscard]] Index integer(const std::string& key) const;
  [[nodiscard]] bool flag(const std::string& key) const;
  /// Items between `separator`, trimmed; empty items are dropped.
  [[nodiscard]] std::vector<std::string> list(const std::string& key, char separator = ',') const;
  /// False when the default stands, also where it was spelled out: equal values mean equal runs.
  [[nodiscard]] bool given(const std::string& key) const;

  /// Throws InputError in the grammar of error.hpp, naming the INI file or the command line that set the key.
  [[noreturn]] void reject(const std::string& key, const std::string& why, const std::string& what_to_do = {}) const;

  /// A complete, commented INI of what would run; parse(dump()) gives the same options.
  [[nodiscard]] std::string dump() const;
  /// The text of --help.
  [[nodiscard]] static std::string help(const std::string& program, const std::string& about,
                                        const std::vector<OptionKey>& keys, bool restarts = false);

 private:
  struct Value {
    std::string text;
    std::string origin;  // file name, "command line", or empty for a default
  };
  [[nodiscard]] const Value& value(const std::string& key) const;
  void check_required(const std::string& origin) const;
  void check_changes(const std::map<std::string, Value>& before) const;

  std::vector<OptionKey> keys_;
  std::map<std::string, Value> values_;
  Action action_ = Action::run;
  std::string restart_file_;
  bool restarts_ = false;
};

}  // namespace hpot
