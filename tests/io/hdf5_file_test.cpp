#include "hpot/io/hdf5_file.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/raw_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

namespace hpot {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Hdf5File : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("hpot_hdf5_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::size_t files_in_folder() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  /// A container as another program would write it: dataset /group/data of the given type.
  [[nodiscard]] std::string foreign(hid_t file_type, hid_t memory_type, const std::vector<hsize_t>& shape,
                                    const void* data, bool chunked = false) const {
    const std::string name = path("foreign.h5");
    const hid_t file = H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space =
        shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const std::vector<hsize_t> chunk(shape.size(), 2);
    if (chunked) H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
    const hid_t dataset = H5Dcreate2(group, "data", file_type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (data != nullptr) H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    H5Pclose(creation);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Gclose(group);
    H5Fclose(file);
    return name;
  }

 private:
  fs::path folder_;
};

template <typename Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(Hdf5File, ReadsBackWhatItWrote) {
  const Array written{{2, 3}, {1.5, -2, 3, 1e-300, 5, std::numeric_limits<Real>::quiet_NaN()}};
  Hdf5Writer writer(path("a.h5"));
  writer.dataset("/deep/down/values", written);
  writer.dataset("none", Array{{0}, {}});
  writer.close();

  const Array read = read_hdf5(path("a.h5"), "/deep/down/values");

  EXPECT_EQ(read.shape, written.shape);
  EXPECT_THAT(std::vector<Real>(read.values.begin(), read.values.end() - 1), ElementsAre(1.5, -2, 3, 1e-300, 5));
  EXPECT_TRUE(std::isnan(read.values[5]));
  EXPECT_THAT(read_hdf5_shape(path("a.h5"), "deep/down/values"), ElementsAre(2, 3));
  EXPECT_TRUE(read_hdf5(path("a.h5"), "none").values.empty());
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(Hdf5File, DatasetsWrittenInPartsReadBackWhole) {
  const Index n = 70000;  // two chunks and a piece
  std::vector<Index> numbers(n);
  std::vector<Real> values(2 * 3 * 5);
  for (Index i = 0; i < n; ++i) numbers[i] = (i * 7919) % n - 5;
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25 * static_cast<Real>(i);
  const std::string name = path("parts.h5");
  {
    Hdf5Writer file(name);
    file.integers("/plan/source", {n});
    file.reals("/frames", {2, 3, 5});
    file.integers("/none", {0});
    file.part("/plan/source", 40000, std::vector<Index>(numbers.begin() + 40000, numbers.end()));
    file.part("/plan/source", 0, std::vector<Index>(numbers.begin(), numbers.begin() + 123));
    file.part("/plan/source", 123, std::vector<Index>(numbers.begin() + 123, numbers.begin() + 40000));
    file.part("/frames", 1, std::vector<Real>(values.begin() + 15, values.end()));
    file.part("/frames", 0, std::vector<Real>(values.begin(), values.begin() + 15));
    file.part("/none", 0, std::vector<Index>{});
    file.close();
  }
  const Array read = read_hdf5(name, "/plan/source");
  EXPECT_THAT(read.shape, ElementsAre(n));
  EXPECT_EQ(read.values, std::vector<Real>(numbers.begin(), numbers.end()));
  EXPECT_THAT(read_hdf5(name, "/frames").shape, ElementsAre(2, 3, 5));
  EXPECT_EQ(read_hdf5(name, "/frames").values, values);
  EXPECT_THAT(read_hdf5_shape(name, "/none"), ElementsAre(0));
}

TEST_F(Hdf5File, ConvertsIntegersFloatsAndBooleansOfAnyByteOrder) {
  const std::vector<std::int16_t> integers{-7, 0, 32767, 12, 5, 6, 7, 8};
  EXPECT_THAT(read_hdf5(foreign(H5T_STD_I16BE, H5T_NATIVE_INT16, {2, 2, 2}, integers.data()), "group/data").values,
              ElementsAre(-7, 0, 32767, 12, 5, 6, 7, 8));

  const std::vector<std::uint64_t> large{1ull << 63, 3};
  EXPECT_THAT(read_hdf5(foreign(H5T_STD_U64LE, H5T_NATIVE_UINT64, {2}, large.data()), "group/data").values,
              ElementsAre(9223372036854775808.0, 3));

  const std::vector<float> floats{0.5f, std::numeric_limits<float>::quiet_NaN(), 2.0f};
  const Array read = read_hdf5(foreign(H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, {3}, floats.data(), true), "group/data");
  EXPECT_EQ(read.values[0], 0.5);
  EXPECT_TRUE(std::isnan(read.values[1]));

  const hid_t flags = H5Tenum_create(H5T_NATIVE_INT8);
  for (const std::int8_t value : {0, 1}) H5Tenum_insert(flags, value == 0 ? "FALSE" : "TRUE", &value);
  const std::vector<std::int8_t> mask{1, 0, 1};
  EXPECT_THAT(read_hdf5(foreign(flags, flags, {3}, mask.data()), "group/data").values, ElementsAre(1, 0, 1));
  H5Tclose(flags);

  const double scalar = 42;
  const Array single = read_hdf5(foreign(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &scalar), "group/data");
  EXPECT_TRUE(single.shape.empty());
  EXPECT_THAT(single.values, ElementsAre(42));
}

TEST_F(Hdf5File, MissingDatasetIsAnsweredWithTheListOfThoseThere) {
  Hdf5Writer writer(path("a.h5"));
  writer.dataset("/potentials/f", Array{{1}, {1}});
  writer.dataset("/barycenter", Array{{1}, {1}});
  writer.close();

  const std::string missing = message_of([&] { read_hdf5(path("a.h5"), "/barycentre"); });
  const std::string group = message_of([&] { read_hdf5_shape(path("a.h5"), "potentials"); });

  EXPECT_EQ(missing,
            path("a.h5") + ":/barycentre (the file has no such dataset) [datasets there: /barycenter, /potentials/f]");
  EXPECT_THAT(group, HasSubstr("this is a group, not a dataset"));
}

TEST_F(Hdf5File, OneReaderAnswersManyRequestsAndGoesOnAfterErrors) {
  Hdf5Writer writer(path("a.h5"));
  writer.texts("/group/names", {"one", "", std::string(100000, 'x')});
  writer.texts("/none", {});
  writer.dataset("/group/data", Array{{2, 2}, {1, 2, 3, 4}});
  writer.close();

  Hdf5Reader reader(path("a.h5"));

  EXPECT_THAT(reader.texts("/group/names"), ElementsAre("one", "", std::string(100000, 'x')));
  EXPECT_TRUE(reader.texts("/none").empty());
  EXPECT_THAT(message_of([&] { reader.texts("/group/data"); }), HasSubstr("its values are not texts of one length"));
  EXPECT_THAT(message_of([&] { reader.texts("/nothing"); }), HasSubstr("the file has no such dataset"));
  EXPECT_THAT(message_of([&] { reader.dataset("/group/names"); }), HasSubstr("its values are not numbers"));
  EXPECT_THAT(message_of([&] { reader.dataset("/data"); }),
              HasSubstr("datasets there: /group/data, /group/names, /none"));
  EXPECT_THAT(reader.dataset("/group/data").values, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(reader.dataset("/group/data").shape, ElementsAre(2, 2));
}

TEST_F(Hdf5File, UnreadableFilesAndTypesAreInputErrorsWithAReason) {
  std::ofstream(path("text.h5")) << "x,y\n1,2\n";
  const hid_t text = H5Tcopy(H5T_C_S1);
  const std::string words = foreign(text, text, {2}, "ab");
  H5Tclose(text);

  EXPECT_THAT(message_of([&] { read_hdf5(path("none.h5"), "a"); }), HasSubstr("there is no such file"));
  EXPECT_THAT(message_of([&] { read_hdf5(testing::TempDir(), "a"); }), HasSubstr("this is a folder"));
  EXPECT_THAT(message_of([&] { read_hdf5(path("text.h5"), "a"); }), HasSubstr("cannot be read as HDF5"));
  EXPECT_THAT(message_of([&] { read_hdf5(words, "group/data"); }), HasSubstr("its values are not numbers"));
}

TEST_F(Hdf5File, CutFilesAndAbsurdShapesAreRefusedBeforeMemoryIsTaken) {
  const std::vector<double> values(5000, 1.0);
  const std::string whole = foreign(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {5000}, values.data());
  const std::string cut = path("cut.h5");
  fs::copy_file(whole, cut);
  fs::resize_file(cut, fs::file_size(whole) / 2);
  EXPECT_THAT(message_of([&] { read_hdf5(cut, "group/data"); }), HasSubstr("cannot be read as HDF5"));

  const hsize_t huge = hsize_t{1} << 31;
  const std::string unwritten = foreign(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {huge, huge}, nullptr, true);
  EXPECT_THAT(message_of([&] { read_hdf5(unwritten, "group/data"); }), HasSubstr("its shape claims"));
  const std::string never = foreign(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {1000}, nullptr);
  EXPECT_THAT(message_of([&] { read_hdf5(never, "group/data"); }), HasSubstr("the file stores 0"));
  const std::string five = foreign(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {1, 1, 1, 1, 2}, values.data());
  EXPECT_THAT(message_of([&] { read_hdf5(five, "group/data"); }), HasSubstr("it has 5 dimensions"));
}

// Found by hpot_fuzz.

TEST_F(Hdf5File, GroupsThatCrashTheLibraryAreInputErrors) {
  const double values[] = {1, 2};
  const std::string file = foreign(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {2}, values);
  const std::string whole = bytes_of(file);
  int heaps = 0;
  for (auto heap = whole.find("HEAP"); heap != std::string::npos; heap = whole.find("HEAP", heap + 1)) {
    ++heaps;  // of a group's names: at 8 its size, at 24 its place
    for (const std::size_t field : {8, 24}) {
      std::string damaged = whole;
      damaged.replace(heap + field, 8, 8, '\xff');
      std::ofstream(file, std::ios::binary) << damaged;
      EXPECT_THAT(message_of([&] { read_hdf5(file, "group/data"); }), HasSubstr("foreign.h5")) << heap << "+" << field;
      EXPECT_THAT(message_of([&] { read_hdf5_shape(file, "group/data"); }), HasSubstr("foreign.h5"));
      Hdf5Reader reader(file);
      for (int again = 0; again < 2; ++again)
        EXPECT_THAT(message_of([&] { reader.dataset("group/data"); }), HasSubstr("foreign.h5"));
    }
  }
  EXPECT_EQ(heaps, 2);
  std::ofstream(file, std::ios::binary) << whole;
  EXPECT_THAT(read_hdf5(file, "group/data").values, ElementsAre(1, 2));
}

TEST_F(Hdf5File, WriterDestroyedWithoutCloseLeavesTheOldFileAndNothingElse) {
  std::ofstream(path("a.h5")) << "old";
  {
    Hdf5Writer writer(path("a.h5"));
    writer.dataset("values", Array{{1}, {1}});
    EXPECT_EQ(files_in_folder(), 2u);
  }

  EXPECT_EQ(files_in_folder(), 1u);
  EXPECT_EQ(fs::file_size(path("a.h5")), 3u);
}

TEST_F(Hdf5File, WriterNamesTheFolderThatIsNotThere) {
  EXPECT_THAT(message_of([&] { Hdf5Writer(path("nowhere/a.h5")); }), HasSubstr("there is no folder"));
  EXPECT_THAT(message_of([&] { Hdf5Writer(testing::TempDir()); }), HasSubstr("this is a folder"));
}

/// A limit on file sizes answers writes with an error (EFBIG), as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{bytes, old_limit_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_{};
  void (*old_handler_)(int);
};

TEST_F(Hdf5File, FullDiskIsAnInputErrorAndLeavesNothingBehind) {
  const Array large{{100000}, std::vector<Real>(100000, 1.0)};
  const std::string text(100000, 'x');
  {
    Hdf5Writer first(path("a.h5"));
    Hdf5Writer second(path("b.h5"));
    Hdf5Writer third(path("d.h5"));
    Hdf5Writer fourth(path("e.h5"));
    third.reals("parts", {100000});
    std::vector<Real> incompressible(100000);
    for (std::size_t i = 0; i < incompressible.size(); ++i) incompressible[i] = std::sin(static_cast<Real>(i * i));
    const FileSizeLimit limit(20000);

    const std::string at_write = message_of([&] { first.dataset("values", large); });
    const std::string afterwards = message_of([&] { first.close(); });
    second.attribute("/", "config", text);
    const std::string at_close = message_of([&] { second.close(); });
    const Index room = fourth.room("values", {100000});
    const RawFile raw(fourth.temporary(), path("e.h5"), RawFile::Access::write);
    const std::string at_room = message_of([&] { raw.write(room, large.values); });
    const std::string at_part = message_of([&] { third.part("parts", 0, incompressible); });

    EXPECT_THAT(at_write, HasSubstr("a.h5 (dataset values cannot be written: File too large)"));
    EXPECT_THAT(afterwards, HasSubstr("a.h5 (an earlier write to it failed)"));
    EXPECT_THAT(at_close, HasSubstr("b.h5 (cannot be completed: File too large)"));
    EXPECT_THAT(at_room, HasSubstr("e.h5 (cannot be written: File too large)"));
    EXPECT_THAT(at_part, HasSubstr("d.h5 (dataset parts cannot be written: File too large)"));
    EXPECT_THAT(at_close, HasSubstr("[check the free space"));
  }
  EXPECT_EQ(files_in_folder(), 0u);
  Hdf5Writer writer(path("c.h5"));  // the library still works
  writer.dataset("values", large);
  writer.close();
  EXPECT_EQ(read_hdf5(path("c.h5"), "values").values, large.values);
}

TEST_F(Hdf5File, H5pyShowsTextNumbersBooleansListsAndHistoryWithNoHelp) {
  if (std::system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) GTEST_SKIP() << "no h5py";
  Hdf5Writer writer(path("a.h5"));
  writer.attribute("/", "stop_reason", "interrupted");
  writer.attribute("/", "stop_reason", "converged");
  writer.attribute("/", "config", std::string(200000, 'c') + "\xC3\xA9");
  writer.attribute("/", "gap", 0.25);
  writer.attribute("/", "ranks", 3);
  writer.attribute("/", "converged", true);
  writer.attribute("/support", "spacing", std::vector<Real>{3, 2, 1});
  writer.attribute("/support", "many", std::vector<Real>(20000, 0.5));
  writer.attribute("/", "inputs", std::vector<std::string>{"one.nii", "two.nii"});
  writer.dataset("/history", History{{1, 0, 2.0, 0.5, 0.1}, {2, 1, 1.0, 0.25, 0.2, 3}});
  writer.dataset("/empty_history", History{});
  writer.close();
  std::ofstream(path("check.py")) << "import h5py, numpy, sys\n"
                                     "f = h5py.File(sys.argv[1])\n"
                                     "assert f.attrs['stop_reason'] == 'converged'\n"
                                     "assert f.attrs['config'] == 'c' * 200000 + '\\u00e9'\n"
                                     "assert f.attrs['gap'] == 0.25 and f.attrs['ranks'] == 3\n"
                                     "assert f.attrs['converged'] and f.attrs['converged'].dtype == bool\n"
                                     "assert list(f['support'].attrs['spacing']) == [3, 2, 1]\n"
                                     "assert f['support'].attrs['many'].shape == (20000,)\n"
                                     "assert list(f.attrs['inputs']) == ['one.nii', 'two.nii']\n"
                                     "h = f['history']\n"
                                     "assert h.dtype.names == ('iteration', 'level', 'epsilon', 'marginal_error', "
                                     "'seconds', 'row') and h.dtype.itemsize == 40\n"
                                     "assert h['level'].dtype == 'i4' and list(h['iteration']) == [1, 2]\n"
                                     "assert h[1].tolist() == (2, 1, 1.0, 0.25, 0.2, 3)\n"
                                     "assert f['empty_history'].shape == (0,)\n";

  const std::string command = "/usr/bin/python3 " + path("check.py") + " " + path("a.h5");

  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST_F(Hdf5File, ReadsThatAreTooLargeForOneCallAreMadeInSeveral) {
  Array written{{3, 4, 2, 5}, std::vector<Real>(120)};
  for (std::size_t i = 0; i < written.values.size(); ++i) written.values[i] = static_cast<Real>(i);
  Hdf5Writer writer(path("a.h5"));
  writer.dataset("/values", written);
  writer.dataset("/number", Array{{}, {7.0}});
  writer.dataset("/nothing", Array{{0, 3}, {}});
  writer.close();
  for (const Index at_once : {1, 2, 3, 7, 10, 11, 40, 79, 80, 119, 120, 1000}) {
    EXPECT_EQ(read_hdf5_part(path("a.h5"), "/values", {}, at_once).values, written.values) << at_once;
    const Array part = read_hdf5_part(path("a.h5"), "/values", {{1, 3}, {1, 3}}, at_once);
    EXPECT_THAT(part.shape, ElementsAre(2, 2, 2, 5));
    for (Index i = 0; i < 40; ++i)
      EXPECT_EQ(part.values[i], 40.0 * (1 + i / 20) + 10.0 + static_cast<Real>(i % 20)) << at_once;
    EXPECT_THAT(read_hdf5_part(path("a.h5"), "/number", {}, at_once).values, ElementsAre(7.0));
    EXPECT_TRUE(read_hdf5_part(path("a.h5"), "/nothing", {}, at_once).values.empty());
  }
}

TEST_F(Hdf5File, RoomsAreFilledByWhoeverOwnsTheValues) {
  Hdf5Writer writer(path("a.h5"));
  writer.dataset("/before", Array{{1}, {-1}});
  const Index whole = writer.room("/group/whole", {4, 3});
  const Index rows = writer.room("/rows", {2, 3, 2});
  const Index nothing = writer.room("/nothing", {0, 3});
  {
    const RawFile one(writer.temporary(), path("a.h5"), RawFile::Access::write);
    const RawFile other(writer.temporary(), path("a.h5"), RawFile::Access::write);
    other.write(whole + 3 * sizeof(Real), {3, 4, 5, 6, 7, 8, 9, 10, 11});
    one.write(whole, {0, 1, 2});
    one.write(rows, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  }
  writer.attribute("/group/whole", "unit", "mm");
  writer.texts("/after", {"words"});
  writer.close();
  std::vector<Real> counted(12);
  for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<Real>(i);
  EXPECT_EQ(read_hdf5(path("a.h5"), "/group/whole").values, counted);
  EXPECT_EQ(read_hdf5(path("a.h5"), "/rows").values, counted);
  EXPECT_EQ(read_hdf5_part(path("a.h5"), "/rows", {{1, 2}, {0, 2}}).values, (std::vector<Real>{6, 7, 8, 9}));
  EXPECT_EQ(nothing, 0);
  EXPECT_EQ(Hdf5Reader(path("a.h5")).place("/rows"), rows);
  const RawFile file(path("a.h5"), path("a.h5"), RawFile::Access::read);
  std::vector<Real> some(4);
  file.read(rows + 6 * sizeof(Real), some);
  EXPECT_THAT(some, ElementsAre(6, 7, 8, 9));
  some.resize(1000000);
  EXPECT_THAT(message_of([&] { file.read(rows, some); }), HasSubstr("a.h5 (cannot be read: No data available)"));
}

}  // namespace
}  // namespace hpot
