"""What a `.tflite` file must be before anything works on it: one graph, distinct names."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema


def tidy(model: schema.ModelT) -> list[str]:
    """Give every tensor a name of its own and drop what describes the file; the changes."""
    # Signatures and metadata name tensors by number, which later passes change.
    model.signatureDefs = []
    model.metadata = []
    return _distinct_names(model.subgraphs[0])


def _distinct_names(graph: schema.SubGraphT) -> list[str]:
    taken: set[bytes] = set()
    renamed = 0
    for index, tensor in enumerate(graph.tensors):
        name = tensor.name or b"tensor"
        name = name.encode() if isinstance(name, str) else bytes(name)
        unique = name
        while unique in taken:
            unique = name + f"_{index}".encode()
            name = unique
        renamed += unique != tensor.name
        taken.add(unique)
        tensor.name = unique
    return [f"named {renamed} tensors anew that shared a name"] if renamed else []
