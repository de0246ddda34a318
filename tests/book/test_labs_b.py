"""Numbers that the lab chapters on RLHF and its parts, and their cards, state in words."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from finetuning import direct, overoptimisation, preferences, rlhf

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


def assert_says(name, *sentences):
    """Assert that the chapter or card contains each of the sentences, citations and marks left out."""
    text = re.sub(r"\s*\{cite[^}]*\}`[^`]+`", "", texts()[name])
    text = re.sub(r"\{[a-z:-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    text = " ".join(text.replace("**", "").replace("$", "").split())
    assert [sentence for sentence in sentences if sentence not in text] == []


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
    assert_says(
        "rlhf-loop",
        'At the end every text is "thanks", ten times.',
        f"The proxy is {proxy} and the gold reward {gold}.",
        f"For about {run.steps[run.gold.argmax()]} steps both rewards rise",
        f"texts of the SFT policy use {number(run.distinct[0], 1)} different words of ten.",
    )
    assert_says("rlhf-collapse", f"Proxy {proxy} and gold {gold}", f"had first risen to {best}")
    assert run.gold[run.steps.index(110)] == pytest.approx(run.gold[-1], abs=0.25)


def test_the_loop_with_a_penalty_ends_as_the_chapter_says(loop):
    free, held = loop[0], loop[0.2]
    assert_says(
        "rlhf-loop",
        f"the proxy stops at {number(held.proxy[-1])}.",
        f"The gold reward stays too, at {number(held.gold[-1])}.",
        f"would have kept a gold reward of {number(free.gold.max())}, "
        f"nearly the {number(held.gold[-1])} of the best penalty here.",
    )
    assert held.gold[-1] == max(run.gold[-1] for run in loop.values())
    assert 4.5 < held.distinct[-1] < 5


def test_a_weak_penalty_is_hacked_as_the_chapter_says(loop):
    weak = loop[0.05]
    gold = number(weak.gold[-1])
    assert_says(
        "rlhf-loop",
        f"With \\beta = 0.05 the gold reward still ended at {gold}.",
        f"\\beta = 0.05 ends with a gold reward of {gold}.",
        f"The reward rose from 0 to {number(weak.proxy[-1], 1)}",
        f"Look at the KL ({weak.kl[-1]:.0f} nats here), at the variety of the texts "
        f"({number(weak.distinct[-1], 1)} words of ten)",
    )


def test_the_run_with_the_highest_proxy_has_the_lowest_gold_reward(loop):
    assert max(loop, key=lambda beta: loop[beta].proxy[-1]) == 0
    assert min(loop, key=lambda beta: loop[beta].gold[-1]) == 0
    claim = "The run with the highest proxy has the lowest gold reward."
    assert_says("rlhf-loop", claim)
    assert_says("rlhf-proxy-proves", "the run with the highest proxy has the lowest gold reward.")


def test_two_texts_scored_by_hand():
    repeated = np.zeros((1, 10), dtype=int)
    varied = np.array([[0, 1, 2, 3, 4] * 2])
    weights = rlhf.sft_and_reward_model().reward_weights
    printed = [number(weight) for weight in weights[:5]]
    assert_says(
        "rlhf-loop",
        f"1 − 9 · {rlhf.REPETITION_COST} = {number(rlhf.true_reward(repeated)[0])} for the first.",
        f"3.6 − 1.25 = {number(rlhf.true_reward(varied)[0])}.",
        f"10 · {printed[0]} = {number(10 * weights[0], 1)} for the first.",
        f"2 · ({' + '.join(printed)}) = {number(2 * sum(map(float, printed)))}.",
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
    assert_says("rlhf-loop", f"with gold rewards of {ends[0]}, {ends[1]} and {ends[2]}.")


def test_the_policy_is_a_table_of_110_numbers():
    assert rlhf.sft_and_reward_model().sft_log_policy.size == 110
    assert_says("rlhf-loop", "the policy is a table of 110 numbers.")


def test_rlhf_took_this_share_of_the_compute_of_pretraining():
    assert_says("rlhf-compute", f"Together that is {100 * (4.9 + 60) / 3640:.1f} % of pretraining")


# --- Reward models -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reward_models():
    """The quality against the number of comparisons, as in the chapter."""
    return preferences.reward_model_experiment(n_seeds=12, seed=0)


@pytest.fixture(scope="module")
def rankings():
    """The worth of rankings, as in the chapter."""
    return preferences.ranking_experiment((3, 10, 30), n_responses=9, seed=0)


def test_accuracy_rises_with_comparisons_as_the_chapter_says(reward_models):
    labels = dict(zip(reward_models.n_pairs, reward_models.label_accuracy.mean(1), strict=True))
    truth = dict(zip(reward_models.n_pairs, reward_models.gold_agreement.mean(1), strict=True))
    assert labels[5000] - labels[500] < 0.01
    assert_says(
        "reward-models",
        "Ten comparisons are little better than a coin in fig:rm-accuracy, "
        f"with {100 * labels[10]:.0f} % of labels right.",
        f"500 reach {100 * labels[500]:.0f} %, and ten times as many do not add one point.",
        f"it orders {100 * truth[500]:.0f} % of pairs truly with 500 comparisons "
        f"and {100 * truth[5000]:.0f} % with 5,000.",
    )
    assert reward_models.ceiling == pytest.approx(0.75, abs=0.005)
    assert reward_models.annotator_agreement < reward_models.ceiling


def test_pairs_of_rankings_are_worth_what_the_chapter_says(rankings):
    assert rankings.n_pairs == (108, 360, 1080)
    assert rankings.from_rankings[1] == pytest.approx(rankings.from_independent_pairs[0], abs=0.01)
    assert_says(
        "reward-models",
        "the 360 pairs of ten rankings do as well as 108 independent pairs.",
        f"{10 * 9} responses to read instead of {2 * 108}.",
        f"1,080 pairs from 30 rankings ordered {100 * rankings.from_rankings[2]:.0f} % of held-out pairs "
        f"truly; 360 independent pairs ordered {100 * rankings.from_independent_pairs[1]:.0f} %.",
    )
    assert_says("rm-pairs", "360 pairs of ten rankings do as well as 108 independent ones.")


def test_the_ceiling_lies_between_the_agreement_and_its_bound(reward_models):
    p = (1 + np.sqrt(2 * 0.726 - 1)) / 2
    assert_says(
        "reward-models",
        f"= {2 * p - 1:.3f} and p = {p:.3f}.",
        f"is right {100 * p:.1f} % of the time.",
        f"the ceiling lies between 72.6 % and {100 * p:.1f} %.",
    )
    assert p**2 + (1 - p) ** 2 == pytest.approx(0.726)
    agreement = reward_models.annotator_agreement
    assert agreement <= reward_models.ceiling <= (1 + np.sqrt(2 * agreement - 1)) / 2


def test_clearer_tastes_raise_ceiling_and_agreement():
    numbers = {}
    for sharpness in (0.6, 1.2, 2.4):
        people = preferences.annotators(d=12, sharpness=sharpness, seed=0)
        margins = people.differences(40_000, np.random.default_rng(1)) @ people.reward
        numbers[sharpness] = (
            number(preferences.noise_ceiling(margins)),
            number(preferences.annotator_agreement(margins)),
        )
    assert_says(
        "reward-models",
        "With 0.6 the ceiling is {} and annotators agree {};".format(*numbers[0.6]),
        "with 2.4 it is {} and {}.".format(*numbers[2.4]),
    )
    assert_says(
        "reward-models",
        f"The ceiling is {numbers[1.2][0]}: even a perfect model misses a quarter of the labels.",
        f"on {numbers[1.2][1]} of the pairs",
    )


def test_at_probability_three_quarters_two_people_agree_five_times_in_eight():
    margin = np.array([np.log(3)])
    assert preferences.noise_ceiling(margin) == pytest.approx(0.75)
    agreement = preferences.annotator_agreement(margin)
    assert_says(
        "rm-ceiling-formula",
        f"At most 0.75. They agree with probability 0.75^2 + 0.25^2 = {agreement:.3f}.",
    )


# --- Over-optimisation -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proxies():
    """The experiment with each proxy, by kind and seed."""
    return {
        (kind, seed): overoptimisation.overoptimisation_experiment(kind, seed=seed)
        for kind in overoptimisation.PROXIES
        for seed in range(4)
    }


def test_the_two_proxies_are_about_as_accurate_and_end_differently(proxies):
    noisy, missing = (proxies[kind, 0] for kind in overoptimisation.PROXIES)
    shares = [f"{100 * result.pair_accuracy:.0f} %" for result in (noisy, missing)]
    assert_says("over-optimisation", f"nearly the same share of pairs rightly, {shares[0]} and {shares[1]}.")
    assert_says("oo-noise", f"about the same share of pairs rightly, {shares[0]} and {shares[1]}")
    assert noisy.peak == len(noisy.gold) - 1
    gain = noisy.gold[1:] / noisy.proxy[1:]  # "each step brings the same fraction of what the proxy promises"
    assert gain.max() - gain.min() < 0.05


def test_the_peak_lies_where_the_fit_puts_it(proxies):
    result = proxies["mis-specified", 0]
    fit = overoptimisation.fit_law(result.d, result.gold, "quadratic")
    peak = fit.alpha / (2 * fit.beta)
    assert result.d[result.peak] == pytest.approx(peak, abs=0.02)
    assert_says(
        "over-optimisation",
        f"which is {number(peak)} here. That is a KL of {number(peak**2, 1)} nats.",
        f"Put in \\alpha = {number(fit.alpha)} and \\beta = {number(fit.beta, 3)} for best-of-n.",
        f"With the numbers d = {number(peak)} and the reward is {number(fit.alpha**2 / (4 * fit.beta))}.",
        f"is {number(direct.best_of_n_kl(24))} at n = 24.",
        f"The measured best is near n = {result.n[result.best_of_n_gold.argmax()]}",
        f"best-of-n peaks at a gold reward of {number(result.best_of_n_gold.max())} "
        f"and the exact optimum at {number(result.gold.max())}.",
    )
    by_hand = 0.99 / (2 * 0.333)
    assert (number(by_hand), number(by_hand**2)) == ("1.49", "2.21")
    assert_says("oo-peak", f"at d = {number(peak)}, a KL of {number(peak**2, 1)} nats.")


def test_what_survives_another_seed(proxies):
    missing, noisy = ([proxies[kind, seed] for seed in range(4)] for kind in ("mis-specified", "noisy"))
    places = [result.d[result.peak] for result in missing]
    heights = [result.gold.max() for result in missing]
    ends = [number(result.gold[-1]) for result in missing]
    free = [result.gold[-1] for result in noisy]
    assert_says(
        "over-optimisation",
        f"between d = {number(min(places))} and {number(max(places))}, "
        f"with a height of {number(min(heights))} to {number(max(heights))}.",
        f"at the end {ends[0]}, {ends[1]}, {ends[2]} and {ends[3]} are left.",
        f"The noisy proxy ends anywhere from {number(min(free))} to {number(max(free))}",
    )


def test_best_of_16_cannot_be_10_nats_from_the_reference():
    assert_says("over-optimisation", f"15/16 = {number(direct.best_of_n_kl(16), 3)} nats.", "59{,}900")
    assert direct.best_of_n_kl(59_900) == pytest.approx(10, abs=0.001)
    assert direct.best_of_n_kl(1024) < 6
    assert_says("oo-equal-kl", f"{number(direct.best_of_n_kl(1024))} for n = 1024")
