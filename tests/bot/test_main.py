"""`python -m bot` as people start it: quick, in pipes, and with one sentence for whatever is wrong."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.__main__ import main

from .api_server import TOKEN, ApiServer

ROOT = Path(__file__).resolve().parents[2]
UNSET = (
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_API_URL",
    "WENDA_INDEX",
    "WENDA_SOURCES",
    "WENDA_ENCODER",
    "WENDA_STATE",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return kept | {"XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


def bot(
    environment: dict[str, str], cwd: Path, *arguments: str, typed: str | bytes = ""
) -> subprocess.CompletedProcess[str]:
    data = typed.encode() if isinstance(typed, str) else typed
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        env=environment,
        cwd=cwd,
        input=data,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "heihe.md").write_text(
        "---\ntitle: 黑河口岸\nauthor: 黑龙江日报\ndate: Mon, 19 Jul 2021 06:51:46 GMT\n---\n"
        "<p>　　口岸建设边境仓5个，俄罗斯海外仓12个。</p>\n<p>　　推出“边民创业担保贷款”，促进就业。</p>\n",
        encoding="utf-8",
    )
    return folder


def test_one_question(environment: dict[str, str], tmp_path: Path, articles: Path) -> None:
    done = bot(environment, tmp_path, "--source", str(articles), "--ask", "俄罗斯海外仓建了多少个？")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.split("\n")
    assert lines[0] == "1. 黑河口岸"
    assert lines[1] == "黑龙江日报 · 2021-07-19 · articles/heihe.md"
    assert "**口岸建设边境仓5个，俄罗斯海外仓12个。**" in done.stdout


def test_a_pipe_of_questions_and_new_articles_at_the_next_start(
    environment: dict[str, str], tmp_path: Path, articles: Path
) -> None:
    environment |= {"WENDA_SOURCES": str(articles), "WENDA_INDEX": str(tmp_path / "index")}
    first = bot(environment, tmp_path, typed="俄罗斯海外仓建了多少个？\n\n/start\n")
    assert first.returncode == 0
    assert "❯ 俄罗斯海外仓建了多少个？\n1. 黑河口岸\n" in first.stdout
    assert "这里有 1 篇文章，发表于 2021-07-19。" in first.stdout
    (articles / "canteen.md").write_text("口岸食堂的饺子二十元一份。\n", encoding="utf-8")
    second = bot(environment, tmp_path, typed="食堂的饺子多少钱？".encode() + b"\n\xff\xfe\n")
    assert second.returncode == 0
    assert "**口岸食堂的饺子二十元一份。**" in second.stdout


def test_the_demo_answers_and_loads_neither_torch_nor_telegram(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import sys; from bot.__main__ import main; main(['--demo', '--ask', '洛阳桥为什么要养牡蛎？'])\n"
        "print(sorted({'torch', 'telegram', 'sentence_transformers', 'jieba', 'scipy'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, check=True
    )
    printed = done.stdout.decode()
    assert printed.startswith("1. ")
    assert "牡蛎" in printed
    assert printed.rstrip().endswith("[]")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Runs the command in this process, in an empty folder with these settings alone; its exit status."""
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("bot.serving._START_ATTEMPTS", 1)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))

    def run(*arguments: str, **settings: str) -> int:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0)

    yield run
    root.setLevel(before[0])
    root.handlers = before[1]


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        (["--source", "nowhere"], {}, "error: there is no file or folder nowhere; check WENDA_SOURCES"),
        ([], {}, "error: there is no index at data/index and nothing to make one from; "),
        ([], {"WENDA_ADMINS": "me"}, "error: WENDA_ADMINS: must be Telegram user or chat numbers"),
        (["--demo", "--encoder", "no-such-folder/x/y"], {}, "error: "),
        (["--demo"], {"TELEGRAM_BOT_TOKEN": "nonsense"}, "error: TELEGRAM_BOT_TOKEN does not look like"),
        (["--demo"], {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": "http://127.0.0.1:9"},
         "error: the Bot API server at http://127.0.0.1:9 cannot be reached"),
        (["--demo", "--ask", "x"], {"WENDA_LINK_TEMPLATE": "https://x.org/{y}"}, "error: the link template"),
        (["--demo", "--ask", "x"], {"XDG_DATA_HOME": "/dev/null/x"}, "error: "),
        (["--nonsense"], {}, "Usage: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(
    here: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    settings: dict[str, str],
    sentence: str,
) -> None:
    assert here(*arguments, **settings) != 0
    printed = capsys.readouterr()
    assert printed.out == ""
    said = [line for line in printed.err.splitlines() if " INFO " not in line]
    assert said[0].startswith(sentence)
    assert sentence == "Usage: " or len(said) == 1
    assert TOKEN not in printed.err


def test_a_broken_index_is_one_sentence_and_the_articles_are_safe(
    here: Callable[..., int], capsys: pytest.CaptureFixture[str], articles: Path, tmp_path: Path
) -> None:
    main(["--index", "index", "--source", str(articles), "--ask", "海外仓"])
    for path in (tmp_path / "index").rglob("*"):
        if path.is_file():
            path.write_bytes(b"broken" * 1000)
    capsys.readouterr()
    assert here("--index", "index", "--ask", "海外仓") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert len(list(articles.iterdir())) == 1


def test_a_demo_index_that_no_longer_fits_is_made_anew(
    here: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["--demo", "--ask", "洛阳桥为什么要养牡蛎？"])
    first = capsys.readouterr().out
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            path.write_bytes(b"broken" * 1000)
    main(["--demo", "--ask", "洛阳桥为什么要养牡蛎？"])
    assert capsys.readouterr().out == first


async def run_bot(environment: dict[str, str], cwd: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env=environment,
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_wrong_token_is_one_sentence_without_the_token(
    environment: dict[str, str], tmp_path: Path, articles: Path, server: ApiServer
) -> None:
    wrong = "123456789:" + "B" * 35
    environment |= {
        "TELEGRAM_BOT_TOKEN": wrong,
        "TELEGRAM_API_URL": server.url,
        "WENDA_SOURCES": str(articles),
    }
    process = await run_bot(environment, tmp_path, "--verbose")
    printed, errors = await process.communicate()
    assert process.returncode == 1
    assert f"error: the Bot API server at {server.url} does not accept TELEGRAM_BOT_TOKEN" in errors.decode()
    assert wrong not in (printed + errors).decode()
    assert "Traceback" not in errors.decode()


async def test_it_serves_telegram_and_ends_when_told_to(
    environment: dict[str, str], tmp_path: Path, articles: Path, server: ApiServer
) -> None:
    environment |= {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": server.url,
        "WENDA_SOURCES": str(articles),
        "WENDA_INDEX": str(tmp_path / "index"),
    }
    process = await run_bot(environment, tmp_path)
    assert process.stderr is not None
    logged = ""
    while "articles: 1 added" not in logged or "is answering" not in logged:
        logged += (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
    answer = await server.answer_to("俄罗斯海外仓建了多少个？")
    assert answer.text.startswith("1. 黑河口岸")
    process.terminate()
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert TOKEN not in logged + errors.decode()


def test_the_check_says_nothing_where_all_is_well_except_the_token(
    here: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert here("--demo", "check") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "error: TELEGRAM_BOT_TOKEN is not set; get a token from @BotFather\n"


def test_the_check_says_all_that_is_wrong_at_once(
    here: Callable[..., int], capsys: pytest.CaptureFixture[str], articles: Path
) -> None:
    status = here(
        "check",
        WENDA_SOURCES=str(articles),
        WENDA_LANGUAGE="fr",
        WENDA_STATE="postgresql://wenda:hunter2@127.0.0.1:9/wenda",
        WENDA_WEBHOOK_CERTIFICATE="nowhere.pem",
        TELEGRAM_BOT_TOKEN=TOKEN,
        TELEGRAM_API_URL="http://127.0.0.1:9",
    )
    said = capsys.readouterr().err.splitlines()
    assert status == 1
    assert [line.split(" ")[0] for line in said] == ["error:"] * 4
    assert "WENDA_LANGUAGE" in said[0]
    assert "WENDA_STATE" in said[1]
    assert "nowhere.pem" in said[2]
    assert "cannot be reached" in said[3]
    assert "hunter2" not in "".join(said)
    assert TOKEN not in "".join(said)


async def test_the_check_asks_telegram_and_is_quiet(
    environment: dict[str, str], tmp_path: Path, articles: Path, server: ApiServer
) -> None:
    environment |= {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": server.url,
        "WENDA_SOURCES": str(articles),
        "WENDA_INDEX": str(tmp_path / "index"),
    }
    process = await run_bot(environment, tmp_path, "check")
    printed, errors = await process.communicate()
    assert (process.returncode, printed, errors) == (0, b"", b"")
    assert "getMe" in [method for method, _ in server.calls]
