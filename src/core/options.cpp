#include "hpot/core/options.hpp"

#include "hpot/core/error.hpp"
#include "option_text.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace hpot {
namespace {

namespace po = boost::program_options;
using option_text::contains;
using option_text::join;

const char* const command_line = "command line";
const char* const restart_word = "auto";
const char* const changed_by_restart[] = {"output", "stopping", "checkpoint", "resources"};
constexpr std::size_t largest_ini = std::size_t{1} << 20;

struct ActionName {
  const char* name;
  Options::Action action;
  const char* help;
};

/// In order of precedence.
constexpr ActionName action_names[] = {
    {"help", Options::Action::help, "print this text"},
    {"version", Options::Action::version, "print the versions of HPOT and of what it stands on"},
    {"dump-config", Options::Action::dump_config, "print a complete INI of what would run"},
    {"dry-run", Options::Action::dry_run, "check the input, print memory and work, do not solve"},
};

struct Assignment {
  std::string key;
  std::string value;
};

std::string section_of(const std::string& key) { return key.substr(0, key.find('.')); }
std::string name_in_section(const std::string& key) { return key.substr(key.find('.') + 1); }

std::vector<std::string> sections_of(const std::vector<OptionKey>& keys) {
  std::vector<std::string> sections;
  for (const OptionKey& key : keys) {
    if (!contains(sections, section_of(key.name))) sections.push_back(section_of(key.name));
  }
  return sections;
}

void check_declarations(const std::vector<OptionKey>& keys) {
  std::set<std::string> seen;
  for (const OptionKey& key : keys) {
    const std::size_t dot = key.name.find('.');
    const bool named = dot != std::string::npos && dot > 0 && dot + 1 < key.name.size();
    const std::string reason = key.required || key.fallback.empty() ? "" : key.check(key.fallback);
    if (!named || !seen.insert(key.name).second || !reason.empty()) {
      throw std::logic_error("option '" + key.name + "' is declared wrongly " + reason);
    }
  }
}

[[noreturn]] void reject_unknown(const std::vector<OptionKey>& keys, const std::string& origin, const Assignment& a) {
  std::vector<std::string> all{"config", "restart"};
  for (const ActionName& action : action_names) all.emplace_back(action.name);
  std::vector<std::string> same_section;
  for (const OptionKey& key : keys) {
    all.push_back(key.name);
    if (section_of(key.name) == section_of(a.key)) same_section.push_back(name_in_section(key.name));
  }
  std::string advice = option_text::resembling(a.key, all);
  if (!advice.empty()) advice += " ";
  advice += same_section.empty() ? "known sections: " + join(sections_of(keys), ", ")
                                 : "known keys of [" + section_of(a.key) + "]: " + join(same_section, ", ");
  if (a.value.empty()) throw InputError(error_text(origin + ": " + a.key, {}, {}, "unknown key", advice));
  throw InputError(error_text(origin, a.key, a.value, "unknown key", advice));
}

std::string read_ini(const std::string& file) {
  require(!file.empty(), std::string(command_line) + ": --config", "the name is empty", "give the name of an INI file");
  std::error_code ignored;
  require(std::filesystem::exists(file, ignored), file, "no such file", "check --config and the folder you are in");
  require(!std::filesystem::is_directory(file, ignored), file, "a folder, not a file", "name the INI file in it");
  std::ifstream stream(file, std::ios::binary);
  std::string bytes;
  for (std::array<char, 4096> part; stream && bytes.size() <= largest_ini;) {
    stream.read(part.data(), part.size());
    bytes.append(part.data(), static_cast<std::size_t>(stream.gcount()));
  }
  require(stream.eof() && !stream.bad(), file, "cannot be read, or larger than 1 MiB",
          "give a readable INI file; data files are named by the keys of [input]");
  return bytes;
}

std::vector<Assignment> parse_ini(const std::vector<OptionKey>& keys, const std::string& bytes,
                                  const std::string& file) {
  std::istringstream prepared(option_text::prepare_ini(bytes, file, sections_of(keys)));
  const bool allow_unregistered = true;  // reject_unknown says more than Boost does
  const auto parsed = po::parse_config_file(prepared, po::options_description(), allow_unregistered);
  std::vector<Assignment> assignments;
  for (const po::option& option : parsed.options) {
    std::string value = option.value.front();
    std::replace(value.begin(), value.end(), option_text::protected_hash, '#');
    assignments.push_back({option.string_key, value});
  }
  return assignments;
}

/// Boost refuses `--key=`, which clears a value here.
std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> tokens;
  for (const std::string& argument : arguments) {
    const bool clears = argument.compare(0, 2, "--") == 0 && argument.find('=') == argument.size() - 1;
    tokens.push_back(clears ? argument.substr(0, argument.size() - 1) : argument);
    if (clears) tokens.emplace_back();
  }
  return tokens;
}

