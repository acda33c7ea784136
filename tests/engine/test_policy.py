"""The policy pack on the real engine: each rule on a good state and on one with a fault, and on previews."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.conftest import World
from engine.policy_faults import FAULTS, Fault
from engine.policy_states import PACK, ROOT, State, real_program, stand_in_cluster
from engine.pulumi_cli import Stack, name_of

# A sentence about the probes is known: they request nothing, and they only answer pings.
KNOWN = {("pods-say-what-they-need", "probes-pod"), ("pods-say-what-they-need", "probes-host")}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    return real_program(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def good(stacks: dict[str, Stack]) -> dict[str, State]:
    return {name: State.planned(stack) for name, stack in stacks.items()}


def analyze(
    stack: Stack, state: State, folder: Path, settings: dict[str, Any] | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what the pack found: one object a violation."""
    config = folder / "config.json"
    config.write_text(json.dumps(settings or {}))
    done = stack.run(
        *("policy", "analyze", "--json", "--file", str(state.save(folder / "state.json"))),
        *("--policy-pack", str(PACK), "--policy-pack-config", str(config)),
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events and "summaryEvent" in events[-1], f"the pack was not run:\n{done.stdout}{done.stderr}"
    return done.returncode, [event["policyEvent"] for event in events if "policyEvent" in event]


@pytest.mark.parametrize("name", ["flannel", "cilium"])
def test_the_program_as_it_is_violates_nothing(
    stacks: dict[str, Stack], good: dict[str, State], tmp_path: Path, name: str
) -> None:
    serving = {"serving-cluster-not-interrupted": {"servingClusters": ["c"]}}
    code, found = analyze(stacks[name], good[name], tmp_path, serving)
    said = {(each["policyName"], name_of(each["resourceUrn"])) for each in found}
    assert said == KNOWN, "a rule that is broken by the program as it is would be turned off by everybody"
    assert code == 0, "an advisory rule would stop a pipeline"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}: {fault.where}")
def test_each_rule_finds_what_is_planted_and_says_what_to_do(
    stacks: dict[str, Stack], good: dict[str, State], tmp_path: Path, fault: Fault
) -> None:
    state = good[fault.stack].copy()
    fault.plant(state)
    code, found = analyze(stacks[fault.stack], state, tmp_path, {fault.rule: fault.settings})
    heard = [each for each in found if (each["policyName"], name_of(each["resourceUrn"])) == (fault.rule, fault.where)]
    assert heard, f"it would be merged: {fault.rule} says nothing of {fault.where}, only {found}"
    assert fault.says in "\n".join(each["message"] for each in heard), "who is stopped would not know what to do"
    assert "hunter2" not in json.dumps(found), "a secret would be in the pull request"
    mandatory = any(each["enforcementLevel"] == "mandatory" for each in found)
    assert code == (1 if mandatory else 0), "the pipeline would go on behind a violation, or stop for a hint"


def test_a_team_can_turn_a_rule_off_and_excuse_one_resource(
    stacks: dict[str, Stack], good: dict[str, State], tmp_path: Path
) -> None:
    state = good["cilium"].copy()
    state.inputs("probes-service")["spec"]["type"] = "LoadBalancer"
    code, _ = analyze(stacks["cilium"], state, tmp_path)
    assert code == 1, "nothing is left to be turned off"
    code, found = analyze(stacks["cilium"], state, tmp_path, {"no-exposed-service": "disabled"})
    assert code == 0 and {each["policyName"] for each in found} == {"pods-say-what-they-need"}
    code, _ = analyze(stacks["cilium"], state, tmp_path, {"no-exposed-service": {"serviceTypes": ["LoadBalancer"]}})
    assert code == 0, "a team that has load balancers would have to fork the pack"
    match = {"policies": ["no-exposed-service"], "targets": [state.resources["probes-service"]["urn"]]}
    excused = {"version": 2, "exceptions": {"OPS-12": {"reason": "a trade fair", "match": [match]}}}
    code, found = analyze(stacks["cilium"], state, tmp_path, excused)
    assert code == 0 and "no-exposed-service" in {each["policyName"] for each in found}, (
        "one excuse for all, or for none"
    )


