"""Studies: what raters see, which answers are taken, what they add up to, and what a kill loses."""

import collections
import concurrent.futures
import csv
import http.client
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import types
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from keras_design_gans import cli, studies
from keras_design_gans.studies import creation, server, statistics, store

if keras.backend.backend() != "torch":
    pytest.skip("studies need no backend: once is enough", allow_module_level=True)
for module in ("waitress", "statsmodels", "krippendorff"):
    pytest.importorskip(module, reason=f"no {module}: pip install 'keras-design-gans[studies]'")

METHODS = ("dcgan", "can_h", "photos")
NUMBER = 4
RATINGS = dict.fromkeys(
    ("overall", "shape_novelty", "shape_complexity", "texture_novelty", "texture_complexity"), 3
)
GOOD = {**RATINGS, "human": "machine"}


@pytest.fixture
def folders(tmp_path):
    """Results of three methods; each file says its method in a comment."""
    for index, method in enumerate(METHODS):
        for number in range(NUMBER):
            colour = (80 * index, 60 * number, 100)
            save(tmp_path / method / f"{number:04d}.png", colour, (20, 16), method)
        save(tmp_path / method / "grid.png", (0, 0, 0), (40, 32), method)
    return [tmp_path / method for method in METHODS]


@pytest.fixture
def reference(tmp_path):
    """Pictures that were changed, and what the change should be."""
    for number in range(NUMBER):
        save(tmp_path / "inputs" / f"{number:04d}.png", (250, 250, 0), (16, 16), "inputs")
    rows = "".join(f"{i:04d}.png,a <b>smile</b> {i},微笑 {i}\n" for i in range(NUMBER))
    text = f"file_name,caption,caption_zh\n{rows}"
    (tmp_path / "inputs" / "metadata.csv").write_text(text, encoding="utf-8")
    return tmp_path / "inputs"


@pytest.fixture
def design(folders, tmp_path):
    return studies.Study(studies.create(tmp_path / "design.study", folders))


@pytest.fixture
def transfer(folders, reference, tmp_path):
    path = tmp_path / "transfer.study"
    return studies.Study(studies.create(path, folders, "transfer", reference, "Which?"))


def save(path, colour, size, comment):
    path.parent.mkdir(exist_ok=True)
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", comment)
    Image.new("RGB", size, colour).save(path, pnginfo=info)


def method_of(study, picture):
    with study.open() as db:
        return db.execute("SELECT method FROM pictures WHERE id = ?", [picture]).fetchone()[0]


def count(study):
    with study.open() as db:
        return db.execute("SELECT count(*) FROM answers").fetchone()[0]


# What raters see


def test_nothing_but_the_pixels_tells_the_method(design, folders):
    state = design.state(design.join())
    assert state["total"] == len(METHODS) * NUMBER
    assert [question["key"] for question in state["questions"]] == list(GOOD)
    shown = json.dumps(state) + str([design.picture(name) for name in state["item"]["pictures"]])
    for word in (*METHODS, "0000", "png,", "Comment"):
        assert word not in shown
    sizes, colours = set(), set()
    for item in design.items():
        ((name, _),) = item["pictures"]
        (design.path.parent / "shown.png").write_bytes(design.picture(name))
        image = Image.open(design.path.parent / "shown.png")
        sizes.add(image.size)
        colours.add(image.getpixel((10, 10)))
        assert image.getpixel((10, 0)) == (255, 255, 255)  # padded
    assert sizes == {(20, 20)}
    assert len(colours) == len(METHODS) * NUMBER  # and no grid.png


def test_a_choice_shows_one_picture_of_each_method_and_the_task(transfer):
    state = transfer.state(transfer.join())
    item = state["item"]
    assert sorted(method_of(transfer, name) for name in item["pictures"]) == sorted(METHODS)
    assert method_of(transfer, item["reference"]) is None
    number = item["caption"][-1]
    assert item["caption"] == f"a <b>smile</b> {number}"
    assert item["caption_zh"] == f"微笑 {number}"
    assert item["reference"] not in item["pictures"]
    assert state["title"] == "Which?"


def test_order_is_random_for_each_rater_and_stays(transfer):
    first, places = collections.Counter(), collections.Counter()
    for _ in range(60):
        rater = transfer.join()
        item = transfer.state(rater)["item"]
        assert transfer.state(rater)["item"] == item
        first[item["id"]] += 1
        places[method_of(transfer, item["pictures"][0])] += 1
    # Of 60, each of 4 items comes first 15 times and each of 3 methods 20 times; 6 deviations off.
    assert len(first) == NUMBER
    assert max(first.values()) < 36
    assert len(places) == len(METHODS)
    assert max(places.values()) < 42


