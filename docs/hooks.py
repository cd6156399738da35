"""What the site needs beside its plugins: notebooks from `tutorials/`, and equations as MathML.

Equations become MathML while the site is built. Browsers draw it themselves, so that no page loads
a script or a font for them, and nothing at all from another host.
"""

import html
import logging
import re
from pathlib import Path

from math_core import LatexToMathML
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File
from nbconvert.filters.markdown_mistune import IPythonRenderer

log = logging.getLogger("mkdocs.hooks")

ARITHMATEX = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.+?)\\[)\]]</\1>', re.S)
JUPYTER_SCRIPTS = re.compile(
    r"<!-- Load mathjax -->.*?<!-- End of mathjax configuration -->"
    r'|<script type="module">\s*document\.addEventListener\("DOMContentLoaded".*?</script>',
    re.S,
)
DASH_BEFORE_RETURNED = re.compile(r'(<li class="doc-section-item field-body">)\s*\u2013')
LOADED_FROM_OUTSIDE = re.compile(
    r'<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc="(?:https?:)?//[^"]*"'
    r'|<link\b[^>]*\brel="(?:stylesheet|preconnect|icon|preload)"[^>]*\bhref="(?:https?:)?//[^"]*"'
    r"|@import[^;]*(?:https?:)?//[^;]*"
    r"|url\(['\"]?(?:https?:)?//[^)]*"
    r"|https?://(?:cdn|cdnjs|unpkg|fonts)\.[^\s'\"]*"  # the addresses that scripts load from
)

to_mathml = LatexToMathML()


def mathml(latex, display):
    """Returns an equation as MathML; one that cannot be read raises an error and stops the build.

    A displayed one sits in a box that scrolls, for narrow screens.
    """
    equation = to_mathml.convert_with_local_state(latex.strip(), displaystyle=display)
    return f'<div class="equation">{equation}</div>' if display else equation


# Notebooks are turned into HTML by nbconvert, which leaves equations to a script.
IPythonRenderer.inline_math = lambda self, body: mathml(body, display=False)
IPythonRenderer.block_math = lambda self, body: mathml(body, display=True)


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files, config):
    """Adds the notebooks, which live outside of `docs/`."""
    root = Path(config.config_file_path).parent
    for path in sorted((root / "tutorials").glob("*.ipynb")):
        source = path.relative_to(root).as_posix()
        files.append(File(source, str(root), config.site_dir, config.use_directory_urls))
    return files


def on_page_content(content, page, config, files):
    """Replaces equations by MathML, and drops the scripts that Jupyter would load for them.

    Also drops the dash that mkdocstrings sets between the type of a returned value, which is part
    of the description here, and the description.
    """
    content = JUPYTER_SCRIPTS.sub("", content)
    content = DASH_BEFORE_RETURNED.sub(r"\1", content)
    return ARITHMATEX.sub(
        lambda found: mathml(html.unescape(found[3]), display=found[2] == "["), content
    )


def on_post_page(output, page, config):
    """Warns of anything loaded from another host; under `strict` this fails the build."""
    for found in LOADED_FROM_OUTSIDE.findall(output):
        log.warning("%s loads from another host: %s", page.file.src_uri, found[:200])
    return output
