"""RFC 6962: known roots and the paths of its own seven-leaf example."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle, offline_verifier

# The inputs and roots of the test vectors of Certificate Transparency's reference implementation.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf(data) for data in INPUTS[:count]]


@pytest.mark.parametrize("count", ROOTS)
def test_known_roots(count: int):
    assert merkle.root(leaves(count)).hex() == ROOTS[count]
    assert offline_verifier.merkle_root(leaves(count)).hex() == ROOTS[count]


def test_the_paths_of_the_example_with_seven_leaves():
    a, b, c, d, e, f, g = hashes = [merkle.leaf(bytes([n])) for n in range(7)]
    left, right = merkle.node(a, b), merkle.node(c, d)
    k, l_ = merkle.node(left, right), merkle.node(merkle.node(e, f), g)
    assert merkle.paths(hashes, [0, 3, 4, 6]) == {  # RFC 6962 §2.1.3
        0: [b, right, l_],
        3: [c, left, l_],
        4: [f, g, k],
        6: [merkle.node(e, f), k],
    }


@given(st.data())
def test_every_leaf_is_proved_and_only_in_its_own_place(data: st.DataObject):
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    hashes = [merkle.leaf(n.to_bytes(2, "big")) for n in range(size)]
    path = merkle.paths(hashes, [index])[index]
    root = merkle.root(hashes)

    assert merkle.root_of_path(hashes[index], index, size, path) == root
    assert offline_verifier.climb(hashes[index], index, size, [step.hex() for step in path]) == root
    assert merkle.root_of_path(hashes[index], index, size, [*path, root]) is None
    assert merkle.root_of_path(hashes[index], size, size, path) is None
    if size > 1:
        other = (index + 1) % size
        assert merkle.root_of_path(hashes[index], other, size, path) != root
        assert merkle.root_of_path(hashes[index], index, size, path[:-1]) is None


def test_a_leaf_is_never_taken_for_a_node():
    pair = merkle.leaf(b"a") + merkle.leaf(b"b")
    assert merkle.leaf(pair) != merkle.root([merkle.leaf(b"a"), merkle.leaf(b"b")])
    assert merkle.root([]) == hashlib.sha256(b"").digest()


def test_there_is_no_path_for_a_leaf_outside_the_tree():
    with pytest.raises(IndexError):
        merkle.paths(leaves(3), [3])
