"""The steps of every run: video plays, and each kind of input arrives at the streamer."""

import itertools
from collections.abc import Sequence
from typing import Any, Final, Protocol

from tests.interop.browsers import Tab
from tests.interop.run import Run
from tests.parts import eventually
from teststreamer.inputs import Input

FRAMES: Final = 10
"""Frames that must be shown within two seconds of the page; more depend on the machine."""

SHOWN: Final = """(wanted) => new Promise((resolve) => {
  const video = [...document.querySelectorAll('video')].find((each) => each.videoWidth > 0 && !each.paused);
  if (!video) return resolve(0);
  let frames = 0;
  const count = () => (++frames < wanted ? video.requestVideoFrameCallback(count) : resolve(frames));
  video.requestVideoFrameCallback(count);
  setTimeout(() => resolve(frames), 2000);
})"""
"""Resolve with the number of frames that the page has shown within two seconds, at most the wanted one."""

STREAM: Final = "const stream = window.pixelStreaming ?? window.pixelfleet.stream;"
"""Epic's object on a bare page, or on ours."""

INTERACT: Final = f"""(text) => new Promise((resolve, reject) => {{
  {STREAM}
  const name = 'interop ' + text;
  const answered = (response) => {{
    if (!response.includes(text)) return;
    stream.removeResponseEventListener(name);
    resolve(response);
  }};
  stream.addResponseEventListener(name, answered);
  if (!stream.emitUIInteraction({{ text }})) reject(new Error('emitUIInteraction returned false'));
}})"""
"""Send a UIInteraction with this text; resolve with the streamer's response to it."""

LATENCY: Final = f"""() => new Promise((resolve, reject) => {{
  {STREAM}
  stream.addEventListener('latencyTestResult', (event) => resolve(event.data.latencyTimings));
  if (!stream.requestLatencyTest()) reject(new Error('requestLatencyTest returned false'));
}})"""
"""Run a latency test; resolve with the timings, once the streamer has answered."""

RECONNECT: Final = f"() => {{ {STREAM} stream.reconnect(); }}"
"""Make the page close its websocket and dial again."""

TEXTS: Final = map("turquoise {}".format, itertools.count(1))


class Streamer(Protocol):
    """A streamer that records the input of its players."""

    @property
    def inputs(self) -> Sequence[Input]:
        """The last inputs, oldest first."""


def _count(streamer: Streamer, kind: str) -> int:
    return sum(each.kind == kind for each in streamer.inputs)


async def plays(run: Run, tab: Tab, step: str = "video") -> None:
    """Wait until the page shows moving video."""

    async def enough() -> bool:
        shown: int = await tab.evaluate(SHOWN, FRAMES)
        return shown >= FRAMES

    with run.step(step):
        await eventually(enough, f"the page shows {FRAMES} frames in 2 s")


async def takes_input(run: Run, tab: Tab, streamer: Streamer) -> None:
    """Send each kind of input, and wait until it has arrived at the streamer."""
    with run.step("click"):
        clicks = _count(streamer, "MouseDown")

        async def clicked() -> bool:
            """Click until the streamer has received it: the data channel opens a moment after the first frame."""
            await tab.click()
            return _count(streamer, "MouseDown") > clicks

        await eventually(clicked, "the streamer received the click")
    with run.step("key"):
        keys = _count(streamer, "KeyDown")
        await tab.press("k")
        await eventually(lambda: _count(streamer, "KeyDown") > keys, "the streamer received the key")
        assert next(each.key for each in reversed(streamer.inputs) if each.kind == "KeyDown") == "K"
    with run.step("UIInteraction"):
        await _interact(tab, streamer, next(TEXTS))
    with run.step("UIInteraction with umlauts"):
        await _interact(tab, streamer, f"{next(TEXTS)} grün süß")
    with run.step("latency test"):
        timings: dict[str, Any] = await tab.evaluate(LATENCY)
        run.log(f"latency: {timings}")


async def _interact(tab: Tab, streamer: Streamer, text: str) -> None:
    """Send a UIInteraction; its text must arrive, and the response must come back."""
    assert text in await tab.evaluate(INTERACT, text)
    assert any(text in each.text for each in streamer.inputs if each.kind == "UIInteraction")
