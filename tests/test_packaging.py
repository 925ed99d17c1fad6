"""The ground the house stands on: one version, locks that lock, a whole package, no trace of a machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
import yaml

import flowsim

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements/run.txt", "requirements/app.txt", "requirements/dev.txt"]
PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))?(?P<hashes>(?: --hash=\S+)*)"
)


@cache
def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that a clone holds."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    return tuple(ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file())


def pins(lock: str) -> dict[str, re.Match[str]]:
    """The logical lines of a lock by package name; a line of any other form is an error."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / lock).read_text(encoding="utf-8"))
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = PINNED.fullmatch(line)
        assert match, f"{lock}: neither a pinned package nor a comment: {line[:120]}"
        found[match["name"]] = match
    return found


def name_of(requirement: str) -> str:
    """The package that a requirement asks for: 'dask[distributed]>=2024.8' -> 'dask'."""
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


# ---------------------------------------------------------------- one version


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    publiccode = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    newest = re.search(
        r"^## \[(?P<version>[^\]]+)\] - (?P<date>\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    assert newest
    assert version("flowsim") == flowsim.__version__
    assert citation["version"] == flowsim.__version__
    assert publiccode["softwareVersion"] == flowsim.__version__
    assert newest["version"] == flowsim.__version__
    assert newest["date"] == str(citation["date-released"]) == publiccode["releaseDate"]


def test_the_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="flowsim")
    assert command.value == "flowsim.cli:main"


# ---------------------------------------------------------------- locks that lock


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes(lock: str) -> None:
    for name, pin in pins(lock).items():
        hashes = pin["hashes"].split()
        assert hashes, f"{lock}: {name} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", item) for item in hashes), f"{lock}: {name}"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"^\s*-[^-]|^\s*--(?!hash=)\S+|\w+://\S*|\bfile:\S*|^.* @ .*$", text, re.M)


def test_the_locks_hold_what_the_project_asks_for() -> None:
    metadata = project()["project"]
    build = (ROOT / "requirements" / "build.in").read_text(encoding="utf-8").splitlines()
    backend = {line for line in build if line and not line.startswith("#")}
    assert backend == set(project()["build-system"]["requires"])
    run = {name_of(item) for item in metadata["dependencies"]} | backend
    extras = {name_of(item) for extra in metadata["optional-dependencies"].values() for item in extra}
    assert run <= pins("requirements/run.txt").keys()
    assert run | extras <= pins("requirements/dev.txt").keys()
    app = {name_of(item) for item in metadata["optional-dependencies"]["app"]}
    assert run | app <= pins("requirements/app.txt").keys()


def test_what_is_tested_is_what_is_run() -> None:
    tested = pins("requirements/dev.txt")
    for lock in LOCKS:
        for name, pin in pins(lock).items():
            assert (tested[name]["version"], tested[name]["marker"]) == (pin["version"], pin["marker"]), (lock, name)


# ---------------------------------------------------------------- a package that holds its files


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {path.relative_to(ROOT).as_posix() for path in tracked() if path.is_relative_to(ROOT / "flowsim")}
    information = f"flowsim-{flowsim.__version__}.dist-info/"
    assert wanted - held == set()
    assert {name.split("/")[0] + "/" for name in held} == {"flowsim/", information}
    assert information + "licenses/LICENSE" in held


def test_importing_flowsim_loads_nothing_heavy() -> None:
    heavy = ("pandas", "matplotlib", "scipy.stats", "numba", "pyarrow", "dask")
    program = f"import sys, flowsim; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_no_module_is_longer_than_500_lines() -> None:
    long = {}
    for path in (ROOT / "flowsim").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > 500:
            long[path.relative_to(ROOT).as_posix()] = lines
    assert not long


def test_every_module_says_what_it_is() -> None:
    silent = []
    for path in (ROOT / "flowsim").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if tree.body and not ast.get_docstring(tree):
            silent.append(path.relative_to(ROOT).as_posix())
    assert not silent


# ---------------------------------------------------------------- licence, citation, catalogue


def test_the_licence_is_the_eupl_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\nEUPL © the European Union 2007, 2016\n")
    assert [int(number) for number in re.findall(r"^(\d+)\. [A-Z]", text, re.M)] == list(range(1, 16))
    assert text.endswith("require the production of a new EUPL version.\n")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    publiccode = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    assert project()["project"]["license"] == citation["license"] == publiccode["legal"]["license"] == "EUPL-1.2"


def test_the_catalogue_entry_lacks_only_what_publication_brings() -> None:
    """The mandatory keys of the publiccode.yml standard 0.5; the address and the names come with publication."""
    entry = yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    mandatory = [
        "publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType", "description",
        "legal.license", "maintenance.type", "maintenance.contacts",
        "localisation.localisationReady", "localisation.availableLanguages",
    ]  # fmt: skip

    def missing(key: str) -> bool:
        value = entry
        for part in key.split("."):
            if part not in value:
                return True
            value = value[part]
        return False

    assert {key for key in mandatory if missing(key)} <= {"url", "maintenance.contacts"}
    assert list(entry["description"]) == ["nl", "en"]
    for text in entry["description"].values():
        assert len(text["shortDescription"]) <= 150
        assert 150 <= len(text["longDescription"]) <= 10_000
        assert len(text["features"]) >= 5


# ---------------------------------------------------------------- continuous integration, no trace of a machine


def test_ci_runs_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert lines[-1].split()[:2] == ["make", "test"]


def test_tracked_files_hold_no_path_of_a_machine() -> None:
    folders = "|".join(("home", "root", "work", "Users", "workspace", "builds"))
    here = "|".join(re.escape(str(place)) for place in (ROOT, Path.home(), Path(sys.prefix)) if len(place.parts) > 2)
    somewhere = re.compile(rf"(?<![\w.~/)}}\]-])/(?:{folders})/[\w.-]" + (f"|(?:{here})(?![\\w-])" if here else ""))
    traces = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        for number, line in enumerate(text.splitlines(), start=1):
            if somewhere.search(line):
                traces.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not traces


# ---------------------------------------------------------------- a container


def test_the_container_is_given_what_its_recipe_copies_and_keeps_what_it_compiled(tmp_path: Path) -> None:
    recipe = (ROOT / "docs" / "Containerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+)$", recipe, re.M) for name in line.split()[:-1]}
    meta = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert copied >= {"pyproject.toml", meta["project"]["readme"], *meta["project"]["license-files"], "flowsim"}
    assert all((ROOT / name).exists() for name in copied)
    (volume,) = re.findall(r"^VOLUME (\S+)$", recipe, re.M)  # the one place to write when the rest is read-only
    assert recipe.index("warm_up()") < recipe.index("VOLUME")  # what comes after a volume is not in the image
    (home,) = re.findall(r"useradd --create-home --home-dir (\S+) ", recipe)
    assert re.search(rf"MPLCONFIGDIR={volume}/", recipe)
    where = "from flowsim.model.compiling import CACHE_DIRECTORY; print(CACHE_DIRECTORY)"
    homeless = ("HOME", "XDG_CACHE_HOME", "FLOWSIM_CACHE_DIR")
    clean = {name: value for name, value in os.environ.items() if name not in homeless}
    found = subprocess.run(
        [sys.executable, "-c", where], env={**clean, "HOME": str(tmp_path)}, capture_output=True, text=True, check=True
    ).stdout
    assert found.replace(str(tmp_path), home).startswith(f"{volume}/")
