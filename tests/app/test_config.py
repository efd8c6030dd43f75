"""Settings: which value wins, what is said about wrong ones, and that secrets stay secret."""
import os
import re

import pytest

from program import environment

PASSWORDS = [
    ("postgresql://app:S3cret@db.example:5432/base?sslmode=require", "postgresql://app:***@db.example:5432/base?sslmode=require"),
    ("postgres://app:S3cret@h/base?password=S3cret&application_name=x", "postgres://app:***@h/base?password=***&application_name=x"),
    ("postgres://app:S3cret@with@at@h/base", "postgres://app:***@h/base"),
    ("postgres://app@h:5432/base", "postgres://app@h:5432/base"),
    ("host=h dbname=base user=app password=S3cret", "host=h dbname=base user=app password=***"),
    ("host=h password = 'S3cret \\' S3cret' dbname='b c'", "host=h password=*** dbname='b c'"),
    ("host=h sslpassword=S3cret PASSWORD=S3cret", "host=h sslpassword=*** PASSWORD=***"),
    ("host=h password='S3cret", "***"),
    ("host=h dbname=postgres://u:S3cret@h/b", "host=h dbname=***"),
]


def shown(program, *arguments, **variables):
    out = program.run("config", *arguments, env=environment(program.directory, **variables)).stdout
    return {m[1]: (m[2].strip(), m[3]) for m in re.finditer(r"^(\S+) +=(.*) \(([^()]*)\)$", out, re.M)}


def refused(program, *arguments, command="config", **variables):
    done = program.run(command, *arguments, ok=False, env=environment(program.directory, **variables))
    assert done.returncode == 2, (done.returncode, done.stderr)
    return done.stderr


def test_the_command_line_wins_over_the_environment_and_that_over_the_default(program, place):
    assert shown(program)["request-timeout"] == ("10", "default")
    assert shown(program, LODEBASE_REQUEST_TIMEOUT="20")["request-timeout"] == ("20", "LODEBASE_REQUEST_TIMEOUT")
    file = place / "value"
    file.write_text("30\nanother line\n")
    assert shown(program, LODEBASE_REQUEST_TIMEOUT_FILE=str(file))["request-timeout"] == ("30", "LODEBASE_REQUEST_TIMEOUT_FILE")
    assert shown(program, "--request-timeout", "40", LODEBASE_REQUEST_TIMEOUT="20")["request-timeout"] == ("40", "command line")
    assert shown(program, "--request-timeout=50")["request-timeout"] == ("50", "command line")
    assert shown(program, "--request-timeout=50", "--request-timeout", "60")["request-timeout"] == ("60", "command line")


def test_an_empty_variable_is_not_set(program):
    assert shown(program, LODEBASE_REQUEST_TIMEOUT="", LODEBASE_DATABASE="")["request-timeout"] == ("10", "default")


def test_defaults_follow_the_listener(program):
    assert shown(program)["anonymous-read"] == ("on", "default")
    assert shown(program, "--listen", "0.0.0.0:80")["anonymous-read"] == ("off", "default")
    assert shown(program, "--listen", "[::1]:80")["anonymous-read"] == ("on", "default")
    assert shown(program, "--listen", "[::]:80", "--anonymous-read", "on")["anonymous-read"] == ("on", "command line")


def test_the_data_directory_of_a_user(program, make):
    if os.geteuid() == 0:
        assert shown(program)["data-dir"] == ("/var/lib/lodebase", "default")
    else:
        assert shown(program)["data-dir"] == (f"{program.directory}/.local/share/lodebase", "default")
        assert shown(program, XDG_DATA_HOME="/x")["data-dir"] == ("/x/lodebase", "default")
    relative = program.run("config", "--data-dir", "some/where", cwd=program.directory).stdout
    assert f"{program.directory}/some/where" in relative


@pytest.mark.parametrize("given, masked", PASSWORDS)
def test_passwords_are_masked(program, given, masked):
    for values in (shown(program, "--database", given), shown(program, LODEBASE_DATABASE=given)):
        assert values["database"][0] == masked
    assert "S3cret" not in program.run("config", "--database", given, "--owner-database", given).stdout


