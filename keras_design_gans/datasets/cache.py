"""The disk cache: one memory-mapped uint8 or int32 array per feature of a data set."""

import contextlib
import errno
import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from keras_design_gans.datasets.source import SkipExample
from keras_design_gans.datasets.worker import DONE, REASONS, STATE, TODO, fill

try:
    import fcntl
except ImportError:  # Windows: two processes must not prepare the same set at once there.
    fcntl = None

# Below this number of examples per process, starting processes costs more than it saves.
EXAMPLES_PER_PROCESS = 128
PARTIAL = ".partial"
SKIPPED = "skipped.json"


def cache_folder():
    """Returns the folder of all cached sets: `$KDG_CACHE` or `~/.cache/keras_design_gans`."""
    default = Path.home() / ".cache" / "keras_design_gans"
    return Path(os.environ.get("KDG_CACHE") or default).expanduser()


def load_arrays(source, image_size, features):
    """Opens the arrays of a set, making first those that are not in the cache.

    An interrupted preparation goes on where it stopped. When two processes prepare the same set,
    one waits for the other.

    Args:
        source: the `Source` to read.
        image_size: side of the square pictures, in pixels.
        features: the keys wanted. The image and the labels are always made together; masks,
            sketches and what else the source makes on request when they are wanted.

    Returns:
        `(arrays, skipped)`: a dictionary of read-only memory-mapped arrays by feature, and a
        dictionary from the index of each example left out to the reason. An example without one
        of the features is left out of all; the arrays that have it are then copied to memory.

    Raises:
        OSError: the disk is full or the cache folder cannot be written.
    """
    folder = _folder_of(source, image_size)
    needed = [f for f in source.features if f in features or f not in source.on_request]
    if _missing(folder, needed):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _lock(folder / "lock"):
                for features_together in _groups(source, _missing(folder, needed)):
                    _prepare(folder, source, image_size, features_together)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                raise
            raise OSError(
                error.errno,
                f"Cannot prepare {source.name!r} in {folder}: {error.strerror}. Free some space "
                "there, or set the environment variable KDG_CACHE to another folder.",
            ) from error
    paths = {feature: _find(folder, feature) for feature in features}
    left_out = {feature: _read_skipped(path.parent) for feature, path in paths.items()}
    skipped = {}
    for reasons in left_out.values():
        skipped = reasons | skipped
    arrays = {feature: np.load(path, mmap_mode="r") for feature, path in paths.items()}
    for feature, own in left_out.items():
        if len(own) < len(skipped):
            made = [index for index in range(source.num_examples) if index not in own]
            arrays[feature] = arrays[feature][[index not in skipped for index in made]]
    return arrays, dict(sorted(skipped.items()))


