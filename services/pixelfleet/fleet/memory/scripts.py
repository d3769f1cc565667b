"""Runs the scripts of `redis/lua` in this process, with Lua 5.1 as in Redis, on commands in memory."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from lupa import lua51

from pixelfleet.fleet.memory.commands import COMMANDS, run_command
from pixelfleet.fleet.memory.keyspace import Keyspace, UnsupportedCommandError
from pixelfleet.fleet.redis.scripts import SCRIPTS, library_name, library_text

LIBRARY: Final = library_text().partition("\n")[2].encode()
"""Without its first line, which is for the server. It is read at import, so that no event loop waits for the files."""

ENVIRONMENT: Final = b"""
local commands, run_unknown, decode, encode, functions = ...
redis = {
  call = function(name, ...)
    local command = commands[name]
    if command then return command(...) end
    return run_unknown(name, ...)
  end,
  register_function = function(all) functions[all.function_name] = all.callback end,
}
cjson = { decode = decode, encode = encode }
-- Redis has none of these.
debug, dofile, io, load, loadfile, module, os, package, python, require = nil
"""


_LuaRuntime: Any = lua51.LuaRuntime
"""Untyped, because lupa's stub lacks these options and bytes."""

_texts = msgspec.json.Decoder(list[str]).decode


class Scripts:
    """The scripts in their own Lua runtime. `publish` is called with the channel of each announcement."""

    def __init__(self, keys: Keyspace, publish: Callable[[bytes], None]) -> None:
        # Text stays bytes, as in Redis.
        lua = _LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._table = lua.table_from
        self._keys = keys
        commands = {name.encode(): self._command(name) for name in COMMANDS}
        commands[b"PUBLISH"] = self._announcement(publish)
        functions = lua.table()
        environment = lua.compile(ENVIRONMENT)
        environment(self._table(commands), self._run_unknown, self._decode, _encode, functions)
        lua.execute(LIBRARY)
        self._functions = {name: functions[f"{library_name()}_{name}".encode()] for name in SCRIPTS}

    def run(self, name: str, key: bytes, arguments: Sequence[bytes]) -> Any:
        """Run a script with its one key; return its reply as Redis does: int, bytes, None or a list of these."""
        self._keys.expire()
        return _plain(self._functions[name](self._table([key]), self._table(arguments)))

    # -- called from Lua ----------------------------------------------------------------------------

    def _command(self, name: str) -> Callable[..., Any]:
        def command(*words: bytes | float | None) -> Any:
            return self._reply(run_command(self._keys, name, [_word(word) for word in words]))

        return command

    def _announcement(self, publish: Callable[[bytes], None]) -> Callable[..., Any]:
        def command(channel: bytes, message: bytes) -> int:
            if message:
                raise UnsupportedCommandError("PUBLISH with a message")
            publish(channel)
            return 0

        return command

    def _run_unknown(self, name: bytes, *words: bytes) -> None:
        run_command(self._keys, name.decode(), words)  # raises

    def _decode(self, text: bytes) -> Any:
        try:
            return self._table([each.encode() for each in _texts(text)])
        except msgspec.DecodeError as error:
            raise UnsupportedCommandError(f"JSON other than a list of strings: {text!r}") from error

    def _reply(self, reply: Any) -> Any:
        """Convert a reply for a script: nil becomes false."""
        if isinstance(reply, list):
            return self._table([self._reply(each) for each in reply])
        return False if reply is None else reply


def _encode(text: bytes) -> bytes:
    return msgspec.json.encode(text.decode())


def _word(word: bytes | float | None) -> bytes:
    """Convert an argument of a command from Lua; a number as Redis formats it."""
    if isinstance(word, bytes):
        return word
    if not isinstance(word, int | float) or isinstance(word, bool) or word != int(word):
        raise UnsupportedCommandError(f"the argument {word!r} of a command")
    return b"%d" % int(word)


def _plain(reply: Any) -> Any:
    """Convert the value that a script returned into a reply, as Redis does."""
    if reply is None or reply is False:
        return None
    if isinstance(reply, bytes | int | float):
        return reply if isinstance(reply, bytes) else int(reply)
    return [_plain(reply[index]) for index in range(1, len(reply) + 1)]
