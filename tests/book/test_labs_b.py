"""Numbers that the lab chapters on RLHF and its parts, and their cards, state in words."""

import dataclasses
import functools
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from finetuning import alignment_tax, direct, kl, overoptimisation, ppo, preferences, rlhf

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
        "From step 110 on little moves",
        f"texts of the SFT policy use {number(run.distinct[0], 1)} different words of ten.",
    )
    assert_says("rlhf-collapse", f"Proxy {proxy} and gold {gold}", f"had first risen to {best}")
    assert run.gold[run.steps.index(110)] == pytest.approx(run.gold[-1], abs=0.25)


def test_the_loop_with_a_penalty_ends_as_the_chapter_says(loop):
    free, held = loop[0], loop[0.2]
    assert_says(
        "rlhf-loop",
        f"with the same reward model, but with \\beta = {held.beta}.",
        f"the proxy stops at {number(held.proxy[-1])}.",
        f"The gold reward stays too, at {number(held.gold[-1])}.",
        f"Stopping the free run at step {free.steps[free.gold.argmax()]} "
        f"would have kept a gold reward of {number(free.gold.max())}, "
        f"nearly the {number(held.gold[-1])} of the best penalty here.",
    )
    assert held.gold[-1] == max(run.gold[-1] for run in loop.values())
    assert 4.5 < held.distinct[-1] < 5


def test_a_penalty_of_1_hardly_lets_the_policy_leave_sft(loop):
    strict = loop[1]
    assert_says("rlhf-loop", f"At \\beta = {strict.beta} the policy hardly leaves SFT and gains less.")
    assert strict.kl[-1] < 0.5 * loop[0.2].kl[-1]
    assert strict.gold[-1] < min(loop[0.2].gold[-1], loop[0.5].gold[-1])


