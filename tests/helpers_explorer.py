"""Start ``zpfit explore`` and send requests to it."""

import json
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest


class Explorer:
    """A running ``zpfit explore``."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        command = [sys.executable, "-m", "zpfit", "explore", "--no-browser", *arguments]
        self.process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = line.split()[0] if line else ""
        self.port = int(self.url.rstrip("/").rpartition(":")[2]) if line else 0

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=300)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content

    def ask(self, path: str, question: Any, **headers: str) -> tuple[int, Any]:
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        given = {"Content_Type": "application/json", **headers}
        status, _, content = self.request("POST", path, body, **given)
        return status, json.loads(content, parse_constant=pytest.fail)

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=300)
        return self.process.returncode, errors