def test_raters_share_the_items_evenly(folders, tmp_path):
    study = studies.Study(studies.create(tmp_path / "few.study", folders, per_rater=5))
    for _ in range(12):
        assert study.state(study.join())["total"] == 5
    with study.open() as db:
        numbers = list(db.execute("SELECT count(*) FROM tasks GROUP BY item"))
    assert numbers == [(5,)] * 12  # 12 raters of 5, spread over 12 items


# Making studies


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folders": []}, "at least one folder"),
        ({"folders": ["missing"]}, "no folder .*missing"),
        ({"folders": ["dcgan", "dcgan"]}, "Two folders are called 'dcgan'"),
        ({"folders": ["empty"]}, "no pictures"),
        ({"questions": "nice"}, "one of design, transfer, best, rate, human"),
        ({"questions": ()}, "Expected questions"),
        ({"questions": (studies.QUESTION_SETS["rate"] * 2)}, "different keys"),
        (
            {"questions": studies.QUESTION_SETS["rate"] + studies.QUESTION_SETS["best"]},
            "Make two studies",
        ),
        ({"questions": "best", "folders": ["dcgan"]}, "2 to 9 methods"),
        ({"questions": "best", "folders": ["dcgan", "inputs_more"]}, "no picture '0009'"),
        ({"reference": "inputs_more"}, "no picture '0000'"),
        ({"folders": ["broken"]}, "bad.png: .*Repair or remove"),
        ({"per_rater": 0}, "per_rater must be at least 1"),
    ],
)
def test_wrong_studies_leave_no_file(folders, tmp_path, change, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "bad.png").write_bytes(b"no picture")
    save(tmp_path / "inputs_more" / "0009.png", (0, 0, 0), (8, 8), "")
    arguments = {"folders": METHODS, **change}
    arguments["folders"] = [tmp_path / name for name in arguments["folders"]]
    if "reference" in change:
        arguments["reference"] = tmp_path / change["reference"]
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        studies.create(tmp_path / "new.study", **arguments)
    assert not list(tmp_path.glob("new.study*"))


def test_only_studies_are_opened_and_none_is_written_over(design, folders, tmp_path):
    with pytest.raises(FileExistsError, match="never written over"):
        studies.create(design.path, folders)
    with pytest.raises(FileNotFoundError, match="design-gans study create"):
        studies.Study(tmp_path / "none.study")
    assert not (tmp_path / "none.study").exists()
    (tmp_path / "text.study").write_text("no database " * 100)
    with pytest.raises(ValueError, match="is no study"):
        studies.Study(tmp_path / "text.study")
    with sqlite3.connect(tmp_path / "other.study") as db:
        db.execute("CREATE TABLE settings (value)")
        db.execute("INSERT INTO settings VALUES ('{}')")
    with pytest.raises(ValueError, match="but no study"):
        studies.Study(tmp_path / "other.study")


# Answers


@pytest.mark.parametrize(
    "answers",
    [
        None,
        [],
        {},
        RATINGS,
        {**GOOD, "more": 1},
        {**GOOD, "overall": 0},
        {**GOOD, "overall": 6},
        {**GOOD, "overall": True},
        {**GOOD, "overall": 3.0},
        {**GOOD, "overall": "3"},
        {**GOOD, "overall": None},
        {**GOOD, "overall": float("nan")},
        {**GOOD, "overall": [3]},
        {**GOOD, "human": "cat"},
        {**GOOD, "human": 1},
        {**GOOD, "human": {"human": 1}},
    ],
)
def test_wrong_answers_are_refused(design, answers):
    rater = design.join()
    item = design.state(rater)["item"]["id"]
    with pytest.raises(store.Refused, match="answers"):
        design.answer(rater, item, answers)
    assert count(design) == 0
    assert design.state(rater)["done"] == 0


def test_a_choice_is_one_of_the_shown_pictures(transfer):
    rater = transfer.join()
    item = transfer.state(rater)["item"]
    other = next(i for i in transfer.items() if i["id"] != item["id"])
    for wrong in (item["reference"], other["pictures"][0][0], "dcgan", 0, None, "'; DROP TABLE x"):
        with pytest.raises(store.Refused, match="answers"):
            transfer.answer(rater, item["id"], {"transfer": wrong})
    transfer.answer(rater, item["id"], {"transfer": item["pictures"][2]})
    (found,) = transfer.answers()
    assert found["method"] == method_of(transfer, item["pictures"][2])
    assert (found["rater"], found["value"], found["question"]) == (1, "chosen", "transfer")