def test_a_weak_penalty_is_hacked_as_the_chapter_says(loop):
    weak = loop[0.05]
    gold = number(weak.gold[-1])
    assert_says(
        "rlhf-loop",
        f"With \\beta = 0.05 the gold reward still ended at {gold}.",
        f"\\beta = 0.05 ends with a gold reward of {gold}.",
        f'A report says: "We trained with a KL penalty (\\beta = {weak.beta}), which rules out reward',
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


def test_the_figures_of_the_loop_are_described_as_drawn(loop):
    free, weak, held, strong, strict = (loop[beta] for beta in (0, 0.05, 0.2, 0.5, 1))
    words = number(free.distinct[0], 1)
    best = free.gold.argmax()
    gold = {run.beta: number(run.gold[-1], 1).replace("−", "minus ") for run in loop.values()}
    assert_says(
        "rlhf-loop",
        f"the proxy rises quickly to {number(free.proxy[-1], 1)} and stays there; the gold reward rises to "
        f"{number(free.gold[best], 1)} by step {free.steps[best]} and falls to {gold[0]}.",
        f"the number of different words falls from {words} to {free.distinct[-1]:.0f}.",
        "with five lines each, beta 0, 0.05, 0.2, 0.5 and 1. Proxies end higher the smaller beta is.",
        f"the proxy settles at {number(held.proxy[-1], 1)} and the gold reward at about 0.8 "
        f"after some 50 steps; at the end it is {number(held.gold[-1])}.",
        f"different words falls from {words} to {number(held.distinct[-1], 1)} and stays there.",
        f"Gold rewards end at {gold[0]} for beta 0, {gold[0.05]} for 0.05, "
        f"and between {gold[1]} and {gold[0.2]} for the other three.",
        f"The run with beta 1 stops below its top, at {gold[1]}, those with 0.5 and 0.2 stop on it, "
        f"at {gold[0.5]} and {gold[0.2]}; those with 0.05 and 0 go down the far side, "
        f"to {gold[0.05]} and {gold[0]}.",
    )
    after_50 = held.steps.index(50)
    assert held.gold[after_50:] == pytest.approx(0.8, abs=0.1)
    assert held.proxy[after_50:] == pytest.approx(held.proxy[-1], abs=0.15)
    assert strict.gold.max() < min(run.gold.max() for run in (free, weak, held, strong)) - 0.1
    proxies = [loop[beta].proxy[-1] for beta in sorted(loop)]
    assert sorted(proxies, reverse=True) == proxies


def test_two_texts_scored_by_hand():
    repeated = np.zeros((1, 10), dtype=int)
    varied = np.array([[0, 1, 2, 3, 4] * 2])
    weights = rlhf.sft_and_reward_model().reward_weights
    printed = [number(weight) for weight in weights[:5]]
    values, cost = rlhf.WORD_VALUES[:5], rlhf.REPETITION_COST
    assert_says(
        "rlhf-loop",
        f"Gold: 1 − 9 · {cost} = {number(rlhf.true_reward(repeated)[0])} for the first.",
        "For the second ({:g} + {:g} + {:g} + {:g} + {:g}) − 5 · {} = {:.1f} − {} = {}.".format(
            *values, cost, values.sum(), 5 * cost, number(rlhf.true_reward(varied)[0])
        ),
        f"with the learned weights: 10 · {printed[0]} = {number(10 * weights[0], 1)} for the first.",
        "For the second 2 · ({} + {} + {} + {} + {}) = {}.".format(
            *printed, number(2 * sum(map(float, printed)))
        ),
    )
    assert rlhf.WORD_VALUES[:5].sum() == pytest.approx(3.6)
    assert 10 * weights[0] > 2 * weights[:5].sum()


def test_more_comparisons_do_not_save_the_loop():
    ends = []
    few, default, many = 200, 2000, 20_000
    for n_comparisons in (few, default, many):
        setup = rlhf.sft_and_reward_model(n_comparisons=n_comparisons)
        run = rlhf.train(setup, 0)
        ends.append(number(run.gold[-1]))
        assert len(set(run.final_texts[0].split())) == 1
        word = "because" if n_comparisons == few else "thanks"
        assert run.final_texts[0].startswith(word)
        assert rlhf.WORDS[setup.reward_weights.argmax()] == word
    assert_says(
        "rlhf-loop",
        f"Train the reward model on {few} and on {many:,} comparisons instead of {default:,}",
        f"with gold rewards of {ends[0]}, {ends[1]} and {ends[2]}.",
        f'With {few} comparisons the word is "because"',
    )


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


def test_the_figures_of_reward_models_are_described_as_drawn(reward_models, rankings):
    labels, truth = (
        [number(values.mean(1)[end]) for end in (0, -1)]
        for values in (reward_models.label_accuracy, reward_models.gold_agreement)
    )
    alone, ranked = (
        [number(value) for value in values]
        for values in (rankings.from_independent_pairs, rankings.from_rankings)
    )
    assert_says(
        "reward-models",
        f"On noisy labels, from {labels[0]} to {labels[1]}, where a dashed line marks the ceiling; "
        f"on the true order, from {truth[0]} to {truth[1]}.",
        f"Two rising curves over {reward_models.n_pairs[0]} to {reward_models.n_pairs[-1]:,} comparisons.",
        "Two rising lines over {}, {} and {:,} pairs.".format(*rankings.n_pairs),
        f"Independent pairs: {alone[0]}, {alone[1]}, {alone[2]}.",
        f"Pairs from rankings of 9: {ranked[0]}, {ranked[1]}, {ranked[2]}.",
    )


def test_the_ceiling_lies_between_the_agreement_and_its_bound(reward_models):
    agree = 0.726  # InstructGPT's labellers
    p = (1 + np.sqrt(2 * agree - 1)) / 2
    assert_says(
        "reward-models",
        f"Two labellers agree on {100 * agree} % of pairs.",
        f"They agree with probability p^2 + (1 - p)^2 = {agree}, so 2p - 1 = "
        f"\\sqrt{{2 \\cdot {agree} - 1}} = {2 * p - 1:.3f} and p = {p:.3f}.",
        f"is right {100 * p:.1f} % of the time.",
        f"the ceiling lies between 72.6 % and {100 * p:.1f} %.",
    )
    assert p**2 + (1 - p) ** 2 == pytest.approx(agree)
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
        "Set it to 0.6 and to 2.4 in the live notebook.",
        "With 0.6 the ceiling is {} and annotators agree {};".format(*numbers[0.6]),
        f"an accuracy of {100 * float(numbers[0.6][0]):.0f} % can belong to a perfect model.",
        "with 2.4 it is {} and {}.".format(*numbers[2.4]),
    )
    assert_says(
        "reward-models",
        f"The ceiling is {numbers[1.2][0]}: even a perfect model misses a quarter of the labels.",
        f"on {numbers[1.2][1]} of the pairs",
    )


