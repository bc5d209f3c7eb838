"""Clusters behind TLS: an authority, a broker that demands certificates and passwords, a mongod that demands both too.

The broker and mongod are started from the same jars and binary as the product's own, but by hand, with what an operator
elsewhere would have configured.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from random import SystemRandom
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from stack.jars import kafka_jars
from stack.java import find_java
from stack.mongod_binary import find_mongod
from stack.places import Home
from stack.ports import HOST, find_free
from stack.services.kafka import classpath, cluster_id
from tests.stack.waiting import wait_for

USER = "team"


class Authority:
    """Signs for 127.0.0.1. Each certificate is one PEM file, with its key."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.file = place / "ca.pem"
        self._key = place / "ca.key"
        self._openssl("req", "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", self._key, "-out", self.file)

    def certificate(self, name: str) -> Path:
        request, key, signed = (self._place / f"{name}.{end}" for end in ("csr", "key", "crt"))
        self._openssl("req", "-subj", f"/O=tests/CN={name}", "-keyout", key, "-out", request)
        names = self._place / f"{name}.ext"
        names.write_text(f"subjectAltName=IP:{HOST}\n")
        signing = ("-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-days", "2", "-extfile", names)
        self._openssl("x509", "-req", "-in", request, "-out", signed, *signing, new_key=False)
        whole = self._place / f"{name}.pem"
        whole.write_bytes(key.read_bytes() + signed.read_bytes())
        whole.chmod(0o600)
        return whole

    def _openssl(self, *arguments: str | Path, new_key: bool = True) -> None:
        key = ("-newkey", "rsa:2048", "-nodes") if new_key else ()
        subprocess.run(["openssl", *arguments, *key], check=True, capture_output=True, timeout=60)


class TlsClusters:
    """Both, from `start` to `stop`."""

    def __init__(self, place: Path, home: Home) -> None:
        chance = SystemRandom()
        self.authority = Authority(place)
        self.client, server = self.authority.certificate("client"), self.authority.certificate("server")
        self.password = secrets.token_urlsafe(12)
        self.kafka_port, controller, self.mongo_port = (find_free((), chance) for _ in range(3))
        self._place, self._home, self._server, self._controller = place, home, server, controller
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._start_kafka(self._home, self._server, self._controller)
        self._start_mongod(self._server)

    @property
    def mongo_uri(self) -> str:
        return self._uri(f"{USER}:{self.password}@", f"&authSource={self.database}")

    database = "elsewhere"

    def _uri(self, login: str = "", more: str = "") -> str:
        tls = f"tls=true&tlsCAFile={self.authority.file}&tlsCertificateKeyFile={self.client}"
        return f"mongodb://{login}{HOST}:{self.mongo_port}/?directConnection=true&{tls}{more}"

    def _start_kafka(self, home: Home, server: Path, controller: int) -> None:
        properties = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"OUTER://{HOST}:{self.kafka_port},CONTROLLER://{HOST}:{controller}",
            "listener.security.protocol.map": "OUTER:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "OUTER",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.outer.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required "
                f'username="{USER}" password="{self.password}";'
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "listener.name.outer.ssl.client.auth": "required",
            "log.dirs": str(self._place / "kafka"),
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
        }
        file = self._place / "server.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        java = (str(find_java(None)), "-Xmx384m", "-cp", classpath(kafka_jars(home)))
        user = f"SCRAM-SHA-512=[name={USER},password={self.password}]"
        arguments = ("-t", cluster_id(secrets.token_bytes(16)), "-c", str(file), "--add-scram", user)
        tool = (*java, "kafka.tools.StorageTool", "format", *arguments)
        subprocess.run(tool, check=True, capture_output=True, timeout=120)
        self._start("kafka", *java, "kafka.Kafka", str(file))

    def _start_mongod(self, server: Path) -> None:
        data, key = self._place / "mongod", self._place / "members.key"
        data.mkdir()
        key.write_text(secrets.token_hex(64))
        key.chmod(0o600)
        tls = ("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", server, "--tlsCAFile", self.authority.file)
        where = ("--dbpath", data, "--port", self.mongo_port, "--bind_ip", HOST, "--nounixsocket")
        self._start("mongod", find_mongod(), "--replSet", "outer", "--auth", "--keyFile", key, *tls, *where)
        wait_for(self._is_primary, "mongod behind TLS is a set of one", 60)
        with MongoClient[dict[str, Any]](self._uri()) as client:  # the localhost exception, for the first user
            client.admin.command("createUser", "root", pwd=self.password, roles=["root"])
        with MongoClient[dict[str, Any]](self._uri(f"root:{self.password}@")) as client:
            roles = [{"role": "readWrite", "db": self.database}]
            client[self.database].command("createUser", USER, pwd=self.password, roles=roles)

    def _is_primary(self) -> bool:
        member = {"_id": 0, "host": f"{HOST}:{self.mongo_port}"}
        try:
            with MongoClient[dict[str, Any]](self._uri(), serverSelectionTimeoutMS=500) as client:
                if not client.admin.command("hello").get("setName"):
                    client.admin.command("replSetInitiate", {"_id": "outer", "members": [member]})
                return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False

    def _start(self, name: str, *command: object) -> None:
        with (self._place / f"{name}.log").open("ab") as log:
            words = [str(word) for word in command]
            self._processes.append(subprocess.Popen(words, stdout=log, stderr=log, cwd=self._place, env=os.environ))

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)