def test_repeated_late_and_foreign_answers_are_refused(folders, tmp_path):
    study = studies.Study(studies.create(tmp_path / "few.study", folders, per_rater=1))
    rater, other = study.join(), study.join()
    item, foreign = (study.state(name)["item"]["id"] for name in (rater, other))
    assert item != foreign
    study.answer(rater, item, GOOD)
    assert study.state(rater)["item"] is None
    for who, which, code in (
        (rater, item, "repeated"),
        (rater, foreign, "item"),
        (rater, "0" * 16, "item"),
        (rater, "\ud800" * 16, "answers"),
        (rater, 7, "answers"),
        ("0" * 16, item, "join"),
        ("", item, "join"),
    ):
        with pytest.raises(store.Refused, match=code):
            study.answer(who, which, {**GOOD, "overall": 5})
    study.close()
    with pytest.raises(store.Refused, match="closed"):
        study.answer(other, foreign, GOOD)
    with pytest.raises(store.Refused, match="closed"):
        study.join()
    assert study.state(other)["item"] is None
    assert {a["value"] for a in study.answers()} == {3, "machine"}
    assert count(study) == 6


def test_no_more_raters_than_fit(design, monkeypatch):
    monkeypatch.setattr(store, "MAX_RATERS", 2)
    design.join()
    design.join()
    with pytest.raises(store.Refused, match="full"):
        design.join()


# Results


def test_mean_interval_by_hand():
    # Means 3, 3.5 and 2.5 have the deviation 0.5; t with 2 degrees of freedom is 4.302653.
    value, low, high = statistics.mean_interval([[2, 4], [3, 4], [2.5]])
    np.testing.assert_allclose(value, 3)
    np.testing.assert_allclose([low, high], [3 - 1.242069, 3 + 1.242069], atol=1e-5)
    assert statistics.mean_interval([[1], [5]]) == (3, 1, 5)  # cut at the ends of the scale
    assert statistics.mean_interval([[2, 3]]) == (2.5, None, None)


def test_share_interval_by_hand():
    # Wilson's interval of a half is 0.5 -+ z / (2 sqrt(n + z^2)), with z = 1.959964.
    few = 0.5 - 1.959964 / (2 * np.sqrt(4.551530 + 3.841459))
    eight = 0.5 - 1.959964 / (2 * np.sqrt(8 + 3.841459))
    # Shares 3/4 and 1/4, twice: variance 1/12, of their mean 1/48, and 0.25 * 48 = 12 answers;
    # t with 3 degrees of freedom is 3.182446, so 12 * (1.959964 / 3.182446)^2 = 4.551530.
    spread = statistics.share_interval([[1, 1, 1, 0], [1, 0, 0, 0]] * 2)
    np.testing.assert_allclose(spread, [0.5, few, 1 - few], atol=1e-5)
    # Raters with equal shares scatter less than chance: 8 answers, and no more.
    alike = statistics.share_interval([[1, 0, 1, 0], [0, 1, 0, 1]])
    np.testing.assert_allclose(alike, [0.5, eight, 1 - eight], atol=1e-5)
    # All say the same: 2 raters, lower end n / (n + z^2).
    same = statistics.share_interval([[1, 1, 1], [1]])
    np.testing.assert_allclose(same, [1, 2 / 5.841459, 1], atol=1e-5)
    np.testing.assert_allclose(
        statistics.share_interval([[0, 0]]), [0, 0, 3.841459 / 4.841459], atol=1e-5
    )


def test_agreement_by_hand():
    # Items (1,1), (1,1), (2,2), (2,1): observed 2/8, by chance 2*5*3 / (8*7), alpha = 8/15.
    # Kappa: observed 3/4, by chance (25 + 9) / 64, so 7/15.
    pairs = [(1, 1), (1, 1), (2, 2), (2, 1)]
    answers = [(r, i, pair[r]) for i, pair in enumerate(pairs) for r in (0, 1)]
    found = statistics.agreement(answers, "nominal")
    np.testing.assert_allclose(found, [8 / 15, 7 / 15], atol=1e-9)
    assert statistics.agreement(answers[::2], "nominal") == (None, None)  # one rater
    assert statistics.agreement(answers[:4], "nominal") == (None, None)  # one value
    single = [*answers, (0, "only one", 2)]  # says nothing of agreement
    np.testing.assert_allclose(statistics.agreement(single, "nominal"), found)
    assert statistics.agreement([*answers[:4], *single[-1:]], "nominal") == (None, None)


