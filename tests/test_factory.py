"""The page "Character factory", in a real browser: what it draws is what Keras computes.

The browser is a Chromium of the system or of Playwright. The page is independent of the backend, so
that one of them is enough.
"""

import base64
import functools
import http.server
import importlib.util
import io
import json
import re
import shutil
import tarfile
import threading
import types
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_design_gans import export, presets
from keras_design_gans.datasets import faces

if keras.backend.backend() != "tensorflow":
    pytest.skip("one backend is enough for the page", allow_module_level=True)
pytest.importorskip("mkdocs")
pytest.importorskip("tf2onnx")
playwright = pytest.importorskip("playwright.sync_api")

DOCS = Path(__file__).parent.parent / "docs"
TAGS = faces.CLASS_NAMES["attributes"]
PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}
CARDS = "#f-panel .f-card"


@pytest.fixture(scope="module")
def network():
    """A small random network: noise and 40 attributes to pictures of 64 pixels."""
    keras.utils.set_random_seed(0)
    noise, attributes = keras.Input((100,), name="z"), keras.Input((40,), name="tags")
    x = keras.layers.Concatenate()([noise, 3 * attributes])
    x = keras.layers.Dense(16 * 16 * 4, activation="relu")(x)
    x = keras.layers.UpSampling2D(4)(keras.layers.Reshape((16, 16, 4))(x))
    x = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    return keras.Model([noise, attributes], x)


@pytest.fixture(scope="module")
def hook():
    """The module that puts onnxruntime-web into the site."""
    spec = importlib.util.spec_from_file_location("onnxruntime_web", DOCS / "onnxruntime_web.py")
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    return hook


@pytest.fixture(scope="module")
def site(network, hook, tmp_path_factory):
    """The address of the page, with the network as its model; and the folder of its files."""
    try:
        runtime = hook.runtime()
    except OSError as error:
        pytest.skip(f"no onnxruntime-web: {error}")
    folder = tmp_path_factory.mktemp("site") / "factory"
    shutil.copytree(DOCS / "factory", folder, ignore=shutil.ignore_patterns("models"))
    shutil.copytree(runtime, folder / "onnxruntime")
    html = re.findall(r"^<.*", (DOCS / "factory" / "index.md").read_text(), re.M)
    page = (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    )
    page += f"<article><h1>Character factory</h1>{''.join(html)}</article>"
    (folder / "index.html").write_text(page)
    model = types.SimpleNamespace(generator=network, latent_dim=100, attributes=TAGS)
    export.export(model, folder / "models" / "faces.onnx")
    handler = functools.partial(Quiet, directory=folder.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield types.SimpleNamespace(
            address=f"http://127.0.0.1:{server.server_port}/factory/", folder=folder
        )
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, *arguments):
        pass


@pytest.fixture
def open_page(browser, site):
    """Opens the page in a fresh browser profile; fails on errors of its scripts."""
    contexts, errors = [], []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(error))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(open_page, site):
    page = open_page()
    page.goto(site.address)
    wait(page, 16)
    return page


def wait(page, count):
    """Waits until so many characters are drawn."""
    page.wait_for_function(
        "n => document.querySelectorAll('#f-panel .f-card canvas:not(.is-waiting)').length === n"
        " && !document.querySelector('#factory').hasAttribute('aria-busy')",
        arg=count,
    )


def status(page, pattern):
    found = playwright.expect(page.locator(".f-status"))
    found.to_have_text(re.compile(pattern), timeout=60_000)


def show(page, view, count):
    page.click(f"#f-tab-{view}")
    page.wait_for_selector(f"#f-panel[aria-labelledby=f-tab-{view}]")
    wait(page, count)


def keep(page, *indexes):
    for index in indexes:
        page.locator(f"{CARDS} .f-heart").nth(index).click()


def kept(page):
    """What the browser has stored: noise (n, 100) and attributes (n, 40), the newest first."""
    records = json.loads(page.evaluate("localStorage.getItem('kdg-factory:favourites:faces')"))
    return (
        np.array([noise_of(record["seed"]) for record in records]).reshape(-1, 100),
        np.array([record["attributes"] for record in records], "float32").reshape(-1, 40),
    )


def another(group, attributes):
    """The group's attributes, and one that the character does not have.

    A choice that changes nothing shows the favourite itself, whose heart removes it.
    """
    members = [i for i, tag in enumerate(TAGS) if tag.startswith(group)]
    return members, next(i for i in members if not attributes[i])


def noise_of(seed):
    assert len(seed) == 268
    return np.frombuffer(base64.urlsafe_b64decode(seed), "<f2").astype("float32")


def pixels(page, index):
    values = (
        page.locator(f"{CARDS} canvas")
        .nth(index)
        .evaluate("c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)")
    )
    return np.array(values).reshape(64, 64, 4)[..., :3]