def test_at_probability_three_quarters_two_people_agree_five_times_in_eight():
    margin = np.array([np.log(3)])
    assert_says("rm-ceiling-formula", "prefer the better of two responses with probability 0.75.")
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
    by_hand = float(number(fit.alpha)) / (2 * float(number(fit.beta, 3)))
    assert_says(
        "over-optimisation",
        f"which is {number(peak)} here. That is a KL of {number(peak**2, 1)} nats.",
        f"Put in \\alpha = {number(fit.alpha)} and \\beta = {number(fit.beta, 3)} for best-of-n.",
        f"With the numbers d = {number(peak)} and the reward is {number(fit.alpha**2 / (4 * fit.beta))}.",
        f"A distance of {number(by_hand)} is a KL of {number(by_hand**2)} nats, "
        f"and \\log n - (n - 1)/n is {number(direct.best_of_n_kl(24))} at n = 24.",
        f"The measured best is near n = {result.n[result.best_of_n_gold.argmax()]}",
        f"best-of-n peaks at a gold reward of {number(result.best_of_n_gold.max())} "
        f"and the exact optimum at {number(result.gold.max())}.",
    )
    assert_says("oo-peak", f"at d = {number(peak)}, a KL of {number(peak**2, 1)} nats.")


def test_the_figures_of_the_proxies_are_described_as_drawn(proxies):
    noisy, missing = (proxies[kind, 0] for kind in overoptimisation.PROXIES)
    assert_says(
        "over-optimisation",
        f"against the square root of KL, up to {number(noisy.d[-1], 1)}. "
        f"The proxy reaches {number(noisy.proxy[-1], 1)}, the gold reward {number(noisy.gold[-1], 1)}.",
        f"The proxy rises almost straight to {number(missing.proxy[-1], 1)}. "
        f"The gold reward rises to a peak of {number(missing.gold.max())} at a square root of KL of "
        f"{number(missing.d[missing.peak], 1)} and falls to {number(missing.gold[-1], 1)} "
        f"at {number(missing.d[-1], 1)}.",
        "Dots for best-of-n lie a little below the gold line.",
    )
    near = noisy.best_of_n_d <= noisy.d[-1]
    below = np.interp(noisy.best_of_n_d, noisy.d, noisy.gold) - noisy.best_of_n_gold
    assert 0 < below[near].min() <= below[near].max() < 0.12


def test_turned_up_the_two_proxies_part_at_about_2_nats(proxies):
    assert_says(
        "over-optimisation",
        "Up to about 2 nats the two look alike: both rewards rise.",
        "From there on the gold reward of the mis-specified proxy falls",
    )
    noisy, missing = (proxies[kind, 0] for kind in overoptimisation.PROXIES)
    d = np.sqrt([1, 2, 3, 5])  # the settings of the chapter
    assert d[-1] < min(noisy.d[-1], missing.d[-1])
    for result in (noisy, missing):
        assert (np.diff(np.interp(d, result.d, result.proxy)) > 0).all()
        assert (np.diff(np.interp(d[:2], result.d, result.gold)) > 0).all()
    assert (np.diff(np.interp(d, noisy.d, noisy.gold)) > 0).all()
    assert (np.diff(np.interp(d[1:], missing.d, missing.gold)) < 0).all()


def test_what_survives_another_seed(proxies):
    missing, noisy = ([proxies[kind, seed] for seed in range(4)] for kind in ("mis-specified", "noisy"))
    places = [result.d[result.peak] for result in missing]
    heights = [result.gold.max() for result in missing]
    ends = [number(result.gold[-1]) for result in missing]
    free = [result.gold[-1] for result in noisy]
    assert_says(
        "over-optimisation",
        "Run both experiments with `seed=1`, 2 and 3.",
        f"between d = {number(min(places))} and {number(max(places))}, "
        f"with a height of {number(min(heights))} to {number(max(heights))}.",
        f"at the end {ends[0]}, {ends[1]}, {ends[2]} and {ends[3]} are left.",
        f"The noisy proxy ends anywhere from {number(min(free))} to {number(max(free))}",
    )


