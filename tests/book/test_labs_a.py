"""What the labs on supervised fine-tuning, LoRA and memory say in words is what the package computes."""

import re
from pathlib import Path

import pytest
import yaml
from finetuning import lora, memory, quantisation
from finetuning.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
LLAMA_7B, LLAMA_13B, LLAMA_70B = (MODELS[f"llama2-{size}"] for size in ("7b", "13b", "70b"))
GPT_3_PARAMETERS = 175_255.8e6  # Hu et al. 2021, table 4
LLAMA_65B_PARAMETERS = 65_285_660_672


def plain(text):
    """The text as a reader sees it: on one line, without citations and without the marks of roles."""
    text = re.sub(r"\s*\{cite[^}]*\}`[^`]+`", "", text)
    text = re.sub(r"\{[a-z:-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    return " ".join(text.replace("**", "").split())


@pytest.fixture(scope="module")
def says():
    """A function that gives the text of a page (`page:memory`) or of a card (`mem-16-bytes`)."""
    pages = (ROOT / "chapters").glob("*.md")
    texts = {f"page:{path.stem}": plain(path.read_text(encoding="utf-8")) for path in pages}
    for path in (ROOT / "assets" / "decks").glob("*.yml"):
        for card in yaml.safe_load(path.read_text(encoding="utf-8"))["cards"]:
            texts[card["id"]] = plain("\n".join(card.get(face, "") for face in ("front", "back", "why")))
    return texts.__getitem__


def gb(n_bytes, decimals=1):
    """Bytes as the pages print them."""
    return f"{n_bytes / memory.BYTES_PER_GB:,.{decimals}f} GB"


def total(states):
    """All model states as the pages print them."""
    return gb(states.total_bytes)


# --- Memory ------------------------------------------------------------------------------------------------

FULL, LORA, QLORA, PPO = memory.full_states, memory.lora_states, memory.qlora_states, memory.ppo_states
TRAINED_LORA = LORA(LLAMA_7B).total_bytes - LORA(LLAMA_7B).frozen_weights
BASE_4_BIT = memory.nf4_base_bytes(LLAMA_7B)
SAVED = memory.quantisation_constant_bits(double=False) - memory.quantisation_constant_bits()
PER_RANK = memory.TRAINED_BYTES * lora.trainable_parameters(LLAMA_7B, "all-linear", 1)
R16, R64 = (
    [f"{states(shape).total_gb:.1f}" for shape in (LLAMA_7B, LLAMA_13B, LLAMA_70B)]
    for states in (LORA, QLORA)
)


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("page:memory", f"{4 + memory.quantisation_constant_bits():.3f} bits for each of these weights"),
        ("page:memory", "Three quarters of the full bar are optimiser state: 12 of 16 bytes."),
        (
            "page:memory",
            f"{gb(LORA(LLAMA_7B).frozen_weights)} of frozen weights and {gb(TRAINED_LORA)} for everything",
        ),
        ("page:memory", f"Full fine-tuning takes {total(FULL(LLAMA_7B))}"),
        ("page:memory", f"LoRA takes {total(LORA(LLAMA_7B))} and QLoRA {gb(QLORA(LLAMA_7B).total_bytes)}"),
        ("page:memory", f"PPO takes {total(PPO(LLAMA_7B))}."),
        (
            "page:memory",
            f"from rank 64 to rank 8 saves {gb(56 * PER_RANK)[:-3]} of {total(QLORA(LLAMA_7B))}. "
            f"The {gb(BASE_4_BIT)} of the base stay.",
        ),
        ("page:memory", f"which give {gb(12 * LLAMA_65B_PARAMETERS, 0)}: an accounting"),
        ("page:memory", f"at {memory.bytes_per_parameter(1.2e12, GPT_3_PARAMETERS):.1f} bytes."),
        ("page:memory", f"costs 32/64 = {memory.quantisation_constant_bits(double=False)} bits per weight."),
        ("page:memory", f"= {memory.quantisation_constant_bits():.3f} \\ \\text{{bits}}"),
        ("page:memory", f"For 65 billion parameters the difference is {gb(65e9 * SAVED / 8)}."),
        ("page:memory", f"It gives {gb(BASE_4_BIT, 2)} for the 4-bit base of a 7B model"),
        (
            "page:memory",
            f"Llama-2-13B has {LLAMA_13B.base_parameters:,} parameters. LoRA at rank 16 on all linear layers "
            f"trains {lora.trainable_parameters(LLAMA_13B, 'all-linear', 16):,}.",
        ),
        (
            "page:memory",
            f"2 · {LLAMA_13B.base_parameters:,} = {gb(LORA(LLAMA_13B).frozen_weights, 2)} for the base, "
            f"16 · 62,586,880 = {gb(16 * 62_586_880, 2)} for the adapters. "
            f"Together {gb(LORA(LLAMA_13B).total_bytes, 2)}.",
        ),
        (
            "page:memory",
            f"16 · {PER_RANK // 16:,} bytes, which is {gb(PER_RANK, 2)}. "
            f"The 16-bit base of {gb(2 * LLAMA_7B.base_parameters, 2)} leaves "
            f"{gb(24e9 - 2 * LLAMA_7B.base_parameters)} for adapters, "
            f"the 4-bit base of {gb(BASE_4_BIT, 2)} leaves {gb(24e9 - BASE_4_BIT)}.",
        ),
        ("page:memory", f"fell from 1.2 TB to 350 GB, about {1200 / 350:.1f} times"),
        ("mem-16-bytes", f"For a 7B model the sum is {total(FULL(LLAMA_7B))}."),
        ("mem-lora-saves", f"{total(LORA(LLAMA_7B))} of model states instead of {total(FULL(LLAMA_7B))}."),
        ("mem-lora-saves", f"Of these, {gb(LORA(LLAMA_7B).frozen_weights)} are frozen weights."),
        (
            "mem-double-quantisation",
            f"0.5 bits to 8/64 + 32/(64 · 256) = {memory.quantisation_constant_bits():.3f} bits.",
        ),
        ("mem-double-quantisation", f"the saving is about {gb(65e9 * SAVED / 8, 0)}"),
        ("mem-780-gb", f"it would be {gb(16 * LLAMA_65B_PARAMETERS, 0)}."),
        ("mem-780-gb", f"is {memory.bytes_per_parameter(1.2e12, GPT_3_PARAMETERS):.1f} bytes per parameter"),
        (
            "mem-ppo-models",
            f"that is {total(PPO(LLAMA_7B))} of model states; SFT of one needs {total(FULL(LLAMA_7B))}.",
        ),
        ("mem-consumer-gpu", f"LoRA at rank 16 has {R16[0]}, {R16[1]} and {R16[2]} GB"),
        ("mem-consumer-gpu", f"QLoRA at rank 64 has {R64[0]}, {R64[1]} and {R64[2]} GB"),
        ("mem-lower-bound", f"Arithmetic gives {gb(BASE_4_BIT, 2)} for the 4-bit base"),
        ("mem-10000-times", "350 GB became 35 MB."),
    ],
)
def test_a_number_about_memory_is_printed_as_computed(says, where, sentence):
    assert sentence in says(where)


