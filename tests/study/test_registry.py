"""The registry: files are intact or refused, and their readers lose nothing."""

import hashlib
import http.server
import math
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hepaflux.study import DatasetError, get_dataset, list_datasets, read_study, registry
from hepaflux.study.description import read_folder

REMOTE = [dataset for dataset in list_datasets() if not dataset.is_bundled]
BUNDLED = [dataset for dataset in list_datasets() if dataset.is_bundled]


@pytest.mark.parametrize("dataset", list_datasets(), ids=lambda d: d.name)
def test_every_dataset_says_where_it_comes_from(dataset):
    assert dataset.title
    assert dataset.citation
    assert dataset.license
    for file in dataset.files:
        assert len(file.sha256) == 64
        assert file.address.endswith(f"/{file.name}")


@pytest.mark.parametrize("dataset", BUNDLED, ids=lambda d: d.name)
def test_bundled_description_agrees_with_the_registry(dataset):
    description = read_folder(get_dataset(dataset.name)).description
    assert description.title == dataset.title
    assert description.citation == dataset.citation
    assert description.license == dataset.license


@pytest.mark.parametrize("dataset", list_datasets(), ids=lambda d: d.name)
def test_every_dataset_is_read(dataset, data_mirror):
    study = read_study(dataset.name)
    assert (study.name, study.origin) == (dataset.name, dataset.name)
    assert study.citation == dataset.citation
    assert len(study.checksum) == 64


def test_pacini_bergman_figures():
    (subject,) = read_study("pacini_bergman_1986").subjects
    glucose, insulin = subject.samples["glucose"], subject.samples["insulin"]
    assert len(glucose.time) == len(insulin.time) == 24
    assert glucose.value[1] == pytest.approx(350 / 18.0156)
    assert insulin.value[2] == pytest.approx(130 * 6.0)
    (dose,) = subject.doses
    assert (dose.route, dose.per_kg) == ("intravenous", True)
    assert subject.amount_per_kg(dose) == pytest.approx(300 / 180.156)


def test_assumed_doses_are_called_assumed():
    for dataset in BUNDLED:
        if dataset.citation.startswith("Synthetic"):
            continue
        study = read_study(dataset.name)
        given = any(subject.doses for subject in study.subjects)
        assert not given or "assumed" in study.notes


def test_ohashi_loses_no_subject_and_no_value(data_mirror):
    study = read_study("ohashi_2015")
    sizes = {g: sum(s.group == g for s in study.subjects) for g in study.groups}
    assert sizes == {"NGT": 50, "IGT": 18, "T2DM": 52}
    counts = {a: sum(len(s.samples[a].time) for s in study.subjects if a in s.samples)
              for a in ("glucose", "insulin", "c_peptide")}  # fmt: skip
    assert counts == {"glucose": 598, "insulin": 598, "c_peptide": 585}
    first = study["1"]
    assert first.samples["glucose"].value[1] == pytest.approx(139 / 18.0156)
    assert first.samples["insulin"].value.tolist() == [66.0, 348.0, 660.0, 630.0, 714.0]
    assert first.samples["c_peptide"].value[0] == pytest.approx(2.6 / 3.0203)
    assert (first.weight, first.covariates["bmi"]) == (78.7, 34.0)


def test_fujita_keeps_three_analytes_of_everyone(data_mirror):
    study = read_study("fujita_2022")
    assert len(study.subjects) == 20
    for subject in study.subjects:
        assert math.isnan(subject.weight)
        assert {name: len(s.time) for name, s in subject.samples.items()} == {
            "glucose": 14,
            "insulin": 14,
            "c_peptide": 14,
        }
        assert subject.samples["glucose"].time[:2].tolist() == [-10.0, 0.0]


def test_brannmark_keeps_every_blot_and_the_insulin_of_each(data_mirror):
    """The identifiers of two conditions name another insulin than their column of numbers."""
    study = read_study("brannmark_2010")
    assert study.groups == ("dose_response", "one_step", "two_step")
    blots = [s.samples for s in study.subjects]
    assert sum(len(x[a].time) for x in blots for a in x if a != "medium_insulin") == 43
    doses = [s for s in study.subjects if s.group == "dose_response"]
    final = [float(s.samples["medium_insulin"].value[-1]) for s in doses]
    assert final == pytest.approx([0.0, 10.0, 100.0, 300.0, 1000.0, 10_000.0, 100_000.0])
    at_300 = doses[3].samples["irs1_phosphorylation"]
    assert (at_300.time.tolist(), at_300.value.tolist()) == ([10.0], [28.292])
    two = study["two_step 10 nM"].samples["medium_insulin"]
    assert two.time.tolist() == [-1.0, 0.0, 4.0]
    assert two.value == pytest.approx([0.0, 1200.0, 10_000.0])
    one = study["one_step 100 nM"].samples["ir_phosphorylation"]
    assert one.value[:2].tolist() == [0.0, 100.0]


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(DatasetError, match=r"called 'ohashi'; known are .*ohashi_2015"):
        get_dataset("ohashi")


