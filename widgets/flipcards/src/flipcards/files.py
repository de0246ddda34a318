"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path


def refuse_taken(path: Path, *, force: bool) -> None:
    """Refuse a path that is to become a file and may not: only a file is replaced, and not without `force`.

    Raises:
        FileExistsError: the file is there and `force` is not set; or a link, pipe or device is there.
        IsADirectoryError: a folder is there.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise FileExistsError(f"{path} is a link, a pipe or a device, which is never replaced; name a file")
    if path.exists() and not force:
        raise FileExistsError(f"{path} is there already; pass force=True to replace it")


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, or replace it with its permissions kept; a failure leaves what was there.

    Raises:
        OSError: the file cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename = str(target)  # the only one that the caller knows
        raise


@contextlib.contextmanager
def written(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Write files and the folders they need; all is as it was when one fails, or the code within does.

    Raises:
        OSError: a file cannot be written.
    """
    made: list[Path] = []
    replaced: dict[Path, bytes] = {}
    try:
        for file, data in files.items():
            for folder in reversed([file.parent, *file.parent.parents]):
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            if not file.exists():
                made.append(file)
            else:
                replaced[file] = file.read_bytes()
            write_whole(file, data)
        yield
    except BaseException:
        for path, data in replaced.items():
            with contextlib.suppress(OSError):
                write_whole(path, data)
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write files and the folders they need; when one fails, all is as it was.

    Raises:
        OSError: a file cannot be written.
    """
    with written(files):
        pass
