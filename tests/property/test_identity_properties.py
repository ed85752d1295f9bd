"""The protocol number, as it is read over the telephone and typed in by hand."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robusto.identity import Identity, id_range, protocol_number

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
write_ids = st.builds(Identity(b"s" * 32).write_id, st.just(""), st.just("note"), st.text(min_size=1))


def characters(number: str) -> str:
    return number.removeprefix("AP-").replace("-", "")


def accepted(text: str) -> bool:
    try:
        id_range(text)
    except ValueError:
        return False
    return True


@given(write_ids)
def test_the_number_of_a_write_finds_it(write_id: UUID) -> None:
    low, high = id_range(protocol_number(write_id))
    assert low <= write_id <= high
    assert protocol_number(low) == protocol_number(high) == protocol_number(write_id)


@given(write_ids, st.text("0123456789", min_size=2, max_size=3))
def test_the_site_in_front_does_not_matter(write_id: UUID, site: str) -> None:
    assert id_range(protocol_number(write_id, site)) == id_range(protocol_number(write_id))


@given(write_ids)
def test_writes_beside_the_range_have_another_number(write_id: UUID) -> None:
    low, high = id_range(protocol_number(write_id))
    for outside in (low.int - 1, high.int + 1):
        if 0 <= outside < 1 << 128:
            assert not low.int <= outside <= high.int
    assert high.int - low.int < 1 << 70  # a number is not shared by half of all writes


@given(write_ids)
def test_it_is_read_whatever_case_spaces_and_lookalikes_are_typed(write_id: UUID) -> None:
    number = protocol_number(write_id)
    right = id_range(number)
    assert id_range(number.lower()) == right
    assert id_range(" " + number.replace("-", " ") + " ") == right
    assert id_range(characters(number)) == right
    assert id_range(number.replace("1", "I").replace("0", "O")) == right
    assert id_range(number.replace("1", "l").replace("0", "o")) == right


@settings(max_examples=60)
@given(write_ids)
def test_every_wrong_character_is_found(write_id: UUID) -> None:
    right = characters(protocol_number(write_id))
    for place in range(len(right)):
        for wrong in set(ALPHABET) - {right[place]}:
            assert not accepted(right[:place] + wrong + right[place + 1 :])


@settings(max_examples=200)
@given(write_ids)
def test_every_swap_of_neighbours_is_found(write_id: UUID) -> None:
    right = characters(protocol_number(write_id))
    for place in range(len(right) - 1):
        swapped = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
        assert swapped == right or not accepted(swapped)


@pytest.mark.parametrize("junk", ["", "AP", "AP-", "AP-7K3F-9Q2M-4TX", "AP-7K3F-9Q2M-4TX!", "ção", "\ud800"])
def test_what_is_no_number_is_said_to_be_none(junk: str) -> None:
    with pytest.raises(ValueError):
        id_range(junk)


@given(st.text())
def test_whatever_is_typed_is_a_number_or_a_value_error(text: str) -> None:
    accepted(text)


@given(st.lists(st.text(), min_size=3, max_size=3), st.lists(st.text(), min_size=3, max_size=3))
def test_different_scopes_have_different_ids(one: list[str], other: list[str]) -> None:
    identity = Identity(b"s" * 32)
    encodable = not any("\ud800" <= c <= "\udfff" for c in "".join(one + other))
    if encodable:
        assert (identity.write_id(*one) == identity.write_id(*other)) == (one == other)
