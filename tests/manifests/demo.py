"""Writes k8s/demo.yaml: `python -m tests.manifests.demo`."""

from typing import Final

from pixelfleet_cli.configure.kubectl import render
from tests.manifests.rendering import K8S

HEAD: Final = """\
# The whole system with a test picture in place of an application: no GPU, no Unreal. Made from k8s/overlays/demo by
# `make manifests ARGS=--write`; docs/how-to/kubernetes.md describes how to use it. Its secrets are public.
#
#   kubectl create ns demo && kubectl apply -n demo -f k8s/demo.yaml
"""

if __name__ == "__main__":
    text = render(K8S / "overlays" / "demo")
    (K8S / "demo.yaml").write_text(HEAD + text, encoding="utf-8")
