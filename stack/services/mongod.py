"""mongod: a replica set of one member, with authentication, a key file, and a user for each part."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from measure.errors import NotReadyError
from stack.blueprint import Blueprint
from stack.credentials import MONGO_ROOT, MONGO_USERS
from stack.files import write_once, write_whole
from stack.mongod_binary import find_mongod
from stack.places import private_folder
from stack.ports import HOST
from stack.service import NotYetError, Service
from stack.settings import DOCKER

NAME = "mongod"
REPLICA_SET = "latency"

_TIMEOUT_MS = 2000
_NOT_INITIATED = 94
_ALREADY_INITIATED = 23
_UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_USER_EXISTS = 51003
_NOT_IN_SET = 93  # InvalidReplicaSetConfig: the member's address is not the one in the set's configuration

Client = MongoClient[dict[str, Any]]


class LoginRefusedError(NotYetError):
    """There are users, and ours is none of them; an image that is making it now answers so too."""


def mongod(blueprint: Blueprint) -> Service:
    """The database's definition."""
    folder = blueprint.folder.data(NAME)
    return Service(
        name=NAME,
        command=(str(find_mongod(blueprint.settings.mongo.binary)), "--config", str(folder / "mongod.conf")),
        environment={},
        ports={"mongo": blueprint.ports["mongo"]},
        log=blueprint.folder.log(NAME),
        prepare=lambda: prepare(blueprint),
        provision=lambda: provision(blueprint),
        probe=lambda: probe(blueprint),
        start_timeout_s=60,
        stop_timeout_s=20,
        settings={"config": json.dumps(configuration(blueprint))},
    )


def configuration(blueprint: Blueprint) -> Mapping[str, Any]:
    """mongod's configuration; JSON, which YAML contains. No secret is in it."""
    folder = blueprint.folder.data(NAME)
    return {
        "net": {"port": blueprint.ports["mongo"], "bindIp": HOST, "unixDomainSocket": {"enabled": False}},
        "storage": {
            "dbPath": str(folder / "data"),
            "wiredTiger": {"engineConfig": {"cacheSizeGB": blueprint.settings.mongo.cache_mb / 1024}},
        },
        "replication": {"replSetName": REPLICA_SET, "oplogSizeMB": 990},
        "security": {"authorization": "enabled", "keyFile": str(folder / "keyfile")},
        "systemLog": {"quiet": True},
        "setParameter": {"diagnosticDataCollectionEnabled": False},
    }


def prepare(blueprint: Blueprint) -> None:
    """Write configuration and key file."""
    folder = blueprint.folder.data(NAME)
    private_folder(folder / "data")
    write_once(folder / "keyfile", base64.b64encode(secrets.token_bytes(96)), mode=0o600)
    write_whole(folder / "mongod.conf", json.dumps(configuration(blueprint), indent=1).encode())


def provision(blueprint: Blueprint) -> None:
    """Initiate the replica set, make the users and the indexes: whatever of it is not there."""
    try:
        with _as_root(blueprint) as root:
            _ensure_member(root, blueprint)
            _ensure_users(root, blueprint)
        _ensure_indexes(blueprint)
    except OperationFailure as refused:
        if refused.code == _NOT_INITIATED:
            _initiate(blueprint)
            raise NotYetError("the replica set was initiated") from None
        if refused.code != _AUTHENTICATION_FAILED:
            raise NotYetError(f"mongod is not ready: {refused.details or refused}") from None
        if blueprint.settings.runtime == DOCKER:
            raise LoginRefusedError(f"mongod refuses the login of {MONGO_ROOT}") from None
        _first_user(blueprint)
        raise NotYetError("the first user was made") from None
    except ConnectionFailure as absent:
        raise NotYetError(f"no answer from {blueprint.access.endpoints.mongo}: {type(absent).__name__}") from None


def _initiate(blueprint: Blueprint) -> None:
    """Where the image has made the first user before there was a set."""
    with _as_root(blueprint) as root:
        try:
            root.admin.command("replSetInitiate", _set_configuration(blueprint, 1))
        except OperationFailure as refused:
            if refused.code != _ALREADY_INITIATED:
                raise NotYetError(f"the replica set cannot be initiated: {refused}") from None


