"""What is called when a run ends: real commands, and a real server for webhooks."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows.hooks import ON_FAILURE, call_hook

TOLD = {"run": "r1", "state": "refused", "why": "$(touch hacked); `touch hacked`", "edition": ""}


class _Webhook(BaseHTTPRequestHandler):
    taken: list[tuple[str, dict[str, str]]] = []
    answer = 204

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[str]:
    _Webhook.taken, _Webhook.answer = [], 204
    with HTTPServer(("127.0.0.1", 0), _Webhook) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/secret-token"
        server.shutdown()
        thread.join()


def test_without_a_hook_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ON_FAILURE, raising=False)
    assert call_hook(ON_FAILURE, Path("report.json"), TOLD) == ""


def test_a_command_gets_the_report_and_no_shell_reads_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "hook.sh"
    script.write_text(
        '#!/bin/sh\nprintf "%s|" "$@" "$ATLAS_STATE" "$ATLAS_WHY" "$ATLAS_REPORT" > told\n'
    )
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ON_FAILURE, f"'{script}' --to 'a b' $HOME")
    report = tmp_path / "report of one.json"
    assert call_hook(ON_FAILURE, report, TOLD) == ""
    said = (tmp_path / "told").read_text().split("|")
    assert said[:-1] == ["--to", "a b", "$HOME", str(report), "refused", TOLD["why"], str(report)]
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("false", "ended with 1"),
        ("/nowhere/at-all", "cannot be run"),
        ("'unclosed", "cannot be run"),
        ("http://127.0.0.1:9/token", "webhook at 127.0.0.1 cannot be reached"),
        ("http://127.0.0.1:99999/token", "cannot be reached"),
    ],
)
def test_a_hook_that_fails_is_said_and_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, hook: str, said: str
) -> None:
    monkeypatch.setenv(ON_FAILURE, hook)
    fault = call_hook(ON_FAILURE, Path("report.json"), TOLD)
    assert said in fault
    assert "token" not in fault


def test_an_address_gets_what_became_of_the_run(
    webhook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ON_FAILURE, webhook)
    assert call_hook(ON_FAILURE, Path("report.json"), TOLD) == ""
    assert _Webhook.taken == [("application/json", TOLD)]
    _Webhook.answer = 500
    fault = call_hook(ON_FAILURE, Path("report.json"), TOLD)
    assert fault == "the webhook at 127.0.0.1 answered 500"
