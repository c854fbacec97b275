// Texts that users write: lists of measures, synthetic families, INI files, command lines.
#include "fuzz.hpp"

#include "hpot/core/parallel_options.hpp"
#include "hpot/cost/cost.hpp"
#include "hpot/cost/marginal_penalty.hpp"
#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/image.hpp"
#include "hpot/io/input.hpp"
#include "hpot/io/measure_file.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/measure/synthetic.hpp"
#include "hpot/solver/epsilon_schedule.hpp"
#include "hpot/solver/stopping.hpp"

#include <mpi.h>
#include <sanitizer/lsan_interface.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace hpot::fuzz {
namespace {

/// False for synthetic families that would take their time, which is no error: where a number lies between what is
/// small and what is refused, or where nothing is said and a volume has its usual 64 points a side.
bool is_quick(const std::string& text) {
  constexpr Index small = 24, refused = Index{1} << 24;
  for (std::size_t at = 0; (at = text.find_first_of("0123456789", at)) != std::string::npos;) {
    Index number = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
    if (error == std::errc() && number > small && number <= refused) return false;
    at = static_cast<std::size_t>(end - text.data());
  }
  return text.find("?n=") != std::string::npos || text.find("&n=") != std::string::npos ||
         text.find("shape=") != std::string::npos;
}

void synthetic(std::string_view input) {
  const std::string text(input);
  if (!succeeds([&] { synthetic_count(text); }) || !is_quick(text)) return;
  succeeds([&] { expect(!synthetic_measure(text, 0).values.empty(), "a family has values"); });
}

/// One small file of each format, for lists to name.
void write_files() {
  const Grid grid = make_grid({2, 3, 2}, {1.0});
  const std::vector<Real> values(12, 1.0);
  write_file("t1.csv", "1,2\n3,4\n");
  write_file("t2.csv", "1,nan\n3,4\n");
  write_file("i.pgm", "P2 2 1 9 1 9");
  write_file("x-images-idx3-ubyte", std::string("\0\0\x8\x3\0\0\0\3\0\0\0\1\0\0\0\2", 16) + "abcdef");
  write_file("x-labels-idx1-ubyte", std::string("\0\0\x8\x1\0\0\0\3\7\x8\7", 11));
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 1), }\n";
  write_file("s.npy", std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) + '\0' + header + "abcdefgh");
  write_png("p.png", {1, 1, {1, 2, 3}});
  write_nifti("v.nii.gz", grid, values);
  Hdf5Writer file("d.h5");
  file.dataset("/g/a", {{2, 3, 2}, values});
  file.close();
}

void measures(std::string_view input) {
  static const bool written = (write_files(), true);
  const std::string list(input);
  const bool inside = list.find("..") == std::string::npos && list.find_first_of('/') != 0 &&
                      list.find(",/") == std::string::npos && list.find(" /") == std::string::npos;
  if (!written || !inside || (list.find("count") != std::string::npos && !is_quick(list))) return;
  std::vector<std::string> texts;
  if (!succeeds([&] { texts = expand_measures(list); })) return;
  for (const std::string& text : texts) {
    if (text.find("synthetic:") != std::string::npos && !is_quick(text)) continue;
    succeeds([&] {
      expect(read_measure(text).name == text, "a measure bears the name that was read");
      expect(expand_measures(text) == std::vector<std::string>{text}, "an expanded text stands for itself");
    });
  }
}

std::vector<OptionKey> keys() {
  std::vector<OptionKey> all = {
      {"input.measures", "", "measures", check::text(), true},
      {"penalty.source", "balanced", "a penalty", penalty_problem},
      {"fuzz.real", "0.5", "any number of [0, 1]", check::real(0.0, 1.0)},
      {"fuzz.text", "", "any text", check::text()},
  };
  for (const auto& more : {InputOptions::keys(), ParallelOptions::keys(), cost_keys(), EpsilonOptions::keys(),
                           ScheduleOptions::keys(), StoppingOptions::keys()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

const Communicator& world() {
  static const Communicator communicator = [] {
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);  // no daemon beside it
    const __lsan::ScopedDisabler leaks_of_open_mpi;
    MPI_Init(nullptr, nullptr);  // never ended: what it holds until then is no leak
    return Communicator::world();
  }();
  return communicator;
}

Options parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"hpot_fuzz"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return Options::parse(world(), keys(), static_cast<int>(argv.size()), argv.data());
}

void check_options(const std::vector<std::string>& arguments) {
  std::string dump;
  const bool good = succeeds([&] {
    const Options options = parse(arguments);
    dump = options.dump();
    for (const OptionKey& key : keys()) (void)options.list(key.name);
    InputOptions::from(options);
    ParallelOptions::from(options);
    EpsilonOptions::from(options);
    ScheduleOptions::from(options, 0.1);
    StoppingOptions::from(options);
  });
  if (!good) return;
  write_file("dump.ini", dump);
  const bool again = succeeds([&] {
    expect(parse({"--config", "dump.ini", "--dump-config"}).dump() == dump, "parse(dump()) is the same");
  });
  expect(again, "what is dumped can be read back");
}

void ini(std::string_view input) {
  write_file("a.ini", input);
  check_options({"--config", "a.ini"});
}

/// One argument a line.
void command_line(std::string_view input) {
  std::vector<std::string> arguments;
  for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
    end = input.find('\n', begin);
    arguments.emplace_back(input.substr(begin, end - begin));
    if (arguments.back().find("config") != std::string::npos) return;  // would name files of this machine
  }
  check_options(arguments);
}

}  // namespace

const std::vector<Target>& text_targets() {
  static const std::vector<Target> table{
      {"synthetic", synthetic}, {"measures", measures}, {"ini", ini}, {"command_line", command_line}};
  return table;
}

}  // namespace hpot::fuzz