def test_agreement_of_a_published_example():
    # K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C.
    table = ["1233214120..", "123322412503", ".33323422510", "123324412510"]
    table = [row.replace("0", ".") for row in table]
    answers = [
        (rater, item, int(value))
        for rater, row in enumerate(table)
        for item, value in enumerate(row)
        if value != "."
    ]
    for level, alpha in (("nominal", 0.743), ("ordinal", 0.815)):
        found = statistics.agreement(answers, level)
        assert round(found[0], 3) == alpha
        assert found[1] is None  # some items have fewer answers


def test_results_of_ratings(design):
    for rating, maker in ((2, "machine"), (4, "human")):
        rater = design.join()
        while item := design.state(rater)["item"]:
            photo = method_of(design, item["pictures"][0]) == "photos"
            answers = {**GOOD, "overall": rating + photo, "human": "human" if photo else maker}
            design.answer(rater, item["id"], answers)
    found = studies.results(design.path)
    assert (found["raters"], found["answers"]) == (2, 2 * len(METHODS) * NUMBER)
    overall = found["questions"]["overall"]["methods"]
    assert [overall[m]["value"] for m in METHODS] == [3, 3, 4]
    assert overall["photos"] == {"value": 4, "low": 1, "high": 5, "answers": 2 * NUMBER}
    human = found["questions"]["human"]
    assert [human["methods"][m]["value"] for m in METHODS] == [0.5, 0.5, 1]
    # 4 of 12 items agree; 16 of 24 answers are "human".
    kappa = (4 / 12 - (16**2 + 8**2) / 24**2) / (1 - (16**2 + 8**2) / 24**2)
    np.testing.assert_allclose(human["kappa"], kappa)
    np.testing.assert_allclose(human["alpha"], 1 - (16 / 24) / (2 * 16 * 8 / (24 * 23)))
    assert found["questions"]["shape_novelty"]["alpha"] is None


def test_results_of_choices(transfer):
    with pytest.raises(ValueError, match="Nobody has answered"):
        studies.results(transfer.path)
    for liked in ("dcgan", "dcgan", "photos"):
        rater = transfer.join()
        for _ in range(2):
            item = transfer.state(rater)["item"]
            chosen = next(p for p in item["pictures"] if method_of(transfer, p) == liked)
            transfer.answer(rater, item["id"], {"transfer": chosen})
    found = studies.results(transfer)["questions"]["transfer"]["methods"]
    assert list(found) == sorted(METHODS)
    np.testing.assert_allclose([found[m]["value"] for m in METHODS], [2 / 3, 0, 1 / 3])
    assert all(found[m]["answers"] == 6 for m in METHODS)


# The task for a crowd-work site


def test_export_hides_the_methods(transfer, tmp_path):
    folder = tmp_path / "crowd"
    files = studies.export(transfer.path, folder, "https://example.org/s/")
    assert [path.name for path in files] == ["tasks.csv", "form.html", "key.csv"]
    tasks, keys = (read_csv(folder / name) for name in ("tasks.csv", "key.csv"))
    assert len(tasks) == NUMBER
    visible = (folder / "tasks.csv").read_text() + (folder / "form.html").read_text()
    assert not any(word in visible for word in (*METHODS, "0000"))
    assert tasks[0]["caption"].startswith("a &lt;b&gt;smile&lt;/b&gt; ")
    methods = {key["picture"]: key["method"] for key in keys}
    places = collections.Counter()
    for task in tasks:
        shown = [task[f"picture_{i}"] for i in (1, 2, 3)]
        assert sorted(methods[address] for address in shown) == sorted(METHODS)
        places[tuple(methods[address] for address in shown)] += 1
        for address in (*shown, task["reference"]):
            assert address.startswith("https://example.org/s/pictures/")
            assert (folder / "pictures" / address.rpartition("/")[2]).is_file()
    placeholders = set(re.findall(r"\$\{(\w+)\}", (folder / "form.html").read_text()))
    assert placeholders == set(tasks[0]) - {"item"}
    with pytest.raises(FileExistsError, match="not empty"):
        studies.export(transfer.path, folder)


def test_form_of_own_questions(folders, tmp_path):
    question = studies.Question("q<", "rating", "<script>?", "问", ("<low>", "high"), ("低", "高"))
    path = studies.create(tmp_path / "own.study", folders, [question])
    studies.export(path, tmp_path / "crowd")
    form = (tmp_path / "crowd" / "form.html").read_text()
    assert "<script>" not in form
    assert form.count('name="q&lt;"') == 5
    assert "1 &lt;low&gt; 低" in form
    assert read_csv(tmp_path / "crowd" / "tasks.csv")[0]["picture_1"].startswith("pictures/")


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# The server