po::parsed_options run_boost_parser(const std::vector<OptionKey>& keys, const std::vector<std::string>& arguments,
                                    bool restarts) {
  po::options_description description;
  description.add_options()("config", po::value<std::string>());
  if (restarts) description.add_options()("restart", po::value<std::string>());
  for (const ActionName& action : action_names) description.add_options()(action.name, "");
  for (const OptionKey& key : keys) description.add_options()(key.name.c_str(), po::value<std::string>());
  using Style = po::command_line_style::style_t;
  const int exact = Style::allow_long | Style::long_allow_adjacent | Style::long_allow_next;  // no allow_guessing
  try {
    return po::command_line_parser(with_empty_values(arguments))
        .options(description)
        .style(exact)
        .allow_unregistered()
        .run();
  } catch (const po::error_with_option_name& error) {
    throw InputError(
        error_text(std::string(command_line) + ": --" +
                       error.get_option_name().substr(
                           std::min(error.get_option_name().find_first_not_of('-'), error.get_option_name().size())),
                   {}, {}, error.what(), "write --section.key value; --help lists the keys"));
  }
}

std::vector<Assignment> parse_command_line(const std::vector<OptionKey>& keys,
                                           const std::vector<std::string>& arguments, bool restarts) {
  std::vector<Assignment> assignments;
  for (const po::option& option : run_boost_parser(keys, arguments, restarts).options) {
    const std::string word = option.original_tokens.empty() ? "" : option.original_tokens.front();
    require(!option.string_key.empty() && option.position_key == -1, std::string(command_line) + ": '" + word + "'",
            "not an option", "write --section.key value; --help lists the keys");
    Assignment assignment{option.string_key, option.value.empty() ? "" : option_text::trim(option.value.front())};
    if (option.unregistered) reject_unknown(keys, command_line, assignment);
    const bool next_is_option = option.original_tokens.size() > 1 && option.original_tokens[1].compare(0, 2, "--") == 0;
    require(!next_is_option, std::string(command_line) + ": --" + option.string_key, "its value is missing",
            "write --" + option.string_key + " value, or --" + option.string_key + "=value where it starts with --");
    const std::string reason = option_text::unwritable(assignment.value);
    if (!reason.empty()) {
      throw InputError(error_text(command_line, assignment.key, assignment.value, reason, "choose another value"));
    }
    assignments.push_back(std::move(assignment));
  }
  return assignments;
}

std::string advice(const OptionKey& key) {
  std::string help = key.help;
  std::replace(help.begin(), help.end(), '\n', ' ');
  return key.name + ": " + help;
}

/// Unknown and repeated keys, and bad values.
void check_assignments(const std::vector<OptionKey>& keys, const std::vector<Assignment>& assignments,
                       const std::string& origin) {
  std::set<std::string> seen;
  for (const Assignment& a : assignments) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const OptionKey& k) { return k.name == a.key; });
    if (key == keys.end()) reject_unknown(keys, origin, a);
    if (!seen.insert(a.key).second) {
      throw InputError(error_text(origin, a.key, a.value, "given twice", "keep one of the two"));
    }
    const std::string reason = a.value == key->fallback ? "" : key->check(a.value);
    if (!reason.empty()) throw InputError(error_text(origin, a.key, a.value, reason, advice(*key)));
  }
}

