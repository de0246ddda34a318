"""Engine: a JavaScript program that Python calls, with limits on time, memory and depth."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable
from typing import Any, Literal

TIME_LIMIT_SECONDS = 5.0
MEMORY_LIMIT_BYTES = 64 * 2**20
STACK_LIMIT_BYTES = 2**20

Kind = Literal["script", "time", "memory", "depth"]

# Runs inside the engine. One JSON text comes out, whatever happens. The join makes one flat string of it:
# quickjs-ng cannot hand a string made by concatenation to Python ("Unknown quickjs tag: -6").
_BRIDGE = """
(function (name, args) {
  let outcome;
  try {
    const path = name.split(".");
    const last = path.pop();
    const owner = path.reduce((object, key) => object[key], globalThis);
    if (typeof owner[last] !== "function") throw new TypeError(name + " is not a function");
    outcome = JSON.stringify({ value: owner[last](...JSON.parse(args)) });
  } catch (error) {
    const [name, message] = error instanceof Error ? [error.name, error.message] : ["", error];
    outcome = JSON.stringify({ error: name, message: String(message) });
  }
  return [outcome].join("");
})
"""


class EngineError(RuntimeError):
    """JavaScript failed, or was stopped by a limit.

    Attributes:
        message: the JavaScript error's message.
        kind: ``script`` for an error the program threw or a fault in its source; ``time``, ``memory`` or
            ``depth`` for the limit that stopped it.
    """

    def __init__(self, message: str, kind: Kind = "script") -> None:
        super().__init__(message, kind)
        self.message = message
        self.kind = kind

    def __str__(self) -> str:
        return self.message


class Engine:
    """A JavaScript source, evaluated once a thread, whose global functions Python calls.

    The engine is QuickJS-ng. Making an `Engine` is free: the source is evaluated at a thread's first call.
    Each thread has a copy of its own, so an engine may be shared by threads and survives a fork, and what
    the program keeps in its globals is the thread's. After a limit stopped a call the copy is thrown away:
    the next call starts from the source again.

    The program has no console, timer, file or network. Promises are not awaited.

    Args:
        source: a script (not a module). What is to be called must be reachable from `globalThis`:
            `function` and `var` at the top level are, `const`, `let` and `class` are not.
        time_limit_seconds: for each call, in CPU time of the whole process.
        memory_limit_bytes: for the program and all it makes.
        stack_limit_bytes: depth of calls. Must be well below the stack of the calling thread.
    """

    def __init__(
        self,
        source: str,
        *,
        time_limit_seconds: float = TIME_LIMIT_SECONDS,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
        stack_limit_bytes: int = STACK_LIMIT_BYTES,
    ) -> None:
        self._source = source
        self._time_limit_seconds = time_limit_seconds
        self._memory_limit_bytes = memory_limit_bytes
        self._stack_limit_bytes = stack_limit_bytes
        self._thread = threading.local()

    def call(self, name: str, *args: Any) -> Any:
        """Call the global function `name` (``scheduler.next`` reaches into an object) and return its result.

        Arguments and result travel as JSON: a result of `undefined` is None.

        Raises:
            EngineError: the function threw, is missing, or hit a limit.
            TypeError: an argument is not JSON.
            ValueError: an argument is NaN or infinite, which JSON cannot say.
        """
        text = json.dumps(args, allow_nan=False)
        native = _native()
        try:
            outcome = json.loads(self._bridge()(name, text))
        except native.JSException as error:
            self._thread.__dict__.clear()
            raise _limit_error(str(error)) from None
        if "message" not in outcome:
            return outcome.get("value")
        fault = _script_error(outcome["error"], outcome["message"])
        if fault.kind != "script":
            self._thread.__dict__.clear()
        raise fault

    def _bridge(self) -> Callable[[str, str], str]:
        """This thread's copy of the program, as a function of name and arguments."""
        bridge: Callable[[str, str], str] | None = getattr(self._thread, "bridge", None)
        if bridge is None:
            context = _native().Context()
            context.set_time_limit(self._time_limit_seconds)
            context.set_memory_limit(self._memory_limit_bytes)
            context.set_max_stack_size(self._stack_limit_bytes)
            context.eval(self._source)
            bridge = context.eval(_BRIDGE)
            assert bridge is not None
            self._thread.bridge = bridge  # keeps its context alive
        return bridge


def _native() -> Any:
    # quickjs-ng's public module `quickjs` starts a thread when imported, for a helper not used here;
    # a process with a second thread must not fork, and Sphinx forks to write pages in parallel.
    return importlib.import_module("_quickjs")


def _script_error(name: str, message: str) -> EngineError:
    """The error for what JavaScript threw, told apart from limits the program itself could catch."""
    if name == "RangeError" and message == "Maximum call stack size exceeded":
        return EngineError(message, "depth")
    if (name == "" and message == "null") or message == "out of memory":
        return EngineError("out of memory", "memory")
    return EngineError(f"{name}: {message}" if name else message)


def _limit_error(text: str) -> EngineError:
    """The error for what no JavaScript can catch, from quickjs-ng's text: message, then the stack's lines."""
    first = text.partition("\n")[0]
    name, _, message = first.partition(": ")
    if first == "InternalError: interrupted":
        return EngineError("interrupted: the time limit is over", "time")
    return _script_error("" if first == "null" else name, message)
