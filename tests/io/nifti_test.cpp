#include "hpot/io/nifti.hpp"

#include "io/files.hpp"
#include "io/nifti_files.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <zlib.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <numeric>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::ElementsAre;
using testing::HasSubstr;

const Real nan_value = std::numeric_limits<Real>::quiet_NaN();
constexpr short uint8_type = 2, int16_type = 4, float32_type = 16, rgb_type = 128;

struct Sum {
  Real total = 0.0;
  Index nans = 0;
};
Sum sum_of(const std::vector<Real>& values) {
  Sum sum;
  for (const Real value : values) {
    if (std::isnan(value)) {
      ++sum.nans;
    } else {
      sum.total += value;
    }
  }
  return sum;
}

Real at(const GridData& data, Index x, Index y, Index z) {
  const Index ny = data.grid.axes[1].n, nx = data.grid.axes[2].n;
  return data.values[static_cast<std::size_t>((z * ny + y) * nx + x)];
}

void gzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

template <class T>
void expect_type(const Folder& folder, short datatype, const std::vector<T>& values) {
  for (const bool big_endian : {false, true}) {
    const NiftiHeader header({static_cast<short>(values.size())}, datatype, 8 * sizeof(T), big_endian);
    const std::string path = folder.write("typed.nii", header.with(numbers_bytes(values, big_endian)));
    const GridData data = read_nifti(path);
    EXPECT_EQ(data.values, std::vector<Real>(values.begin(), values.end()))
        << datatype << (big_endian ? " big" : " little");
  }
}

template <class T>
std::vector<T> extremes() {
  return {std::numeric_limits<T>::lowest(), T{0}, T{3}, std::numeric_limits<T>::max()};
}

TEST(Nifti, EveryRealTypeIsReadInBothByteOrders) {
  const Folder folder("nifti_types");
  expect_type(folder, 256, extremes<std::int8_t>());
  expect_type(folder, 2, extremes<std::uint8_t>());
  expect_type(folder, 4, extremes<std::int16_t>());
  expect_type(folder, 512, extremes<std::uint16_t>());
  expect_type(folder, 8, extremes<std::int32_t>());
  expect_type(folder, 768, extremes<std::uint32_t>());
  expect_type(folder, 1024, extremes<std::int64_t>());
  expect_type(folder, 1280, extremes<std::uint64_t>());
  expect_type(folder, 16, extremes<float>());
  expect_type(folder, 64, extremes<double>());
}

TEST(Nifti, ArrayIsZYXWithXFastest) {
  const Folder folder("nifti_order");
  NiftiHeader header({2, 3, 4}, uint8_type, 8);
  header.spacing(2.0f, 3.0f, -4.0f);
  std::string voxels(24, '\0');
  std::iota(voxels.begin(), voxels.end(), '\0');

  const GridData data = read_nifti(folder.write("a.nii", header.with(voxels)));

  EXPECT_EQ(data.grid.describe(), "2 x 3 x 4, spacing 2 x 3 x 4");
  EXPECT_EQ(at(data, 1, 2, 3), 1 + 2 * (2 + 3 * 3));
}

TEST(Nifti, ScalesBySlopeAndInterceptAndTakesSlopeZeroForNone) {
  const Folder folder("nifti_slope");
  NiftiHeader header({2}, int16_type, 16);
  const std::string voxels = numbers_bytes<short>({3, -4}, false);
  const auto read = [&](float slope, float intercept) {
    return read_nifti(folder.write("a.nii", header.scaling(slope, intercept).with(voxels))).values;
  };
  EXPECT_THAT(read(0.5f, 10.0f), ElementsAre(11.5, 8.0));
  EXPECT_THAT(read(0.0f, 10.0f), ElementsAre(3.0, -4.0));
  EXPECT_THAT(read(std::numeric_limits<float>::quiet_NaN(), 0.0f), ElementsAre(3.0, -4.0));
}

TEST(Nifti, SpmScaleFactorOfAnalyzeFilesIsObeyed) {
  const Folder folder("nifti_spm");
  NiftiHeader header({2, 1, 1, 0}, int16_type, 16, true);
  header.analyze().scaling(0.25f, 7.0f);
  (void)folder.write("a.hdr", header.header());
  const std::string image = folder.write("a.img", numbers_bytes<short>({4, 8}, true));

  EXPECT_THAT(read_nifti(image).values, ElementsAre(1.0, 2.0));
}

