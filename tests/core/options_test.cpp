// Every rank passes its own file name; rank 0's counts, so the others' files need not exist.
#include "hpot/core/options.hpp"

#include "hpot/core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hpot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Action = Options::Action;

std::vector<OptionKey> keys() {
  return {
      {"input.source", "", "Source measure: a file, or synthetic:FAMILY?key=value&...", check::text(), true},
      {"input.measures", "", "More measures, separated by commas."},
      {"epsilon.target", "1", "Regularisation strength, in epsilon.unit.", check::positive()},
      {"epsilon.shift", "0", "A number of either sign.", check::real(-10, 10)},
      {"epsilon.unit", "cost", "What epsilon counts.", check::one_of({"cost", "spacing2", "max_cost"})},
      {"stopping.max_iterations", "100", "Sweeps at most.\nAll levels together.", check::integer(1, 1000000)},
      {"parallel.rows", "auto", "Ranks along rows.", check::word_or({"auto"}, check::integer(1, 64))},
      {"input.debias", "no", "Debiased variant.", check::flag()},
      {"input.tolerance", "", "Not set by default.", check::real(0, infinity)},
  };
}

class OptionsTest : public testing::Test {
 protected:
  ~OptionsTest() override { std::filesystem::remove(file_); }

  /// The arguments of a command line that names an INI of this content.
  std::vector<std::string> with_ini(const std::string& content, std::vector<std::string> more = {}) {
    std::ofstream(file_, std::ios::binary) << content;
    more.insert(more.begin(), {"--config", file_});
    return more;
  }

