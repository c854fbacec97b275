"""Writes small valid inputs for every target of hpot_fuzz: seeds.py FOLDER [DATA]. With a folder of real data, its small
files of the formats that HPOT reads come too."""
import gzip
import io
import itertools
import pathlib
import struct
import sys
import tempfile
import zlib

import h5py
import nibabel
import numpy
import PIL.Image

OUT = pathlib.Path(sys.argv[1])
DATA = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
LARGEST = 20_000  # bytes of a real file
VALUES = numpy.arange(12, dtype=float).reshape(2, 3, 2)


def seed(target, name, content):
    path = OUT / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def pair(first, second):
    """Two files in one input, as files.cpp takes them apart."""
    return struct.pack(">H", len(first)) + first + second


def nifti_header(dtype, shape=(2, 3, 2), **fields):
    header = nibabel.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_shape(shape)
    header.set_data_dtype(dtype.lstrip("<>"))
    header.set_zooms([2.0, 3.0, 4.0, 1.0][: len(shape)])
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock


def nifti():
    for dtype in ("u1", "i1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", "<u8", "<f4", ">f4", "<f8", ">f8"):
        name, voxels = dtype.translate(str.maketrans("<>", "lb")), VALUES.astype(dtype).tobytes()
        single = nifti_header(dtype, magic=b"n+1", vox_offset=352, sform_code=2) + bytes(4) + voxels
        seed("nifti", name, single)
        seed("gzip", name, gzip.compress(single))
        seed("nifti_pair", name, pair(nifti_header(dtype, magic=b"ni1", vox_offset=0), voxels))
    frames = nifti_header("f4", (2, 1, 1, 3), magic=b"n+1", vox_offset=352, scl_slope=0.5, qform_code=1)
    seed("nifti", "frames", frames + bytes(4) + numpy.ones(6, "f4").tobytes())
    analyze = nifti_header(">i2", magic=bytes(4), vox_offset=0, scl_slope=2)
    seed("nifti_pair", "analyze", pair(analyze, VALUES.astype(">i2").tobytes()))


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    for colour, interlaced in itertools.product(depths, (0, 1)):
        for depth in depths[colour]:
            row = b"\0" + bytes(range(1, 1 + (5 * depth * channels[colour] + 7) // 8))
            extra = chunk(b"PLTE", (bytes(range(256)) * 3)[: 3 * 2**depth]) + chunk(b"tRNS", b"\7") if colour == 3 else b""
            header = chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 4, depth, colour, 0, 0, interlaced))
            pixels = chunk(b"IDAT", zlib.compress(row * 12 if interlaced else row * 4))
            seed("png", f"{colour}-{depth}-{interlaced}",
                 b"\x89PNG\r\n\x1a\n" + header + extra + pixels + chunk(b"IEND", b""))


def jpeg():
    pixels = numpy.arange(3 * 13 * 11, dtype=numpy.uint8).reshape(13, 11, 3)
    for mode, progressive, subsampling in itertools.product(("RGB", "L", "CMYK"), (False, True), (0, 2)):
        stream = io.BytesIO()
        PIL.Image.fromarray(pixels).convert(mode).save(stream, "jpeg", progressive=progressive, subsampling=subsampling)
        seed("jpeg", f"{mode}-{progressive}-{subsampling}", stream.getvalue())


def tables():
    seed("pgm", "text", "P2 # a comment\n3 2 9\n1 2 3\n4 5 9\n")
    seed("pgm", "bytes", b"P5 3 2 255\n\1\2\3\4\5\6")
    seed("pgm", "wide", b"P5\n3 2\n65535\n" + bytes(range(12)))
    csv = ("1,2\n3,4\n", "a;b\r\n1;-2.5e-3\r\n# c\r\n+3;nan\r\n", "\xef\xbb\xbf1\t2\n", "1 2  3\n4 5 6 # x", "1e999,-inf\n")
    for number, text in enumerate(csv):
        seed("csv", str(number), text.encode("latin-1"))
        seed("gzip", f"csv{number}", gzip.compress(text.encode("latin-1")))
    images = struct.pack(">4I", 0x803, 3, 2, 3) + bytes(range(18))
    seed("idx", "three", pair(struct.pack(">2I", 0x801, 3) + b"\7\1\7", images))
    for dtype, order in itertools.product(("?", "i1", "<i2", ">i4", "<u8", "<f4", ">f8"), "CF"):
        stream = io.BytesIO()
        numpy.save(stream, numpy.array(VALUES.astype(dtype), order=order))
        seed("npy", f"{numpy.dtype(dtype).name}{order}", stream.getvalue())
    for version in ((2, 0), (3, 0)):
        stream = io.BytesIO()
        numpy.lib.format.write_array(stream, VALUES[0], version)
        seed("npy", f"version{version[0]}", stream.getvalue())


def clouds():
    head = "ply\nformat {} 1.0\ncomment c\nelement vertex 2\nproperty float x\nproperty double y\nproperty short z\n"
    faces = "element face 1\nproperty list uchar int vertex_indices\n"
    seed("ply", "ascii", head.format("ascii") + faces + "end_header\n1 2 3\n-4 5e-1 6\n3 0 1 0\n")
    for order, sign in (("little", "<"), ("big", ">")):
        vertices = struct.pack(sign + "fdhfdh", 1, 2, 3, -4, 0.5, 6)
        seed("ply", order, head.format(f"binary_{order}_endian").encode() + faces.encode() + b"end_header\n" + vertices
             + struct.pack(sign + "Biii", 3, 0, 1, 0))
    seed("obj", "0", "# c\no a\nv 1 2 3\nv 4 5 6 1.0\nv 7 8 9 0.1 0.2 0.3\nvn 0 0 1\nf 1//1 2//1 3//1\n")
    seed("xyz", "plain", "1 2 3\n4 5 6\n\n7 8 9\n")
    seed("xyz", "atoms", "2\nwater\nO 0 0 0\nH 0.1 -2e-1 3\n")


