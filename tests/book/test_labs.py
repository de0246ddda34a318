"""Each lab is whole: objectives, figures, limits, exercises, cards, sources, and its experiments."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
LABS = [page["file"] for part in PARTS if part["caption"] == "Labs" for page in part["chapters"]]
DECKS = sorted((ROOT / "assets" / "decks").glob("*.yml"))
# The experiments of the book, by the function that a chapter calls.
EXPERIMENTS = {
    "lora": ["lora.trainable_parameters", "low_rank.rank_experiment", "low_rank.initialisation_experiment"],
    "memory": ["memory.full_states", "memory.ppo_states", "quantisation.quantisation_experiment"],
    "forgetting": ["forgetting.fine_tune"],
    "sft": ["masking.masking_experiment"],
    "reward-models": ["preferences.reward_model_experiment", "preferences.ranking_experiment"],
    "over-optimisation": ["overoptimisation.overoptimisation_experiment"],
    "rlhf-loop": ["rlhf.sft_and_reward_model", "rlhf.train"],
    "ppo-clip": ["ppo.clip_experiment"],
    "kl-estimators": ["kl.estimator_experiment"],
    "alignment-tax": ["alignment_tax.tax_experiment"],
    "direct-alignment": ["direct.frontier", "direct.best_of_n_experiment", "direct.finite_data_experiment"],
    "instruction-tuning": ["instructions.generalisation_experiment"],
}


def source(page):
    return (ROOT / f"{page}.md").read_text(encoding="utf-8")


def cards(deck):
    return yaml.safe_load(deck.read_text(encoding="utf-8"))["cards"]


def under(page, heading):
    """The section of a built page with this heading."""
    title = next(title for title in page.select("h2") if title.get_text().startswith(heading))
    return title.find_parent("section")


@pytest.mark.parametrize("name", LABS)
def test_a_lab_has_its_objectives_figures_limits_exercises_and_further_reading(soup, name):
    page = soup(f"{name}.html").select_one("article")
    objectives = page.find("p", string=re.compile("^After this lab you will be able to"))
    assert len(objectives.find_next_sibling("ul").select("li")) >= 3
    figures = page.select("figure:has(img)")
    assert figures
    for figure in figures:
        assert figure["id"].startswith("fig-")
        assert figure.select_one("figcaption .caption-number")
        assert all(len(image["alt"]) > 40 for image in figure.select("img"))
    assert len(under(page, "What this does not show").select("p")) >= 2
    exercises = under(page, "Exercises")
    titles = [title.get_text() for title in exercises.select(".admonition-title")]
    asked = [title.split(":")[0] for title in titles if title.startswith("Exercise")]
    solved = [title for title in titles if title.startswith("Solution")]
    assert len(asked) >= 2
    assert solved == [title.replace("Exercise", "Solution") for title in asked]
    assert len(exercises.select(".admonition.dropdown")) == len(solved)
    assert under(page, "Further reading").select("li a[href*='references.html']")


@pytest.mark.parametrize("name", LABS)
def test_a_lab_shows_at_least_four_cards_and_cites_its_sources(soup, name):
    page = soup(f"{name}.html")
    assert len(page.select("details.flipcard")) >= 4
    assert len({link["href"] for link in page.select("article a[href*='references.html#id']")}) >= 2


def test_there_are_at_least_ninety_cards_beyond_the_first_six():
    beyond = [card["id"] for deck in DECKS if deck.stem != "rapid-recall" for card in cards(deck)]
    assert len(beyond) >= 90


def test_most_labs_ask_to_find_an_error():
    asking = [name for name in LABS if re.search(r"Exercise \d: find the errors?", source(name))]
    assert len(asking) >= 8, asking


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_lab_runs_its_experiments(name):
    text = source(f"chapters/{name}")
    assert [call for call in EXPERIMENTS[name] if f"{call}(" not in text] == []


def test_every_lab_has_an_experiment():
    assert {f"chapters/{name}" for name in EXPERIMENTS} == set(LABS)


def test_every_work_of_the_bibliography_is_used():
    text = (ROOT / "assets" / "references.bib").read_text(encoding="utf-8")
    works = re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "chapters").glob("*.md"))
    decks = "\n".join(path.read_text(encoding="utf-8") for path in DECKS)
    cited = set(re.findall(r"[\w:.-]+", " ".join(re.findall(r"\{cite[^}]*\}`([^`]+)`", pages + decks))))
    cited |= {key for deck in DECKS for card in cards(deck) for key in card.get("source", [])}
    assert works
    assert [key for key in works if key not in cited] == []


def test_the_cheat_sheet_marks_what_is_simplified_and_what_is_disputed(soup):
    text = soup("chapters/cheat-sheet.html").select_one("article").get_text()
    assert "simplified" in text
    assert "disputed" in text