def test_best_of_16_cannot_be_10_nats_from_the_reference():
    assert_says(
        "over-optimisation",
        "we compared best-of-16 and PPO at the same KL of 10 nats.",
        f"Best-of-16 has a KL of at most \\log 16 - 15/16 = {number(direct.best_of_n_kl(16), 3)} nats.",
        "For 10 nats, \\log n - 1 + 1/n = 10 needs n \\approx e^{11} \\approx 59{,}900.",
        "Even best-of-1024 stays below 6 nats.",
    )
    assert np.exp(11) == pytest.approx(59_900, abs=50)
    assert direct.best_of_n_kl(59_900) == pytest.approx(10, abs=0.001)
    assert direct.best_of_n_kl(1024) < 6
    assert_says(
        "oo-equal-kl", f"at most \\log n - (n-1)/n nats, {number(direct.best_of_n_kl(1024))} for n = 1024"
    )


# --- PPO's clip --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip_runs():
    """The three runs of the chapter: one epoch, ten without a clip, ten with it."""
    return tuple(ppo.clip_experiment(setting) for setting in ppo.SETTINGS)


def final(run):
    """Return after the last update, mean over seeds, as printed."""
    return number(run.returns[:, -1].mean())


def test_the_clip_slows_learning_at_first_and_wins_in_the_end(clip_runs):
    one, free, clipped = clip_runs
    early = [number(run.returns[:, 5].mean()) for run in (free, clipped)]
    assert_says(
        "ppo-clip",
        f"learns faster at first: {early[0]} after five updates, against {early[1]}.",
        f"It moves {number(free.kl.mean())} nats per update on average, "
        "over 30 times as far as with the clip.",
        f"With the clip the return ends at {final(clipped)}, without it at {final(free)}.",
        f"One epoch without a clip ends at {final(one)}, nearly as well.",
        f"The best possible return is {number(ppo.rewards().max(1).mean())}.",
    )
    assert 30 < free.kl.mean() / clipped.kl.mean() < 35
    assert_says(
        "ppo-why",
        "move the policy over 30 times as far per update, "
        f"and end at a return of {final(free)} instead of {final(clipped)}.",
    )
    assert_says(
        "ppo-fast-first",
        f"a return of {early[1]} after five updates, against {early[0]} without it.",
        f"{final(free)} after 25 updates, where the clipped run has {final(clipped)}.",
    )


def test_ratios_leave_the_interval_as_the_chapter_says(clip_runs):
    _, free, clipped = clip_runs
    share = f"{100 * clipped.outside.mean():.0f} %"
    assert_says(
        "ppo-clip",
        f"In the clipped run {share} of the samples end outside.",
        f"The run without a clip has only {100 * free.outside.mean():.0f} %",
    )
    assert_says("ppo-outside", f"In the lab {share} of the samples end an update outside")
    assert np.median(free.kl) < 0.01  # "most updates move hardly anything"
    assert free.kl.max() > 10  # "and the rest jump"


def test_the_four_cases_of_the_clip():
    low, high, clip_eps = 0.5, 1.5, 0.2
    ratio = np.array([low, high])
    (up_low, up_high), (down_low, down_high) = (
        [
            [f"{number:g}".replace("-", "−") for number in pair]
            for pair in zip(
                ppo.clipped_objective(ratio, np.full(2, advantage), clip_eps),
                ppo.clipped_gradient(ratio, np.full(2, advantage), clip_eps),
                strict=True,
            )
        ]
        for advantage in (1.0, -1.0)
    )
    assert_says(
        "ppo-clip",
        f"Take \\varepsilon = {clip_eps}. Give the objective and its derivative by \\rho for A = +1 "
        f"and for A = -1, each at \\rho = {low} and at \\rho = {high}.",
        f"| | ρ = {low} | ρ = {high} | | --- | --- | --- | "
        f"| A = +1 | {up_low[0]}, derivative {up_low[1]} | {up_high[0]}, derivative {up_high[1]} | "
        f"| A = −1 | {down_low[0]}, derivative {down_low[1]} | {down_high[0]}, derivative {down_high[1]} |",
    )
    bad = np.array([1.5]), np.array([-1.0]), 0.2
    assert ppo.clipped_gradient(*bad) == -1
    assert_says("ppo-way-back", "has become more likely, with a ratio of 1.5 and \\varepsilon = 0.2.")
    without_minimum = np.clip(bad[0], 1 - clip_eps, 1 + clip_eps) * bad[1]
    assert_says(
        "ppo-clip",
        "that has become more likely, with a ratio of 1.5, should be pushed down.",
        f"its objective is {number(ppo.clipped_objective(*bad)[0], 1)} and its derivative −1. "
        f"Without it the objective is {number(without_minimum[0], 1)} and the derivative 0",
    )