def test_rank_263_is_the_highest_with_a_16_bit_base_on_24_gb_and_503_with_a_4_bit_base(says):
    for states, rank in ((LORA, 263), (QLORA, 503)):
        assert states(LLAMA_7B, "all-linear", rank).fits(24)
        assert not states(LLAMA_7B, "all-linear", rank + 1).fits(24)
    assert "263 and 503." in says("page:memory")


def test_llama_65b_at_12_bytes_is_more_than_780_gb_and_at_11_is_not():
    assert 11 < memory.bytes_per_parameter(780e9, LLAMA_65B_PARAMETERS) < 12


def test_the_rounding_errors_of_nf4_and_int4_are_printed_as_measured(says):
    result = quantisation.quantisation_experiment(n_blocks=4000, seed=0)
    (gauss, _, uniform), usage = result.errors.values(), 100 * result.nf4_usage
    text = says("page:memory")
    assert f"{gauss['NF4']:.3f} against {gauss['int4']:.3f} for int4." in text
    assert f"On uniform weights it loses, {uniform['NF4']:.3f} against {uniform['int4']:.3f}." in text
    assert f"rounds {4000 * 64:,} random weights" in text
    assert f"{uniform['NF4']:.3f} against {uniform['int4']:.3f}" in says("mem-nf4-uniform")
    assert f"{gauss['NF4']:.3f} against {gauss['int4']:.3f}" in says("mem-nf4-uniform")
    assert f"run from {usage.min():.1f} % to {usage.max():.1f} %" in says("mem-nf4-optimal")


def test_nf4_wins_by_more_on_heavy_tails():
    errors = quantisation.quantisation_experiment(n_blocks=4000, seed=0).errors
    gains = {kind: by_code["int4"] - by_code["NF4"] for kind, by_code in errors.items()}
    assert gains["Student-t"] > gains["Gaussian"] > 0 > gains["uniform"]