TEST(Nifti, NanStaysNanSignallingOrNotAndInfinityIsCounted) {
  const Folder folder("nifti_nan");
  const NiftiHeader header({4}, float32_type, 32, true);
  const auto voxels = [](std::vector<std::uint32_t> bits) { return numbers_bytes(bits, true); };
  const GridData data =
      read_nifti(folder.write("a.nii", header.with(voxels({0x7fc00000u, 0x7f800001u, 0xff812345u, 0x40400000u}))));
  EXPECT_EQ(sum_of(data.values).nans, 3);
  EXPECT_EQ(data.values[3], 3.0);

  const std::string bad = folder.write("b.nii", header.with(voxels({0x7f800000u, 0xff800000u, 0u, 0u})));
  EXPECT_THAT(error_of([&] { read_nifti(bad); }), HasSubstr("b.nii (2 infinite values)"));
}

TEST(Nifti, AffineIsSformElseQformElseSpacing) {
  const Folder folder("nifti_affine");
  const std::string voxels(1, '\1');
  NiftiHeader header({1, 1, 1}, uint8_type, 8);
  header.spacing(2.0f, 3.0f, 4.0f).set<float>(268, 5.0f);  // quaternion 0: no rotation; qoffset_x
  const auto read = [&] { return *read_nifti(folder.write("a.nii", header.with(voxels))).grid.affine; };

  EXPECT_THAT(read()[0], ElementsAre(2, 0, 0, 0));
  header.set<short>(252, 1);
  EXPECT_THAT(read()[0], ElementsAre(2, 0, 0, 5));
  header.sform(2, {-2, 0, 0, 90, 0, 3, 0, -126, 0, 0, 4, -72});
  EXPECT_THAT(read()[0], ElementsAre(-2, 0, 0, 90));
  EXPECT_THAT(read()[2], ElementsAre(0, 0, 4, -72));
  header.set(280, std::numeric_limits<float>::infinity());
  EXPECT_THAT(error_of(read), HasSubstr("affine is not finite"));
}

TEST(Nifti, TrailingSingletonAxesAreDropped) {
  const Folder folder("nifti_singleton");
  const auto shape = [&](const std::vector<short>& dim) {
    const NiftiHeader header(dim, uint8_type, 8);
    return read_nifti(folder.write("a.nii", header.with(std::string(6, '\1')))).grid.describe();
  };
  EXPECT_EQ(shape({6}), "6, spacing 1");
  EXPECT_EQ(shape({2, 3}), "2 x 3, spacing 1 x 1");
  EXPECT_EQ(shape({2, 3, 1, 1, 1}), "2 x 3, spacing 1 x 1");
  EXPECT_EQ(shape({1, 1, 6}), "1 x 1 x 6, spacing 1 x 1 x 1");
}

TEST(Nifti, FourDimensionalFilesNeedAFrame) {
  const Folder folder("nifti_frames");
  const NiftiHeader header({2, 1, 1, 3}, uint8_type, 8);
  const std::string path = folder / "a.nii.gz";
  gzip(path, header.with({1, 2, 3, 4, 5, 6}));

  EXPECT_THAT(read_nifti(path, 2).values, ElementsAre(5, 6));
  EXPECT_THAT(error_of([&] { read_nifti(path); }), HasSubstr("(holds 3 frames) [choose one: ?frame=0 to ?frame=2]"));
  EXPECT_THAT(error_of([&] { read_nifti(path, 3); }), HasSubstr("frame = 3 (there are 3)"));
}

TEST(Nifti, PairsAreFoundByEitherNameGzippedOrNot) {
  const Folder folder("nifti_pairs");
  NiftiHeader header({2}, uint8_type, 8);
  header.analyze();
  const std::string img_a = folder.write("a.img", {1, 2}), hdr_a = folder.write("a.hdr", header.header());
  gzip(folder / "b.img.gz", {3, 4});
  gzip(folder / "b.hdr.gz", header.header());

  for (const std::string& path : {img_a, hdr_a}) EXPECT_THAT(read_nifti(path).values, ElementsAre(1, 2)) << path;
  for (const char* name : {"b.img.gz", "b.hdr.gz"})
    EXPECT_THAT(read_nifti(folder / name).values, ElementsAre(3, 4)) << name;
}