def test_the_figures_of_the_clip_are_described_as_drawn(clip_runs):
    one, free, clipped = clip_runs
    highest = ppo.clipped_objective(np.array([1.2, 2.0]), np.ones(2), 0.2)
    lowest = ppo.clipped_objective(np.array([0.0, 0.8]), -np.ones(2), 0.2)
    assert_says(
        "ppo-clip",
        f"the line rises to {highest[0]:g} at ratio 1.2 and stays flat.",
        f"it is flat at minus {-lowest[0]:g} up to ratio 0.8 and falls from there.",
        f"rise fastest, to {number(free.returns.mean(0).max(), 1)}, and stay there",
        f"rise more slowly, to {final(clipped)} and {final(one)}.",
        "without a clip it starts some forty times larger than with one.",
    )
    assert highest[0] == highest[1]
    assert lowest[0] == lowest[1]
    first = [np.ravel(run.kl.mean(0) if run.kl.ndim > 1 else run.kl)[0] for run in (free, clipped)]
    assert 35 < first[0] / first[1] < 45


def test_other_settings_of_the_clip_end_as_the_solution_says():
    def end(n_epochs, clip_eps):
        return final(ppo.clip_experiment(ppo.Setting("", n_epochs, clip_eps)))

    assert_says(
        "ppo-clip",
        "Compare ε = 0.05, 0.2 and 1 at ten epochs. Then compare 5, 10 and 20 epochs without a clip",
        f"is {end(10, 0.05)} for ε = 0.05, {end(10, 0.2)} for 0.2 and {end(10, 1.0)} for 1.",
        f"it is {end(5, None)} with 5 epochs, {end(10, None)} with 10 and {end(20, None)} with 20.",
        "With five epochs instead of ten, the run without a clip ends as high as the one with it.",
    )
    assert float(end(5, None)) == pytest.approx(float(end(5, 0.2)), abs=0.02)


# --- KL estimators -----------------------------------------------------------------------------------------


POLICY, REFERENCE = np.array([0.70, 0.20, 0.10]), np.array([0.05, 0.15, 0.80])


def test_a_reversed_log_ratio_gives_what_the_chapter_says():
    log_ratio = np.log(POLICY / REFERENCE)
    true, reverse = number(POLICY @ log_ratio), number(REFERENCE @ -log_ratio)
    wrong = number(POLICY @ kl.k3(-log_ratio))
    assert_says(
        "kl-estimators",
        f"the exact sum of the wrong formula is {wrong}, and the divergence is {true}.",
        f"It is not the other divergence either, which is {reverse}.",
    )
    assert_says("kl-direction", f"it gives {wrong} where the KL is {true}.")
    assert 1.5 < POLICY @ kl.k2(log_ratio) / (POLICY @ log_ratio) < 1.6  # "off by more than half"


@pytest.mark.parametrize("shift", [0.1, 1.0])
def test_the_bias_of_k2_is_half_the_kl(shift):
    result = kl.estimator_experiment(shift)
    k2 = next(one for one in result.statistics if one.name == "k2")
    assert k2.bias == pytest.approx(result.true_kl / 2, abs=3 * k2.standard_error)
    share = f"{100 * result.true_kl / 2:.3g}"
    assert_says("kl-k2", "of equal width that bias, as a share of the KL, is half the KL itself.")
    assert_says("kl-k2", f"{share} % at {result.true_kl:.3g} nats")
    assert_says("kl-estimators", f"{result.true_kl / 2:.3g} for \\mu = {shift:g}")


