"""A stand-in of a Kubernetes API with kubectl in front of it, as far as applying manifests goes.

It has the three-way merge of `kubectl apply`, defaulted fields, selectors that cannot be changed, the refusal of
KEDA's webhook, and the pods of each workload. Replicas that become 1 were seen on Kubernetes 1.36, and test_kubectl.py
has the patches of a real kubectl.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from pixelfleet.service.errors import UsageError
from pixelfleet_cli.configure.installation import KINDS, LAST_APPLIED, title
from tests.manifests.pods import WORKLOADS
from tests.manifests.rendering import Object

SINGULAR: Final = {
    "ingresses": "ingress",
    "networkpolicies": "networkpolicy",
    "gateways": "gateway",
    "validatingadmissionpolicies": "validatingadmissionpolicy",
}
SCALERS: Final = ("HorizontalPodAutoscaler", "ScaledObject")


@dataclass
class Cluster:
    """Objects by their title, and the templates with which the pods of each workload were started."""

    objects: dict[str, Object] = field(default_factory=dict)
    pods: dict[str, list[Object]] = field(default_factory=dict)
    """The templates of the running pods of each workload; a rollout is under way while one differs."""
    kinds: Sequence[str] = (*KINDS, "pods")
    counts: list[tuple[str, int]] = field(default_factory=list)
    """Each change of the number of a Deployment's pods by an apply."""
    commands: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a kubectl command."""
        self.commands.append(arguments)
        options = dict(each[2:].partition("=")[::2] for each in arguments if each.startswith("--"))
        words = [each for each in arguments if not each.startswith("--")]
        match words:
            case ["api-resources"]:
                return "\n".join(self.kinds)
            case ["get", kinds]:
                return json.dumps({"items": self._found(kinds.split(","), options["selector"])})
            case ["apply"]:
                return self._apply([each for each in yaml.load_all(stdin, Loader=yaml.CSafeLoader) if each], options)
            case ["apply", "set-last-applied"]:
                return self._set_last_applied(json.loads(stdin))
            case ["scale", name]:
                name = name.replace("deployment/", "deployment.apps/")
                self.objects[name]["spec"]["replicas"] = int(options["replicas"])
                self._start(name)
                return f"{name} scaled\n"
            case ["delete", *names]:
                return "".join(self._delete(name) for name in names)
        raise AssertionError(f"the stand-in does not know kubectl {words}")

    def roll_out(self) -> list[str]:
        """End all rollouts; return the workloads whose pods were replaced."""
        replaced = []
        for name, running in self.pods.items():
            template = self.objects[name]["spec"]["template"]
            if any(each != template for each in running):
                replaced.append(name)
            self.pods[name] = [template] * len(running)
        return sorted(replaced)

    def restarting(self) -> list[str]:
        """Return the workloads with pods of an earlier template."""
        return sorted(
            name
            for name, running in self.pods.items()
            if any(each != self.objects[name]["spec"]["template"] for each in running)
        )

    def _found(self, kinds: Sequence[str], selector: str) -> list[Object]:
        if unknown := [kind for kind in kinds if kind not in self.kinds]:
            raise UsageError(f"the server doesn't have a resource type {unknown}")
        wanted = dict(pair.split("=") for pair in selector.split(","))
        if kinds == ["pods"]:
            templates = [each for running in self.pods.values() for each in running]
            return [each for each in templates if wanted.items() <= each["metadata"]["labels"].items()]
        prefixes = {singular(kind) for kind in kinds}
        return [
            each
            for name, each in self.objects.items()
            if name.partition("/")[0] in prefixes and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]

    def _apply(self, manifests: Sequence[Object], options: Mapping[str, str]) -> str:
        if unknown := [each for each in manifests if title(each).partition("/")[0] not in map(singular, self.kinds)]:
            raise UsageError(f'no matches for kind "{unknown[0]["kind"]}"')
        if "dry-run" in options:
            return "".join(f"{title(each)}\n" for each in manifests)
        return "".join(self._apply_one(each) for each in manifests)

    def _apply_one(self, manifest: Object) -> str:
        name = title(manifest)
        live = self.objects.get(name)
        text = json.dumps(manifest)
        if live is None:
            self._admit(manifest)
            merged = deepcopy(manifest)
        else:
            applied = json.loads(live["metadata"].get("annotations", {}).get(LAST_APPLIED, "{}"))
            merged = merge(live, applied, manifest)
            if live.get("spec", {}).get("selector") != merged.get("spec", {}).get("selector") and (
                manifest["kind"] in WORKLOADS
            ):
                raise UsageError(f"{name} is invalid: spec.selector: field is immutable")
        merged["metadata"].setdefault("annotations", {})[LAST_APPLIED] = text
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            merged["spec"].setdefault("replicas", 1)
        before = live["spec"].get("replicas") if live and "spec" in live else None
        self.objects[name] = merged
        if manifest["kind"] in WORKLOADS:
            after = merged["spec"].get("replicas")
            if before is not None and after != before:
                self.counts.append((name, after))
            self._start(name)
        return f"{name} {'configured' if live else 'created'}\n"

    def _admit(self, manifest: Object) -> None:
        """Refuse a ScaledObject whose target has another autoscaler, as KEDA's webhook does."""
        if manifest["kind"] != "ScaledObject":
            return
        target = manifest["spec"]["scaleTargetRef"]["name"]
        for each in self.objects.values():
            if each["kind"] in SCALERS and each["spec"]["scaleTargetRef"]["name"] == target:
                raise UsageError(f"the workload '{target}' is already managed by {title(each)}")

    def _set_last_applied(self, manifest: Object) -> str:
        name = title(manifest)
        self.objects[name]["metadata"]["annotations"][LAST_APPLIED] = json.dumps(manifest)
        return f"{name} configured\n"

    def _start(self, name: str) -> None:
        """Start and end pods up to the number; running pods keep the template of their start until `roll_out`."""
        spec = self.objects[name]["spec"]
        running = self.pods.setdefault(name, [])
        number = spec.get("replicas", 1)
        self.pods[name] = (running + [deepcopy(spec["template"])] * number)[:number]

    def _delete(self, name: str) -> str:
        if name not in self.objects:
            return ""
        del self.objects[name]
        self.pods.pop(name, None)
        return f"{name} deleted\n"


def merge(live: Any, applied: Any, wanted: Any) -> Any:
    """Return the live object with the wanted fields, without those that were applied before and are not wanted.

    Lists of objects with names are merged by name, as those of containers, variables and volumes are.
    """
    if isinstance(live, dict) and isinstance(wanted, dict):
        old = applied if isinstance(applied, dict) else {}
        kept = {key: value for key, value in live.items() if key in wanted or key not in old}
        return kept | {key: merge(live.get(key), old.get(key), value) for key, value in wanted.items()}
    if _named(live) and _named(wanted):
        by_name = {each["name"]: each for each in live}
        before = {each["name"]: each for each in applied} if _named(applied) else {}
        merged = [merge(by_name.get(each["name"]), before.get(each["name"]), each) for each in wanted]
        names = {each["name"] for each in wanted}
        return merged + [each for name, each in by_name.items() if name not in names and name not in before]
    return deepcopy(wanted)


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) and "name" in each for each in value)


def singular(kind: str) -> str:
    """Return the kind of a title, such as `deployment.apps`, for a name of `kubectl api-resources`."""
    plural, dot, group = kind.partition(".")
    return (
        SINGULAR.get(plural, plural.removesuffix("ies") + "y" if plural.endswith("ies") else plural.removesuffix("s"))
        + dot
        + group
    )