TEST(Nifti, AnImageWithoutItsHeaderOrVoxelsIsRejected) {
  const Folder folder("nifti_half");
  NiftiHeader header({2}, uint8_type, 8);
  const std::string hdr = folder.write("a.hdr", header.analyze().header()), img = folder.write("b.img", {1, 2});
  EXPECT_THAT(error_of([&] { read_nifti(hdr); }), HasSubstr("a.img (no such file)"));
  EXPECT_THAT(error_of([&] { read_nifti(img); }), HasSubstr("no header beside it"));
  EXPECT_THAT(error_of([&] { read_nifti(folder / "c.nii"); }), HasSubstr("c.nii (no such file)"));
}

TEST(Nifti, AbsurdHeadersAreRejectedWithoutTakingMemory) {
  const Folder folder("nifti_absurd");
  const auto error = [&](const NiftiHeader& header) {
    const std::string path = folder.write("a.nii", header.with(std::string(64, '\0')));
    return error_of([&] { read_nifti(path); });
  };
  const short huge = 32767;
  EXPECT_THAT(error({{huge, huge, huge}, 64, 64}), HasSubstr("more than the file can hold"));
  EXPECT_THAT(error({{huge, huge, huge, huge, huge, huge, huge}, 64, 64}), HasSubstr("frames"));
  EXPECT_THAT(error({{4, -1, 2}, 2, 8}), HasSubstr("dim[2] = -1"));
  EXPECT_THAT(error({{0, 1, 2}, 2, 8}), HasSubstr("dim[1] = 0"));
  EXPECT_THAT(error(NiftiHeader({2}, 2, 8).set<short>(40, 0)), HasSubstr("neither NIfTI-1 nor Analyze"));
  EXPECT_THAT(error(NiftiHeader({2}, 2, 8).set<int>(0, 540)), HasSubstr("NIfTI-2"));
  EXPECT_THAT(error(NiftiHeader({2}, 2, 8).set<float>(108, -1e30f)), HasSubstr("vox_offset"));
  EXPECT_THAT(error(NiftiHeader({2}, 2, 8).set<std::uint32_t>(108, 0x7f800001u)), HasSubstr("vox_offset"));
  EXPECT_THAT(error(NiftiHeader({2}, rgb_type, 24)), HasSubstr("datatype = 128 (voxels of type RGB24"));
  EXPECT_THAT(error(NiftiHeader({2}, 77, 8)), HasSubstr("datatype = 77"));
}

TEST(Nifti, EveryTruncationIsAnError) {
  const Folder folder("nifti_cut");
  const std::string whole = NiftiHeader({8, 8}, uint8_type, 8).with(std::string(64, '\5'));
  for (const std::size_t size : {0, 3, 347, 348, 352, 415}) {
    const std::string path = folder.write("a.nii", whole.substr(0, size));
    EXPECT_THAT(error_of([&] { read_nifti(path); }), HasSubstr("cut short")) << size;
  }
}