def test_more_than_a_third_of_the_batch_means_of_k1_are_negative():
    near = kl.estimator_experiment(0.1)
    assert 1 / 3 < np.mean(near.means["k1"] < 0) < 0.4
    assert_says("kl-estimators", "more than a third of its batch means are negative.")
    ends = near.means["k1"].min(), near.means["k1"].max()
    assert_says(
        "kl-estimators",
        f"That of k1 is wide and reaches from minus {number(-ends[0])} to {number(ends[1])}; "
        f"those of k2 and k3 are narrow peaks at the true value of {near.true_kl:.3g}.",
    )


def test_k3_spreads_more_than_k1_far_from_the_reference():
    def spread(shift):
        return {one.name: one.spread for one in kl.estimator_experiment(shift).statistics}

    def exact(shift):
        return np.sqrt(np.exp(shift**2) - 1 - shift**2) / (shift**2 / 2)

    half, two = spread(0.5), spread(2.0)
    assert_says(
        "kl-estimators",
        "Run `kl.estimator_experiment` with a shift of 0.5 and of 2.",
        f"At 0.5 k1 has a relative spread of {number(half['k1'], 1)} and k3 of {number(half['k3'], 1)}.",
        f"At 2 the order has turned around: k1 has {number(two['k1'], 1)}, and k3 more than 3.",
        f"At \\mu = 2 the second gives {number(exact(2))}",
    )
    assert two["k3"] > 3
    assert half["k3"] == pytest.approx(exact(0.5), rel=0.02)
    assert exact(1.12) < 2 / 1.12
    assert exact(1.125) > 2 / 1.125
    assert number(1.121**2 / 2) == "0.63"
    assert_says("kl-estimators", "They cross near \\mu = 1.12, a KL of 0.63 nats.")
    assert_says("kl-always-k3", "For normal distributions of equal width they cross at a KL of 0.63 nats.")


def test_doubling_beta_takes_36_updates():
    beta, updates = 1.0, 0
    while beta < 2:
        beta, updates = kl.adapted_beta(beta, kl=1e9, target_kl=6), updates + 1
    assert_says("kl-adaptive", f"Doubling it takes {updates} updates.")


# --- The alignment tax -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tax():
    """The experiment of the chapter."""
    return alignment_tax.tax_experiment((0, 0.1, 0.3, 1, 3, 10), seed=0)


def test_the_tax_and_its_two_remedies_are_those_of_the_chapter(tax):
    before, alone = tax.before, tax.by_beta[0]
    mix, weak, firm = tax.by_gamma[-1], tax.by_beta[1], tax.by_beta[2]
    accuracy = [number(outcome.benchmark_accuracy) for outcome in (before, alone, weak, firm, mix)]
    at_equal_reward = alignment_tax.benchmark_at_reward(tax.by_gamma, weak.reward)
    assert_says(
        "alignment-tax",
        f"raises the reward from {number(before.reward)} to {number(alone.reward)} "
        f"and lowers the benchmark from {accuracy[0]} to {accuracy[1]}.",
        f"\\beta = {firm.beta} keeps {accuracy[3]} of the benchmark and a reward of {number(firm.reward)}.",
        f"\\gamma = {mix.gamma:g} keeps {accuracy[4]} and a reward of {number(mix.reward)}.",
        f"At the reward that \\beta = {weak.beta} reaches, "
        f"the mix keeps a benchmark of {number(at_equal_reward)}, interpolated between its runs, "
        f"where \\beta keeps {accuracy[2]}.",
        "They have about the same KL to the pretrained model, "
        f"and benchmarks of {accuracy[2]} and {accuracy[4]}.",
        f"the best mix stays at {accuracy[4]}, and the start was {accuracy[0]}.",
    )
    assert mix.kl == pytest.approx(weak.kl, rel=0.03)
    assert mix.benchmark_accuracy == max(outcome.benchmark_accuracy for outcome in tax.by_gamma)
    assert_says("tax-kl-blind", f"have benchmarks of {accuracy[2]} and {accuracy[4]};")


def test_the_figure_of_the_tax_is_described_as_drawn(tax):
    before, alone, mix = tax.before, tax.by_beta[0], tax.by_gamma[-1]
    reward, accuracy = number(alone.reward, 1), number(alone.benchmark_accuracy)
    assert_says(
        "alignment-tax",
        f"at reward {number(before.reward, 1)} and accuracy {number(before.benchmark_accuracy)}, "
        f"plain RL at {reward} and {accuracy}.",
        f"almost straight up, to {number(mix.benchmark_accuracy)} at a reward of {number(mix.reward, 1)}.",
    )


