"""Merkle trees as in RFC 6962: leaves are hashed behind a 0x00 byte, inner nodes behind a 0x01."""

import hashlib
from collections.abc import Iterable, Sequence


def leaf(data: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two hashes side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of none, SHA-256 of nothing."""
    return _levels(leaves)[-1][0] if leaves else hashlib.sha256().digest()


def paths(leaves: Sequence[bytes], indexes: Iterable[int]) -> dict[int, list[bytes]]:
    """For each of these leaves, the siblings from it up to the root. Raises IndexError."""
    levels = _levels(leaves)[:-1]
    found = {}
    for index in indexes:
        if not 0 <= index < len(leaves):
            raise IndexError(f"leaf {index} of {len(leaves)}")
        found[index] = [
            level[beside] for n, level in enumerate(levels) if (beside := (index >> n) ^ 1) < len(level)
        ]
    return found


def root_of_path(leaf_hash: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to, or None where its length does not fit the tree's size."""
    if not 0 <= index < size:
        return None
    reached, last, rest = leaf_hash, size - 1, list(siblings)
    while last:
        if index % 2 or index < last:
            if not rest:
                return None
            beside = rest.pop(0)
            reached = node(beside, reached) if index % 2 else node(reached, beside)
        index, last = index // 2, last // 2
    return None if rest else reached


def _levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """All levels from the leaves up. A node without a neighbour rises as it is."""
    levels = [leaves]
    while len(level := levels[-1]) > 1:
        levels.append(
            [node(*level[n : n + 2]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)]
        )
    return levels
