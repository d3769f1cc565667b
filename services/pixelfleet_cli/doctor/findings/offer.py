"""Judges what a player has learned from its conversation with a server."""

from typing import Final

from pixelfleet_cli.doctor.findings import catalogue
from pixelfleet_cli.doctor.findings.codecs import COMMON, Video, played_by, video_of
from pixelfleet_cli.doctor.findings.conversation import Conversation
from pixelfleet_cli.doctor.findings.model import Finding, Result, not_done
from pixelfleet_cli.doctor.findings.websocket import ended

OFFER: Final = "offer"


def judge_conversation(conversation: Conversation, seconds: float, close_code: int, close_reason: str) -> Result:
    """Return the result of a join.

    `seconds` is the time that the server had. `close_code` is 0 if the server did not close the websocket.
    """
    if conversation.offer:
        return _judge_offer(video_of(conversation.offer))
    if conversation.unserved:
        cause = "The matchmaker has no streamer that serves this URL."
        return Result(OFFER, "waiting", (Finding(catalogue.NO_STREAMER, cause),))
    if conversation.position is not None:
        summary = f"waiting at position {conversation.position}"
        return Result(OFFER, summary, (Finding(catalogue.NONE_FREE, f"The player is {summary}."),))
    if conversation.refused is not None:
        cause = conversation.refused or "The server gives no reason."
        return Result(OFFER, "refused", (Finding(catalogue.JOIN_REFUSED, cause),))
    if conversation.player_offers:
        return not_done(OFFER, "a streamer of 4.27 waits for the player's offer")
    if close_code:
        cause = ended(close_code, close_reason)
        return Result(OFFER, "closed", (Finding(catalogue.JOIN_REFUSED, cause),))
    if conversation.listed == 0:
        cause = "The signalling server lists no streamer."
        return Result(OFFER, "no streamer", (Finding(catalogue.NO_STREAMER, cause),))
    return Result(OFFER, "none", (Finding(catalogue.NO_OFFER, _missing(conversation, seconds)),))


def _missing(conversation: Conversation, seconds: float) -> str:
    if conversation.subscribed:
        return f"No offer {seconds:g} s after the player had subscribed."
    if conversation.configuration is not None:
        return f"No list of streamers in {seconds:g} s."
    return f"{'No' if conversation.matched else 'Neither a streamer nor a'} configuration in {seconds:g} s."


def _judge_offer(video: Video | None) -> Result:
    if video is None or not video.sends or not video.codecs:
        cause = "The offer has no video." if video is None or not video.codecs else "Its video is switched off."
        return Result(OFFER, "no video", (Finding(catalogue.NO_VIDEO, cause),))
    findings = []
    if not COMMON & set(video.codecs):
        causes = [f"{codec} is played by {played_by(codec)}." for codec in video.codecs]
        findings.append(Finding(catalogue.CODEC_NARROW, " ".join(causes)))
    if not video.has_stream:
        findings.append(Finding(catalogue.VIDEO_WITHOUT_STREAM, "The video has no msid, or msid:-."))
    first = video.codecs[0]
    return Result(OFFER, f"{', '.join(video.codecs)}; {first} is played by {played_by(first)}", tuple(findings))
