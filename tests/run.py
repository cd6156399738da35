"""Runs all checks of the project, one after the other, and sums them up at the end.

    python tests/run.py                       everything
    python tests/run.py --only format torch   some checks

A check that fails does not stop the others. The exit code is 1 if any has failed.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Two processes of one thread each: XLA compiles on one core, and the threads of tiny networks wait
# more than they work.
UNIT_TESTS = ["pytest", "-n", "2", "--durations=5", "tests"]
NOTEBOOKS = ["pytest", "-n", "2", "--dist=loadfile", "--nbval-lax", "--nbval-current-env"]
# Name of a check -> module and its arguments, and changes of the environment.
CHECKS = {
    "lint": (["ruff", "check"], {}),
    "format": (["ruff", "format", "--check"], {}),
    "tensorflow": (UNIT_TESTS, {"KERAS_BACKEND": "tensorflow"}),
    "jax": (UNIT_TESTS, {"KERAS_BACKEND": "jax"}),
    "torch": (UNIT_TESTS, {"KERAS_BACKEND": "torch"}),
    "notebooks": (
        [*NOTEBOOKS, "tutorials"],
        {"KERAS_BACKEND": "torch", "KDG_QUICK": "1"},  # nothing to compile: half the time
    ),
    "docs": (["mkdocs", "build", "--strict"], {}),
}
FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$")


def main():
    """Runs the checks that were asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description="Run all checks of the project.")
    parser.add_argument("--only", nargs="+", choices=CHECKS, metavar="NAME", help=f"{[*CHECKS]}")
    chosen = parser.parse_args().only or list(CHECKS)
    summary, failed_tests, passed = [], [], 0
    for name in chosen:
        print(f"\n=== {name} ===", flush=True)
        start = time.monotonic()
        code, failures = run(*CHECKS[name])
        seconds = time.monotonic() - start
        passed += code == 0
        verdict = "passed" if code == 0 else f"failed (exit code {code})"
        summary.append(f"{name:12} {seconds:7.1f} s  {verdict}")
        failed_tests += [f"{name}: {failure}" for failure in failures]
        print(summary[-1], flush=True)
    print("\n=== summary ===", *summary, *failed_tests, sep="\n")
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return int(passed < len(chosen))


def run(arguments, environment):
    """Runs one check and shows what it prints; returns its exit code and the failed tests."""
    failures = []
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if found := FAILED_TEST.match(line):
                failures.append(found[1].strip())
    return process.returncode, failures


if __name__ == "__main__":
    sys.exit(main())
