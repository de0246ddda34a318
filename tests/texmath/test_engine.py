"""The engine: JSON in and out, errors, limits, threads and forks."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from texmath import Engine, EngineError

SOURCE = """
var count = 0;
var tools = { size: 2, twice(x) { return this.size * x; } };
function echo(x) { return x; }
function next() { return ++count; }
function joined(a, b) { return a + b + a; }
function nothing() {}
function fail(message) { throw new TypeError(message); }
function throwText() { throw "just text"; }
function loop() { while (true) {} }
function deep(n) { return n + deep(n + 1); }
function hog() { const all = []; while (true) all.push(new Array(1000).fill(all.length)); }
const hidden = () => 1;
"""


@pytest.fixture
def engine():
    return Engine(SOURCE)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, "text", "è日𝔸\0\n", "\ud800", [1, [2]], {"a": {"b": None}}, "x" * 100_000, []],
)
def test_json_goes_in_and_out_unchanged(engine, value):
    assert engine.call("echo", value) == value


def test_functions_in_objects_are_called_on_their_object(engine):
    assert engine.call("tools.twice", 21) == 42


def test_a_concatenated_string_and_undefined_come_back(engine):
    assert engine.call("joined", "ab" * 5000, "-" * 5000) == "ab" * 5000 + "-" * 5000 + "ab" * 5000
    assert engine.call("nothing") is None


def test_the_program_keeps_its_state_between_calls(engine):
    assert [engine.call("next") for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("fail", ["no such card"], "^TypeError: no such card$"),
        ("throwText", [], "^just text$"),
        ("absent", [], "^TypeError: absent is not a function$"),
        ("tools.size", [], "tools.size is not a function"),
        ("absent.member", [], "cannot read property 'member' of undefined"),
        ("hidden", [], "hidden is not a function"),
    ],
)
def test_an_error_of_the_program_carries_its_message(engine, name, args, message):
    with pytest.raises(EngineError, match=message) as caught:
        engine.call(name, *args)
    assert caught.value.kind == "script"
    assert engine.call("next") == 1


def test_a_fault_in_the_source_is_told_at_the_first_call():
    engine = Engine("function (")
    with pytest.raises(EngineError, match="SyntaxError"):
        engine.call("echo", 1)


@pytest.mark.parametrize(
    ("name", "args", "kind"), [("loop", [], "time"), ("deep", [0], "depth"), ("hog", [], "memory")]
)
def test_a_limit_stops_the_program_and_the_next_call_starts_afresh(name, args, kind):
    engine = Engine(SOURCE, time_limit_seconds=5 if kind == "memory" else 0.2, memory_limit_bytes=16 * 2**20)
    assert engine.call("next") == 1
    with pytest.raises(EngineError) as caught:
        engine.call(name, *args)
    assert caught.value.kind == kind
    assert engine.call("next") == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_cannot_say_are_refused(engine, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        engine.call("echo", value)


def test_the_program_reaches_nothing_outside():
    engine = Engine("function names() { return Object.getOwnPropertyNames(globalThis); }")
    names = set(engine.call("names"))
    assert "JSON" in names
    assert names.isdisjoint(
        {"std", "os", "require", "process", "fetch", "print", "console", "setTimeout", "Worker"}
    )


def test_each_thread_has_a_copy_of_the_program(engine):
    def count_to_ten(_):
        return [engine.call("next") for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(count_to_ten, range(4)))
    assert engine.call("next") == 1
    assert all(result == list(range(result[0], result[0] + 10)) for result in results)


FORK = """
import multiprocessing, texmath
texmath.render("x")
def work(n):
    return len(texmath.render("x_{%d}" % n))
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, range(10, 20)) == [work(n) for n in range(10, 20)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_process_renders_without_a_warning():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK], check=True, capture_output=True, text=True
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in Linux's units")
def test_thousands_of_formulas_leave_no_memory_behind():
    program = """
import texmath
import resource
def run(start):
    for i in range(start, start + 1000):
        texmath.render(r"\\gdef\\a{%d}x^{\\a}" % i)
run(0); run(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
run(2000); run(3000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 8 * 1024  # kB
