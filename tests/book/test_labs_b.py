"""Numbers that the lab chapters on RLHF and its parts, and their cards, state in words."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from finetuning import rlhf

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def texts():
    """Every chapter by the name of its file, and every card by its id."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "chapters").glob("*.md")}
    cards = [
        card
        for path in (ROOT / "assets" / "decks").glob("*.yml")
        for card in yaml.safe_load(path.read_text(encoding="utf-8"))["cards"]
    ]
    return pages | {
        card["id"]: "\n".join(card.get(face, "") for face in ("front", "back", "why")) for card in cards
    }


def not_said(name, *sentences):
    """Those of the sentences that the chapter or card does not contain, citations and marks left out."""
    text = re.sub(r"\s*\{cite[^}]*\}`[^`]+`", "", texts()[name])
    text = re.sub(r"\{[a-z:-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    text = " ".join(text.replace("**", "").replace("$", "").split())
    return [sentence for sentence in sentences if sentence not in text]


def number(value, digits=2):
    """A number as the chapters print it."""
    return f"{value:.{digits}f}".replace("-", "−")


# --- The whole loop ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loop():
    """The runs of the chapter, by beta."""
    return {run.beta: run for run in rlhf.rlhf_experiment((0, 0.05, 0.2, 0.5, 1))}


def test_the_loop_without_a_penalty_ends_as_the_chapter_says(loop):
    run = loop[0]
    assert set(run.final_texts) == {" ".join(["thanks"] * 10)}
    proxy, gold, best = number(run.proxy[-1]), number(run.gold[-1]), number(run.gold.max())
    assert (
        not_said(
            "rlhf-loop",
            'At the end every text is "thanks", ten times.',
            f"The proxy is {proxy} and the gold reward {gold}.",
            f"For about {run.steps[run.gold.argmax()]} steps both rewards rise",
            f"texts of the SFT policy use {number(run.distinct[0], 1)} different words of ten.",
        )
        == []
    )
    assert not_said("rlhf-collapse", f"Proxy {proxy} and gold {gold}", f"had first risen to {best}") == []
    assert run.gold[run.steps.index(110)] == pytest.approx(run.gold[-1], abs=0.25)


def test_the_loop_with_a_penalty_ends_as_the_chapter_says(loop):
    free, held = loop[0], loop[0.2]
    assert (
        not_said(
            "rlhf-loop",
            f"the proxy stops at {number(held.proxy[-1])}.",
            f"The gold reward stays too, at {number(held.gold[-1])}.",
            f"would have kept a gold reward of {number(free.gold.max())}, "
            f"nearly the {number(held.gold[-1])} of the best penalty here.",
        )
        == []
    )
    assert held.gold[-1] == max(run.gold[-1] for run in loop.values())
    assert 4.5 < held.distinct[-1] < 5


def test_a_weak_penalty_is_hacked_as_the_chapter_says(loop):
    weak = loop[0.05]
    gold = number(weak.gold[-1])
    assert (
        not_said(
            "rlhf-loop",
            f"With \\beta = 0.05 the gold reward still ended at {gold}.",
            f"\\beta = 0.05 ends with a gold reward of {gold}.",
            f"The reward rose from 0 to {number(weak.proxy[-1], 1)}",
            f"Look at the KL ({weak.kl[-1]:.0f} nats here), at the variety of the texts "
            f"({number(weak.distinct[-1], 1)} words of ten)",
        )
        == []
    )


def test_the_run_with_the_highest_proxy_has_the_lowest_gold_reward(loop):
    assert max(loop, key=lambda beta: loop[beta].proxy[-1]) == 0
    assert min(loop, key=lambda beta: loop[beta].gold[-1]) == 0
    claim = "The run with the highest proxy has the lowest gold reward."
    assert not_said("rlhf-loop", claim) == []
    assert not_said("rlhf-proxy-proves", "the run with the highest proxy has the lowest gold reward.") == []


def test_two_texts_scored_by_hand():
    repeated = np.zeros((1, 10), dtype=int)
    varied = np.array([[0, 1, 2, 3, 4] * 2])
    weights = rlhf.sft_and_reward_model().reward_weights
    printed = [number(weight) for weight in weights[:5]]
    assert (
        not_said(
            "rlhf-loop",
            f"1 − 9 · {rlhf.REPETITION_COST} = {number(rlhf.true_reward(repeated)[0])} for the first.",
            f"3.6 − 1.25 = {number(rlhf.true_reward(varied)[0])}.",
            f"10 · {printed[0]} = {number(10 * weights[0], 1)} for the first.",
            f"2 · ({' + '.join(printed)}) = {number(2 * sum(map(float, printed)))}.",
        )
        == []
    )
    assert rlhf.WORD_VALUES[:5].sum() == pytest.approx(3.6)
    assert 10 * weights[0] > 2 * weights[:5].sum()


def test_more_comparisons_do_not_save_the_loop():
    ends = []
    for n_comparisons in (200, 2000, 20_000):
        setup = rlhf.sft_and_reward_model(n_comparisons=n_comparisons)
        run = rlhf.train(setup, 0)
        ends.append(number(run.gold[-1]))
        assert len(set(run.final_texts[0].split())) == 1
        word = "because" if n_comparisons == 200 else "thanks"
        assert run.final_texts[0].startswith(word)
        assert rlhf.WORDS[setup.reward_weights.argmax()] == word
    assert not_said("rlhf-loop", f"with gold rewards of {ends[0]}, {ends[1]} and {ends[2]}.") == []


def test_the_policy_is_a_table_of_110_numbers():
    assert rlhf.sft_and_reward_model().sft_log_policy.size == 110
    assert not_said("rlhf-loop", "the policy is a table of 110 numbers.") == []


def test_rlhf_took_this_share_of_the_compute_of_pretraining():
    assert not_said("rlhf-compute", f"Together that is {100 * (4.9 + 60) / 3640:.1f} % of pretraining") == []