/// Words of `text` in lines of at most 110 columns that begin with `prefix`; its own line breaks stay.
std::string wrapped(const std::string& text, const std::string& prefix) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string current = prefix;
    for (std::string word; words >> word;) {
      if (current.size() > prefix.size() && current.size() + word.size() >= 110) {
        result += current + "\n";
        current = prefix;
      }
      current += (current.size() > prefix.size() ? " " : "") + word;
    }
    result += current + "\n";
  }
  return result;
}

}  // namespace

Options Options::parse(const Communicator& world, const std::vector<OptionKey>& keys, int argc, const char* const* argv,
                       const RestartSource* restart) {
  check_declarations(keys);
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.emplace_back(argv[i]);
  world.broadcast(arguments);

  Options options;
  options.keys_ = keys;
  std::vector<Assignment> overrides = parse_command_line(keys, arguments, restart != nullptr);
  const auto take = [&](const std::string& name) {
    const auto named = [&](const Assignment& a) { return a.key == name; };
    std::vector<std::string> values;
    for (const Assignment& a : overrides) {
      if (named(a)) values.push_back(a.value);
    }
    require(values.size() <= 1, std::string(command_line) + ": --" + name, "given twice", "give it once");
    overrides.erase(std::remove_if(overrides.begin(), overrides.end(), named), overrides.end());
    return values;
  };
  for (const ActionName& action : action_names) {
    if (!take(action.name).empty() && options.action_ == Action::run) options.action_ = action.action;
  }
  const std::vector<std::string> config = take("config");
  const std::vector<std::string> asked = take("restart");
  check_assignments(keys, overrides, command_line);

  for (const OptionKey& key : keys) options.values_[key.name] = {key.fallback, {}};
  if (options.action_ == Action::help || options.action_ == Action::version) return options;
  const auto everywhere = [&](const std::function<std::string()>& read) {
    std::string bytes;
    world.agree([&] {
      if (world.rank() == 0) bytes = read();
    });
    world.broadcast(bytes);
    return bytes;
  };
  const auto lay = [&](const std::vector<Assignment>& assignments, const std::string& origin) {
    for (const Assignment& a : assignments) options.values_[a.key] = {a.value, origin};
  };
  const auto ini_at = [&](const std::string& bytes, const std::string& file) {
    std::vector<Assignment> assignments = parse_ini(keys, bytes, file);
    check_assignments(keys, assignments, file);
    return assignments;
  };
  std::vector<Assignment> from_config;
  if (!config.empty()) {
    from_config = ini_at(everywhere([&] { return read_ini(config.front()); }), config.front());
    lay(from_config, config.front());
  }
  lay(overrides, command_line);
  options.restarts_ = !asked.empty();
  if (!asked.empty() && asked.front() != restart_word) options.restart_file_ = asked.front();
  if (!asked.empty() && asked.front() == restart_word) {
    const std::string named = restart->file(options);
    const auto there = [&] { return std::string(!named.empty() && std::filesystem::exists(named) ? "yes" : ""); };
    if (!everywhere(there).empty()) options.restart_file_ = named;
  }
  if (const std::string& file = options.restart_file_;
      !asked.empty() && (asked.front() != restart_word || !file.empty())) {
    require(!file.empty(), std::string(command_line) + ": --restart", "the name is empty",
            "give the name of a checkpoint, or auto");
    lay(ini_at(everywhere([&] { return restart->read_ini(file); }), file), file);
    const auto before = options.values_;
    lay(from_config, config.empty() ? "" : config.front());
    lay(overrides, command_line);
    options.check_changes(before);
  }
  if (options.action_ != Action::dump_config) options.check_required(config.empty() ? command_line : config.front());
  return options;
}