def test_an_image_of_a_registry_of_ones_own_needs_no_digest(
    stacks: dict[str, Stack], good: dict[str, State], tmp_path: Path
) -> None:
    state = good["cilium"].copy()
    state.container("probes-pod")["image"] = "quay.io/team/probe:v1.2.3"
    state.values()["operator"]["image"] = {"useDigest": False}
    settings: dict[str, Any] = {"enforcementLevel": "mandatory"}
    _, found = analyze(stacks["cilium"], state, tmp_path, {"public-image-by-digest": settings})
    heard = [each["message"] for each in found if each["policyName"] == "public-image-by-digest"]
    assert len(heard) == 2, f"an image could be exchanged under its tag: {heard}"
    settings["localImages"] = ["quay.io/team/*", "values.operator.image"]
    code, _ = analyze(stacks["cilium"], state, tmp_path, {"public-image-by-digest": settings})
    assert code == 0, "a team with a registry of its own would have to turn the rule off"


def preview(stack: Stack, *flags: str) -> subprocess.CompletedProcess[str]:
    return stack.preview("--policy-pack", str(PACK), *flags, check=False)


def test_the_stage_of_the_pipeline_lets_the_program_pass(stacks: dict[str, Stack]) -> None:
    stack = stacks["cilium"]
    shutil.copytree(ROOT / "pipeline", stack.program / "pipeline")
    (stack.program / "policy").symlink_to(ROOT / "policy")
    stage = stack.program / "pipeline" / "policy.sh"
    done = subprocess.run([stage, stack.name], env=stack.environ(), check=False, text=True, capture_output=True)
    assert done.returncode == 0, f"nobody could merge anything:\n{done.stdout}{done.stderr}"
    assert "cni-migration@v1.0.0" in done.stdout, "the pack was not asked"


def test_a_preview_fails_where_the_new_cni_would_be_made_before_the_old_is_gone(tmp_path: Path) -> None:
    stack = real_program(tmp_path)["cilium"]
    gate = stack.program / "components" / "gate.py"
    whole = gate.read_text()
    head, option, tail = whole.rpartition("        delete_before_replace=True,\n")
    assert option and "def gated" in head, "nothing is planted"
    gate.write_text(head + tail)
    done = preview(stack)
    assert done.returncode != 0, f"two CNIs would be on a node at once:\n{done.stdout}"
    assert "gate-deletes-before-it-replaces" in done.stdout and "use gate_options(…) or gated(…)" in done.stdout


def test_a_cluster_that_serves_is_moved_by_a_strategy_that_leaves_its_network_up(tmp_path: Path) -> None:
    cilium = real_program(tmp_path)["cilium"]
    owner = {"stack": "flannel", "cni": "flannel", "generation": "g", "epoch": "1", "phase": "ready"}
    stand_in_cluster(cilium, owner)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"serving-cluster-not-interrupted": {"servingClusters": ["c"]}}))
    cilium.set_config("migration:strategy", "recreate")
    refused = preview(cilium, "--policy-pack-config", str(config))
    assert refused.returncode != 0, f"an outage would be merged:\n{refused.stdout}"
    assert "set migration:strategy to rolling" in " ".join(refused.stdout.split()), "nobody would know another way"
    for named in (True, False):
        if named:
            cilium.set_config("migration:strategy", "rolling")
        else:
            cilium.run("config", "rm", "--stack", "cilium", "migration:strategy")
        passed = preview(cilium, "--policy-pack-config", str(config))
        assert passed.returncode == 0, f"a way that is left is barred as well:\n{passed.stdout}{passed.stderr}"
        assert "moves-finish" in passed.stdout, "it was no move by nodes that passed"


def test_a_cluster_that_serves_is_not_taken_down_and_one_that_is_done_is_left_in_peace(
    world: World, tmp_path: Path
) -> None:
    flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
    config = tmp_path / "config.json"
    rule = "serving-cluster-not-interrupted"
    # The stand-in for a CNI is none to the other rules.
    config.write_text(
        json.dumps({"all": "disabled", rule: {"enforcementLevel": "mandatory", "servingClusters": ["c"]}})
    )
    flags = ("--policy-pack-config", str(config))
    assert preview(flannel, *flags).returncode == 0, "a new cluster serves nobody yet"
    flannel.up()
    refused = preview(cilium, *flags)
    assert refused.returncode != 0 and rule in refused.stdout, f"an outage would pass:\n{refused.stdout}"
    assert preview(flannel, *flags, "--expect-no-changes").returncode == 0, "a cluster that is done would be blamed"


def test_without_its_packages_the_pack_says_how_to_get_them(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policy", tmp_path / "policy", ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    done = subprocess.run([tmp_path / "policy" / "run", "127.0.0.1:1"], check=False, text=True, capture_output=True)
    assert done.returncode == 1 and "uv sync --project policy" in done.stderr, "the user would see a Python traceback"
