"""The secrets of an installation: one Secret for each reader, so that a change restarts only its readers. No I/O."""

from collections.abc import Callable, Mapping
from typing import Final

GENERATED: Final = ("session-key", "rest-token", "drain-token", "turn-secret", "redis-password", "link-key")
"""Secrets that are generated once; later runs keep those of the overlay."""

USERS: Final = "router-users"
"""The Secret with the users. Its name has no hash: the routers read its mounted file again when it changes."""


def secrets_of(values: Mapping[str, str], existing: Mapping[str, str], make: Callable[[], str]) -> dict[str, str]:
    """Return all secrets by key; `existing` ones are kept, `make` generates the others."""
    secrets = {key: existing.get(key) or make() for key in GENERATED}
    for key, name in (("turn-secret", "TURN_SECRET"), ("link-key", "LINK_KEY")):
        secrets[key] = values[name] or secrets[key]
    secrets["redis-url"] = values["REDIS_URL"] or f"redis://:{secrets['redis-password']}@redis:6379/0"
    return secrets


def readers_of(values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the keys of each Secret, which has the name of its reader; `turn` is also that of turn-api."""
    links = ("link-key",) if values["PLAYER_AUTH"] == "link" else ()
    calls = ("rest-token",) if has_users(values) else ()
    readers = {
        "matchmaker": ("redis-url", "session-key", "rest-token", *links),
        "redis": () if values["REDIS_URL"] else ("redis-password",),
        "router": ("session-key", *calls, *links),
        "stream": ("redis-url", "session-key", "drain-token"),
        "turn": ("turn-secret",),
    }
    return {name: keys for name, keys in readers.items() if keys}


def has_users(values: Mapping[str, str]) -> bool:
    """Return whether an interface of the routers is open to users with passwords."""
    return "true" in (values["PROXY_ENABLE"], values["DASHBOARD_ENABLE"])


def secret_files(values: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the content of the files that kustomize makes Secrets of, by their path in the overlay."""
    files = {
        f"secrets/{name}.env": "".join(f"{key}={secrets[key]}\n" for key in keys)
        for name, keys in readers_of(values).items()
    }
    if has_users(values):
        files["secrets/users"] = "".join(f"{line}\n" for line in values["PROXY_AUTH_USERS"].split(","))
    return files


def secret_generators(values: Mapping[str, str]) -> list[dict[str, object]]:
    """Return kustomize's generators for these files."""
    made: list[dict[str, object]] = [{"name": name, "envs": [f"secrets/{name}.env"]} for name in readers_of(values)]
    if has_users(values):
        unhashed = {"disableNameSuffixHash": True}
        made.append({"name": USERS, "files": ["users=secrets/users"], "options": unhashed})
    return made