def test_both_brakes_and_a_heavy_mix_end_as_the_solution_says(tax):
    world = alignment_tax.world(seed=0)
    both = alignment_tax.after_rl(world, beta=0.1, gamma=1)
    heavy = alignment_tax.after_rl(world, gamma=100)
    assert_says(
        "alignment-tax",
        f"What does β = {both.beta} with γ = {both.gamma} give? Does any large γ, such as {heavy.gamma}, "
        f"bring the benchmark back to {number(tax.before.benchmark_accuracy)}?",
        f"Both together give a reward of {number(both.reward)} "
        f"and a benchmark of {number(both.benchmark_accuracy)}",
        f"γ = 100 gives {number(heavy.reward)} and {number(heavy.benchmark_accuracy)}.",
    )
    assert both.kl < tax.by_gamma[3].kl  # "with less KL than the mix alone"
    unrewarded = dataclasses.replace(world, reward=np.zeros_like(world.reward))
    mix_only = alignment_tax.after_rl(unrewarded, gamma=1)
    assert_says(
        "alignment-tax",
        f"for as many more steps gives {number(mix_only.benchmark_accuracy)} "
        f"instead of {number(tax.before.benchmark_accuracy)}",
    )
    assert heavy.benchmark_accuracy < tax.before.benchmark_accuracy - 0.05


def test_the_share_of_the_tax_that_came_back():
    shares = []
    for before, ppo_alone, with_mix, digits in (
        (69.75, 51.95, 69.93, 2),
        (35.27, 27.78, 33.34, 2),
        (0.791, 0.759, 0.820, 3),
        (39.93, 26.58, 36.76, 2),
    ):
        lost, back = before - ppo_alone, with_mix - ppo_alone
        shares.append((number(back, digits), number(lost, digits), f"{100 * back / lost:.0f} %"))
    squad, drop, hellaswag, french = shares
    assert_says(
        "alignment-tax",
        f"- SQuADv2: {squad[0]} / {squad[1]} = {squad[2]}. - DROP: {drop[0]} / {drop[1]} = {drop[2]}. "
        f"- HellaSwag: {hellaswag[0]} / {hellaswag[1]} = {hellaswag[2]}: more than was lost. "
        f"- French to English: {french[0]} / {french[1]} = {french[2]}.",
    )


# --- Direct alignment --------------------------------------------------------------------------------------


def test_both_algorithms_end_within_a_thousandth_of_the_closed_form():
    answers = direct.random_answers(12, seed=0)
    for one in direct.compare_optima():
        assert one.gradient_ascent < 1e-3
        assert one.dpo < 1e-12  # "they then agree to rounding"
        assert one.value == pytest.approx(direct.optimum_value(answers, one.beta))
    assert_says("direct-alignment", "Both algorithms end within one thousandth of the closed form.")


def test_dpo_with_200_pairs_misses_the_optimum_and_its_reward_does_not_show_it():
    finite = direct.finite_data_experiment(beta=0.5, n_seeds=5, seed=0)
    at_200 = finite.n_pairs.index(200)
    distance, reward = number(finite.distance[at_200].mean()), number(finite.reward[at_200].mean())
    assert reward == number(finite.optimum_reward)
    assert finite.reward[at_200].max() > finite.optimum_reward
    assert_says(
        "direct-alignment",
        f"Two hundred pairs for twelve answers leave a total variation of {distance}",
        f"with 200 pairs it is {reward} on average, the same as at the optimum.",
    )
    assert_says(
        "direct-agree",
        f"With {finite.n_pairs[at_200]} pairs for twelve answers "
        f"the total variation to the optimum is {distance}.",
    )


def test_dpo_with_another_beta_ends_as_the_solution_says():
    distances = [
        number(direct.finite_data_experiment((200,), beta=beta).distance.mean()) for beta in (0.1, 1, 3, 0.5)
    ]
    (soft,) = direct.compare_optima((3.0,))
    assert_says(
        "direct-alignment",
        "with β = 0.1, 1 and 3 instead of 0.5. How does the distance at 200 pairs depend on β",
        "With 200 pairs the mean distance is {}, {} and {}; with β = 0.5 it was {}.".format(*distances),
        f"at β = 3 the best policy has hardly left the reference, with a KL of {number(soft.kl)} nats.",
    )


