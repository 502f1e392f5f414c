import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.containers import __main__ as program
from tests.containers.engine import EngineError, RunningEngine, run
from tests.containers.unpacked import UnpackedEngine
from tests.live.running import eventually


@pytest.mark.parametrize(("ci", "status"), [("true", 0), ("", 1)])
def test_machine_without_an_engine_gets_one_line(monkeypatch, capsys, ci, status):
    monkeypatch.setattr(RunningEngine, "is_there", lambda: False)
    monkeypatch.setattr(UnpackedEngine, "why_not", lambda: "there is none")
    monkeypatch.setattr(sys, "argv", ["containers"])
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(program, "interrupt_once", lambda: None)
    assert program.main() == status
    (line,) = capsys.readouterr().out.splitlines()
    assert "there is none" in line


def test_error_has_the_output_of_the_failed_command(tmp_path):
    with pytest.raises(EngineError) as raised:
        run(RunningEngine(tmp_path), "sh", "-c", "echo such a thing; exit 3")
    assert "ended with 3" in str(raised.value)
    assert "such a thing" in str(raised.value)


@pytest.mark.parametrize("is_engine", [True, False])
def test_only_the_engine_of_a_killed_run_is_stopped(tmp_path, is_engine):
    engine = UnpackedEngine(tmp_path)
    with subprocess.Popen(["sh", "-c", "sleep 60; :", str(engine.root) if is_engine else "another"]) as process:
        try:
            (tmp_path / "engine.pid").write_text(str(process.pid))
            eventually(lambda: Path(f"/proc/{process.pid}/cmdline").read_text())
            engine._end_leftover()
            if is_engine:
                assert process.wait(60) == -signal.SIGKILL
            else:
                assert process.poll() is None
            assert not (tmp_path / "engine.pid").exists()
        finally:
            process.kill()