void Options::check_changes(const std::map<std::string, Value>& before) const {
  for (const auto& [key, was] : before) {
    const bool free = std::find(std::begin(changed_by_restart), std::end(changed_by_restart), section_of(key)) !=
                      std::end(changed_by_restart);
    if (free || text(key) == was.text) continue;
    reject(key, "the run of " + restart_file_ + " had '" + was.text + "'; a restart goes on with the same problem",
           "leave it as it was, or start afresh without --restart");
  }
}

void Options::check_required(const std::string& origin) const {
  std::vector<std::string> missing;
  std::vector<std::string> to_set;
  for (const OptionKey& key : keys_) {
    if (!key.required || !text(key.name).empty()) continue;
    missing.push_back(key.name);
    to_set.push_back("set " + advice(key));
  }
  require(missing.empty(), origin + ": " + join(missing, ", "), "required, but not given", join(to_set, "; "));
}

const Options::Value& Options::value(const std::string& key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) throw std::logic_error("option '" + key + "' was never declared");
  return found->second;
}

const std::string& Options::text(const std::string& key) const { return value(key).text; }

Real Options::real(const std::string& key) const {
  const auto number = option_text::parse_real(text(key));
  if (!number) reject(key, "a number is needed here");
  return *number;
}

Index Options::integer(const std::string& key) const {
  const auto number = option_text::parse_integer(text(key));
  if (!number) reject(key, "a whole number is needed here");
  return *number;
}

bool Options::flag(const std::string& key) const {
  const std::string& word = text(key);
  if (!check::flag()(word).empty()) reject(key, "true or false is needed here");
  return word == "true" || word == "yes" || word == "on" || word == "1";
}

std::vector<std::string> Options::list(const std::string& key, char separator) const {
  std::vector<std::string> items;
  std::istringstream stream(text(key));
  for (std::string item; std::getline(stream, item, separator);) {
    item = option_text::trim(item);
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

bool Options::given(const std::string& key) const {
  const auto declared = std::find_if(keys_.begin(), keys_.end(), [&](const OptionKey& k) { return k.name == key; });
  return text(key) != declared->fallback;
}

void Options::reject(const std::string& key, const std::string& why, const std::string& what_to_do) const {
  const Value& rejected = value(key);
  throw InputError(
      error_text(rejected.origin.empty() ? "default" : rejected.origin, key, rejected.text, why, what_to_do));
}

std::string Options::dump() const {
  std::string ini = "# Every key of this run; read it back with --config.\n";
  for (const std::string& section : sections_of(keys_)) {
    ini += "\n[" + section + "]\n";
    for (const OptionKey& key : keys_) {
      if (section_of(key.name) != section) continue;
      const std::string& current = text(key.name);
      const bool missing = key.required && current.empty();
      ini += wrapped(key.help, "# ") + (missing ? "# required: " : "") +
             option_text::ini_line(name_in_section(key.name), current) + "\n";
    }
  }
  return ini;
}

std::string Options::help(const std::string& program, const std::string& about, const std::vector<OptionKey>& keys,
                          bool restarts) {
  std::string text = program + ": " + about + "\n\nusage: " + program +
                     " [--config FILE.ini] [--section.key value]...\n" +
                     "  --config FILE     read keys from an INI file; the command line overrides it\n";
  if (restarts)
    text += "  --restart FILE    go on from a checkpoint; auto: from checkpoint.file, or afresh where there is none\n";
  for (const ActionName& action : action_names) {
    std::string name = std::string("  --") + action.name;
    name.resize(20, ' ');
    text += name + action.help + "\n";
  }
  for (const std::string& section : sections_of(keys)) {
    text += "\n[" + section + "]\n";
    for (const OptionKey& key : keys) {
      if (section_of(key.name) != section) continue;
      const std::string state = key.required           ? "required"
                                : key.fallback.empty() ? "not set"
                                                       : "default: " + key.fallback;
      text += "  --" + key.name + "  (" + state + ")\n" + wrapped(key.help, "      ");
    }
  }
  return text;
}

}  // namespace hpot
