"""A streamer with a test picture, in an application's place: real WebRTC, no GPU."""
