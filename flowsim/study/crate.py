"""A run as an RO-Crate (https://w3id.org/ro/crate/): inputs, outputs, versions and what to cite, in one folder.

The folder is that of a command with its ``manifest.json``; the crate adds ``ro-crate-metadata.json`` and the region's
figures as they were used, in ``inputs/region``. `again` says what a repetition needs, `compare` whether it gave the
same bytes.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowsim.errors import InputError, extra
from flowsim.study import store

METADATA: Final = store.CRATE
MANIFEST: Final = "manifest.json"
REGION: Final = "inputs/region"
SPEC: Final = "1.1"
LICENCE: Final = "https://spdx.org/licenses/EUPL-1.2"
REPEATABLE: Final = ("answer", "run", "compare", "targets", "sensitivity", "seek", "update")
SAME: Final = (".csv", ".parquet")
"""Files of which a repetition gives the same bytes: tables. Plots depend on the language and on fonts."""
MEDIA: Final = {".parquet": "application/vnd.apache.parquet", ".toml": "application/toml", ".xes": "application/xml"}
TABLES_OF_RUN: Final = ("stations.csv", "waiting.csv", "periods.csv", "summary.csv")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a folder of results.

    Raises
    ------
    InputError : no folder, or no manifest of flowsim in it.
    """
    file = folder / MANIFEST
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(file), error.strerror or str(error), "a folder with results of flowsim") from None
    except ValueError:
        raise InputError(str(file), "no JSON", "the manifest of a command of flowsim") from None
    if not isinstance(content, dict) or "flowsim" not in content:
        raise InputError(str(file), "no manifest of flowsim", "a folder with results of flowsim")
    return content


def kind_of(manifest: Mapping[str, Any]) -> str:
    """The command that wrote a manifest."""
    asked = manifest.get("asked")
    if manifest.get("kind") == "sweep":
        return "sweep"
    if "document" in manifest:
        return "run"
    of_one = {"curve": "answer", "require": "targets", "levers": "seek", "savings": "sensitivity"}
    found = [kind for key, kind in of_one.items() if isinstance(asked, dict) and key in asked]
    return found[0] if found else "update" if "observed" in manifest else "compare"


def make_crate(folder: Path) -> dict[str, Any]:
    """Describe the results in a folder as an RO-Crate, and put the figures that they rest on beside them.

    Returns
    -------
    The metadata, as written to ``ro-crate-metadata.json``. Made again, it is the same.

    Raises
    ------
    InputError : no results of flowsim in the folder, figures that have changed since, no ``rocrate``, or no room.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise InputError("crate", "no rocrate", extra("research")) from None
    manifest = read_manifest(folder)
    kind = kind_of(manifest)
    documents = _inputs(folder, manifest, kind)
    crate = ROCrate(version=SPEC)
    crate.name = f"flowsim {kind}: {_title(manifest)}"
    crate.description = f"What `flowsim {kind}` was asked, what came out of it, and what made it."
    crate.datePublished = _made(manifest)
    crate.license = LICENCE
    inputs: list[Any] = []
    outputs: list[Any] = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        entity = crate.add_file(path, dest_path=name, properties=_about(path, name, kind))
        (inputs if name == MANIFEST or name.startswith("inputs/") else outputs).append(entity)
    software = _software(crate, manifest)
    crate.root_dataset["citation"] = [software, *(_document(crate, title) for title in documents)]
    action = {"name": f"flowsim {kind}", "endTime": _made(manifest), "actionStatus": _status(manifest)}
    crate.add_action(software, "#run", object=inputs, result=outputs, properties=action)
    content: dict[str, Any] = crate.metadata.generate()
    written = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    store.write_durably(
        folder / METADATA, lambda stream: stream.write(written.encode()), "the results are as they were"
    )
    return content


def _inputs(folder: Path, manifest: Mapping[str, Any], kind: str) -> list[str]:
    """Put the region's files in the crate, as they were used; the titles of the documents that they cite."""
    from flowsim.plan.figures import read_documents, region_directory
    from flowsim.study.repeat import from_manifest, region_of

    if kind == "run":
        return []
    own = folder / REGION
    if kind == "answer":
        repeat = from_manifest(folder / MANIFEST)
        region = repeat.scenario.region
        if "figures" in [what for what, _, _ in repeat.differences]:
            raise InputError(f"region {region}", "figures that have changed since the run", "those of the run")
    else:
        region = region_of(_with_scenario(manifest), folder / MANIFEST)
    if own.is_dir() and Path(region) == own.resolve():
        return list(read_documents(own).values())
    shutil.rmtree(own, ignore_errors=True)  # of an earlier run in this folder
    try:
        own.mkdir(parents=True)
        for file in sorted(region_directory(region).iterdir(), key=lambda item: item.name):
            if file.name.endswith(".toml"):
                (own / file.name).write_bytes(file.read_bytes())
    except OSError as error:
        shutil.rmtree(own, ignore_errors=True)
        found = error.strerror or str(error)
        raise InputError(f"output folder {folder}", found, "a folder that can be written") from None
    return list(read_documents(own).values())