def test_the_figures_of_direct_alignment_are_described_as_drawn():
    line, answers = direct.frontier(k=12, seed=0), direct.random_answers(12, seed=0)
    finite = direct.finite_data_experiment(beta=0.5, n_seeds=5, seed=0)
    best_of_n = direct.best_of_n_experiment(k=12, seed=0)
    mean = dict(zip(finite.n_pairs, map(number, finite.distance.mean(1)), strict=True))
    start = number(answers.reference @ answers.reward).replace("−", "minus ")
    assert_says(
        "direct-alignment",
        f"A concave line starts at {start} and rises to {number(line.reward.max(), 1)} "
        f"at {number(line.kl.max(), 1)} nats, with beta 3, 1, 0.5, 0.2 and 0.1 marked",
        f"falls from {mean[50]} at 50 pairs over {mean[200]} at 200 to {mean[20_000]} at 20,000.",
        f"At 50 pairs the seeds spread from {number(finite.distance[0].min(), 1)} "
        f"to {number(finite.distance[0].max(), 1)}.",
        f"KL against n from {best_of_n.n[0]} to {best_of_n.n[-1]:,}.",
        f"The formula and 20,000 answers rise together to {number(best_of_n.formula[-1], 1)} nats.",
        f"follow up to about n = 4, then flatten at {number(best_of_n.limit)} nats.",
    )


def test_best_of_16_and_its_limit_are_those_of_the_chapter():
    result = direct.best_of_n_experiment(k=12, seed=0)
    at_16 = result.n.index(16)
    assert_says(
        "direct-alignment",
        f"For n = 16 it gives {number(result.formula[at_16], 3)} nats.",
        f"the exact value at n = 16 is {number(result.few[at_16], 3)}.",
        f"which is {number(result.limit)} here",
    )
    assert_says("direct-bon-16", f"At most \\log 16 - 15/16 = {number(direct.best_of_n_kl(16), 3)} nats.")
    assert_says(
        "direct-bon-limit",
        f"that is {number(result.limit)} nats, while the formula would say {number(result.formula[-1])} "
        f"at n = {result.n[-1]}",
    )


def test_two_answers_by_hand():
    two, beta = direct.Answers(np.array([0.2, 0.8]), np.array([1.0, 0.0])), 0.5
    best = direct.closed_form(two, beta)
    value = direct.optimum_value(two, beta)
    share, kl_nats = number(best[0], 3), number(best @ np.log(best / two.reference), 3)
    assert_says(
        "direct-alignment",
        f"The good answer has reward {two.reward[0]:g} and reference probability {two.reference[0]}, "
        f"the other has reward {two.reward[1]:g}. With \\beta = {beta}, compute Z,",
        f"Z = {two.reference[0]}\\, e^{{{two.reward[0] / beta:g}}} + {two.reference[1]} "
        f"= {number(np.exp(value / beta), 3)}. "
        f"The good answer gets {two.reference[0]}\\, e^{two.reward[0] / beta:g} / Z = {share}. "
        f"The value is \\beta \\log Z = {number(value, 3)}.",
        f"the expected reward is {share} and the KL {kl_nats} nats, "
        f"and {share} - 0.5 \\cdot {kl_nats} = {number(value, 3)}.",
    )


def test_dpo_without_a_reference_misses_by_what_the_solution_says():
    answers = direct.random_answers(12, seed=0)
    uniform = direct.Answers(np.full(12, 1 / 12), answers.reward)

    def distance(beta):
        return np.abs(direct.closed_form(uniform, beta) - direct.closed_form(answers, beta)).sum() / 2

    assert_says(
        "direct-alignment",
        f"is {number(distance(0.1), 3)} at β = 0.1, where the reward decides nearly all.",
        f"It is {number(distance(0.5))} at β = 0.5 and {number(distance(3))} at β = 3",
    )
    assert distance(0.1) < 0.01
    assert_says(
        "direct-no-reference",
        f"that is {number(distance(3))} in total variation off the right policy at \\beta = 3, "
        "and hardly visible at \\beta = 0.1.",
    )
