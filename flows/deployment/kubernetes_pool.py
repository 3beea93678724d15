"""The base job template of a Kubernetes work pool: runs in pods like that of infra/kubernetes/worker.yaml, with GPUs.

The rest of it is prefect-kubernetes' own, so that its worker finds every variable that it knows.
"""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.project.files import write_text

TEMPLATE = Path("infra", "kubernetes-jobs", "work-pool.json")
_WORKER = Path("infra", "kubernetes", "worker.yaml")
_IMAGES = Path("infra", "kubernetes", "kustomization.yaml")
_SETTINGS = "likeness-jobs"
"""ConfigMap of jobs; kustomize gives those of the worker names that change with their content."""
_ENTRYPOINT = ["/usr/bin/env"]
"""In place of the image's, which is `likeness`: the worker gives the command as arguments."""
_DAY = 24 * 3600


def template(root: Path) -> dict[str, Any]:
    """Make the template for the project at `root`."""
    from prefect_kubernetes.worker import KubernetesWorker

    made: dict[str, Any] = deepcopy(KubernetesWorker.get_default_base_job_template())
    manifest = made["job_configuration"]["job_manifest"]
    pod = manifest["spec"]["template"]["spec"]
    for name in ("parallelism", "completions"):  # of a job: in a pod Kubernetes ignores them, or refuses them
        manifest["spec"][name] = pod.pop(name)
    worker = _read(root / _WORKER)["spec"]["template"]["spec"]
    for name in ("securityContext", "automountServiceAccountToken", "volumes"):
        pod[name] = worker[name]
    pod["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    (own,) = worker["containers"]
    (container,) = pod["containers"]
    secrets = [source for source in own["envFrom"] if "secretRef" in source]
    container |= {
        "command": _ENTRYPOINT,
        "workingDir": "{{ working_dir }}",
        "envFrom": [{"configMapRef": {"name": _SETTINGS}}, *secrets],
        "securityContext": own["securityContext"],
        "volumeMounts": own["volumeMounts"],
    }
    container["resources"]["limits"]["nvidia.com/gpu"] = "{{ gpus }}"
    pod["containers"] = [container]
    _set_variables(made["variables"]["properties"], root, own["resources"])
    return made


def _set_variables(variables: dict[str, Any], root: Path, resources: dict[str, Any]) -> None:
    (image,) = _read(root / _IMAGES)["images"]
    variables["gpus"] = {
        "title": "GPUs",
        "description": "GPUs of NVIDIA that a run gets (nvidia.com/gpu); 0: none, for an image without CUDA.",
        "type": "integer",
        "minimum": 0,
        "default": 1,
    }
    variables["working_dir"] = {
        "title": "Working Directory",
        "description": "Folder in which a run starts; `likeness deploy` gives it.",
        "type": "string",
    }
    defaults = {
        "image": f"{image['newName']}:{image['newTag']}",
        "namespace": _read(root / _IMAGES)["namespace"],
        "finished_job_ttl": _DAY,
        "cpu_request": resources["requests"]["cpu"],
        "memory_request": resources["requests"]["memory"],
        "memory_limit": resources["limits"]["memory"],
    }
    for name, value in defaults.items():
        variables[name]["default"] = value


def _read(file: Path) -> Any:  # noqa: ANN401 - YAML
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def main() -> None:
    """Write the file of the project in the working directory."""
    write_text(TEMPLATE, json.dumps(template(Path()), indent=2) + "\n")


if __name__ == "__main__":
    main()