def _with_scenario(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest in which ``scenario`` says the region: a sweep says it in its identity, a comparison per scenario."""
    found = dict(manifest)
    if isinstance(manifest.get("identity"), dict):
        found["scenario"] = manifest["identity"].get("scenario")
    elif "scenario" not in manifest and isinstance(manifest.get("scenarios"), dict):
        found["scenario"] = next((one.get("scenario") for one in manifest["scenarios"].values()), None)
    return found


def _files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    hidden = [path for path in found if any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(set(found) - set(hidden) - {folder / METADATA})


def _about(path: Path, name: str, kind: str) -> dict[str, Any]:
    content = path.read_bytes()
    media = MEDIA.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    about = {
        "name": name,
        "encodingFormat": media,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    if name == MANIFEST:
        about["description"] = (
            "What was asked, the scenario with every figure that was changed, seed, versions, machine"
        )
    elif name.startswith(REGION):
        about["description"] = "Figures of the region as they were used, each with its source"
    elif path.suffix in SAME:
        about["description"] = f"Table of `flowsim {kind}`; its columns are in datapackage.json"
    return about


def _software(crate: Any, manifest: Mapping[str, Any]) -> Any:
    """flowsim and the packages that it ran with, as entities."""
    from rocrate.model.contextentity import ContextEntity

    packages = {"Python": manifest.get("python", ""), **(manifest.get("packages") or manifest.get("libraries") or {})}
    needs = [
        crate.add(
            ContextEntity(
                crate,
                f"#{name}-{version}",
                properties={"@type": "SoftwareApplication", "name": name, "softwareVersion": str(version)},
            )
        )
        for name, version in sorted(packages.items())
        if version
    ]
    version = manifest["flowsim"] if isinstance(manifest["flowsim"], str) else str(manifest["flowsim"])
    about = {
        "@type": "SoftwareApplication",
        "name": "flowsim",
        "softwareVersion": version,
        "author": "flowsim contributors",
        "license": LICENCE,
        "creditText": f"flowsim contributors. flowsim {version}. EUPL-1.2.",
        "softwareRequirements": needs,
    }
    if manifest.get("sources"):
        about["identifier"] = f"sources {manifest['sources']}"
    return crate.add(ContextEntity(crate, "#flowsim", properties=about))


def _document(crate: Any, title: str) -> Any:
    from rocrate.model.contextentity import ContextEntity

    code = hashlib.sha256(title.encode()).hexdigest()[:12]
    return crate.add(ContextEntity(crate, f"#document-{code}", properties={"@type": "CreativeWork", "name": title}))


def _title(manifest: Mapping[str, Any]) -> str:
    for part in ("experiment", "scenario"):
        if isinstance(manifest.get(part), dict) and manifest[part].get("title"):
            return str(manifest[part]["title"])
    document = manifest.get("document")
    return str(
        document.get("title") if isinstance(document, dict) and document.get("title") else manifest.get("file", "")
    )


def _made(manifest: Mapping[str, Any]) -> str:
    return str(manifest.get("time") or manifest.get("made") or "")


def _status(manifest: Mapping[str, Any]) -> str:
    done = manifest.get("replications_done") == manifest.get("replications_asked") and not manifest.get("interrupted")
    return f"http://schema.org/{'CompletedActionStatus' if done else 'PotentialActionStatus'}"


# ---------------------------------------------------------------- again


def check_crate(folder: Path) -> str:
    """That a folder is a crate which can be run again, with every file as it was described; the command that made it.

    Raises
    ------
    InputError : no crate, a file that differs from its description, or a command that cannot be repeated from it.
    """
    file = folder / METADATA
    try:
        graph = json.loads(file.read_text(encoding="utf-8"))["@graph"]
        described = {one["@id"]: one for one in graph if "sha256" in one}
    except OSError as error:
        raise InputError(str(file), error.strerror or str(error), "a crate that `flowsim crate` made") from None
    except (ValueError, TypeError, KeyError):
        raise InputError(str(file), "no RO-Crate", "a crate that `flowsim crate` made") from None
    for name, one in described.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(
                str(folder / name), error.strerror or str(error), "the file that the crate lists"
            ) from None
        if found != one["sha256"]:
            raise InputError(str(folder / name), f"sha256 {found[:12]}", f"{one['sha256'][:12]}, as the crate says")
    kind = kind_of(read_manifest(folder))
    if kind not in REPEATABLE:
        raise InputError(str(folder), f"a crate of `flowsim {kind}`", "one of " + " or ".join(REPEATABLE))
    return kind


def compare(crate: Path, repeated: Path) -> dict[str, bool]:
    """Whether each table of a crate has the same bytes in the folder of a repetition, by name."""
    names = [path.name for path in sorted(crate.iterdir()) if path.suffix in SAME]
    if kind_of(read_manifest(crate)) == "run":
        names = [name for name in names if name in TABLES_OF_RUN]
    return {
        name: (repeated / name).is_file() and (repeated / name).read_bytes() == (crate / name).read_bytes()
        for name in names
    }
