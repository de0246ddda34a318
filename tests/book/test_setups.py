"""What chapters and cards say of a set-up is what the code takes: in the chapter's call, or by default."""

import ast
import inspect
import math
import re
import runpy
import tomllib
from pathlib import Path

import flipcards.reviews
import numpy as np
import pytest
from finetuning import (
    alignment_tax,
    direct,
    forgetting,
    instructions,
    kl,
    lora,
    low_rank,
    masking,
    memory,
    overoptimisation,
    plots,
    ppo,
    preferences,
    quantisation,
    rlhf,
)
from finetuning.models import MODELS

HERE = Path(__file__).parent
TEXTS = runpy.run_path(str(HERE / "texts.py"))
PAGES, plain, unsaid = (TEXTS[name] for name in ("PAGES", "plain", "unsaid"))
LLAMA_2, LLAMA_3, MISTRAL = (MODELS[name] for name in ("llama2-7b", "llama3-8b", "mistral-7b-v0.1"))


def default(function, name):
    """What the function takes where nothing is passed."""
    return inspect.signature(function).parameters[name].default


def calls(page, function):
    """The calls of a function in the code cells of a chapter, written `module.function` there."""
    name = f"{function.__module__.split('.')[1]}.{function.__name__}"
    for cell in re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE):
        code = re.sub(r"\A---\n.*?^---$|^:tags:.*$", "", cell, flags=re.DOTALL | re.MULTILINE)
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield node


def taken(page, function, name):
    """What the calls of a function in a chapter take for a parameter, all the same."""
    place = list(inspect.signature(function).parameters).index(name)
    values = []
    for call in calls(page, function):
        passed = {keyword.arg: keyword.value for keyword in call.keywords}
        passed |= {name: call.args[place]} if place < len(call.args) else {}
        values.append(ast.literal_eval(passed[name]) if name in passed else default(function, name))
    assert values
    assert all(value == values[0] for value in values)
    return values[0]


def test_an_argument_is_found_as_the_chapter_passes_it_or_by_default():
    assert taken("sft", masking.masking_experiment, "n_pairs") == 200
    assert taken("rlhf-loop", rlhf.train, "n_steps") == default(rlhf.train, "n_steps")
    assert taken("reward-models", preferences.ranking_experiment, "n_rankings") == (3, 10, 30)


# --- Supervised fine-tuning, forgetting, instructions ------------------------------------------------------


def test_the_masking_experiment_has_the_sizes_that_are_named():
    experiment = masking.masking_experiment
    n_pairs, n_held_out = (taken("sft", experiment, name) for name in ("n_pairs", "n_held_out"))
    assert masking.N_KEYWORDS == 6
    assert masking.SEQ_LEN == 11
    sentences = (
        f"A small model predicts the next of {masking.VOCAB_SIZE} tokens.",
        f"Then it is tuned on {n_pairs} pairs. Each prompt has {masking.PROMPT_LEN} user tokens, "
        "one of which is a keyword. "
        f"The completion is the keyword's answer, {masking.COMPLETION_LEN} response tokens.",
        f"Now both runs, on {n_held_out} held-out sequences:",
        f"each has {masking.VOCAB_SIZE} tokens and six questions.",
    )
    assert unsaid("sft", *sentences) == []
    guess = f"guessing among {masking.VOCAB_SIZE} tokens costs log {masking.VOCAB_SIZE} = "
    assert unsaid("vocabulary", f"{guess}{math.log(masking.VOCAB_SIZE):.2f} nats.") == []


def test_the_loss_mask_is_1_on_the_completion_and_0_on_the_prompt():
    drawn = masking.prompts_with_answers(masking.world(), 5, np.random.default_rng(0))
    mask = masking.token_batch(drawn).loss_mask.reshape(masking.SEQ_LEN, 5).astype(int)
    prompt, completion = mask[: masking.PROMPT_LEN], mask[masking.PROMPT_LEN :]
    assert (prompt.min(), completion.max()) == (prompt.max(), completion.min())
    on, off = completion.max(), prompt.max()
    assert unsaid("sft", f"With m_t = {on} on the completion and m_t = {off} on the prompt") == []
    assert unsaid("vocabulary", f"it is usually {on} on the completion and {off} on the prompt.") == []


