import base64
import stat
import threading
from pathlib import Path

import pytest

from records.errors import BadInput
from records.keys import Key, Keys, keys, new_key, written


def test_keys_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "keys"
    first = keys(folder, {})
    assert first == keys(folder, {})
    assert len({first.pseudonym.secret, first.vault.secret, first.rejected.secret}) == 3
    assert first.pseudonym.id == "k1"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert sorted(f.name for f in files) == ["pseudonym.key", "rejected.key", "vault.key"]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_starting_at_once_ends_with_one_key(tmp_path: Path) -> None:
    gate = threading.Barrier(8)
    found: list[Keys] = []

    def start() -> None:
        gate.wait()
        found.append(keys(tmp_path / "keys", {}))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_the_environment_comes_first(tmp_path: Path) -> None:
    mine = new_key("k7")
    assert keys(tmp_path / "keys", {"BASIRA_PSEUDONYM_KEY": written(mine)}).pseudonym == mine
    assert not (tmp_path / "keys" / "pseudonym.key").exists()


def test_a_key_others_may_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys(folder, {})
    (folder / "vault.key").chmod(0o640)
    with pytest.raises(BadInput, match=r"chmod 600 .*vault\.key"):
        keys(folder, {})
    (folder / "vault.key").chmod(0o600)
    folder.chmod(0o755)
    with pytest.raises(BadInput, match="chmod 700"):
        keys(folder, {})


@pytest.mark.parametrize("text", ["k1", "k1:%%%", "k1:c2hvcnQ=", "K-1:" + base64.b64encode(bytes(range(32))).decode()])
def test_a_malformed_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="BASIRA_VAULT_KEY") as caught:
        keys(tmp_path, {"BASIRA_VAULT_KEY": text})
    assert caught.value.__cause__ is None
    if ":" in text:
        assert text.split(":")[1] not in str(caught.value)


def test_a_key_does_not_print_its_secret() -> None:
    key = Key("k1", b"s" * 32)
    assert "sss" not in repr(key)
    assert "sss" not in repr(Keys(key, key, key))
