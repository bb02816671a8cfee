"""Deciding what a folder needs, from data alone."""

import pytest

from retrieval.errors import RemovalGuardError
from retrieval.planning import PARSED_BY, Plan, decide, doubtful, guard
from retrieval.sources import FoundFile, Scan
from retrieval.storage.reading import FileState

SECOND = 1_000_000_000
LONG_AGO = 1_000 * SECOND


def found(name: str, *, size: int = 10, mtime: int = LONG_AGO) -> FoundFile:
    return FoundFile(path=f"/f/{name}", relative=name, size=size, mtime_ns=mtime, checked_ns=9_000 * SECOND)


def known(
    name: str, digest: bytes = b"1", *, checked: int = 2_000 * SECOND, parser: int = PARSED_BY
) -> FileState:
    return FileState(
        path=f"/f/{name}", size=10, mtime_ns=LONG_AGO, checked_ns=checked, digest=digest, parser=parser
    )


def plan(
    files: list[FoundFile],
    before: list[FileState],
    digests: dict[str, bytes] | None = None,
    **more: list[str],
) -> Plan:
    """The plan for files found and known; `digests` by name, which must be those of the doubtful files."""
    scan = Scan(location="/f", kind="folder", prefix="/f/", files=files, **more)  # type: ignore[arg-type]
    states = {state.path: state for state in before}
    contents = {f"/f/{name}": digest for name, digest in (digests or {}).items()}
    assert {file.path for file in doubtful(scan, states)} == set(contents)
    return decide(scan, states, contents)


def names(files: list[FoundFile]) -> list[str]:
    return [file.relative for file in files]


def test_new_files_are_added_without_a_look_into_them() -> None:
    result = plan([found("a"), found("b")], [known("b")])
    assert names(result.added) == ["a"]
    assert result.unchanged == 1
    assert result.work == 1


def test_same_size_and_time_is_unchanged() -> None:
    result = plan([found("a")], [known("a")])
    assert result == Plan(unchanged=1)


def test_a_touched_file_with_the_same_contents_is_unchanged() -> None:
    result = plan([found("a", mtime=LONG_AGO + 1)], [known("a", b"1")], {"a": b"1"})
    assert (result.unchanged, result.changed) == (1, [])
    (state,) = result.touched
    assert (state.mtime_ns, state.digest) == (LONG_AGO + 1, b"1")


@pytest.mark.parametrize("file", [found("a", size=11), found("a", mtime=LONG_AGO - 5)])
def test_other_contents_are_a_change(file: FoundFile) -> None:
    result = plan([file], [known("a", b"1")], {"a": b"2"})
    assert names(result.changed) == ["a"]
    assert result.unchanged == 0


def test_a_file_changed_within_its_time_stamp_is_noticed() -> None:
    before = known("a", b"1", checked=LONG_AGO + SECOND)
    assert names(plan([found("a")], [before], {"a": b"2"}).changed) == ["a"]
    assert plan([found("a")], [before], {"a": b"1"}).unchanged == 1


def test_another_parser_reads_the_file_again() -> None:
    result = plan([found("a")], [known("a", b"1", parser=PARSED_BY - 1)], {"a": b"1"})
    assert names(result.changed) == ["a"]


def test_a_renamed_file_is_moved() -> None:
    result = plan([found("b"), found("c")], [known("a", b"1")], {"b": b"1", "c": b"2"})
    ((old, new),) = result.moved
    assert (old, new.path, new.digest) == ("/f/a", "/f/b", b"1")
    assert names(result.added) == ["c"]
    assert result.removed == []


def test_copies_of_a_missing_file_take_one_place_each() -> None:
    result = plan(
        [found("x"), found("y"), found("z")], [known("a"), known("b")], {"x": b"1", "y": b"1", "z": b"1"}
    )
    assert [(old, new.path) for old, new in result.moved] == [("/f/a", "/f/x"), ("/f/b", "/f/y")]
    assert names(result.added) == ["z"]


def test_what_is_gone_is_removed() -> None:
    assert plan([found("b")], [known("a"), known("b")]).removed == ["/f/a"]


def test_what_could_not_be_looked_into_is_not_gone() -> None:
    result = plan([], [known("a"), known("d/b"), known("d/c")], closed=["/f/d/"])
    assert result.removed == ["/f/a"]


@pytest.mark.parametrize(
    ("removed", "total", "refused"), [(1, 3, False), (2, 3, True), (1, 2, True), (0, 0, False)]
)
def test_the_guard_lets_a_third_go(removed: int, total: int, refused: bool) -> None:
    wanted = Plan(removed=[str(number) for number in range(removed)])
    if not refused:
        guard(wanted, total, location="/f")
        return
    with pytest.raises(RemovalGuardError, match=f"{removed} of the {total} known files of /f are gone"):
        guard(wanted, total, location="/f")
