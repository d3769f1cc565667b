"""Names of images with their tags and digests, and those of an installation. No I/O."""

from collections.abc import Iterator, Mapping
from typing import Final

from pixelfleet_cli.configure.values import prefix

MOVING: Final = "latest"
"""A tag that names no version: two nodes may run different images under it."""


def split(image: str) -> tuple[str, str, str]:
    """Return the name of an image, its tag and its digest; one of the last two may be empty."""
    name, _, digest = image.partition("@")
    if ":" not in name.rpartition("/")[2]:
        return name, "", digest
    name, _, tag = name.rpartition(":")
    return name, tag, digest


def joined(name: str, version: str) -> str:
    """Return an image with its version, which is `TAG`, `sha256:…` or `TAG@sha256:…`."""
    return f"{name}@{version}" if version.startswith("sha256:") else f"{name}:{version}"


def image_entry(placeholder: str, image: str) -> dict[str, str]:
    """Return the entry of kustomize's `images` for a placeholder in the manifests."""
    name, tag, digest = split(image)
    return {"name": placeholder, "newName": name, **({"digest": digest} if digest else {"newTag": tag})}


def images_of(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each value with an image or a tag, and the whole image."""
    yield "IMAGE_TAG", joined(f"{values['REPO']}/pixelfleet", values["IMAGE_TAG"])
    if not values["APPS"]:
        name = f"{values['UNREAL_REPO']}/{values['UNREAL_IMAGE_NAME']}"
        yield "UNREAL_IMAGE_TAG", joined(name, values["UNREAL_IMAGE_TAG"])
        return
    for app in values["APPS"].split(","):
        for key in (f"{prefix(app)}IMAGE", f"{prefix(app)}CANARY_IMAGE"):
            if values[key]:
                yield key, values[key]


def to_pin(values: Mapping[str, str]) -> dict[str, str]:
    """Return the images whose digest is needed, by the name of their value."""
    tags = {name: (image, *split(image)[1:]) for name, image in images_of(values)}
    every = values["IMAGE_DIGESTS"] == "true"
    return {name: image for name, (image, tag, digest) in tags.items() if not digest and (every or tag == MOVING)}