  static Options parse(const std::vector<std::string>& arguments, const std::vector<OptionKey>& declared = keys()) {
    std::vector<const char*> argv{"program"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return Options::parse(Communicator::world(), declared, static_cast<int>(argv.size()), argv.data());
  }

  static std::string error_of(const std::vector<std::string>& arguments) {
    try {
      parse(arguments);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  std::string error_of_ini(const std::string& content) { return error_of(with_ini(content)); }

  /// What a check says to the value of one key, by name.
  static std::string error_of_value(const std::string& key, const std::string& value) {
    return error_of({"--input.source", "a", "--" + key + "=" + value});
  }

  std::string file_ = testing::TempDir() + "hpot_options_" + std::to_string(getpid()) + ".ini";
};

TEST_F(OptionsTest, AValueThatBeginsWithAHashIsDumpedSoThatItReadsBack) {
  const Options options = parse(with_ini("[input]\nsource = a.csv\nmeasures =#1;b\n"));
  EXPECT_EQ(options.text("input.measures"), "#1;b");
  EXPECT_EQ(parse(with_ini(options.dump())).text("input.measures"), "#1;b");
}

TEST_F(OptionsTest, ErrorsAreOneLineWhateverTheyTellOf) {
  EXPECT_THAT(error_of({"--input.source", "a\nb\x1b[2J"}), Not(HasSubstr("\n")));
  EXPECT_THAT(error_of({"--vers\x01ion"}), HasSubstr("vers?ion"));
}

TEST_F(OptionsTest, CommandLineOverridesIniOverridesDefault) {
  const Options options = parse(with_ini("[input]\nsource = a.nii\n[epsilon]\ntarget = 2\nunit = spacing2\n",
                                         {"--epsilon.target", "0.25", "--parallel.rows=3"}));

  EXPECT_EQ(options.text("input.source"), "a.nii");
  EXPECT_EQ(options.real("epsilon.target"), 0.25);
  EXPECT_EQ(options.text("epsilon.unit"), "spacing2");
  EXPECT_EQ(options.integer("parallel.rows"), 3);
  EXPECT_EQ(options.integer("stopping.max_iterations"), 100);
  EXPECT_EQ(options.action(), Action::run);
}

TEST_F(OptionsTest, GivenIsFalseWhereTheDefaultStandsAlsoWhenSpelledOut) {
  const Options options = parse({"--input.source=a", "--epsilon.target=1", "--epsilon.shift=-2"});

  EXPECT_TRUE(options.given("input.source"));
  EXPECT_TRUE(options.given("epsilon.shift"));
  EXPECT_FALSE(options.given("epsilon.target"));
  EXPECT_FALSE(options.given("parallel.rows"));
}

TEST_F(OptionsTest, IniTakesCarriageReturnsByteOrderMarkAndComments) {
  const Options options =
      parse(with_ini("\xEF\xBB\xBF# first\r\n  ; second\r\n\r\n[ input ]  # third\r\n"
                     "source = dir#1/a=b;c.nii?x=1&y=2\t# fourth\r\n\r\n[epsilon]\r\n\ttarget\t=\t0.5"));

  EXPECT_EQ(options.text("input.source"), "dir#1/a=b;c.nii?x=1&y=2");
  EXPECT_EQ(options.real("epsilon.target"), 0.5);
}

TEST_F(OptionsTest, NegativeNumbersAreValuesInBothSpellings) {
  EXPECT_EQ(parse({"--input.source", "a", "--epsilon.shift", "-2.5e-1"}).real("epsilon.shift"), -0.25);
  EXPECT_EQ(parse({"--input.source", "a", "--epsilon.shift=-2.5"}).real("epsilon.shift"), -2.5);
}

TEST_F(OptionsTest, AnEmptyValueClearsAKeyOfTheIni) {
  const std::string ini = "[input]\nsource = a\nmeasures = b, c\n";

  EXPECT_THAT(parse(with_ini(ini, {"--input.measures="})).list("input.measures"), IsEmpty());
  EXPECT_THAT(parse(with_ini(ini, {"--input.measures", ""})).list("input.measures"), IsEmpty());
}

TEST_F(OptionsTest, RankZerosArgumentsCountOnEveryRank) {
  const Communicator world = Communicator::world();

  const Options options = parse({"--input.source", std::to_string(world.rank())});

  EXPECT_EQ(options.text("input.source"), "0");
}

TEST_F(OptionsTest, ListsAreSplitTrimmedAndFreeOfEmptyItems) {
  const Options options = parse({"--input.source", "1,2; 3 ,4;", "--input.measures", " a , ,b,"});

  EXPECT_THAT(options.list("input.measures"), ElementsAre("a", "b"));
  EXPECT_THAT(options.list("input.source", ';'), ElementsAre("1,2", "3 ,4"));
}

TEST_F(OptionsTest, FlagsTakeEverySpellingOfYesAndNo) {
  for (const char* yes : {"true", "yes", "on", "1"}) {
    EXPECT_TRUE(parse({"--input.source=a", "--input.debias", yes}).flag("input.debias")) << yes;
  }
  for (const char* no : {"false", "no", "off", "0"}) {
    EXPECT_FALSE(parse({"--input.source=a", "--input.debias", no}).flag("input.debias")) << no;
  }
  EXPECT_THAT(error_of_value("input.debias", "maybe"), HasSubstr("none of: true, false"));
}

TEST_F(OptionsTest, NumbersRejectAllButPlainDecimals) {
  for (const char* bad : {"nan", "-nan", "inf", "-inf", "infinity", "0x10", "0x1p3", "1e", "1.0x", "1,5", "1 2",
                          "1e400", "1e-400", "", "+-1", "--1", "1d3", "."}) {
    EXPECT_THAT(error_of_value("epsilon.shift", bad), HasSubstr("not a finite decimal number")) << bad;
    EXPECT_THAT(error_of_value("epsilon.target", bad), HasSubstr("not a finite decimal number")) << bad;
  }
  for (const char* bad : {"1.0", "1e3", "0x10", "9223372036854775808", "ten", "1_000", "+-1"}) {
    EXPECT_THAT(error_of_value("stopping.max_iterations", bad), HasSubstr("not a whole number")) << bad;
  }
  for (const char* good : {"+1.5", ".5", "5.", "1E-3", "-0"}) {
    EXPECT_EQ(error_of_value("epsilon.shift", good), "no error") << good;
  }
}

TEST_F(OptionsTest, NumbersOutOfRangeAreToldTheRange) {
  EXPECT_THAT(error_of_value("epsilon.target", "0"), HasSubstr("must be greater than 0"));
  EXPECT_THAT(error_of_value("epsilon.shift", "11"), HasSubstr("must lie between -10 and 10"));
  EXPECT_THAT(error_of_value("input.tolerance", "-1"), HasSubstr("must be at least 0"));
  EXPECT_THAT(error_of_value("stopping.max_iterations", "0"), HasSubstr("must lie between 1 and 1000000"));
  EXPECT_THAT(error_of_value("parallel.rows", "many"), HasSubstr("not auto, and not a whole number"));
}

TEST_F(OptionsTest, ABadValueReadsInTheGrammarOfErrors) {
  EXPECT_EQ(error_of_value("epsilon.target", "-1"),
            "command line: epsilon.target = -1 (must be greater than 0) "
            "[epsilon.target: Regularisation strength, in epsilon.unit.]");
  EXPECT_THAT(error_of_value("epsilon.unit", "spacing"),
              HasSubstr("none of: cost, spacing2, max_cost; did you mean spacing2?"));
}

TEST_F(OptionsTest, ABadValueInTheIniIsAnErrorAlsoUnderAnOverride) {
  const std::string error =
      error_of(with_ini("[input]\nsource = a\n[epsilon]\ntarget = nan\n", {"--epsilon.target", "1"}));

  EXPECT_THAT(error, HasSubstr(".ini: epsilon.target = nan (not a finite decimal number"));
}

TEST_F(OptionsTest, UnknownKeysAreAnsweredWithTheKnownOnes) {
  EXPECT_THAT(error_of_ini("[epsilon]\ntraget = 1\n"),
              HasSubstr("epsilon.traget = 1 (unknown key) [did you mean epsilon.target? "
                        "known keys of [epsilon]: target, shift, unit]"));
  EXPECT_THAT(error_of({"--target", "1"}), HasSubstr("did you mean epsilon.target? known sections: input, epsilon"));
  EXPECT_THAT(error_of({"--speed.limit=1"}), HasSubstr("speed.limit"));
  EXPECT_THAT(error_of({"--hlep"}), HasSubstr("did you mean help?"));
  EXPECT_THAT(error_of_ini("[epsilonn]\n"), HasSubstr("unknown section) [did you mean epsilon? known sections: input"));
}

TEST_F(OptionsTest, AbbreviationsAreUnknown) {
  EXPECT_THAT(error_of({"--epsilon.targ", "1"}), HasSubstr("unknown key) [did you mean epsilon.target?"));
  EXPECT_THAT(error_of({"--conf", file_}), HasSubstr("did you mean config?"));
  EXPECT_THAT(error_of({"--vers"}), HasSubstr("did you mean version?"));
}

TEST_F(OptionsTest, AKeyGivenTwiceIsAnErrorInEitherPlace) {
  EXPECT_THAT(error_of_ini("[epsilon]\ntarget = 1\n[input]\n[epsilon]\ntarget = 1\n"), HasSubstr("given twice"));
  EXPECT_THAT(error_of({"--epsilon.target=1", "--epsilon.target", "2"}), HasSubstr("epsilon.target = 2 (given twice)"));
  EXPECT_THAT(error_of({"--config", "a", "--config", "a"}), HasSubstr("--config (given twice)"));
}

TEST_F(OptionsTest, LinesThatAreNoIniNameTheirNumber) {
  EXPECT_THAT(error_of_ini("# a\ntarget = 1\n"), HasSubstr("line 2: target = 1 (a key before the first [section])"));
  EXPECT_THAT(error_of_ini("[epsilon]\n\ntarget 1\n"), HasSubstr("line 3: target 1 (neither [section] nor name"));
  EXPECT_THAT(error_of_ini("[epsilon\n"), HasSubstr("line 1: [epsilon (neither"));
  EXPECT_THAT(error_of_ini("[epsilon]\n= 1\n"), HasSubstr("line 2: = 1 (neither"));
  EXPECT_THAT(error_of_ini(std::string("[epsilon]\ntar\0get = 1\n", 22)), HasSubstr("line 2 (holds bytes"));
}

TEST_F(OptionsTest, CommandLineWordsThatAreNoOptionsAreRejected) {
  EXPECT_THAT(error_of({"run.ini"}), HasSubstr("'run.ini' (not an option) [write --section.key value"));
  EXPECT_THAT(error_of({"--input.source", "a", "b"}), HasSubstr("'b' (not an option)"));
  EXPECT_THAT(error_of({"-h"}), HasSubstr("'-h' (not an option)"));
  EXPECT_THAT(error_of({"--", "--help"}), HasSubstr("'--help' (not an option)"));
  EXPECT_THAT(error_of({"--help=yes"}), HasSubstr("--help"));
}

TEST_F(OptionsTest, AMissingValueDoesNotSwallowTheNextOption) {
  EXPECT_THAT(error_of({"--epsilon.target"}), HasSubstr("command line: --epsilon.target"));
  EXPECT_THAT(error_of({"--input.source", "--epsilon.target", "1"}), HasSubstr("--input.source"));
  EXPECT_THAT(error_of({"--input.source", "--epsilon.target=1"}), HasSubstr("--input.source (its value is missing)"));
  EXPECT_EQ(parse({"--input.source=--odd"}).text("input.source"), "--odd");
}

TEST_F(OptionsTest, ValuesThatAnIniCannotHoldAreRejected) {
  EXPECT_THAT(error_of({"--input.source", "a #b"}), HasSubstr("would open a comment"));
  EXPECT_THAT(error_of({"--input.source", "#b"}), HasSubstr("would open a comment"));
  EXPECT_THAT(error_of({"--input.source", "a\nb"}), HasSubstr("line break"));
}

TEST_F(OptionsTest, MissingFilesFoldersAndDataFilesAreNoIni) {
  EXPECT_THAT(error_of({"--config", "no/such.ini"}), HasSubstr("no/such.ini (no such file)"));
  EXPECT_THAT(error_of({"--config", testing::TempDir()}), HasSubstr("(a folder, not a file)"));
  EXPECT_THAT(error_of({"--config="}), HasSubstr("the name is empty"));
  EXPECT_THAT(error_of(with_ini(std::string(2 << 20, '#'))), HasSubstr("larger than 1 MiB"));
}

TEST_F(OptionsTest, MissingRequiredKeysAreNamedWithTheirHelpWhereSomethingWouldRun) {
  EXPECT_THAT(error_of({}),
              HasSubstr("command line: input.source (required, but not given) [set input.source: Source"));
  EXPECT_THAT(error_of({"--dry-run"}), HasSubstr("required, but not given"));
  EXPECT_THAT(error_of_ini("[input]\nsource =\n"), HasSubstr(".ini: input.source (required"));
  EXPECT_EQ(error_of({"--help"}), "no error");
  EXPECT_EQ(error_of({"--dump-config"}), "no error");
}

TEST_F(OptionsTest, ActionsAreReadAndHelpWins) {
  EXPECT_EQ(parse({"--help"}).action(), Action::help);
  EXPECT_EQ(parse({"--version"}).action(), Action::version);
  EXPECT_EQ(parse({"--dump-config"}).action(), Action::dump_config);
  EXPECT_EQ(parse({"--input.source", "a", "--dry-run"}).action(), Action::dry_run);
  EXPECT_EQ(parse({"--dry-run", "--config", "no/such.ini", "--help"}).action(), Action::help);
}

TEST_F(OptionsTest, ADumpReadBackGivesTheSameOptionsAndTheSameDump) {
  const Options options = parse({"--input.source=a#b=c;d&e", "--epsilon.shift", "-0.1", "--input.measures", "[x], y"});

  const Options again = parse(with_ini(options.dump()));

  EXPECT_EQ(again.dump(), options.dump());
  for (const OptionKey& key : keys()) {
    EXPECT_EQ(again.text(key.name), options.text(key.name)) << key.name;
    EXPECT_EQ(again.given(key.name), options.given(key.name)) << key.name;
  }
}

TEST_F(OptionsTest, ADumpIsCompleteCommentedAndGroupedBySection) {
  const std::string dump = parse({"--dump-config"}).dump();

  EXPECT_THAT(dump, HasSubstr("[input]\n# Source measure: a file, or synthetic:FAMILY?key=value&...\n"
                              "# required: source =\n# More measures, separated by commas.\nmeasures =\n# Debiased"));
  EXPECT_THAT(dump, HasSubstr("[stopping]\n# Sweeps at most.\n# All levels together.\nmax_iterations = 100\n"));
  EXPECT_EQ(dump.find("[input]"), dump.rfind("[input]"));
}

TEST_F(OptionsTest, HelpShowsEveryKeyWithItsDefaultBySection) {
  const std::string help = Options::help("hpot-test", "tests options", keys());

  EXPECT_THAT(help, HasSubstr("hpot-test: tests options\n"));
  EXPECT_THAT(help, HasSubstr("  --dump-config     print"));
  EXPECT_THAT(help, HasSubstr("[epsilon]\n  --epsilon.target  (default: 1)\n      Regularisation"));
  EXPECT_THAT(help, HasSubstr("--input.source  (required)"));
  EXPECT_THAT(help, HasSubstr("--input.tolerance  (not set)"));
}

TEST_F(OptionsTest, LongHelpIsWrappedInDumpAndHelpAndStaysOneLineInErrors) {
  std::string words;
  for (int i = 0; i < 60; ++i) words += "word ";
  const std::vector<OptionKey> long_key{{"a.b", "1", words + "\nend", check::positive()}};

  const std::string texts = parse({}, long_key).dump() + Options::help("p", "about", long_key);

  std::istringstream lines(texts);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
  EXPECT_THAT(error_of({"--stopping.max_iterations=0"}), HasSubstr("Sweeps at most. All levels together.]"));
}

TEST_F(OptionsTest, RejectNamesWhereTheValueCameFrom) {
  const Options options = parse(with_ini("[input]\nsource = a\n", {"--epsilon.target=2"}));
  const auto rejection = [&](const std::string& key) {
    try {
      options.reject(key, "why", "do");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
  };

  EXPECT_THAT(rejection("input.source"), HasSubstr(".ini: input.source = a (why) [do]"));
  EXPECT_EQ(rejection("epsilon.target"), "command line: epsilon.target = 2 (why) [do]");
  EXPECT_EQ(rejection("epsilon.unit"), "default: epsilon.unit = cost (why) [do]");
  EXPECT_THROW((void)options.real("input.tolerance"), InputError);
  EXPECT_THROW((void)options.integer("parallel.rows"), InputError);
}

TEST_F(OptionsTest, WrongDeclarationsAreErrorsOfTheProgram) {
  EXPECT_THROW(parse({}, {{"nosection", "", ""}}), std::logic_error);
  EXPECT_THROW(parse({}, {{"a.b", "", ""}, {"a.b", "", ""}}), std::logic_error);
  EXPECT_THROW(parse({}, {{"a.b", "-1", "", check::positive()}}), std::logic_error);
  EXPECT_THROW((void)parse({"--input.source=a"}).text("input.undeclared"), std::logic_error);
}

}  // namespace
}  // namespace hpot