def checksum(array):
    """Returns the first 16 hexadecimal digits of the SHA-256 of an array's values."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:16]


def _folder_of(source, image_size):
    identity = (source.name, source.split, source.num_examples, image_size, source.key)
    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:16]
    name = re.sub(r"[^\w.-]+", "_", source.name)
    return cache_folder() / name / f"{source.split}-{image_size}px-{source.num_examples}-{digest}"


def _find(folder, feature):
    """Returns the file of a feature, or `None`. What is made together lies in one folder."""
    found = (path for path in folder.glob(f"*/{feature}.npy") if path.parent.suffix != PARTIAL)
    return next(found, None)


def _missing(folder, features):
    return [feature for feature in features if _find(folder, feature) is None]


def _groups(source, features):
    """Parts `features` into lists that are made together."""
    further = [feature for feature in features if source.apart and feature in source.on_request]
    together = [feature for feature in features if feature not in further]
    return [group for group in (together, *([feature] for feature in further)) if group]


def _read_skipped(folder):
    skipped = json.loads((folder / SKIPPED).read_text())
    return {int(index): reason for index, reason in skipped.items()}


@contextlib.contextmanager
def _lock(path):
    with open(path, "w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)  # Released by the system even if we are killed.
        yield


def _prepare(folder, source, image_size, features):
    """Makes `features` in a partial folder, which gets its real name when all are done."""
    finished = folder / hashlib.sha256(repr(features).encode()).hexdigest()[:8]
    partial = finished.with_suffix(PARTIAL)
    if not (partial / STATE).exists():
        try:
            _allocate(partial, source, image_size, features)
        except OSError:
            shutil.rmtree(partial)  # A full disk is not left full.
            raise
    _fill(partial, source, image_size)
    skipped = {}
    if (partial / REASONS).exists():
        lines = (partial / REASONS).read_text().splitlines()
        skipped = dict(sorted(json.loads(line) for line in lines))
        partial = _without_skipped(partial, features)
    (partial / SKIPPED).write_text(json.dumps(skipped))
    (partial / STATE).unlink(missing_ok=True)
    os.rename(partial, finished)
    shutil.rmtree(finished.with_suffix(PARTIAL), ignore_errors=True)


def _allocate(partial, source, image_size, features):
    """Writes arrays of zeros: a full disk shows here, not as a crash while drawing."""
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    example = _first_example(source, image_size, features)
    # The state comes last: where it exists, the other arrays are complete.
    for name, value in [*example.items(), (Path(STATE).stem, np.uint8(TODO))]:
        value = np.asarray(value)
        dtype = np.dtype(np.uint8 if value.dtype == np.uint8 else np.int32)
        shape = (source.num_examples, *value.shape)
        with open(partial / f"{name}.npy", "wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": dtype.str, "fortran_order": False, "shape": shape}
            )
            for _ in range(source.num_examples):
                file.write(bytes(value.size * dtype.itemsize))


def _first_example(source, image_size, features):
    """Returns an example, which tells the shapes; zeros when every example is to be skipped."""
    for index in range(source.num_examples):
        with contextlib.suppress(SkipExample):
            example = source.example(index, image_size, features)
            return {feature: example[feature] for feature in features}
    return {feature: 0 for feature in features}


def _without_skipped(partial, features):
    """Copies the arrays without the rows of the skipped examples into another partial folder."""
    kept = partial.with_suffix(f".kept{PARTIAL}")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    done = np.load(partial / STATE) == DONE
    for feature in features:
        np.save(kept / f"{feature}.npy", np.load(partial / f"{feature}.npy", mmap_mode="r")[done])
    return kept


def _fill(partial, source, image_size):
    """Makes the missing examples under a progress bar, in several processes when it pays."""
    todo = np.count_nonzero(np.load(partial / STATE) == TODO)
    processes = min(os.cpu_count() or 1, todo // EXAMPLES_PER_PROCESS)
    title = f"Preparing {source.name}, {source.split}, {image_size} px"
    with tqdm(total=int(todo), desc=title, unit="image", mininterval=0.5) as bar:
        if processes < 2:
            for _ in fill(partial, source, image_size):
                bar.update()
        else:
            _fill_in_processes(partial, source, image_size, processes, bar)


def _fill_in_processes(partial, source, image_size, processes, bar):
    state = np.load(partial / STATE, mmap_mode="r")
    # The workers find the same package as we do, wherever it was imported from.
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    workers = []
    with contextlib.ExitStack() as stack:
        for part in range(processes):
            log = stack.enter_context(tempfile.TemporaryFile())
            worker = subprocess.Popen(
                [sys.executable, "-m", "keras_design_gans.datasets.worker"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path},
            )
            workers.append((worker, log))
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
            # A worker that is already dead is reported below, with its last words.
            with contextlib.suppress(BrokenPipeError), worker.stdin:
                pickle.dump((partial, source, image_size, part, processes), worker.stdin)
        running = True
        while running:
            time.sleep(0.1)
            running = any(worker.poll() is None for worker, _ in workers)
            bar.update(bar.total - bar.n - np.count_nonzero(state == TODO))
            for worker, log in workers:
                if worker.poll():
                    log.seek(0)
                    raise RuntimeError(
                        f"{bar.desc}: a worker process stopped with status {worker.returncode}. "
                        f"Its last words:\n{log.read().decode(errors='replace')[-2000:]}"
                    )