def test_mirror_is_verified_like_any_other_place(data_mirror, tmp_path, monkeypatch):
    shutil.copytree(data_mirror / "fujita_2022", tmp_path / "fujita_2022")
    monkeypatch.setenv(registry.MIRROR, str(tmp_path))
    assert get_dataset("fujita_2022") == tmp_path / "fujita_2022"
    file = tmp_path / "fujita_2022" / "fujita_ogtt.csv"
    content = file.read_bytes().replace(b"Glucose,mg/dL,91", b"Glucose,mg/dL,92", 1)
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"was expected; replace it by https://raw"):
        get_dataset("fujita_2022")
    file.unlink()
    with pytest.raises(DatasetError, match=r"is not there; put https://raw.* there, or unset"):
        get_dataset("fujita_2022")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder from this machine, and have the registry keep files in another one."""
    root = tmp_path / "public"
    root.mkdir()
    monkeypatch.delenv(registry.MIRROR, raising=False)
    monkeypatch.setenv(registry.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def handler(*args: Any) -> _Quiet:
        return _Quiet(*args, directory=str(root))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield root, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def point_fujita_at(monkeypatch: pytest.MonkeyPatch, address: str, content: bytes = b"") -> None:
    """Register one data set whose file is at ``address``."""
    file = registry.RemoteFile("a.csv", address, hashlib.sha256(content).hexdigest())
    dataset = replace(registry.find_dataset("fujita_2022"), files=(file,))
    monkeypatch.setattr(registry, "DATASETS", (dataset,))


def test_file_is_downloaded_once(server, monkeypatch):
    root, address = server
    (root / "a.csv").write_bytes(b"subject")
    point_fujita_at(monkeypatch, f"{address}/a.csv", b"subject")
    folder = get_dataset("fujita_2022")
    assert (folder / "a.csv").read_bytes() == b"subject"
    (root / "a.csv").unlink()
    assert get_dataset("fujita_2022") == folder


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("a.csv", b"something else", "hash"), ("moved.csv", b"", "404")],
    ids=["wrong checksum", "moved"],
)
def test_failed_download_says_what_to_do_by_hand(server, monkeypatch, name, content, reason):
    root, address = server
    (root / "a.csv").write_bytes(b"subject")
    point_fujita_at(monkeypatch, f"{address}/{name}", content)
    with pytest.raises(DatasetError, match=rf"a.csv could not be had from .*{reason}"):
        get_dataset("fujita_2022")
    with pytest.raises(DatasetError, match=r"save it as .*a\.csv .*HEPAFLUX_DATA_MIRROR"):
        get_dataset("fujita_2022")


def test_no_network_says_what_to_do_by_hand(tmp_path, monkeypatch):
    monkeypatch.delenv(registry.MIRROR, raising=False)
    monkeypatch.setenv(registry.CACHE, str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Nothing listens on the discard port.
    point_fujita_at(monkeypatch, "http://127.0.0.1:9/a.csv")
    with pytest.raises(DatasetError, match=r"By hand: download that address"):
        get_dataset("fujita_2022")
    assert not list(Path(tmp_path).rglob("a.csv"))


@pytest.mark.parametrize(("state", "who"), [("healthy", "control"), ("t2d", "T2D")])
def test_pooled_fasts_are_the_fasts_of_their_sources(state, who):
    """Shares by magnetic resonance were reckoned from the glycogen, so they count once."""
    pooled = read_study(f"fasts/{state}")
    glycogen = {"Magnusson 1992": read_study("magnusson_1992")[who]}
    if state == "healthy":
        persons = read_study("rothman_1991").subjects
        glycogen |= {f"Rothman 1991 {person.name}": person for person in persons}
    sources = {s.name: s for s in read_study(f"nuttall_2008/{state}").subjects}
    assert {s.name for s in pooled.subjects} == {*glycogen, *sources}
    for subject in pooled.subjects:
        made, kept = (part.get(subject.name) for part in (sources, glycogen))
        assert subject.group == (made.group if made else "13C-NMR")
        found = {**(made.samples if made else {}), **(kept.samples if kept else {})}
        if subject.group == "13C-NMR":
            found.pop("gng_fraction", None)
        assert set(subject.samples) == set(found)
        for analyte, samples in subject.samples.items():
            assert samples.time.tolist() == found[analyte].time.tolist()
            assert samples.value.tolist() == found[analyte].value.tolist()
