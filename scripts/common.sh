# Functions and settings of the scripts beside this file. Sourced, never run.
# shellcheck shell=bash disable=SC2034 # what is set here is used elsewhere

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.python/bin/python

# One release build serves the programs and the tests: `@testable import` works in it, and nothing is built twice.
# The Swift runtime stays dynamic, because the testing library has no static form. The price is start-up: 20 ms for
# a program with Yams, ArgumentParser and Subprocess that does not link libtorch (two-core Xeon, warm files).
# Imports of targets that are not declared are errors.
build_options=(-c release -Xswiftc -enable-testing --explicit-target-dependency-import-check error)

# Set by `--quiet`, for cron, which mails all output.
quiet=

note() { [[ -n $quiet ]] || printf '%s\n' "$*" >&2; }

# Prints the comment at the top of the script, and ends it, where the first argument asks for help.
offer_help() { # ARGUMENT...
  case ${1:-} in
  -h | --help | help) ;;
  *) return 0 ;;
  esac
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' -- "$0"
  exit
}

# Ends the script with one of the programs' own exit codes (Sources/System/Diagnostics/Failure.swift).
fail() { # STATUS MESSAGE...
  local status=$1
  shift
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit "$status"
}

# Runs a command whose output matters only when it fails.
quietly() { # LOG COMMAND...
  local log=$1 status=0
  shift
  mkdir -p -- "${log%/*}"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  ((status == 0)) || cat -- "$log" >&2
  return "$status"
}

# Builds the programs, and with `--build-tests` the tests too; prints a notice if that takes longer than a moment.
build() { # [ARGUMENTS OF swift build]
  local notice built=yes place=$root/.build/checkout
  # Compiled modules contain the path of the checkout, so a moved checkout has to be built anew.
  if [[ -f $place && $(<"$place") != "$root" ]]; then rm -rf -- "$root/.build"; fi
  mkdir -p -- "$root/.build"
  printf '%s\n' "$root" >"$place"
  # `read` with a time limit on an empty pipe sleeps without a process of its own.
  { read -rt 3 <> <(:) || note "building on $(nproc) cores; this takes several minutes the first time ..."; } &
  notice=$!
  quietly "$root/.build/build.log" swift build --package-path "$root" "${build_options[@]}" "$@" || built=
  kill "$notice" 2>/dev/null || true
  wait "$notice" 2>/dev/null || true
  [[ -n $built ]] || fail 70 "the build failed; what it said is above and in .build/build.log"
}

# A virtual environment with pip. Debian's Python may lack pip, or not let it install packages.
python_environment() {
  if [[ -e $root/.python/complete ]] && "$python" -c '' 2>/dev/null; then return; fi
  note "making a Python environment in .python ..."
  rm -rf -- "$root/.python"
  quietly "$root/.build/python.log" python3 -m venv "$root/.python" || fail 69 "python3 -m venv failed"
  touch -- "$root/.python/complete"
}

# Installs the Python packages of a list with exact versions into that environment.
python_packages() { # LIST
  local list=$1 installed=$root/.python/${1##*/}
  python_environment
  if cmp --silent -- "$list" "$installed"; then return; fi
  borrow_torch
  note "installing the Python packages of ${list#"$root"/} into .python ..."
  quietly "$root/.build/python.log" "$python" -m pip install --no-input --disable-pip-version-check \
    --only-binary=:all: --requirement "$list" || fail 69 "pip could not install what $list names"
  cp -- "$list" "$installed"
}

# Makes the installed libtorch the environment's package torch as well; with CUDA a second copy would take 5 GB.
borrow_torch() {
  local suffix packages
  { read -r suffix && read -r packages; } < <("$python" -c '
import sysconfig
print(sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_path("purelib"), sep="\n")')
  if [[ -e $root/.libtorch/python/torch/_C$suffix ]]; then
    printf '%s\n' "$root/.libtorch/python" >"$packages/libtorch.pth"
  fi
}

# The user's own libtorch; the package manifest needs an absolute path.
if [[ -n ${LIBTORCH:-} ]]; then
  folder=$(cd -- "$LIBTORCH" 2>/dev/null && pwd -P) || fail 66 "LIBTORCH=$LIBTORCH is no folder"
  export LIBTORCH=$folder
else
  unset LIBTORCH
fi

# Scripts compare messages and parse numbers, so these must not depend on the caller's language.
export LC_ALL=C.UTF-8

# Under cron or in a bare container, HOME may be unset or read-only. Without HOME, the tilde is the account's home.
[[ -n ${HOME:-} ]] || HOME=~
if [[ ! -w $HOME ]]; then
  HOME=$root/.build/home
  mkdir -p -- "$HOME"
fi
export HOME
