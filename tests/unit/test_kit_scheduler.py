"""The scheduler with real processes: order, interruption, failure, two kits at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import workshop
from kit.errors import KitError
from kit.locks import try_lock
from kit.paths import Cache
from kit.scheduler import Scheduler
from kit.target import Target, folder, keys

AIRGAP = Path(__file__).resolve().parents[2] / "airgap"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(root=tmp_path / "cache")


def shell(name: str, text: str, **more: object) -> Target:
    return Target(name=name, command=("bash", "-ec", text), **more)  # type: ignore[arg-type]


def output(cache: Cache, targets: list[Target], name: str) -> Path:
    target = next(target for target in targets if target.name == name)
    return folder(cache, target, keys(targets)[name])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within 20 s"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends while it is read
        return False
    # A zombie has ended; whoever adopted it has only not taken notice yet.
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def another_kit(cache: Cache, targets: list[Target]) -> subprocess.Popen[str]:
    """The same targets built by a process of its own, as a second `make` would."""
    code = (
        "import sys\nfrom pathlib import Path, PosixPath\nfrom kit.paths import Cache\n"
        "from kit.scheduler import Scheduler\n"
        "from kit.signals import Interrupted\nfrom kit.target import Target\n"
        f"targets = {targets!r}\n"
        "try:\n"
        f"    Scheduler(targets, Cache(root=Path({str(cache.root)!r})), jobs=2).run()\n"
        "except Interrupted as error:\n    sys.exit(128 + error.number)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(AIRGAP)}
    return subprocess.Popen([sys.executable, "-c", code], env=env, text=True, stderr=subprocess.PIPE)


def test_a_target_sees_its_output_its_dependencies_and_its_pins(cache: Cache) -> None:
    targets = [
        shell("base-files", "echo from-base > $OUT/file"),
        shell(
            "image",
            'cat $DEP_BASE_FILES/file > $OUT/all; echo "$PIN_A $KEY" >> $OUT/all',
            deps=("base-files",),
            pins={"A": "b"},
        ),
    ]
    Scheduler(targets, cache).run()
    text = (output(cache, targets, "image") / "all").read_text()
    assert text == f"from-base\nb {keys(targets)['image']}\n", "a step would not find what it builds from"


def test_an_interrupted_build_goes_on_where_it_stopped(cache: Cache, tmp_path: Path) -> None:
    pidfile, runs = tmp_path / "pid", tmp_path / "runs"
    targets = [
        shell("first", f"echo x >> {runs}; touch $OUT/done"),
        # The pid is that of a grandchild: an end of the shell alone would leave it running.
        shell(
            "second",
            f"touch $OUT/half; [[ -e {pidfile} ]] || {{ sleep 600 & echo $! > {pidfile}; wait; }}",
            deps=("first",),
        ),
    ]
    kit = another_kit(cache, targets)
    wait_for(lambda: pidfile.exists() and pidfile.read_text() != "", "the second target's start")
    kit.send_signal(signal.SIGINT)
    kit.communicate(timeout=20)
    assert kit.returncode == 128 + signal.SIGINT, "an interrupted run would look like a success"
    # The kit waits for the shell; its child, which got the same signal, may end a moment later.
    wait_for(lambda: not alive(int(pidfile.read_text())), "the end of the build's children at Ctrl-C")
    assert not output(cache, targets, "second").exists(), "half an output would be taken for a whole one"

    Scheduler(targets, cache).run()
    assert runs.read_text() == "x\n", "what was built before the interruption would be built again"
    assert (output(cache, targets, "second") / "half").exists()
    assert not list(cache.out.glob("*.partial")), "the cache would fill with what dead builds left"


def test_a_failing_target_stops_the_rest_and_names_its_log(
    cache: Cache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = tmp_path / "started"
    targets = [
        shell("slow", f"echo $$ > {started}; exec sleep 600", weight=9),
        shell(
            "broken",
            f"until [[ -s {started} ]]; do sleep 0.02; done; for i in {{1..50}}; do echo line $i; done; exit 3",
        ),
        shell("after", "touch $OUT/x", deps=("broken",)),
    ]
    with pytest.raises(KitError) as error:
        Scheduler(targets, cache, jobs=2).run()
    log = cache.logs / "broken.log"
    assert str(log) in str(error.value), "the user would not know where to look"
    assert "cancelled: slow" in str(error.value)
    assert not alive(int(started.read_text())), "builds would go on after the failure"
    assert not output(cache, targets, "after").exists()
    shown = capsys.readouterr().err
    assert "line 50" in shown, "the end of the log would have to be looked up"
    assert "line 11\n" in shown
    assert "line 10\n" not in shown, "more than 40 lines bury the cause"


def test_two_kits_do_not_build_the_same_target_twice(cache: Cache, tmp_path: Path) -> None:
    runs, go = tmp_path / "runs", tmp_path / "go"
    targets = [shell("shared", f"echo $$ >> {runs}; until [[ -e {go} ]]; do sleep 0.02; done; touch $OUT/x")]
    kits = [another_kit(cache, targets) for _ in range(2)]
    wait_for(lambda: runs.exists() and runs.read_text() != "", "the first kit's build")
    # Both are at it now or will find it built: let the builder end only once the other one has had its chance.
    second_waits = [kit for kit in kits if kit.poll() is None]
    assert len(second_waits) == 2, "a kit gave up instead of waiting for the other"
    go.touch()
    errors = [kit.communicate(timeout=20)[1] for kit in kits]
    assert [kit.returncode for kit in kits] == [0, 0], f"the loser would fail: {errors}"
    assert len(runs.read_text().splitlines()) == 1, "both would build it, and one would overwrite the other"


def test_a_kit_waits_for_a_lock_and_uses_what_the_other_kit_built(cache: Cache, tmp_path: Path) -> None:
    targets = [shell("shared", f"touch {tmp_path}/built-twice")]
    out = output(cache, targets, "shared")
    lock = try_lock(cache.locks / f"{out.name}.lock")
    assert lock is not None
    kit = another_kit(cache, targets)
    with pytest.raises(subprocess.TimeoutExpired):
        kit.wait(timeout=1)
    out.mkdir(parents=True)
    os.close(lock)
    kit.communicate(timeout=20)
    assert kit.returncode == 0
    assert not (tmp_path / "built-twice").exists(), "the result of the other kit would be thrown away"


def test_a_build_whose_kit_was_killed_keeps_its_lock_until_it_has_ended(cache: Cache, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    targets = [shell("slow", f"[[ -e {pidfile} ]] || {{ echo $$ > {pidfile}; exec sleep 600; }}")]
    lock = cache.locks / f"{output(cache, targets, 'slow').name}.lock"
    kit = another_kit(cache, targets)
    wait_for(lambda: pidfile.exists() and pidfile.read_text() != "", "the build's start")
    kit.kill()
    kit.communicate(timeout=20)
    orphan = int(pidfile.read_text())
    try:
        assert alive(orphan)
        assert try_lock(lock) is None, "the next kit would delete the folder under a build that is still running"
    finally:
        os.kill(orphan, signal.SIGKILL)
    wait_for(lambda: not alive(orphan), "the orphan's end")
    Scheduler(targets, cache).run()
    assert output(cache, targets, "slow").is_dir()


def test_a_partial_folder_is_swept_only_where_no_build_is_alive(cache: Cache) -> None:
    for name in ("dead-1", "live-1"):
        (cache.out / f"{name}.partial").mkdir(parents=True)
    lock = try_lock(cache.locks / "live-1.lock")
    assert lock is not None
    Scheduler([], cache).run()
    os.close(lock)
    left = [path.name for path in cache.out.iterdir()]
    assert left == ["live-1.partial"], "a running build would lose its folder, or a dead one's would stay for ever"


def test_a_build_that_ends_while_another_kit_sweeps_keeps_its_output(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial, out = cache.out / "live-1.partial", cache.out / "live-1"
    partial.mkdir(parents=True)

    def ends_meanwhile(path: Path) -> int | None:
        # Between the sweep's look and its lock: the other kit keeps its output, and lets go of the lock.
        partial.rename(out)
        return try_lock(path)

    monkeypatch.setattr(workshop, "try_lock", ends_meanwhile)
    Scheduler([], cache).run()
    assert out.is_dir(), "a build of half an hour would be thrown away"
    free = try_lock(cache.locks / "live-1.lock")
    assert free is not None, "the sweep would keep the lock, and every other kit would wait for it"
    os.close(free)


def test_a_result_that_is_gone_from_the_engine_is_restored_from_the_folder(cache: Cache, tmp_path: Path) -> None:
    image, runs = tmp_path / "image", tmp_path / "runs"
    target = shell(
        "image",
        f"echo x >> {runs}; echo saved > $OUT/archive; touch {image}",
        check=f"[[ -e {image} ]]",
        restore=("bash", "-ec", f"cp $OUT/archive {image}"),
    )
    Scheduler([target], cache).run()
    image.unlink()
    Scheduler([target], cache).run()
    assert image.read_text() == "saved\n", "an image that `docker image prune` took would not come back"
    assert runs.read_text() == "x\n", "it would be built anew although its archive is there"


def test_a_command_whose_check_still_fails_is_a_failure(cache: Cache) -> None:
    with pytest.raises(KitError, match="image could not be built"):
        Scheduler([shell("image", "true", check="false")], cache).run()
    assert "its check fails" in (cache.logs / "image.log").read_text()


def test_an_uncached_target_runs_only_where_its_check_fails(cache: Cache, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    target = shell("engine", f"echo x >> {mark}", cached=False, check=f"[[ -e {mark} ]]")
    Scheduler([target], cache).run()
    Scheduler([target], cache).run()
    assert mark.read_text() == "x\n", "a running engine would be started again"


def test_the_longest_chain_is_started_first_and_only_two_go_builds_run_at_once(cache: Cache, tmp_path: Path) -> None:
    order = tmp_path / "order"
    # The first waits for the second, however late that comes; the moment after is for a third that must not come.
    body = (
        f'name=$(basename $OUT); echo "+ ${{name%%-*}}" >> {order}\n'
        f"for i in {{1..500}}; do [[ $(wc -l < {order}) -lt 2 ]] || break; sleep 0.02; done\n"
        f'sleep 0.2; echo "- ${{name%%-*}}" >> {order}'
    )
    targets = [
        *(shell(name, body, heavy=True, weight=weight) for name, weight in (("a", 1), ("b", 30), ("c", 20), ("d", 2))),
        shell("e", body, deps=("a",), weight=50),
    ]
    Scheduler(targets, cache, jobs=8).run()
    events = [line.split() for line in order.read_text().splitlines()]
    assert {name for _, name in events[:2]} == {"a", "b"}, "the whole would take longer than its longest chain"
    running = most = 0
    for sign, name in events:
        running += (1 if sign == "+" else -1) * (name != "e")
        most = max(most, running)
    assert most == 2, "Go builds would run out of memory, or one core would stand idle"
