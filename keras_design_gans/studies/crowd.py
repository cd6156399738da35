"""The same task for a crowd-work site: a table, a form and pictures to put on a web server."""

import csv
import html
from pathlib import Path

from keras_design_gans.studies.questions import RATINGS
from keras_design_gans.studies.store import Study

FORM = """<style>
img {{ max-width: 100%; width: 300px; }}
fieldset {{ border: 0; margin: 1em 0; padding: 0; }}
label {{ display: inline-block; margin-right: 1em; padding: 0.5em 0; }}
</style>
{shown}
{questions}
"""


def export(path, folder, url=""):
    """Writes a study as a task for a crowd-work site, such as Amazon Mechanical Turk.

    The folder holds `tasks.csv`, one line for each item, with the addresses of its pictures;
    `form.html`, the questions in English and Chinese, in which `${picture_1}` and the like stand
    for the columns; `pictures/`, to be put where `url` leads; and `key.csv`, which tells the method
    of each picture: keep it. The order of the pictures is random, and their names say nothing.

    Args:
        path: File of the study.
        folder: Folder to write; made if need be.
        url: Address under which `pictures/` will be found, such as `"https://example.org/study"`.

    Returns:
        List of the written files, without the pictures.

    Raises:
        FileNotFoundError: If there is no such study.
        FileExistsError: If the folder is not empty.
        ValueError: If the file is no study.
    """
    study, folder = Study(path), Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; choose another folder.")
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    base = f"{url.rstrip('/')}/pictures/" if url else "pictures/"
    tasks, keys = [], []
    for item in sorted(study.items(), key=lambda item: item["id"]):  # random names: random order
        addresses = {name: f"{base}{name}.png" for name, _ in item["pictures"]}
        # Sites put the cells into the form as they are: a caption must not become a part of it.
        task = {key: html.escape(item[key]) for key in ("caption", "caption_zh") if item[key]}
        candidates = [name for name, method in item["pictures"] if method is not None]
        task |= {f"picture_{i}": addresses[name] for i, name in enumerate(candidates, 1)}
        for name, method in item["pictures"]:
            (folder / "pictures" / f"{name}.png").write_bytes(study.picture(name))
            if method is None:
                task["reference"] = addresses[name]
            else:
                keys.append({"picture": addresses[name], "item": item["name"], "method": method})
        tasks.append({"item": item["id"], **task})
    columns = list(dict.fromkeys(key for task in tasks for key in task))
    _write(folder / "tasks.csv", columns, tasks)
    _write(folder / "key.csv", list(keys[0]), keys)
    (folder / "form.html").write_text(_form(study.questions, columns), encoding="utf-8")
    return [folder / name for name in ("tasks.csv", "form.html", "key.csv")]


def _write(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _form(questions, columns):
    pictures = [column for column in columns if column.startswith("picture_")]
    shown = [f"<p>${{{column}}}</p>" for column in columns if column.startswith("caption")]
    if "reference" in columns:
        shown.append('<p><img src="${reference}" alt=""></p>')
    if questions[0].kind != "choice":
        shown.append('<p><img src="${picture_1}" alt=""></p>')
    fields = "\n".join(_field(question, pictures) for question in questions)
    return FORM.format(shown="\n".join(shown), questions=fields)


def _field(question, pictures):
    if question.kind == "choice":
        options = {
            i: f'{i} <img src="${{{name}}}" alt="{i}">' for i, name in enumerate(pictures, 1)
        }
    elif question.kind == "human":
        options = {"human": "a person 人", "machine": "a machine 机器"}
    else:
        options = {value: str(value) for value in RATINGS}
        for value, end in ((RATINGS[0], 0), (RATINGS[-1], 1)):
            meaning = f"{question.ends_en[end]} {question.ends_zh[end]}"
            options[value] += f" {html.escape(meaning.strip())}"
    legend = f"{html.escape(question.en)}<br>{html.escape(question.zh)}"
    inputs = (
        f'<label><input type="radio" name="{html.escape(question.key)}" value="{value}" required> '
        f"{text}</label>"
        for value, text in options.items()
    )
    return "\n".join((f"<fieldset><legend>{legend}</legend>", *inputs, "</fieldset>"))
