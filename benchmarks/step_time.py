"""Times one training step of DCGAN on each backend, beside a plain PyTorch loop.

    python benchmarks/step_time.py --backends tensorflow torch jax

Every row runs in its own process, on the same random images. The last row is the input pipeline:
reading a batch from the memory-mapped pictures and scaling it. The plain loop has the same networks
in `torch.nn`, channels_last, and the usual step: fakes detached for the discriminator, a second
discriminator pass for the generator, Adam for both. Prints a Markdown table of medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def median_step(step, warmup, steps):
    """Returns the median of the seconds that `step()` takes."""
    times = []
    for index in range(warmup + steps):
        start = time.perf_counter()
        step()
        if index >= warmup:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def time_package(options):
    """Times `train_on_batch` of the package's DCGAN on the backend of this process."""
    import keras
    import numpy as np

    import keras_design_gans as kdg

    keras.config.set_dtype_policy(options.policy)
    shape = (options.size, options.size, 3)
    model = kdg.models.DCGAN(image_shape=shape, base_filters=options.width)
    model.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (options.batch, *shape)).astype("float32")
    return median_step(lambda: model.train_on_batch(images), options.warmup, options.steps)


def time_pipeline(options):
    """Times a batch of `kdg.datasets` from pictures on disk."""
    import tempfile

    import numpy as np

    import keras_design_gans as kdg

    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, np.zeros((4096, options.size, options.size, 3), "uint8"))
        file.flush()
        images = np.load(file.name, mmap_mode="r")
        batches = kdg.datasets.Dataset({"image": images}, "zeros", batch_size=options.batch)
        endless = batches.batches()
        return median_step(lambda: next(endless), options.warmup, options.steps)


def time_plain_torch(options):
    """Times the same networks written directly in PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional

    from keras_design_gans.models.dcgan import scales

    _, widths = scales((options.size, options.size, 3), options.width)
    generator = [nn.ConvTranspose2d(100, widths[0], 4, 1, 0, bias=False)]
    for before, after in zip(widths, [*widths[1:], 3], strict=True):
        generator += [nn.BatchNorm2d(before), nn.ReLU(True)]
        generator += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    generator = nn.Sequential(*generator, nn.Tanh())
    discriminator, before = [], 3
    for level, after in enumerate(reversed(widths)):
        discriminator += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
        discriminator += [nn.BatchNorm2d(after)] if level else []
        discriminator += [nn.LeakyReLU(0.2, True)]
        before = after
    discriminator = nn.Sequential(*discriminator, nn.Conv2d(before, 1, 4, 1, 0, bias=False))
    generator = generator.to(memory_format=torch.channels_last)
    discriminator = discriminator.to(memory_format=torch.channels_last)
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    g_optimizer = torch.optim.Adam(generator.parameters(), **adam)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), **adam)
    images = torch.rand(options.batch, 3, options.size, options.size) * 2 - 1
    images = images.to(memory_format=torch.channels_last)
    bfloat16 = options.policy == "mixed_bfloat16"

    def step():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            fake = generator(torch.randn(options.batch, 100, 1, 1))
            d_optimizer.zero_grad()
            real_logits = discriminator(images).float()
            fake_logits = discriminator(fake.detach()).float()
        d_loss = functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean()
        d_loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            logits = discriminator(fake).float()
        functional.softplus(-logits).mean().backward()
        g_optimizer.step()

    return median_step(step, options.warmup, options.steps)


def main():
    """Runs one process per row and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="*", default=["tensorflow", "torch", "jax"])
    parser.add_argument("--policies", nargs="+", default=["float32", "mixed_bfloat16"])
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--width", type=int, default=32, help="base_filters")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--policy", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        timers = {"plain": time_plain_torch, "pipeline": time_pipeline}
        print(json.dumps(timers.get(options.one, time_package)(options)))
        return
    print(f"| what | policy | ms per step (batch {options.batch}) | images/s |")
    print("| --- | --- | --- | --- |")
    rows = [(row, policy) for row in ["plain", *options.backends] for policy in options.policies]
    names = {"plain": "plain PyTorch loop", "pipeline": "input pipeline"}
    for row, policy in [*rows, ("pipeline", "uint8 to float32")]:
        backend = row if row in options.backends else "torch"
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, *sys.argv, "--one", row, "--policy", policy]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        seconds = float(done.stdout.splitlines()[-1])
        name = names.get(row, f"DCGAN on {row}")
        print(f"| {name} | {policy} | {1000 * seconds:.1f} | {options.batch / seconds:.0f} |")


if __name__ == "__main__":
    main()
