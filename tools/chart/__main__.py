"""Writes the templates of k8s/chart that are made of the manifests: `python -m tools.chart`."""

from tools.chart.files import CHART, templates

if __name__ == "__main__":
    for name, text in templates().items():
        (CHART / "templates" / name).write_text(text, encoding="utf-8")
