import hashlib
import hmac

import pytest

from audit import commit, new_salt, opens


def test_a_commitment_is_hmac_sha256_under_its_salt():
    salt = bytes(range(16))
    expected = hmac.new(salt, b"11010519491231002X", hashlib.sha256).hexdigest()
    assert commit("11010519491231002X", salt=salt) == expected


def test_the_same_value_never_looks_the_same_twice():
    assert commit("王小满", salt=new_salt()) != commit("王小满", salt=new_salt())


def test_only_value_and_salt_together_open_it():
    salt = new_salt()
    commitment = commit("王小满", salt=salt)
    assert opens(commitment, "王小满", salt=salt)
    assert not opens(commitment, "王大满", salt=salt)
    assert not opens(commitment, "王小满", salt=new_salt())


def test_a_short_salt_is_refused():
    with pytest.raises(ValueError, match="at least 16 bytes"):
        commit("王小满", salt=b"short")