def test_the_forgetting_experiment_has_the_sizes_that_are_named():
    world = forgetting.pretrained_world(n_steps=0)
    n_steps = taken("forgetting", forgetting.fine_tune, "n_steps")
    n_replay = {method.name: method.n_replay for method in forgetting.METHODS}["full + replay"]
    assert default(forgetting.pretrained_world, "seed") == 0
    sentences = (
        f"A small language model predicts the next of {forgetting.VOCAB_SIZE} tokens from the two before it.",
        f"an unrelated table for {len(world.tuned_contexts)} contexts, a complex change.",
        f"each line is one run of {n_steps} steps, and its dot is the end.",
        f'`Method("full + replay", n_replay={n_replay})` mixes {n_replay} contexts of A into each step.',
    )
    assert unsaid("forgetting", *sentences) == []


def test_the_tasks_of_instruction_tuning_are_as_many_as_is_said():
    experiment = instructions.unseen_task_accuracy
    n_tasks, n_examples = len(instructions.TASKS), default(experiment, "n_examples")
    n_tuned = n_tasks - instructions.N_HELD_OUT
    n_inputs, n_signs, n_thresholds = sizes = instructions.TASKS.max(0) + 1
    assert instructions.N_HELD_OUT == 8
    assert default(instructions.generalisation_experiment, "n_tasks")[-1] == n_tuned
    assert default(instructions.generalisation_experiment, "n_steps") == default(experiment, "n_steps")
    few = n_inputs - 1  # so that one input is missing
    assert few < max(sizes)
    sentences = (
        f"There are {n_tasks} tasks. Each asks whether an input, or its negative, is above a threshold: "
        f"{n_inputs} inputs, {n_signs} signs, {n_thresholds} thresholds. Eight tasks are kept aside.",
        f"tuned on some of the other {n_tuned}, always with {n_examples:,} examples in all.",
        f"One task with {n_examples:,} examples teaches nothing about the others. "
        f"Spread over {n_tuned} tasks, the same number of examples does.",
        f"And with {few} tuning tasks, how many of the {n_tasks} tasks are about an input that was never",
        f"With {few} tasks at least one input is missing, "
        f"and {n_signs} · {n_thresholds} = {n_signs * n_thresholds} tasks are about it.",
        f"instead of {default(experiment, 'n_steps')} in the live notebook, for {n_tuned} tasks and both",
    )
    assert unsaid("instruction-tuning", *sentences) == []


# --- LoRA --------------------------------------------------------------------------------------------------


def test_two_matrices_at_rank_8_are_counted_by_hand_as_by_the_package():
    rank, layers, d = 8, LLAMA_2.n_layers, LLAMA_2.d_model
    count, share = lora.trainable_parameters(LLAMA_2, "qv", rank), lora.trainable_percent(LLAMA_2, "qv", rank)
    assert LLAMA_2.linear_layers["q_proj"] == LLAMA_2.linear_layers["v_proj"] == (d, d)
    assert count == layers * 2 * rank * (d + d)
    sentences = (
        f"Llama-2-7B has {layers} Transformer layers. Its query and value projections are {d} × {d}. "
        f"Adapting these two at rank {rank} trains {layers} · 2 · {rank} · ({d} + {d}) "
        "parameters.",
        f"`peft`, prints {count:,} for this setting, which is {share:.4f} % of all parameters.",
    )
    assert unsaid("lora", *sentences) == []
    card = f"Llama-2-7B, query and value, rank {rank}: how many trainable parameters, and what share? "
    assert unsaid("lora-llama-2-qv", f"{card}{count:,}, which is {share:.4f} %.") == []
    assert unsaid("lora-llama-2-qv", f"{layers} layers · 2 matrices · {rank} · ({d} + {d}).") == []
    assert unsaid("lora-parameters", f"Llama-2-7B with rank {rank} on the query and value projections") == []
    assert unsaid("cheat-sheet", f"Rank {rank} on the query and value projections of Llama-2-7B gives") == []


