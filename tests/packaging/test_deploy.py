"""What `deploy/` says, as far as it can be tried without a container engine or a cluster."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.tools import need
from vexobj_server.settings import load_settings
from vexobj_server.testing import free_port

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/vexobj"
DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()
VALUES: Mapping[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SERVER = tomllib.loads((ROOT / "packages/vexobj-server/pyproject.toml").read_text())["project"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = (line for line in joined.splitlines() if line and not line.startswith("#"))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


def healthcheck() -> list[str]:
    (check,) = [rest for name, rest in instructions() if name == "HEALTHCHECK"]
    command: list[str] = json.loads(check[check.index("CMD") + 3 :])
    return command


def test_the_image_runs_as_nobody_in_particular() -> None:
    build, final = stages()
    assert all(
        re.match(r"python:3\.1[1-9]-slim( AS \w+)?$", stage[0][1]) for stage in (build, final)
    )
    names = [name for name, _ in final]
    user = names.index("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", final[user][1])
    assert "RUN" not in names[user:]
    assert dict(final[user:])["VOLUME"] == "/data"
    assert json.loads(dict(final)["ENTRYPOINT"]) == ["vexobj"]
    for source in dict(build)["COPY"].split()[:-1]:
        assert (ROOT / source).exists()


@pytest.mark.timeout(600)
def test_the_image_is_built_and_healthy(tmp_path: Path) -> None:
    """Its own commands, in an environment instead of a container."""
    build, _ = stages()
    source, installed = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    for name, rest in build:
        if name == "COPY":
            copied, target = rest.split()
            copy = shutil.copytree if (ROOT / copied).is_dir() else shutil.copy
            copy(ROOT / copied, source / (copied if target == "./" else target))
        elif name == "RUN":
            script = rest.replace("/opt/vexobj", str(installed))
            script = re.sub(r"^python ", f"{sys.executable} ", script)
            subprocess.run(["/bin/sh", "-ec", script], cwd=source, check=True, capture_output=True)
    program = installed / "bin/vexobj"
    told = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert SERVER["version"] in told.stdout
    python, *arguments = healthcheck()
    port = free_port()
    arguments = [text.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for text in arguments]
    assert any(str(port) in text for text in arguments)
    settings = {"VEXOBJ_BIND": f"127.0.0.1:{port}", "VEXOBJ_DATA_DIR": str(tmp_path / "data")}
    server = subprocess.Popen([program, "serve"], env={**os.environ, **settings}, cwd=tmp_path)
    try:
        while subprocess.run([installed / "bin" / python, *arguments], check=False).returncode:
            assert server.poll() is None
            time.sleep(0.1)
        server.terminate()
        assert server.wait(60) == 0
    finally:
        server.kill()
        server.wait()


def shape(name: str) -> Any:
    """A template as YAML: without its directives, and with a word for every expression."""
    text = (CHART / "templates" / name).read_text()
    text = re.sub(r"^\s*\{\{-? *(?:if|with|range|end|else).*\}\}\s*$", "", text, flags=re.MULTILINE)
    return yaml.safe_load(re.sub(r"\{\{.*?\}\}", "rendered", text))


def check_pod(stateful_set: Any) -> None:
    """What the pod may do, what it keeps, and how it is looked after."""
    pod = stateful_set["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert stateful_set["spec"]["replicas"] == 1
    assert pod["enableServiceLinks"] is False  # else Kubernetes sets VEXOBJ_* of its own
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    (user,) = [rest for name, rest in instructions() if name == "USER"]
    context = pod["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    environment = {each["name"]: each["value"] for each in container["env"]}
    (claim,) = stateful_set["spec"]["volumeClaimTemplates"]
    assert mounts[claim["metadata"]["name"]] == environment["VEXOBJ_DATA_DIR"]
    assert environment["VEXOBJ_CONFIG"] == f"{mounts['config']}/config.toml"
    assert {volume["name"] for volume in pod["volumes"]} | {"data"} == mounts.keys()
    assert "/tmp" in mounts.values()
    shutdown = load_settings({}).settings.server.shutdown_timeout
    assert pod["terminationGracePeriodSeconds"] > shutdown.total_seconds()


def test_the_chart_s_pod() -> None:
    check_pod(shape("statefulset.yaml"))


def test_the_chart_s_values() -> None:
    """All that the templates use are there, and the configuration is one that the server takes."""
    for template in (CHART / "templates").iterdir():
        for path in re.findall(r"\.Values\.([\w.]+)", template.read_text()):
            value: Any = VALUES
            for name in path.split("."):
                assert name in value, (template.name, path)
                value = value[name]


def test_the_chart_s_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(VALUES["config"])
    loaded = load_settings({"VEXOBJ_CONFIG": str(config), "VEXOBJ_DATA_DIR": str(tmp_path)})
    assert not loaded.warnings
    (port,) = shape("statefulset.yaml")["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert str(loaded.settings.server.bind).endswith(f":{port['containerPort']}")


def test_the_chart_is_of_this_version() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == SERVER["version"]


@pytest.fixture
def render() -> Callable[..., Iterator[Any]]:
    def rendered(*arguments: str) -> Iterator[Any]:
        done = subprocess.run(
            [need("helm"), "template", "release", CHART, *arguments],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return iter(yaml.safe_load_all(done.stdout))

    return rendered


@pytest.mark.torture  # for want of a quick way to install helm in CI
def test_what_helm_renders(render: Callable[..., Iterator[Any]]) -> None:
    subprocess.run([need("helm"), "lint", "--strict", CHART], check=True)
    plain = {manifest["kind"]: manifest for manifest in render()}
    assert plain.keys() == {"ConfigMap", "Service", "StatefulSet"}
    check_pod(plain["StatefulSet"])
    assert plain["ConfigMap"]["data"]["config.toml"].strip() == VALUES["config"].strip()
    options = ("ingress.enabled=true", "existingSecret=root", "persistence.storageClassName=fast")
    full = {manifest["kind"]: manifest for manifest in render("--set", ",".join(options))}
    check_pod(full["StatefulSet"])
    (rule,) = full["Ingress"]["spec"]["rules"]
    assert rule["host"] == VALUES["ingress"]["hosts"][0]
    (container,) = full["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "root"}}]
    (claim,) = full["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
