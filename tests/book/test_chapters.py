"""What runs the chapters finds their faults: an exception, and anything on stderr."""

import shutil
import subprocess
import sys

CHAPTER = """\
---
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A chapter

```{code-cell} ipython3
a = 1
```

```{code-cell} ipython3
:tags: [raises-exception]
a / 0
```

```{code-cell} ipython3
import warnings
warnings.warn("careful")
```

```{code-cell} ipython3
assert a == 1  # the kernel is still the same
```

```python
raise RuntimeError("only shown, not run")
```
"""


def test_a_chapter_fails_by_each_cell_that_leaves_an_error_or_stderr(root, tmp_path):
    shutil.copy(root / "chapters" / "conftest.py", tmp_path)
    (tmp_path / "chapter.md").write_text(CHAPTER, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "--color=no"]
    ini = ["--rootdir", tmp_path, "-c", "/dev/null", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *ini, tmp_path], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "2 failed, 2 passed" in done.stdout
    assert "Cell 1: The output holds an error" in done.stdout
    assert "Cell 2: The output holds stderr" in done.stdout
    assert list(tmp_path.glob("*.ipynb")) == []
