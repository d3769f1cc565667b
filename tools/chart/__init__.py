"""Generates the templates of the Helm chart from the kustomize manifests, so that both have one source.

`choices` lists the options of the chart. `renderings` renders the overlay of `pixelfleet configure` once for each, and
`differences` compares it with the one without that option. `expressions` and `insertions` have the places of values,
and `text` writes objects with conditions. A new component or value needs a choice, an expression if it is a value,
and entries in values.yaml and values.schema.json; then `make manifests ARGS=--write`.
"""
