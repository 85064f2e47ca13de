"""The framed link: frames and text on one byte stream, sessions, and the client."""
