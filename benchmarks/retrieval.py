"""Times the exact search for the most similar products, as `kdg.metrics.NearestProducts` does it.

    OMP_NUM_THREADS=1 python benchmarks/retrieval.py

Random vectors, the 5 nearest; the network that computes the vectors is not part of it. Prints a
Markdown table of medians: the time on the clock, and the time of the processor, which other
programs disturb less. Without `OMP_NUM_THREADS=1` all cores share the work.
"""

import argparse
import statistics
import time

import numpy as np

from keras_design_gans.metrics.neighbours import NeighbourSearch


def median_times(action, repeats):
    """Returns the median seconds that `action()` takes on the clock and of the processor."""
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        action()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return [statistics.median(column) for column in zip(*times, strict=True)]


def main():
    """Prints one row for each number of features and each number of questions at once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--features", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()
    print("| products | features | queries at once | ms per query | ms of the processor |")
    print("| --- | --- | --- | --- | --- |")
    rng = np.random.default_rng(0)
    for d in options.features:
        search = NeighbourSearch(rng.standard_normal((options.products, d), dtype="float32"))
        for batch in (1, 64):
            queries = rng.standard_normal((batch, d))
            times = median_times(lambda s=search, q=queries: s.nearest(q, k=5), options.repeats)
            wall, processor = (1000 * seconds / batch for seconds in times)
            print(f"| {options.products:,} | {d} | {batch} | {wall:.1f} | {processor:.1f} |")


if __name__ == "__main__":
    main()