def expected_pixels(network, noise, attributes):
    images = network.predict([noise, attributes], verbose=0)
    assert images.std(axis=(1, 2)).min() > 0.05
    return (images + 1) / 2 * 255


def seed_of(page, index):
    page.locator(f"{CARDS} .f-picture").nth(index).click()
    seed = page.input_value("#f-seed-of")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    return seed


def download(page, selector):
    with page.expect_download() as found:
        page.click(selector)
    return Path(found.value.path()).read_bytes()


def test_the_model_of_the_site_is_the_preset():
    onnxruntime = pytest.importorskip("onnxruntime")
    file = DOCS / "factory" / "models" / "faces.onnx"
    assert file.stat().st_size <= 8 * 2**20
    preset = presets.load("attribute_gan_faces_64")
    description = json.loads(file.with_suffix(".json").read_text())
    named = [f"{g['group']}: {name}" for g in description["attributes"] for name in g["names"]]
    assert named == preset.attributes
    latents = preset.sample_latents(4, seed=0)
    chosen = np.random.default_rng(0).integers(0, 2, (4, len(named))).astype("float32")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"noise": latents, "attributes": chosen})
    np.testing.assert_allclose(found, preset.decode(latents, chosen), atol=1e-4)


def test_draws_what_keras_computes_with_files_of_the_site_only(open_page, site, network):
    page, addresses = open_page(), []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(site.address)
    wait(page, 16)
    status(page, r"16 characters in \d+\.\d\d s")
    assert all(address.startswith((site.address, "blob:")) for address in addresses)
    keep(page, 0, 7)
    noise, attributes = kept(page)
    expected = expected_pixels(network, noise, attributes)
    np.testing.assert_allclose(pixels(page, 7), expected[0], atol=0.6)
    np.testing.assert_allclose(pixels(page, 0), expected[1], atol=0.6)
    assert set(np.unique(attributes)) == {0, 1}
    assert set(attributes[:, :8].sum(axis=1)) == {1}  # a colour of the hair, always
    page.click("#f-more")
    wait(page, 32)


def test_chosen_attributes_are_drawn(page):
    page.select_option("#f-attribute-0", label="pink")
    page.select_option("#f-attribute-4", label="none")
    page.click("#f-draw")
    wait(page, 16)
    keep(page, *range(7))
    _, attributes = kept(page)
    np.testing.assert_array_equal(attributes[:, TAGS.index("hair_color: pink")], 1)
    np.testing.assert_array_equal(attributes[:, TAGS.index("glasses: round")], 0)
    assert attributes[:, 8:16].std() > 0  # the free ones differ
    page.click("#f-reset")
    assert page.input_value("#f-attribute-0") == "free"


def test_favourites_outlive_the_page_and_go_through_a_file(page, tmp_path):
    keep(page, *range(8))  # one more than are kept
    status(page, "oldest.*7.*: 1")
    noise, attributes = kept(page)
    assert len(noise) == 7
    page.reload()
    wait(page, 16)
    show(page, "favourites", 7)
    saved = download(page, "#f-export")
    assert json.loads(saved)["favourites"][0]["attributes"] == attributes[0].tolist()
    keep(page, *range(7))
    assert len(kept(page)[0]) == 0
    show(page, "draw", 16)
    page.click("#f-tab-favourites")
    page.wait_for_selector(".f-empty")
    file = tmp_path / "favourites.json"
    file.write_bytes(saved)
    page.set_input_files("#f-import", file)
    wait(page, 7)
    np.testing.assert_array_equal(kept(page)[0], noise)
    np.testing.assert_array_equal(kept(page)[1], attributes)
    for content, message in (
        ("{", "no favourites"),
        (json.dumps({"format": "other"}), "no favourites"),
        (saved.decode().replace('"seed": "', '"seed": "x'), "another model: faces"),
    ):
        file.write_text(content)
        page.set_input_files("#f-import", file)
        status(page, message)
    page.fill("input[type=number]", "3")
    page.keyboard.press("Tab")
    wait(page, 3)
    assert len(kept(page)[0]) == 3


def test_other_attributes_for_the_same_noise(page):
    keep(page, 0, 1)
    noise, attributes = kept(page)
    mouth, other = another("mouth", attributes[0])
    show(page, "change", 10)
    page.select_option("#f-attribute-3", label=TAGS[other].removeprefix("mouth: "))
    wait(page, 10)
    assert [noise_of(seed_of(page, i)).tolist() for i in (0, 1)] == noise.tolist()
    keep(page, 0)
    changed = kept(page)[1][0]
    assert changed[mouth].tolist() == [i == other for i in mouth]
    others = np.setdiff1d(range(40), mouth)
    np.testing.assert_array_equal(changed[others], attributes[0][others])


