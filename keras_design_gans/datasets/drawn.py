"""Sets drawn by a module of this package, such as `garments`."""

import ast
import hashlib
import importlib
import importlib.metadata
import sys
from pathlib import Path

from keras_design_gans.datasets.source import (
    ON_REQUEST,
    TEST_OFFSET,
    Source,
    check_num_examples,
    check_split,
)

# Libraries whose packages have another name.
PACKAGES = {"dicebear": "dicebear-core"}


class DrawnSource(Source):
    """A set drawn by `module.draw`.

    The module has `NAME`, `FEATURES`, `CLASS_NAMES`, `NUM_EXAMPLES` (the usual size of each split)
    and `draw(index, seed, image_size, features)`, which returns what `Source.example` returns. It
    may have `ON_REQUEST` and, with captions, `CAPTIONS` and `sentences(key, labels)`, see `Source`.

    Args:
        module: full name of the module.
        split: `"train"` or `"test"`.
        seed: int; another seed draws other pictures.
        num_examples: how many to draw; `None` means the usual number.
    """

    def __init__(self, module, split, seed=0, num_examples=None):
        drawing = importlib.import_module(module)
        check_split(split)
        if num_examples is None:
            num_examples = drawing.NUM_EXAMPLES[split]
        self.module = module
        self.seed = seed
        self.on_request = getattr(drawing, "ON_REQUEST", ON_REQUEST)
        self.captions = tuple(getattr(drawing, "CAPTIONS", ()))
        super().__init__(
            name=drawing.NAME,
            split=split,
            features=drawing.FEATURES,
            class_names=drawing.CLASS_NAMES,
            num_examples=check_num_examples(num_examples, TEST_OFFSET, drawing.NAME),
            key=(seed, code_fingerprint(module)),
        )

    def example(self, index, image_size, features):
        """Draws example `index`, see `Source.example`."""
        if self.split == "test":
            index += TEST_OFFSET
        drawing = importlib.import_module(self.module)
        return drawing.draw(index, seed=self.seed, image_size=image_size, features=features)

    def sentences(self, key, index, labels):
        """Describes an example, see `Source.sentences`."""
        return importlib.import_module(self.module).sentences(key, labels)


def code_fingerprint(module):
    """Hashes the code that draws: the module, what it imports from its package, and versions.

    Args:
        module: full name of the drawing module.

    Returns:
        A string that changes when one of these files is edited or when a library that one of them
        imports changes its version.
    """
    root = module.partition(".")[0]
    libraries = set()
    files = {}
    to_read = [module]
    while to_read:
        name = to_read.pop()
        path = _source_file(name)
        if name in files or path is None:
            continue
        files[name] = path.read_bytes()
        for imported in _imports(files[name], package=name.rpartition(".")[0]):
            if imported.partition(".")[0] == root:
                to_read.append(imported)
            else:
                libraries.add(imported.partition(".")[0])
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + files[name])
    for library in sorted(libraries - set(sys.stdlib_module_names)):
        digest.update(f"{library} {_version(library)}".encode())
    return digest.hexdigest()[:16]


def _source_file(name):
    """Returns the path of module `name`, or `None` when `name` is not a module but in one."""
    package, _, stem = name.rpartition(".")
    if not package:
        return Path(importlib.import_module(name).__file__)
    parent = sys.modules.get(package)
    for folder in getattr(parent, "__path__", ()):
        if (path := Path(folder) / f"{stem}.py").is_file():
            return path
    return None


def _imports(code, package):
    """Returns the full names that `code` imports, those of single functions included."""
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = importlib.util.resolve_name("." * node.level + base, package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def _version(library):
    try:
        return importlib.metadata.version(PACKAGES.get(library, library))
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