TEST(Nifti, CutOrDamagedGzipIsAnError) {
  const Folder folder("nifti_gzip");
  std::string voxels(4096, '\0');
  for (std::size_t i = 0; i < voxels.size(); ++i) voxels[i] = static_cast<char>(i * i * 31 % 251);
  const std::string path = folder / "a.nii.gz";
  gzip(path, NiftiHeader({64, 64}, uint8_type, 8).with(voxels));
  const std::string whole = bytes_of(path);
  ASSERT_EQ(read_nifti(path).values.size(), 4096u);

  (void)folder.write("a.nii.gz", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(error_of([&] { read_nifti(path); }), HasSubstr("cut short"));
  std::string damaged = whole;
  damaged[damaged.size() - 8] ^= 1;  // the checksum's first byte
  (void)folder.write("a.nii.gz", damaged);
  EXPECT_THAT(error_of([&] { read_nifti(path); }), HasSubstr("damaged gzip data"));
}

TEST(Nifti, WritingAndReadingGivesTheSameGridAndValues) {
  const Folder folder("nifti_write");
  Grid grid = make_grid({2, 3, 4}, {4.5, 3.4375, 2.0});
  std::vector<Real> values(24);
  std::iota(values.begin(), values.end(), 1e-300);
  values[5] = nan_value;
  for (const bool with_affine : {false, true}) {
    if (with_affine) grid.affine = Affine{{{-2, 0, 0.5, 90}, {0, 3.4375, 0, -126}, {0, 0, 4.5, -72}}};
    for (const char* name : {"with space 100%.nii", "b.nii.gz"}) {
      write_nifti(folder / name, grid, values);
      const GridData data = read_nifti(folder / name);
      EXPECT_EQ(grid_mismatch(data.grid, grid), "");
      EXPECT_EQ(sum_of(data.values).nans, 1);
      EXPECT_EQ(data.values[0], values[0]);
      EXPECT_EQ(data.values[23], values[23]);
    }
  }
  EXPECT_EQ(folder.files(), 2u);
}

TEST(Nifti, AFailedWriteIsAnInputErrorAndLeavesNothing) {
  const Folder folder("nifti_full");
  const Grid grid = make_grid({64, 64, 64}, {1.0});
  std::vector<Real> values(64 * 64 * 64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<Real>(i));  // hard to compress
  EXPECT_THAT(error_of([&] { write_nifti(folder / "none/a.nii", grid, values); }), HasSubstr("cannot be written"));
  EXPECT_THAT(error_of([&] { write_nifti(folder / "a.img", grid, values); }), HasSubstr("let it end in .nii"));
  EXPECT_THAT(error_of([&] { write_nifti(folder / "a.nii", make_grid({32768}, {1.0}), std::vector<Real>(32768)); }),
              HasSubstr("32767"));

  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string plain = error_of([&] { write_nifti(folder / "a.nii", grid, values); });
  const std::string zipped = error_of([&] { write_nifti(folder / "a.nii.gz", grid, values); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);

  EXPECT_THAT(plain, HasSubstr("cannot be written"));
  EXPECT_THAT(zipped, HasSubstr("cannot be written"));
  EXPECT_EQ(folder.files(), 0u);
}

// Facts about the real files below were taken with nibabel.

TEST(Nifti, PetMapHasTheKnownSumAndAffine) {
  const std::string path = data_file("volumes/pet/5HT1a_way_hc36_savli.nii.gz");
  if (path.empty()) GTEST_SKIP() << "no data";
  const GridData data = read_nifti(path);
  EXPECT_EQ(data.grid.describe(), "61 x 73 x 61, spacing 3 x 3 x 3");
  EXPECT_THAT((*data.grid.affine)[0], ElementsAre(-3, 0, 0, 90));
  EXPECT_THAT((*data.grid.affine)[1], ElementsAre(0, 3, 0, -126));
  EXPECT_NEAR(sum_of(data.values).total, 1385630.9092409215, 1e-5);
  EXPECT_NEAR(at(data, 37, 38, 17), 99.99999484955424, 1e-12);
}

TEST(Nifti, TissueMapIsScaledToProbabilities) {
  const std::string path = data_file("volumes/spm_tissue/grey.nii.gz");
  if (path.empty()) GTEST_SKIP() << "no data";
  const GridData data = read_nifti(path);
  EXPECT_EQ(data.grid.describe(), "91 x 109 x 91, spacing 2 x 2 x 2");
  EXPECT_NEAR(sum_of(data.values).total, 115523.23428290663, 1e-6);
  EXPECT_NEAR(at(data, 54, 60, 26), 0.9764706459827721, 1e-15);
}

TEST(Nifti, FmriContrastPairsKeepTheirNanBackground) {
  const std::string path = data_file("volumes/fmri_contrasts/con_00810002.img");
  if (path.empty()) GTEST_SKIP() << "no data";
  const GridData data = read_nifti(path);
  EXPECT_EQ(data.grid.describe(), "47 x 56 x 31, spacing 3.4375 x 3.4375 x 4.5");
  EXPECT_THAT((*data.grid.affine)[2], ElementsAre(0, 0, 4.5, 0));
  EXPECT_EQ(sum_of(data.values).nans, 676);
  EXPECT_NEAR(sum_of(data.values).total, 25142.93111506809, 1e-8);
  EXPECT_EQ(at(data, 15, 39, 24), 8.695962905883789);
}

TEST(Nifti, KneeLabelsHaveTheirQformAsAffine) {
  const std::string path = data_file("volumes/knees/OAI_a.nii.gz");
  if (path.empty()) GTEST_SKIP() << "no data";
  const GridData data = read_nifti(path);
  EXPECT_EQ(sum_of(data.values).total, 277766.0);
  EXPECT_EQ(at(data, 123, 244, 112), 2.0);
  const Affine expected{{{0.0190807566, 0, 0.6990509661, -128.7749938965},
                         {-0.3640836977, 0, 0.0366355907, 66.4305267334},
                         {0, -0.3645833433, 0, 40.8257446289}}};
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 4; ++column) {
      EXPECT_NEAR((*data.grid.affine)[row][column], expected[row][column], 2e-6) << row << " " << column;
    }
  }
}

}  // namespace