def test_the_value_projection_of_llama_3_8b_is_as_narrow_as_is_said():
    d, layers, heads, kv_heads = LLAMA_3.d_model, LLAMA_3.n_layers, LLAMA_3.n_heads, LLAMA_3.n_kv_heads
    narrow = d * kv_heads // heads
    assert LLAMA_3.linear_layers["v_proj"] == (d, narrow)
    assert (LLAMA_2.d_model, LLAMA_2.n_layers, LLAMA_2.d_kv) == (d, layers, d)
    sentences = (
        f"Both have {layers} layers and a width of {d}.",
        f"Llama-2-7B has {LLAMA_2.n_heads} query heads and {LLAMA_2.n_kv_heads} key and value heads. "
        f"Llama-3-8B has {heads} query heads that share {kv_heads} key and value heads, "
        f"so its value projection has {d} · {kv_heads} / {heads} = {narrow} outputs instead of {d}.",
        f"Its feed-forward layers are wider, {LLAMA_3.d_ff:,} against {LLAMA_2.d_ff:,}.",
    )
    assert unsaid("lora", *sentences) == []
    card = (
        f"its {kv_heads} value heads give a value projection of {narrow} outputs instead of {d}.",
        f"Width and depth are equal, {d} and {layers} layers.",
    )
    assert unsaid("lora-gqa", *card) == []


def test_mistral_is_counted_by_hand_as_by_the_package():
    assert MISTRAL.linear_layers == LLAMA_3.linear_layers
    assert MISTRAL.vocab_size != LLAMA_3.vocab_size
    d, narrow, layers, rank = MISTRAL.d_model, MISTRAL.d_kv, MISTRAL.n_layers, 8
    sizes = (d + d) + (d + narrow)
    count = lora.trainable_parameters(MISTRAL, "qv", rank)
    assert count == layers * rank * sizes
    sentences = (
        f"Mistral-7B-v0.1 has {layers} layers, width {d}, {MISTRAL.n_heads} query heads and "
        f"{MISTRAL.n_kv_heads} key and value heads. "
        f"How many parameters does LoRA train on query and value at rank {rank}?",
        f"The query projection is {d} → {d}, the value projection {d} → {narrow}. With eq:lora-count: "
        f"{layers} · {rank} · (({d} + {d}) + ({d} + {narrow})) = {layers * rank} · {sizes:,} = {count:,}.",
    )
    assert unsaid("lora", *sentences) == []


def test_the_budget_and_the_impossible_total_of_the_exercises_are_those_of_llama_3_8b():
    rank, base = 16, LLAMA_3.base_parameters
    count = lora.trainable_parameters(LLAMA_3, "all-linear", rank)
    sentences = (
        f"Llama-3-8B with all linear layers at rank {rank} trains {count:,} parameters.",
        f"A blog post shows this output for Llama-3-8B, all linear layers, rank {rank}: "
        f"`trainable params: {count:,} || all params: {base:,} || trainable%: {100 * count / base:.4f}`",
        f"{base:,} is the base model alone.",
    )
    assert unsaid("lora", *sentences) == []
    assert (
        unsaid("lora-all-linear", f"LoRA on all linear layers of Llama-3-8B at rank {rank}: how many") == []
    )


def test_the_smallest_rank_of_exercise_2_trains_as_many_and_the_one_below_does_not():
    budget = lora.trainable_parameters(LLAMA_3, "all-linear", 16)
    rank = next(rank for rank in range(1, 200) if lora.trainable_parameters(LLAMA_3, "qv", rank) >= budget)
    assert unsaid("lora", f"Rank {rank}. One rank on query and value costs") == []