def start(path, port=0):
    """Serves a study in a process of its own, as the command does."""
    command = [sys.executable, "-m", "keras_design_gans.cli", "study", "serve", str(path)]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=Path(cli.__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl+C is ignored in what a script starts in the background, and by all that this starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    address = re.search(r"http://127.0.0.1:(\d+)", process.stdout.readline())
    return types.SimpleNamespace(process=process, port=int(address[1]), address=address[0])


@pytest.fixture
def served(design):
    running = start(design.path)
    yield running
    running.process.kill()
    running.process.wait()


class Visitor:
    """A rater without a browser."""

    def __init__(self, port):
        self.port, self.cookie = port, ""

    def ask(self, method, path, body=None, **headers):
        """Returns status, headers and body; `path` is sent as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {"Cookie": self.cookie, **headers})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def send(self, path, value):
        """Posts JSON; returns status and what came back."""
        status, headers, body = self.ask(
            "POST", path, json.dumps(value), Content_Type="application/json"
        )
        if cookie := headers["Set-Cookie"]:
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            self.cookie = cookie.partition(";")[0]
        return status, json.loads(body)

    def join(self):
        return self.send("/join", {})[1]

    def answer(self, item, answers=GOOD):
        return self.send("/answer", {"item": item, "answers": answers})


def test_pages_pictures_and_headers(served):
    visitor = Visitor(served.port)
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/state", "json")):
        status, headers, body = visitor.ask("GET", path)
        assert status == 200
        assert kind in headers["Content-Type"]
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert not any(word.encode() in body for word in METHODS)
        assert headers["Server"] is None
    state = visitor.join()
    assert visitor.join()["item"] == state["item"]  # the same rater
    status, headers, body = visitor.ask("GET", f"/pictures/{state['item']['pictures'][0]}")
    assert (status, headers["Content-Type"], body[:4]) == (200, "image/png", b"\x89PNG")
    assert "immutable" in headers["Cache-Control"]


def test_hostile_requests_are_refused_and_harm_nothing(served, design):
    visitor = Visitor(served.port)
    item = visitor.join()["item"]["id"]
    good = json.dumps({"item": item, "answers": GOOD})
    name = design.path.name
    for path in (
        "/../store.py",
        "/page.js/../../store.py",
        "/..%2f..%2fstore.py",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        f"/{name}",
        "/pictures/",
        f"/pictures/../{name}",
        f"/pictures/{'0' * 16}",
        f"/pictures/{'0' * 15}%00",
        f"/pictures/{'0' * 16}' OR 1=1",
        "/pictures/%ff%fe",
        "/STATE",
        "/answer",
        "*",
    ):
        status, _, body = visitor.ask("GET", path.replace(" ", "%20"))
        assert status in (400, 404), path
        assert b"SQLite" not in body
        assert b"root:" not in body
    for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "HACK"):
        assert visitor.ask(method, "/answer", good, Content_Type="application/json")[0] == 405
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert visitor.ask("POST", "/answer", good, Content_Type=kind)[0] == 415
        assert visitor.ask("POST", "/join", "{}", Content_Type=kind)[0] == 415
    for body in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 4000,
        b'{"item": "\\ud800", "answers": {}}',
        b'{"item": {}, "answers": {}}',
        json.dumps({"item": item, "answers": GOOD, "rater": "x"}).encode(),
        good.replace("3", "3e400", 1).encode(),
        good.replace("3", "NaN", 1).encode(),
        good.replace("3", "9" * 3000, 1).encode(),
    ):
        status, _, answer = visitor.ask("POST", "/answer", body, Content_Type="application/json")
        assert status == 400, body
        assert json.loads(answer) == {"error": "answers"}
    long = visitor.ask("POST", "/answer", b" " * 100_000, Content_Type="application/json")
    assert long[0] == 413
    assert visitor.ask("GET", "/state", X_Long="x" * 50_000)[0] == 431
    for cookie in (
        "rater=1",
        f"{visitor.cookie[:-1]}",
        f"{visitor.cookie}'--",
        "=;=;",
        "[=",
        "",
    ):
        stranger = Visitor(served.port)
        stranger.cookie = cookie
        assert stranger.answer(item) == (403, {"error": "join"})
    assert count(design) == 0
    assert visitor.answer(item)[0] == 200
    assert visitor.answer(item) == (409, {"error": "repeated"})
    assert count(design) == len(GOOD)


def test_endless_and_slow_requests_hold_nobody_up(served):
    """Half requests, and one that claims a terabyte, while a rater goes on."""
    silent = []
    for request in (
        b"GET / HTTP/1.1\r\n",
        b"POST /answer HTTP/1.1\r\nContent-Length: 4000\r\n\r\n{",
        b"POST /answer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    ):
        for _ in range(2 * server.THREADS):
            silent.append(socket.create_connection(("127.0.0.1", served.port)))
            silent[-1].sendall(request)
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as huge:
        huge.sendall(b"POST /answer HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n")
        assert b" 413 " in huge.recv(1000)
    visitor = Visitor(served.port)
    assert visitor.answer(visitor.join()["item"]["id"])[0] == 200
    for connection in silent:
        connection.close()


def test_thirty_raters_at_once(folders, tmp_path):
    """Each sends every answer twice at the same time: one is taken, the other one refused."""
    study = studies.Study(studies.create(tmp_path / "class.study", folders, per_rater=4))
    running = start(study.path)
    together = threading.Barrier(30)

    def rate(number):
        visitor = Visitor(running.port)
        together.wait()
        state = visitor.join()
        with concurrent.futures.ThreadPoolExecutor(2) as twice:
            while item := state["item"]:
                assert visitor.ask("GET", f"/pictures/{item['pictures'][0]}")[0] == 200
                answers = {**GOOD, "overall": 1 + number % 5}
                sent = [twice.submit(visitor.answer, item["id"], answers) for _ in range(2)]
                found = dict(future.result() for future in sent)
                assert found.keys() == {200, 409}
                state = found[200]
        return state["done"]

    try:
        with concurrent.futures.ThreadPoolExecutor(30) as raters:
            done = list(raters.map(rate, range(30)))
    finally:
        running.process.kill()
    assert done == [4] * 30
    found = studies.results(study)
    assert (found["raters"], found["answers"]) == (30, 120)
    assert count(study) == 120 * len(GOOD)
    overall = found["questions"]["overall"]
    assert [overall["methods"][m]["answers"] for m in METHODS] == [40] * 3  # shared evenly
    ratings = collections.Counter(
        answer["value"] for answer in study.answers() if answer["question"] == "overall"
    )
    assert ratings == dict.fromkeys(range(1, 6), 24)
    assert overall["alpha"] < 0.2  # raters who do not look at the pictures do not agree


def test_nothing_is_lost_when_the_server_is_killed(design):
    """Raters answer all the time; the server dies three times in the middle of it."""
    running = start(design.path)
    visitors = [Visitor(running.port) for _ in range(8)]
    for visitor in visitors:
        visitor.state, visitor.taken = visitor.join(), set()

    def rate(visitor):
        try:
            while item := visitor.state["item"]:
                status, state = visitor.answer(item["id"])
                if status == 409:  # taken before the kill, and nobody could say so
                    state = json.loads(visitor.ask("GET", "/state")[2])
                else:
                    assert status == 200
                    visitor.taken.add(item["id"])
                    if sum(len(one.taken) for one in visitors) in limits:
                        running.process.send_signal(signal.SIGKILL)
                visitor.state = state
        except (OSError, http.client.HTTPException):
            return  # the server is gone

    total = len(visitors) * len(METHODS) * NUMBER
    limits = set()
    for limit in (total // 4, total // 2, 3 * total // 4, None):
        limits = {limit}
        with concurrent.futures.ThreadPoolExecutor(len(visitors)) as raters:
            list(raters.map(rate, visitors))
        if limit:
            running.process.wait()
            assert running.process.returncode == -signal.SIGKILL
            check_whole(design, visitors)
            running = start(design.path, running.port)
    running.process.kill()
    running.process.wait()
    assert all(visitor.state["done"] == len(METHODS) * NUMBER for visitor in visitors)
    check_whole(design, visitors)
    assert studies.results(design)["answers"] == total


def check_whole(study, visitors):
    with study.open() as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = list(db.execute("SELECT rater, item, count(*) FROM answers GROUP BY rater, item"))
    assert {number for _, _, number in stored} == {len(GOOD)}  # never a part of an answer
    stored = {(rater, item) for rater, item, _ in stored}
    for visitor in visitors:
        rater = visitor.cookie.partition("=")[2]
        assert {(rater, item) for item in visitor.taken} <= stored


# The page, in a real browser

PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def open_page(browser):
    """Opens an address in a fresh browser profile; fails on errors of its scripts."""
    contexts, problems = [], []

    def open_page(address, **options):
        context = browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append("a script ran"))
        page.on("request", lambda request: _same_host(request.url, address, problems))
        page.goto(address)
        page.wait_for_selector("button.main, main p")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


def _same_host(url, address, problems):
    if not url.startswith((address, "data:")):
        problems.append(f"loaded from elsewhere: {url}")


def begin(page):
    page.click("button.main")
    page.wait_for_selector("form")


def progress(page, done, total):
    page.wait_for_function(
        "text => document.querySelector('.count')?.textContent === text", arg=f"{done} of {total}"
    )


def test_page_by_mouse(open_page, served, design):
    page = open_page(served.address)
    begin(page)
    progress(page, 0, 12)
    page.click("button.main")  # nothing chosen: the browser says so, and nothing is sent
    assert page.evaluate("document.activeElement.name") == "overall"
    for key, value in zip(RATINGS, (5, 4, 3, 2, 1), strict=True):
        page.locator(f"label:has([name={key}])").nth(value - 1).click()
    page.click("label:has-text('A person')")
    page.wait_for_function("document.querySelector('.judged img').naturalWidth === 20")
    page.click("button.main")
    progress(page, 1, 12)
    assert page.locator(":checked").count() == 0
    found = {answer["question"]: answer["value"] for answer in design.answers()}
    assert found == {**dict(zip(RATINGS, (5, 4, 3, 2, 1), strict=True)), "human": "human"}
    page.reload()  # the same rater, the next item
    progress(page, 1, 12)


def test_page_by_keyboard(open_page, served, design):
    page = open_page(served.address)
    page.wait_for_selector("button.main")
    for _ in range(2):  # language, start
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for done in range(12):
        progress(page, done, 12)
        for key in "135241":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    page.wait_for_selector(".thanks")
    values = collections.Counter(answer["value"] for answer in design.answers())
    assert values == {1: 12, 2: 12, 3: 12, 4: 12, 5: 12, "human": 12}


def test_arrow_keys_and_names_of_controls(open_page, served):
    page = open_page(served.address)
    begin(page)
    page.focus("[name=overall] >> nth=0")
    page.keyboard.press("ArrowRight")
    assert page.locator("[name=overall]").nth(1).is_checked()
    assert page.get_by_label("5: very much").count() == 1
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input')].filter(e =>
          !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).length"""
    )
    assert nameless == 0


