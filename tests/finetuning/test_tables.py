"""Tables of results."""

import pytest
from finetuning.tables import Table

TABLE = Table(["model", "count"], [["a<b", "1,024"], ["c|d", "7"]], caption="Counts & more")


def test_html_has_headings_for_columns_and_rows_and_escapes_text():
    html = TABLE._repr_html_()
    assert '<th scope="col"' in html
    assert ">count</th>" in html
    assert '<th scope="row"' in html
    assert ">a&lt;b</th>" in html
    assert ">Counts &amp; more</caption>" in html
    assert html.count("<td") == 2


def test_markdown_is_a_pipe_table_with_bars_escaped():
    assert TABLE._repr_markdown_().splitlines()[2:] == [
        "| model | count |",
        "| --- | ---: |",
        "| a<b | 1,024 |",
        "| c\\|d | 7 |",
    ]


def test_text_aligns_the_columns():
    assert str(TABLE).splitlines() == ["Counts & more", "model  count", "a<b    1,024", "c|d        7"]


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="row 2 has 1 cells, the table has 2 columns"):
        Table(["a", "b"], [["1", "2"], ["3"]])