def test_the_figure_of_counts_spans_the_ranks_that_are_named_and_keeps_the_order():
    ranks = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert f"ranks = {ranks}" in PAGES["lora"]
    highest, middle, close, lowest = (
        np.array(lora.parameter_curve(MODELS[name], "qv", ranks).trainable)
        for name in ("llama2-70b", "llama2-7b", "llama3-8b", "llama3.2-1b")
    )
    assert (highest > middle).all()
    assert (close > lowest).all()
    assert (middle / close).max() < 1.3
    assert (
        unsaid("lora", f"logarithmic axes, rank {ranks[0]} to {ranks[-1]}. Llama-2-70B is highest, the 7B")
        == []
    )
    assert unsaid("lora", "the 7B and 8B models lie close together, and Llama-3.2-1B is lowest.") == []


def test_the_experiments_on_rank_start_and_merging_have_the_sizes_that_are_named():
    d, ranks = (taken("lora", low_rank.rank_experiment, name) for name in ("d", "ranks"))
    solved = int((low_rank.spectrum("rank 4", d) > 0).sum())
    harmonic = low_rank.spectrum("1/i", d)
    assert harmonic[0] / harmonic[:5] == pytest.approx([1, 2, 3, 4, 5])
    assert np.ptp(low_rank.spectrum("flat", d)) == 0
    assert (len(low_rank.SPECTRA), len(ranks)) == (3, 6)
    task = low_rank.layer_task()
    d_out, d_in = task.weight.shape
    n_steps = taken("lora", low_rank.initialisation_experiment, "n_steps")
    merged = [default(low_rank.merge_error, name) for name in ("d_out", "d_in")]
    first = low_rank.scaling_experiment("sgd").ranks[0]
    sentences = (
        f"trains adapters of six ranks towards three updates of size {d} × {d}. One has rank {solved}.",
        f"Three lines against rank {ranks[0]} to {ranks[-1]}; a dashed line marks the chosen rank.",
        f"all four ways to start, on one random layer of {d_out} × {d_in}, trained by gradient descent.",
        f"Four lines over {n_steps} steps. Two that start with one matrix at zero fall together",
        f"Rank {first} is set to 1.",
        f"Largest absolute difference on one layer of {merged[0]} × {merged[1]}.",
    )
    assert unsaid("lora", *sentences) == []
    axes = plots.first_update_against_rank([low_rank.scaling_experiment("sgd")]).axes
    assert all(line.get_ydata()[0] == pytest.approx(1) for line in axes[0].lines if len(line.get_xdata()) > 2)


# --- Memory ------------------------------------------------------------------------------------------------


def test_the_bytes_and_bits_of_the_memory_lab_are_those_of_the_package():
    trained, optimiser, weight = memory.TRAINED_BYTES, memory.OPTIMISER_BYTES, memory.WEIGHT_BYTES
    block, levels, bits = memory.NF4_BLOCK, len(quantisation.NF4), memory.NF4_BITS
    copy = 4  # bytes of the 32-bit weight
    assert levels == 2**bits
    assert default(quantisation.quantise, "block_size") == block
    sentences = (
        f"derive the {trained} bytes per parameter of full fine-tuning",
        f"In {8 * weight} bits it costs {weight} bytes.",
        f"it stores the frozen weight matrices in {bits} bits.",
        f"because blocks of {block} weights share a scale",
        f"On Llama-2-7B in {bits} bits, going from rank 64 to rank 8 saves",
        f"and what {trained} bytes for each would give.",
        f"That fits {trained - copy} bytes per parameter, which give",
        f"Four bits can name {levels} values. Quantisation divides each block of {block} weights by its "
        f"largest absolute value, then moves every weight to the nearest of the {levels} levels.",
        f"use all {levels} levels equally often, {100 / levels} % each.",
        f"dividing by the largest of {block} weights changes the distribution",
        f"One 32-bit scale for {block} weights costs 32/{block} = {32 / block} bits per weight.",
        f"The {trained} bytes, and how to spread them over many cards",
    )
    assert unsaid("memory", *sentences) == []
    assert (
        unsaid("cheat-sheet", f"keeps the base in {weight} bytes per parameter and pays {trained} bytes only")
        == []
    )
    assert unsaid("overview", f"Counting LoRA, {trained} bytes") == []
    assert unsaid("vocabulary", f"Computing in {8 * weight} bits while a 32-bit copy of the weights") == []
    assert unsaid("vocabulary", f"LoRA on a frozen base stored in {bits} bits, with NF4") == []
    saves = f"The base stays at {weight} bytes per parameter; only adapters pay {trained}."
    rank = default(memory.lora_states, "rank")
    assert (
        unsaid("mem-lora-saves", saves, f"Llama-2-7B with rank {rank} on all linear layers then needs") == []
    )
    scales = f"From 32/{block} = {memory.quantisation_constant_bits(double=False)} bits to 8/{block} + 32/("
    assert unsaid("mem-double-quantisation", scales, f"the weight takes {bits} bits more.") == []
    assert (
        unsaid("mem-nf4-optimal", f"use its {levels} levels equally often, and in blocks of {block} it") == []
    )
    assert unsaid("mem-780-gb", f"At {trained} bytes per parameter it would be") == []
    assert optimiser + 2 * weight == trained