def test_morph_moves_the_attributes_only(page, network):
    keep(page, 0)
    (noise,), (start,) = kept(page)
    page.evaluate("localStorage.setItem('kdg-factory:limit', 9)")
    page.reload()
    wait(page, 16)
    show(page, "morph", 7)
    color, style = another("hair_color", start)[1], another("hair_style", start)[1]
    page.select_option("#f-attribute-0", label=TAGS[color].removeprefix("hair_color: "))
    page.select_option("#f-attribute-1", label=TAGS[style].removeprefix("hair_style: "))
    wait(page, 7)
    last = pixels(page, 6)
    keep(page, *range(6, 0, -1))
    noises, attributes = kept(page)
    end = start.copy()
    end[:16] = 0
    end[[color, style]] = 1
    steps = [((6 - i) * start + i * end) / 6 for i in range(7)]
    assert (noises == noise).all()
    for step in steps:
        assert np.abs(attributes - step).max(axis=1).min() < 1e-4
    expected = expected_pixels(network, noise[None], end[None])[0]
    np.testing.assert_allclose(last, expected, atol=0.6)


def test_mix_moves_the_noise_only(page):
    page.evaluate("localStorage.setItem('kdg-factory:limit', 99)")
    page.reload()
    wait(page, 16)
    keep(page, 1, 0)
    (a, b), (attributes, _) = kept(page)
    show(page, "mix", 7)
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    ways = {
        "linear": lambda t: (1 - t) * a + t * b,
        "spherical": lambda t: (
            (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        ),
    }
    for name, way in ways.items():
        page.check(f"input[value={name}]")
        page.wait_for_function(
            "name => document.querySelector(`input[value=${name}]`)?.checked", arg=name
        )
        wait(page, 7)
        seeds = [noise_of(seed_of(page, i)) for i in range(7)]
        for i, noise in enumerate(seeds):
            np.testing.assert_allclose(noise, way(i / 6), rtol=2**-10, atol=1e-3)
        keep(page, 3)
        np.testing.assert_array_equal(kept(page)[1][0], attributes)
    strip = Image.open(io.BytesIO(download(page, "#f-strip")))
    assert strip.size == (7 * 64, 64)


def test_seed_round_trip(page, network):
    page.select_option("#f-attribute-0", label="green")
    keep(page, 5)
    noise, _ = kept(page)
    seed = seed_of(page, 5)
    page.click("summary:has-text('seed')")
    page.fill("#f-seed", f" {seed[:100]}\n{seed[100:]} ")
    page.click("#f-open-seed")
    page.wait_for_selector("dialog")
    assert page.input_value("#f-seed-of") == seed
    page.click("dialog .f-heart")
    noises, attributes = kept(page)
    assert noises[0].tolist() == noise[0].tolist()
    assert attributes[0][TAGS.index("hair_color: green")] == 1
    png = np.array(Image.open(io.BytesIO(download(page, "#f-png"))).convert("RGB"))
    expected = expected_pixels(network, noises[:1], attributes[:1])[0]
    np.testing.assert_allclose(png, expected, atol=0.6)
    page.click("#f-close")
    for wrong, message in ((seed[:-1], "268 letters; this one has 267"), ("é" * 268, "no seed")):
        page.fill("#f-seed", wrong)
        page.click("#f-open-seed")
        status(page, message)
        assert not page.is_visible("dialog")


def test_half_floats_are_those_of_numpy(page):
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [
            rng.normal(size=4000),
            10 ** rng.uniform(-9, 5, size=4000),
            np.arange(2000) * 2**-26,  # ties below the normal numbers
            1 + np.arange(2000) * 2**-12,
            [0, -0.0, 65504, 65519, 65520, 1e9, -1e9, 2**-14, 2**-24, 2**-25, -(2**-25)],
        ]
    ).astype("float32")
    with np.errstate(over="ignore"):
        halves = values.astype("<f2")
    script = "async (v) => (await import('./seed.js')).encodeSeed(Float32Array.from(v))"
    found = page.evaluate(script, values.tolist())
    assert found == base64.urlsafe_b64encode(halves.tobytes()).decode()
    script = """async (v) => { const {decodeSeed, encodeSeed} = await import('./seed.js');
      return Array.from(decodeSeed(encodeSeed(Float32Array.from(v)), v.length)) }"""
    finite = values[np.isfinite(halves)]
    np.testing.assert_array_equal(
        page.evaluate(script, finite.tolist()), finite.astype("<f2").astype("float64")
    )


