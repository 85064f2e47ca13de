"""The version, told by `--version`, manifests and the handshake."""

VERSION = "0.1.0"
