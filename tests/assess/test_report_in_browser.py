"""The report in a browser: nothing broken, nothing wider than a phone or a desk."""

import functools
import http.server
import json
import re
import shutil
import subprocess
import threading
from html import unescape

import numpy as np
import pytest
from fake_posterior import TRUTH, fake, replaced

from hepaflux.assess import render_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

OPTIONS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--enable-logging=stderr", "--virtual-time-budget=8000"),
    "--dump-dom",
]

# A window cannot be as narrow as a phone; a frame can.
WRAPPER = """<!DOCTYPE html><title>frames</title><link rel="icon" href="data:,"><body><script>
const results = [];
for (const width of [360, 1280]) {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 800px; border: 0`;
  frame.onload = () => {
    const page = frame.contentDocument;
    for (const details of page.querySelectorAll("details")) details.open = true;
    const images = [...page.images];
    results.push({
      width: width,
      inner: frame.contentWindow.innerWidth,
      scroll: page.documentElement.scrollWidth,
      images: images.length,
      broken: images.filter(image => !image.complete || image.naturalWidth === 0).length,
      scripts: page.scripts.length,
    });
    if (results.length === 2) document.body.innerHTML = `<pre>${JSON.stringify(results)}</pre>`;
  };
  frame.src = "report.html";
  document.body.append(frame);
}
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that does not write its log to the tests' output."""

    def log_message(self, *args):
        del args


def dump(folder, profile):
    """The document that Chromium makes of the wrapper, and its messages."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/frames.html"
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        server.shutdown()
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def hard_case():
    """Long names without a break, a ridge, a misfit: every part of the page is there."""
    subjects = [f"<img src=x onerror=alert(1)>{i}" + "W" * 40 for i in range(4)]
    groups = ["healthy"] * 2 + ["N" * 60] * 2
    tree = fake(subjects=subjects, groups=groups, effect=0.4)
    ridge = 5e-4 / tree["posterior"]["SG"].values
    ridge *= np.exp(0.001 * np.random.default_rng(1).normal(size=ridge.shape))
    assert TRUTH["SG"] * TRUTH["p2"] == pytest.approx(5e-4)
    return replaced(tree, "posterior", p2=ridge)


def test_report_fits_phone_and_desk_without_errors(hard_case, tmp_path):
    (tmp_path / "report.html").write_text(render_report(hard_case), encoding="utf-8")
    (tmp_path / "frames.html").write_text(WRAPPER, encoding="utf-8")
    document, messages = dump(tmp_path, tmp_path / "profile")
    found = re.search(r"<pre>(\[.*?\])</pre>", document)
    assert found, document[:500] + messages[-500:]
    results = {result["width"]: result for result in json.loads(unescape(found.group(1)))}
    assert set(results) == {360, 1280}
    for result in results.values():
        assert result["images"] >= 15
        assert result["broken"] == 0
        assert result["scripts"] == 0
        assert result["scroll"] <= result["inner"]
    assert "CONSOLE" not in messages, messages