def test_missing_model_then_an_own_one(open_page, site, tmp_path):
    page = open_page()
    page.route("**/models/*", lambda route: route.fulfill(status=404))
    page.goto(site.address)
    status(page, "no model “faces” on this site")
    own = {name: tmp_path / f"mine.{name}" for name in ("onnx", "json")}
    for name, path in own.items():
        path.write_bytes((site.folder / "models" / f"faces.{name}").read_bytes())
    page.set_input_files("#f-model", [own["onnx"]])
    status(page, "two files together")
    page.set_input_files("#f-model", list(own.values()))
    wait(page, 16)
    for change, message in (
        ({"onnx": b"broken"}, "damaged, or no ONNX file"),
        ({"onnx": own["onnx"].read_bytes()[:5000]}, "damaged, or no ONNX file"),
        ({"json": b"{"}, "json file is not as expected"),
        ({"json": b'{"latent_dim": 0}'}, "at: latent_dim"),
        ({"json": own["json"].read_bytes().replace(b"100", b"99")}, "do not fit together"),
        ({"json": own["json"].read_bytes().replace(b"64", b"32")}, "1 . 64 . 64 . 3"),
    ):
        before = {name: path.read_bytes() for name, path in own.items()}
        for name, content in change.items():
            own[name].write_bytes(content)
        page.set_input_files("#f-model", list(own.values()))
        status(page, message)
        for name, content in before.items():
            own[name].write_bytes(content)
    page.click("#f-draw")  # the model before is still there
    wait(page, 16)
    status(page, "16 characters")


def test_a_model_without_attributes(open_page, site, tmp_path):
    noise = keras.Input((12,), name="noise")
    x = keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64, activation="tanh")(noise))
    model = types.SimpleNamespace(generator=keras.Model(noise, x), latent_dim=12)
    files = export.export(model, tmp_path / "grey.onnx")
    page = open_page()
    page.goto(site.address)
    wait(page, 16)
    page.set_input_files("#f-model", files)
    page.wait_for_selector("#f-tab-change", state="detached")
    wait(page, 16)
    assert not page.is_visible(".f-attributes")
    show(page, "mix", 7)


def test_a_site_without_the_runtime_says_so(open_page, site):
    page = open_page()
    page.route("**/onnxruntime/*", lambda route: route.fulfill(status=404))
    page.goto(site.address)
    status(page, "built without its runtime")


def test_keyboard(page):
    page.focus("#f-tab-draw")
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("#f-tab-mix", "aria-selected") == "true"
    page.keyboard.press("Home")
    wait(page, 16)
    page.focus(f"{CARDS} .f-picture >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.focus(f"{CARDS} .f-heart >> nth=0")
    page.keyboard.press("Space")
    assert page.get_attribute(f"{CARDS} .f-heart >> nth=0", "aria-pressed") == "true"
    show(page, "mix", 7)
    page.focus("input[name=f-path]:checked")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "document.activeElement.value === 'spherical' && document.activeElement.checked"
    )
    names = page.evaluate(
        """[...document.querySelectorAll('#factory :is(button, input, select, textarea)')].filter(
      e => !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).length"""
    )
    assert names == 0  # every control has a name


def test_phone_and_chinese(open_page, site):
    page = open_page(**PHONE)
    page.goto(site.address)
    wait(page, 16)
    page.click("#f-language")
    wait(page, 16)
    assert page.inner_text("h1") == "角色工厂"
    for view, count in (("change", 10), ("morph", 7), ("mix", 7), ("draw", 16)):
        show(page, view, count)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
    page.click(".f-attributes summary")
    assert "发色" in page.inner_text(".f-fields")
    page.locator(f"{CARDS} .f-picture").first.click()
    box = page.locator("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 375
    page.click("#f-close")
    page.reload()
    wait(page, 16)
    assert page.inner_text("#f-tab-draw") == "抽卡"
    everything = page.evaluate(
        "async () => { const t = await import('./texts.js'); return document.body.innerText }"
    )
    assert not re.search(r"\{\w+\}|undefined|NaN", everything)


def test_runtime_that_cannot_be_fetched(hook, tmp_path, monkeypatch, caplog):
    def pack(command, cwd, **options):
        """Stands in for npm: leaves a package, but another one than expected."""
        with tarfile.open(Path(cwd) / "package.tgz", "w:gz"):
            pass

    caplog.set_level("INFO", "mkdocs.hooks")
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert hook.on_files([], None) == []
    assert "without onnxruntime-web: npm is not installed" in caplog.text
    assert not [record for record in caplog.records if record.levelname != "INFO"]
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(hook.subprocess, "run", pack)
    with pytest.raises(OSError, match=r"has sha512 .*, expected Ud/"):
        hook.runtime()
    assert list((tmp_path / "cache").iterdir()) == []


def test_both_languages_have_the_same_texts():
    source = (DOCS / "factory" / "texts.js").read_text()
    english, chinese = (
        re.findall(
            r'^  "?([\w ][\w\- ]*?)"?:', source.split(f"const {name} = ")[1].split("\n};")[0], re.M
        )
        for name in ("en", "zh")
    )
    assert english == chinese
    assert len(english) > 60
