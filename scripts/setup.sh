#!/usr/bin/env bash
# Installs everything HPOT needs on Debian 12 or 13. Idempotent: what is there stays, a second run does nothing.
#   scripts/setup.sh [--yes]      --yes (or CI=true) answers the one question it asks
set -euo pipefail

yes=${CI:+1}
for argument in "$@"; do
  case "$argument" in
    --yes) yes=1 ;;
    --help | -h) sed -n '2,3p' "$0"; exit 0 ;;
    *) echo "setup.sh: unknown argument '$argument' (known: --yes)" >&2; exit 2 ;;
  esac
done

# Debian's package, then what it is for. Lists that are read by nobody else.
packages=(
  g++ cmake ninja-build git pkg-config
  openmpi-bin libopenmpi-dev                            # ranks
  libhdf5-openmpi-dev hdf5-tools                        # parallel HDF5
  libboost-program-options-dev                          # INI files and the command line
  libgiftiio-dev                                        # GIfTI surfaces and maps
  libnifti-dev libpng-dev libjpeg-dev zlib1g-dev        # NIfTI-1, Analyze 7.5, PNG, JPEG, gzip
  libsuitesparse-dev                                    # CHOLMOD, sparse factorisation
  liblbfgs-dev                                          # L-BFGS, coordinates and dictionaries
  libgtest-dev libgmock-dev liblemon-dev                # tests: framework, exact network simplex
  python3 python3-numpy python3-h5py python3-nibabel python3-matplotlib   # plots, and tests of the written files
)

# Of Debian 12 only; nothing but the two scripts needs them.
tools=(
  clang-format-14                                       # scripts/check_format.sh
  clang-14 libclang-rt-14-dev libomp-14-dev             # scripts/fuzz.sh
)

elsewhere() {
  cat >&2 <<'TEXT'
setup.sh installs packages on Debian 12 and 13 only. On this system, bring:
  a C++20 compiler, CMake >= 3.25, Ninja, MPI >= 3.1 (Open MPI is tested), HDF5 built with MPI, Boost.Program_options,
  zlib, libpng, libjpeg, niftilib (nifticlib), giftiio (gifticlib), CHOLMOD (SuiteSparse), libLBFGS, and, for the tests, GoogleTest
  and LEMON;
  Kokkos >= 4.4 with OpenMP or CUDA, by one of
    spack install kokkos@5 +openmp    (or  +cuda cuda_arch=90)   and   spack load kokkos
    module load kokkos                                           or   cmake -DKokkos_ROOT=/path/to/kokkos
    cmake -DHPOT_FETCH_KOKKOS=ON                                 (CMake downloads and builds a pinned release)
Then: cmake --preset release && cmake --build --preset release
TEXT
  exit 2
}
command -v apt-get >/dev/null && grep -qi '^ID=debian' /etc/os-release || elsewhere

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup.sh: needs root or sudo to install packages" >&2; exit 2; }
  as_root=(sudo)
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

grep -q '^VERSION_ID="12"' /etc/os-release && packages+=("${tools[@]}")
missing=()
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing from this machine's own Debian release: ${missing[*]}"
  apt update
  # Once Kokkos has brought Debian 13's libc6, packages that need the very libc6 of their release must be of 13 as well.
  apt install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    apt install -y --no-install-recommends -t trixie "${missing[@]}" >/dev/null ||
    apt install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

# Kokkos: an existing one comes first.
kokkos_here() {
  local root
  for root in "${Kokkos_ROOT:-}" "${Kokkos_DIR:-}" /usr /usr/local; do
    [ -n "$root" ] && compgen -G "$root/{,lib/,lib64/,lib/*/}{,cmake/}{,Kokkos/}KokkosConfig.cmake" >/dev/null && return 0
    [ -n "$root" ] && find "$root/lib" "$root/lib64" "$root" -maxdepth 4 -name KokkosConfig.cmake -print -quit 2>/dev/null | grep -q . && return 0
  done
  return 1
}

if ! kokkos_here; then
  cat <<'TEXT'
setup: Debian 12 and 13 have no usable Kokkos. This step will
  - add Debian's suites trixie and sid to apt, pinned low (trixie 100, sid 50), so that nothing else comes from them by itself;
  - install libkokkos-dev from sid, which upgrades libc6 and libstdc++6 to Debian 13's.
  Files: /etc/apt/sources.list.d/hpot-kokkos.sources, /etc/apt/preferences.d/hpot-kokkos.
  To avoid it, bring your own Kokkos: Kokkos_ROOT=/path scripts/setup.sh, or cmake -DHPOT_FETCH_KOKKOS=ON.
TEXT
  if [ -z "$yes" ]; then
    [ -t 0 ] || { echo "setup.sh: no terminal to ask on; run scripts/setup.sh --yes to agree" >&2; exit 2; }
    read -r -p "Go on? [y/N] " answer
    [[ "$answer" == [yY]* ]] || { echo "setup: nothing changed"; exit 2; }
  fi
  mirror=$("${as_root[@]}" apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CREATED_BY) $(RELEASE)' |
    awk '$2 == "Debian" && $3 == "Packages" && $4 !~ /-/ { print $1; exit }')
  [ -n "$mirror" ] || { echo "setup.sh: found no Debian mirror in this machine's apt configuration" >&2; exit 2; }
  "${as_root[@]}" tee /etc/apt/sources.list.d/hpot-kokkos.sources >/dev/null <<TEXT
Types: deb
URIs: $mirror
Suites: trixie sid
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
TEXT
  "${as_root[@]}" tee /etc/apt/preferences.d/hpot-kokkos >/dev/null <<'TEXT'
Package: *
Pin: release n=sid
Pin-Priority: 50

Package: *
Pin: release n=trixie
Pin-Priority: 100

Package: libkokkos*
Pin: release n=sid
Pin-Priority: 600
TEXT
  apt update
  apt install -y --no-install-recommends -t trixie libkokkos-dev >/dev/null
fi

# The package names two static archives that it does not ship; find_package(Kokkos) wants them to exist.
if installed libkokkos-dev; then
  folder=/usr/lib/$(dpkg --print-architecture | sed 's/amd64/x86_64/; s/arm64/aarch64/')-linux-gnu
  for archive in libkokkosalgorithms.a libkokkossimd.a; do
    [ -e "$folder/$archive" ] || "${as_root[@]}" ar rc "$folder/$archive"
  done
fi
echo "setup: all that HPOT needs is installed"