def test_the_card_of_the_memory_lab_has_24_gb_everywhere():
    device = 24
    assert f"device_gb={device}" in PAGES["memory"]
    assert f"states.fits({device})" in PAGES["memory"]
    sentences = (
        f"✗ marks what a {device} GB card cannot hold.",
        f"What do the model states take, and do they fit on a card with {device} GB?",
        f"no smaller rank helps: the base alone is above {device} GB.",
        f"which is the highest rank on all linear layers whose model states stay below {device} GB?",
    )
    assert unsaid("memory", *sentences) == []
    assert 2 * MODELS["llama2-13b"].base_parameters > device * memory.BYTES_PER_GB


def test_what_lora_made_10000_times_smaller_is_the_checkpoint():
    times = f"{350_000 // 35:,}"
    assert unsaid("memory", f"With LoRA, fine-tuning GPT-3 takes {times} times less memory.") == []
    assert unsaid("memory", f"The LoRA paper does print the number {times}.") == []
    assert (
        unsaid("memory", f"What shrank {times} times is the checkpoint to store: 350 GB became 35 MB") == []
    )


# --- Reward models, over-optimisation, the loop ------------------------------------------------------------


def test_the_experiments_on_reward_models_have_the_sizes_that_are_named():
    n_seeds = taken("reward-models", preferences.reward_model_experiment, "n_seeds")
    few, some, many = taken("reward-models", preferences.ranking_experiment, "n_rankings")
    k = taken("reward-models", preferences.ranking_experiment, "n_responses")
    n_pairs = len(preferences.annotators().ranked(1, k, np.random.default_rng(0)))
    assert (k, n_pairs) == (9, k * (k - 1) // 2)
    sentences = (
        f"say why {n_pairs} pairs from one ranking are worth fewer than {n_pairs} independent pairs.",
        f"a response is a point in {taken('reward-models', preferences.annotators, 'd')} dimensions",
        f"Mean and standard deviation over {n_seeds} seeds.",
        f"holds K (K - 1) / 2 pairs: {n_pairs} for K = {k}.",
        f"once taken from {few}, {some} and {many} rankings of nine.",
        f"We have {1000:,} rankings of nine responses. This gives {1000 * n_pairs:,} comparisons. "
        f"A study with {1000 * n_pairs:,} independent comparisons had the same amount of information.",
        f"The count is right: {1000:,} · {k} · {k - 1} / 2 = {1000 * n_pairs:,}.",
    )
    assert unsaid("reward-models", *sentences) == []
    assert unsaid("rm-pairs", f"K (K - 1) / 2, which is {n_pairs} for nine.") == []


def test_adding_100_to_every_reward_changes_nothing():
    shift = 100
    chosen, rejected = np.array([0.5, 2.0]), np.array([1.0, -1.0])
    moved = preferences.bradley_terry_loss((chosen + shift) - (rejected + shift))
    assert moved == pytest.approx(preferences.bradley_terry_loss(chosen - rejected))
    assert f"(chosen + {shift}) - (rejected + {shift})" in PAGES["reward-models"]
    assert unsaid("reward-models", f"Add {shift} to every reward, and nothing changes.") == []
    assert unsaid("rm-shift", f"Why may you add {shift} to every score of a reward model?") == []


def test_the_proxies_learn_from_what_is_named():
    noisy, missing = (overoptimisation.N_PAIRS[kind] for kind in overoptimisation.PROXIES)
    n = taken("over-optimisation", overoptimisation.overoptimisation_experiment, "n_candidates")
    sentences = (
        f"There are {n:,} candidate responses with three qualities and a length.",
        f"The proxy learns from {noisy} labelled pairs, and {overoptimisation.N_NOISE_FEATURES} meaningless",
        f"It learns from {missing:,} pairs, so it has hardly any noise.",
        f"because {noisy} pairs are few.",
    )
    assert unsaid("over-optimisation", *sentences) == []


def test_the_loop_has_the_sizes_that_are_named():
    n_steps = taken("rlhf-loop", rlhf.train, "n_steps")
    n_demonstrations, n_comparisons = (
        taken("rlhf-loop", rlhf.sft_and_reward_model, name) for name in ("n_demonstrations", "n_comparisons")
    )
    assert rlhf.SEQ_LEN == rlhf.VOCAB_SIZE == 10
    text = plain(PAGES["rlhf-loop"])
    assert text.count(f"Two panels over {n_steps} steps") == text.count("Two panels over") == 4
    sentences = (
        f"every repetition costs {rlhf.REPETITION_COST}.",
        f"Step 1 fits the policy to {n_demonstrations} demonstrations. "
        f"Step 2 lets people compare {n_comparisons:,} pairs of its texts",
        f"At step {n_steps}: KL of a whole text, both rewards",
        f"comparisons instead of {n_comparisons:,}: change `n_comparisons` in the live notebook.",
    )
    assert unsaid("rlhf-loop", *sentences) == []


# --- PPO, KL, the tax, direct alignment --------------------------------------------------------------------


def test_the_experiment_on_the_clip_has_the_sizes_that_are_named():
    (n_states, n_actions), clip_eps = ppo.rewards().shape, ppo.SETTINGS[-1].clip_eps
    n_updates, n_seeds = (taken("ppo-clip", ppo.clip_experiment, name) for name in ("n_updates", "n_seeds"))
    batch = default(ppo.train, "batch")
    assert taken("ppo-clip", plots.clip_objective, "clip_eps") == clip_eps
    lines = [line.get_xdata() for axes in plots.clip_objective(clip_eps).axes for line in axes.lines]
    low, high = min(map(min, lines)), max(map(max, lines))
    assert ppo.train(ppo.rewards(), ppo.SETTINGS[0], n_updates=2)[0].shape == (2 + 1,)
    sentences = (
        f"for a bad one (below), with ε = {clip_eps}. The dotted lines are the objective without the clip.",
        f"Two panels over the ratio from {low:g} to {high:g}.",
        f"The lab has {n_states} states with {n_actions} actions each",
        f"Each update draws a fresh batch of {batch} and uses it",
        f"Mean over {n_seeds} seeds; the bands show one standard deviation.",
        f"Above, true return over {n_updates} updates.",
        f"True return after 5 and {n_updates} updates, mean KL of an update, "
        f"and the share of samples whose ratio left 1 ± {clip_eps}.",
        f"That ε = {clip_eps} is best.",
        f"A small ε makes each update too timid to get there in {n_updates} updates",
    )
    assert unsaid("ppo-clip", *sentences) == []
    assert "run.returns[:, 5].mean()" in PAGES["ppo-clip"]


def test_the_ratio_is_1_before_the_first_step():
    policy = np.array([0.2, 0.8])
    ratio = (policy / policy)[0]
    assert unsaid("vocabulary", f"It is {ratio:g} before the first step on a batch.") == []
    assert unsaid("ppo-objective", f"At the first step \\rho = {ratio:g}, and the clip does nothing.") == []
    inside = np.full(2, ratio), np.array([3.0, -3.0])
    assert ppo.clipped_objective(*inside, 0.2) == pytest.approx(inside[1])


def test_the_experiment_on_the_estimators_has_the_sizes_that_are_named():
    assert "for shift in (0.1, 1.0))" in PAGES["kl-estimators"]
    near, far = (kl.estimator_experiment(shift, n_samples=10, n_batches=10) for shift in (0.1, 1.0))
    n_samples, batch = (
        taken("kl-estimators", kl.estimator_experiment, name) for name in ("n_samples", "batch")
    )
    sentences = (
        f"the policy is N(0, 1), and the reference is N(\\mu, 1) with \\mu = {near.shift} "
        f"and with \\mu = {far.shift:g}.",
        f"the smallest single value in nats; {n_samples:,} samples.",
        f"Means over batches of {batch} samples, near the reference (true KL {near.true_kl:g} nats).",
        f"\\beta changes by {100 * (kl.adapted_beta(1, 1e9, 6) - 1):g} % at most.",
    )
    assert unsaid("kl-estimators", *sentences) == []
    assert 1 - kl.adapted_beta(1, 0, 6) == pytest.approx(kl.adapted_beta(1, 1e9, 6) - 1)


def test_the_world_of_the_tax_has_the_sizes_that_are_named():
    world = alignment_tax.world(n_steps=0, seed=0)
    (n_examples, d_input), n_prompts = world.train_inputs.shape, len(world.prompts)
    narrow = np.linalg.matrix_rank(world.prompts)
    assert world.train_labels.max() < alignment_tax.N_ANSWERS
    sentences = (
        f"pretrained on a benchmark: {n_examples} examples with {d_input} inputs and "
        f"{alignment_tax.N_ANSWERS} possible answers.",
        f"trained for a reward, on {n_prompts} prompts from a narrow part of the input space.",
        f"The {n_examples} examples of \\gamma come from the same distribution",
        f"They span {narrow} of {d_input} dimensions.",
        f"The network has {alignment_tax.D_HIDDEN} hidden units",
        f"More weight on {n_examples} examples does not replace",
    )
    assert unsaid("alignment-tax", *sentences) == []


def test_the_experiments_on_direct_alignment_have_the_sizes_that_are_named():
    beta, n_seeds = (
        taken("direct-alignment", direct.finite_data_experiment, name) for name in ("beta", "n_seeds")
    )
    n_many, k = (taken("direct-alignment", direct.best_of_n_experiment, name) for name in ("n_many", "k"))
    assert (n_seeds, k, taken("direct-alignment", direct.random_answers, "k")) == (5, 12, 12)
    sentences = (
        f"How far DPO ends from the optimum, with β = {beta}. Five seeds for each number of pairs",
        f"the formula, the exact value for {n_many:,} equally likely answers, and for twelve.",
    )
    assert unsaid("direct-alignment", *sentences) == []


# --- The pages around the labs -----------------------------------------------------------------------------


def test_the_book_names_the_oldest_python_that_the_package_of_cards_takes(root):
    project = tomllib.loads((root / "widgets/flipcards/pyproject.toml").read_text(encoding="utf-8"))
    oldest = project["project"]["requires-python"].removeprefix(">=")
    assert unsaid("make-your-own", f"You need Python {oldest} or newer.") == []


def test_a_day_of_study_begins_when_the_page_says():
    hour = flipcards.reviews.DAY_STARTS_AT_HOUR
    assert unsaid("today", f"A day begins at {hour:02}:00. Up to ten new cards are begun a day") == []
