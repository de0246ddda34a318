"""Lets nbval run the chapters: `pytest chapters --nbval-lax` executes every cell, writing no files."""

from collections import defaultdict

import jupytext
from nbval.plugin import IPyNbCell, IPyNbFile, find_comment_markers, find_metadata_tags


def pytest_collect_file(file_path, parent):
    if parent.config.option.nbval_lax and file_path.suffix == ".md":
        return Chapter.from_parent(parent, path=file_path)
    return None


class Chapter(IPyNbFile):
    """A MyST chapter, converted to a notebook at collection."""

    def collect(self):
        self.nb = jupytext.read(self.path, fmt="md:myst")
        for number, cell in enumerate(cell for cell in self.nb.cells if cell.cell_type == "code"):
            options = defaultdict(bool, find_metadata_tags(cell.metadata))
            options.update(find_comment_markers(cell.source))
            options.setdefault("check", self.compare_outputs)
            yield QuietCell.from_parent(
                self, name=f"Cell {number}", cell_num=number, cell=cell, options=options
            )


class QuietCell(IPyNbCell):
    """A cell that must leave neither an error nor anything on stderr, not even where an exception is expected."""

    def runtest(self):
        super().runtest()
        for output in self.test_outputs:
            if output.output_type == "error":
                self.raise_cell_error("The output holds an error", "\n".join(output.traceback))
            if output.output_type == "stream" and output.name == "stderr":
                self.raise_cell_error("The output holds stderr", output.text)