def test_page_with_html_in_names(open_page, folders, reference, tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    (reference / "metadata.csv").write_text(
        "file_name,caption\n" + "".join(f"{i:04d}.png,{evil}\n" for i in range(NUMBER))
    )
    question = studies.Question("<b>", "choice", f"{evil}?", evil)
    bold = folders[0].rename(tmp_path / "<script>alert(1)<")
    path = tmp_path / "evil.study"
    study = studies.Study(
        studies.create(path, [bold, folders[1]], [question], reference, f"{evil}!")
    )
    running = start(path)
    try:
        page = open_page(running.address)
        begin(page)
        assert page.inner_text("h1") == f"{evil}!"
        assert page.inner_text(".caption") == evil
        assert page.inner_text("legend") == f"{evil}?"
        assert page.locator("img").count() == 3
        chosen = page.locator("label img").nth(1).get_attribute("src")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        progress(page, 1, NUMBER)
        (answer,) = study.answers()
        assert answer["method"] == method_of(study, chosen.partition("/")[2])
    finally:
        running.process.kill()


def test_phone_and_chinese(open_page, transfer):
    running = start(transfer.path)
    try:
        page = open_page(running.address, locale="zh-CN", **PHONE)
        assert page.inner_text("button.main") == "开始"
        page.tap("button.main")
        page.wait_for_selector("form")
        for tap in (None, "#language", "#language"):
            if tap:
                page.tap(tap)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.inner_text(".caption").startswith("微笑")
        assert page.get_attribute("html", "lang") == "zh-CN"
        page.locator("label").nth(1).tap()
        page.tap("#language")  # the choice outlives a change of the language
        assert page.locator("label :checked").count() == 1
        for size in page.evaluate(
            "[...document.querySelectorAll('button, label')].map(e => e.offsetHeight)"
        ):
            assert size >= 44
        page.tap("button.main")
        progress(page, 1, NUMBER)
        assert len(transfer.answers()) == 1
    finally:
        running.process.kill()


def test_page_outlives_the_server(open_page, design):
    running = start(design.path)
    page = open_page(running.address)
    begin(page)
    for key in "222222":
        page.keyboard.press(key)
    running.process.kill()
    running.process.wait()
    page.keyboard.press("Enter")
    page.wait_for_selector("#status:has-text('no connection')")
    assert page.locator(":checked").count() == len(GOOD)
    running = start(design.path, running.port)
    try:
        page.click("button.main")
        progress(page, 1, 12)
        other = page.context.new_page()  # a second window of the same rater
        other.goto(running.address)
        progress(other, 1, 12)
        for tab, done in ((page, 2), (other, 2)):  # the second one comes too late
            tab.bring_to_front()
            for key in "333332":
                tab.keyboard.press(key)
            tab.keyboard.press("Enter")
            progress(tab, done, 12)
        assert count(design) == 2 * len(GOOD)
        for key in "444441":
            page.keyboard.press(key)
        design.close()
        page.keyboard.press("Enter")
        page.wait_for_selector("p:has-text('has ended')")
        assert count(design) == 2 * len(GOOD)
    finally:
        running.process.kill()


def test_both_languages_have_the_same_texts():
    source = (server.PAGE / "texts.js").read_text(encoding="utf-8")
    english, chinese = (
        re.findall(r"^  (\w+):", source.split(f"const {name} = ")[1].split("\n};")[0], re.M)
        for name in ("en", "zh")
    )
    assert english == chinese
    assert len(english) > 10
    for questions in studies.QUESTION_SETS.values():
        for question in questions:
            assert question.zh
            assert question.kind != "rating" or all((*question.ends_en, *question.ends_zh))


# The command


def test_command(folders, reference, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli, "set_backend", None)  # no command here may start a backend
    path = str(tmp_path / "t.study")
    names = [str(folder) for folder in folders]
    create = ["study", "create", path, *names, "--questions", "transfer", "--per-rater", "2"]
    assert cli.main([*create, "--reference", str(reference), "--title", "T"]) == 0
    assert "4 items" in capsys.readouterr().out
    assert cli.main(["study", "results", path]) == 2
    assert "Nobody has answered" in capsys.readouterr().err
    study = studies.Study(path)
    for _ in range(2):
        rater = study.join()
        while item := study.state(rater)["item"]:
            liked = next(p for p in item["pictures"] if method_of(study, p) == "can_h")
            study.answer(rater, item["id"], {"transfer": liked})
    assert cli.main(["study", "results", path, "--out", str(tmp_path / "all.csv")]) == 0
    text = capsys.readouterr().out
    assert "2 raters, 4 answered items" in text
    assert re.search(r"can_h +1\.00  0\.34 to 1\.00 +4 answers", text)
    assert "needs two raters" in text
    rows = read_csv(tmp_path / "all.csv")
    assert len(rows) == 4
    assert {row["method"] for row in rows} == {"can_h"}
    assert cli.main(["study", "export", path, "--out", str(tmp_path / "crowd")]) == 0
    assert "key.csv" in capsys.readouterr().out
    assert cli.main(["study", "close", path]) == 0
    assert study.state("")["closed"]
    for wrong in (
        ["create", path, *names],
        ["create", str(tmp_path / "n.study"), *names, "--questions", "nice"],
        ["serve", str(tmp_path / "none.study")],
        ["close", str(folders[0] / "0000.png")],
    ):
        assert cli.main(["study", *wrong]) == 2
        assert capsys.readouterr().err.startswith("design-gans: ")


def test_results_of_one_rater(design, capsys):
    rater = design.join()
    design.answer(rater, design.state(rater)["item"]["id"], GOOD)
    assert cli.main(["study", "results", str(design.path)]) == 0
    text = capsys.readouterr().out
    assert re.search(r"  (dcgan|can_h|photos) +3\.00 +1 answers", text)  # and no interval
    assert "human: Who made it? (share of human)" in text


def test_ctrl_c_ends_the_server_in_order(design):
    running = start(design.path)
    Visitor(running.port).join()
    assert list(design.path.parent.glob("design.study-*"))
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=60) == 0
    assert not list(design.path.parent.glob("design.study-*"))
    assert server.own_address()


def test_a_taken_port_is_an_error_of_one_line(design, served, capsys):
    assert cli.main(["study", "serve", str(design.path), "--port", str(served.port)]) == 2
    assert "in use" in capsys.readouterr().err


def test_missing_packages_are_named(design, monkeypatch):
    monkeypatch.setitem(sys.modules, "waitress", None)
    with pytest.raises(ImportError, match=r"keras-design-gans\[studies\]"):
        studies.serve(design.path)
    monkeypatch.setattr(statistics, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"krippendorff: pip .*keras-design-gans\[studies\]"):
        studies.results(design.path)


def test_largest_picture(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(creation, "MAX_SIDE", 12)
    study = studies.Study(studies.create(tmp_path / "small.study", folders, "human"))
    (tmp_path / "x.png").write_bytes(study.picture(study.items()[0]["pictures"][0][0]))
    assert Image.open(tmp_path / "x.png").size == (12, 12)
