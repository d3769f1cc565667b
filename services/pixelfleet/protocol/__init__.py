"""The protocols on the wire: message types, dialects, close codes. Nothing here opens a socket."""