def _first_user(blueprint: Blueprint) -> None:
    """By the localhost exception, which holds until there is a user: initiate the set and make `root`."""
    with _anonymous(blueprint) as client:
        try:
            client.admin.command("replSetInitiate", _set_configuration(blueprint, 1))
        except OperationFailure as refused:
            _refuse_others(refused, blueprint)  # also where the set cannot find itself, and so has no primary
            if refused.code != _ALREADY_INITIATED:
                raise NotYetError(f"the replica set cannot be initiated: {refused}") from None
        if not client.admin.command("hello").get("isWritablePrimary"):
            raise NotYetError("mongod is not primary yet")
        try:
            client.admin.command(
                "createUser",
                MONGO_ROOT,
                pwd=blueprint.access.credentials.mongo[MONGO_ROOT],
                roles=["root"],
                writeConcern={"w": "majority"},
            )
        except OperationFailure as refused:
            _refuse_others(refused, blueprint)
            raise NotYetError(f"the first user cannot be made: {refused}") from None


def _refuse_others(refused: OperationFailure, blueprint: Blueprint) -> None:
    """NotReadyError where the localhost exception has ended: there are users already, and ours is none of them."""
    if refused.code == _UNAUTHORIZED:
        raise other_credentials(blueprint) from None


def other_credentials(blueprint: Blueprint) -> NotReadyError:
    """The error for data that are of another stack, or of this one before it was made anew."""
    place = "its volume" if blueprint.settings.runtime == DOCKER else blueprint.folder.data(NAME)
    return NotReadyError(
        f"mongod's data in {place} was made with other credentials than {blueprint.folder.credentials} holds: "
        "`latency down --purge` makes a new stack."
    )


def _member(blueprint: Blueprint) -> str:
    """The set's one member, as it reaches itself."""
    return f"{HOST}:{blueprint.ports['mongo']}" if blueprint.settings.runtime != DOCKER else f"{NAME}:27017"


def _set_configuration(blueprint: Blueprint, version: int) -> dict[str, Any]:
    return {
        "_id": REPLICA_SET,
        "version": version,
        "members": [{"_id": 0, "host": _member(blueprint)}],
    }


def _ensure_member(root: Client, blueprint: Blueprint) -> None:
    """The member's address in the set's configuration follows the port, which may be another than last time."""
    hello = root.admin.command("hello")
    if hello.get("isWritablePrimary"):
        return
    configured = root.admin.command("replSetGetConfig")["config"]
    wanted = _set_configuration(blueprint, configured["version"] + 1)
    if configured["members"][0]["host"] != wanted["members"][0]["host"]:
        configured |= {"members": [configured["members"][0] | wanted["members"][0]], "version": wanted["version"]}
        root.admin.command("replSetReconfig", configured, force=True)
    raise NotYetError("mongod is not primary yet")


def _ensure_users(root: Client, blueprint: Blueprint) -> None:
    """A user for each part, in the product's own database."""
    database = root[blueprint.access.names.database]
    there = {user["user"] for user in database.command("usersInfo")["users"]}
    if "dashboard" not in there:
        _ensure_dashboard_role(root, blueprint)
    for user in MONGO_USERS:
        if user not in there:
            role = "dashboard" if user == "dashboard" else "readWrite"
            database.command("createUser", user, pwd=blueprint.access.credentials.mongo[user], roles=[role])


def _ensure_dashboard_role(root: Client, blueprint: Blueprint) -> None:
    name = blueprint.access.names.database
    if not root[name].command("rolesInfo", "dashboard")["roles"]:
        root[name].command(
            "createRole",
            "dashboard",
            roles=["read"],
            privileges=[{"resource": {"db": name, "collection": "slices"}, "actions": ["insert"]}],
        )


def _ensure_indexes(blueprint: Blueprint) -> None:
    from measure.store import ensure_indexes

    with Client(_root_uri(blueprint)) as client:
        ensure_indexes(client[blueprint.access.names.database])


def probe(blueprint: Blueprint) -> None:
    """Log in and ask whether it is the writable primary."""
    try:
        with _as_root(blueprint) as root:
            if not root.admin.command("hello").get("isWritablePrimary"):
                raise NotYetError("mongod answers but is not primary")
    except PyMongoError as broken:
        raise NotYetError(f"no login at {blueprint.access.endpoints.mongo}: {type(broken).__name__}") from None


def _root_uri(blueprint: Blueprint) -> str:
    return (
        f"mongodb://{MONGO_ROOT}:{blueprint.access.credentials.mongo[MONGO_ROOT]}@{blueprint.access.endpoints.mongo}/"
        f"?authSource=admin&directConnection=true&w=majority&serverSelectionTimeoutMS={_TIMEOUT_MS}"
    )


def _as_root(blueprint: Blueprint) -> Client:
    return Client(_root_uri(blueprint), socketTimeoutMS=10_000)


def _anonymous(blueprint: Blueprint) -> Client:
    return Client(
        blueprint.access.endpoints.mongo,
        directConnection=True,
        serverSelectionTimeoutMS=_TIMEOUT_MS,
        socketTimeoutMS=10_000,
    )