def test_a_password_on_the_command_line_is_overwritten(program):
    program.start("--database", "host=/nonexistent dbname=b password=S3cret", "--owner-database=postgres://u:S3cret@/x?host=/no",
                  ready=False)
    program.wait_event("listening")
    line = open(f"/proc/{program.process.pid}/cmdline", "rb").read()
    assert b"S3cret" not in line and b"--database" in line and b"xxx" in line
    assert program.stop() == 0
    assert "S3cret" not in program.out_path.read_text() + program.err_path.read_text()


def test_all_errors_are_told_at_once(program, place):
    text = refused(program, "--listen", "nowhere", "--workers", "0", "--anonymous-read", "perhaps", "--colour", "red",
                   "--seed", "", "word", LODEBASE_SLOW_TIMEOUT="never", LODEBASE_CORS_ORIGINS="example.com/path",
                   LODEBASE_LOG_FORMAT="text", LODEBASE_LOG_FORMAT_FILE="/x", LODEBASE_SPOOL_DIR_FILE=str(place / "none"))
    for said in ("--listen", "--workers", "--anonymous-read", "--colour", "--seed", '"word"', "LODEBASE_SLOW_TIMEOUT",
                 "LODEBASE_CORS_ORIGINS", "LODEBASE_LOG_FORMAT", "LODEBASE_SPOOL_DIR_FILE"):
        assert said in text, (said, text)


def test_wrong_values_name_what_would_be_right(program):
    assert "127.0.0.1:8080" in refused(program, "--listen", "8080")
    assert "65535" in refused(program, "--listen", "127.0.0.1:65536")
    assert "1 to 64" in refused(program, "--workers", "-1")
    assert "postgresql://" in refused(program, "--database", "S3cret")
    assert "S3cret" not in refused(program, "--database", "S3cret")
    assert "--database" in refused(program, "--owner-database", "host=h")


def test_a_key_needs_a_name_and_a_scope(program):
    done = program.run("key", "create", "--scope", "all", ok=False)
    assert done.returncode == 2 and "--name" in done.stderr and "read, write, admin" in done.stderr


def test_options_belong_to_commands(program):
    assert "no option of `lodebase migrate`" in refused(program, "--listen", "127.0.0.1:1", command="migrate")


def test_a_variable_that_is_no_option_is_named(program):
    done = program.run("config", env=environment(program.directory, LODEBASE_DATABSE="S3cret"))
    assert "LODEBASE_DATABSE" in done.stdout and "S3cret" not in done.stdout


def test_every_command_has_help(program):
    usage = program.run("help").stdout
    commands = re.findall(r"^  lodebase (\w+(?: (?:create|list|revoke))?) ", usage, re.M)
    assert {"serve", "migrate", "import", "key create", "key list", "key revoke", "contract", "config", "version"} <= set(commands)
    for command in commands:
        for words in ([*command.split(), "--help"], ["help", *command.split()]):
            assert program.run(*words).stdout.startswith(f"Usage: lodebase {command}")
    assert program.run("--help").stdout == usage
    assert program.run("key", "--help").stdout == program.run("help", "key").stdout != ""
    assert re.fullmatch(r"lodebase \d+\.\d+\.\d+\n", program.run("--version").stdout)
    for wrong in (["frobnicate"], [], ["key"], ["key", "frobnicate"], ["version", "now"], ["help", "frobnicate"], ["import"]):
        assert program.run(*wrong, ok=False).returncode == 2, wrong


def test_the_documentation_has_the_option_table(program, binary):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    table = program.run("config").stdout
    page = os.path.join(os.path.dirname(binary), "lodebase.1")
    with open(page, encoding="utf-8") as f:
        man = f.read().replace("\\-", "-")
    with open(os.path.join(root, "docs", "configuration.md"), encoding="utf-8") as f:
        markdown = f.read()
    for option in re.findall(r"^(\S+) +=", table, re.M):
        assert f"--{option} " in man and f"`--{option} " in markdown, option
    maker = os.path.join(os.path.dirname(binary), "lodebase-man")
    program.binary = maker
    assert program.run("markdown").stdout in markdown, "docs/configuration.md: run lodebase-man markdown"