def hdf5():
    cases = {
        "plain": {}, "chunked": {"chunks": (1, 3, 2)}, "deflate": {"chunks": True, "compression": 4},
        "filters": {"chunks": (2, 2, 2), "shuffle": True, "fletcher32": True, "compression": 1},
        "offset": {"chunks": True, "scaleoffset": 2}, "grows": {"maxshape": (None, 3, 2)},
    }
    for (name, options), libver, dtype in itertools.product(cases.items(), ("earliest", "latest"), ("<f8", ">i2")):
        with tempfile.NamedTemporaryFile(suffix=".h5") as file:
            with h5py.File(file.name, "w", libver=libver) as h5:
                h5.create_dataset("a", data=VALUES.astype(dtype), **options)
                h5.create_dataset("group/b", data=VALUES > 3)
                h5["a"].attrs["unit"] = "mm"
                h5["header/format"] = numpy.array([b"hpot checkpoint 2"])
                h5["header/entries"] = numpy.array([b"state/f", b"work_0/g"])
                h5["text"] = "words"
            seed("hdf5", f"{name}-{libver}-{dtype[1:]}", pathlib.Path(file.name).read_bytes())


def surfaces():
    points = numpy.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1.5, 1]], "f4")
    faces = numpy.array([[0, 1, 2], [0, 2, 3]], "i4")
    for encoding in ("ASCII", "B64BIN", "B64GZ"):
        image = nibabel.GiftiImage()
        for values, intent, kind in ((points, "NIFTI_INTENT_POINTSET", "FLOAT32"), (faces, "NIFTI_INTENT_TRIANGLE", "INT32"),
                                     (points[:, 0].copy(), "NIFTI_INTENT_SHAPE", "FLOAT32"), (faces[:, 0].copy(), "NIFTI_INTENT_NONE", "INT32")):
            array = nibabel.gifti.GiftiDataArray(values, intent=intent, datatype=f"NIFTI_TYPE_{kind}")
            array.encoding = nibabel.gifti.gifti.gifti_encoding_codes.code[encoding]
            image.add_gifti_data_array(array)
        seed("gifti", encoding, image.to_bytes())
    surface = b"\xff\xff\xfecreated by seeds\n\n" + struct.pack(">2i", 4, 2) + points.astype(">f4").tobytes() + faces.astype(">i4").tobytes()
    seed("freesurfer", "surface", surface)
    seed("freesurfer", "map", b"\xff\xff\xff" + struct.pack(">3i3f", 3, 1, 1, 0.5, 2, float("nan")))


def texts():
    for number, text in enumerate((
            "gaussian?n=8&dim=1&mean=0.5&sd=0.1", "gaussian?shape=4x5x6&mean=0.5x0.4,0.3&sd=0.1x0.2x0.3&seed=7&item=2",
            "ellipse?n=8&hollow=1&count=3", "shell?n=6&spacing=2,1,0.5", "phantom?n=4&count=2", "ellipse?shape=9x7", "points?n=5&dim=3&shape=sphere",
            "scene?n=6&width=9&pixels=8&item=1")):
        seed("synthetic", str(number), text)
        seed("measures", f"synthetic{number}", "synthetic:" + text)
    for number, text in enumerate((
            "t1.csv,t2.csv", "t*.csv?spacing=2x3", "i.pgm?invert=1, p.png?channel=r&invert=yes", "s.npy?stack=1&count=2",
            "x-images-idx3-ubyte?label=7&item=1&spacing=1", "v.nii.gz?frame=0", "d.h5:/g/a?stack=1&item=1", "[it]*.csv")):
        seed("measures", str(number), text)
    for number, text in enumerate((
            "[input]\nmeasures = a.csv, b.csv\nnormalize = no\n# c\n[epsilon]\ntarget = 1e-3 # small\n",
            "\xef\xbb\xbf; c\r\n[fuzz]\r\nreal = .5\r\ntext = a;b=c#d 'e' \"f\"\r\n[input]\r\nmeasures=x\r\n",
            "[cost]\ntype = power\n[penalty]\nsource = range:0.5,2\n[parallel]\nrows = 2\n[input]\nmeasures = x")):
        seed("ini", str(number), text.encode("latin-1"))
    for number, text in enumerate((
            "--input.measures\na.csv\n--epsilon.target=0.5\n--penalty.source\nkl:1", "--help", "--version\n--dry-run",
            "--dump-config\n--fuzz.text=\n--stopping.time_limit\n60", "--input.measures=a\n--parallel.rows=auto")):
        seed("command_line", str(number), text)


def real_files():
    for path in sorted(DATA.rglob("*")):
        if not path.is_file() or path.stat().st_size > LARGEST:
            continue
        if path.suffix in (".png", ".csv", ".npy", ".h5", ".nii"):
            seed({".h5": "hdf5", ".nii": "nifti"}.get(path.suffix, path.suffix[1:]), f"real-{path.name}", path.read_bytes())
        if path.suffix == ".hdr":
            seed("nifti_pair", f"real-{path.name}", pair(path.read_bytes(), bytes(64)))


nifti()
png()
jpeg()
tables()
clouds()
hdf5()
surfaces()
texts()
if DATA is not None:
    real_files()
