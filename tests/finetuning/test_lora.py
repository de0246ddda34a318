"""Counting LoRA parameters: equal to what peft counts, for every row that is known."""

import csv
from pathlib import Path

import pytest
from finetuning import lora
from finetuning.models import MODELS

PEFT_COUNTS = Path(__file__).parent / "data" / "lora-parameter-counts.csv"

# What peft 0.21.2 prints: base parameters; q,v at r=8 and its percentage; q,k,v,o at r=16;
# all linear layers at r=8, 16 and 64, and the percentage at r=16 where it is known.
PEFT_TABLE = {
    "llama2-7b": (
        6_738_415_616,
        (4_194_304, "0.0622"),
        16_777_216,
        (19_988_480, 39_976_960, 159_907_840),
        "0.5898",
    ),
    "llama2-13b": (
        13_015_864_320,
        (6_553_600, "0.0503"),
        26_214_400,
        (31_293_440, 62_586_880, 250_347_520),
        None,
    ),
    "llama2-70b": (
        68_976_648_192,
        (16_384_000, "0.0237"),
        65_536_000,
        (103_546_880, 207_093_760, 828_375_040),
        None,
    ),
    "llama3-8b": (
        8_030_261_248,
        (3_407_872, "0.0424"),
        13_631_488,
        (20_971_520, 41_943_040, 167_772_160),
        "0.5196",
    ),
    "mistral-7b-v0.1": (
        7_241_732_096,
        (3_407_872, "0.0470"),
        13_631_488,
        (20_971_520, 41_943_040, 167_772_160),
        None,
    ),
    "llama3.2-1b": (
        1_235_814_400,
        (851_968, "0.0689"),
        3_407_872,
        (5_636_096, 11_272_192, 45_088_768),
        None,
    ),
}


def peft_rows():
    with PEFT_COUNTS.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_of_peft_counts_has_all_its_rows():
    assert len(peft_rows()) == 28


@pytest.mark.parametrize(
    "row", peft_rows(), ids=lambda row: "-".join((row["model"], row["target_modules"], row["rank"]))
)
def test_a_count_equals_what_peft_counts(row):
    shape = MODELS[row["model"]]
    count = lora.trainable_parameters(shape, row["target_modules"], int(row["rank"]))
    assert count == int(row["trainable_parameters"])
    assert lora.base_parameters(shape) == int(row["base_parameters"])


@pytest.mark.parametrize("name", PEFT_TABLE)
def test_every_cell_of_the_table_equals_what_peft_prints(name):
    shape = MODELS[name]
    base, (query_value, percent), attention, all_linear, all_linear_percent = PEFT_TABLE[name]
    assert shape.base_parameters == base
    assert lora.trainable_parameters(shape, "qv", 8) == query_value
    assert f"{lora.trainable_percent(shape, 'qv', 8):.4f}" == percent
    assert lora.trainable_parameters(shape, "attention", 16) == attention
    assert tuple(lora.trainable_parameters(shape, "all-linear", rank) for rank in (8, 16, 64)) == all_linear
    if all_linear_percent is not None:
        assert f"{lora.trainable_percent(shape, 'all-linear', 16):.4f}" == all_linear_percent


def test_all_parameters_are_base_and_adapters_together():
    # peft README and quicktour: Llama-3.2-1B, q_proj, r=8 trains 524,288 of 1,236,338,688.
    shape = MODELS["llama3.2-1b"]
    assert lora.trainable_parameters(shape, "q_proj", 8) == 524_288
    assert lora.all_parameters(shape, "q_proj", 8) == 1_236_338_688


def test_every_model_names_its_source():
    assert all("/" in shape.source for shape in MODELS.values())


def test_the_adapter_counts_the_entries_of_both_matrices():
    assert lora.adapter_parameters(d_in=5, d_out=7, rank=3) == 3 * 5 + 7 * 3


def test_a_curve_holds_the_counts_at_its_ranks():
    curve = lora.parameter_curve(MODELS["llama3-8b"], "qv", [1, 8])
    assert curve.model == "Llama-3-8B"
    assert curve.trainable == (425_984, 3_407_872)


@pytest.mark.parametrize("rank", [0, -1])
def test_a_rank_below_one_is_refused(rank):
    with pytest.raises(ValueError, match=f"at least 1, got .*rank={rank}"):
        lora.trainable_parameters(MODELS["llama2-7b"], "qv", rank)


def test_an_unknown_target_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"Llama-2-7B has no target module \['c_attn'\].*q_proj"):
        lora.trainable_parameters(MODELS["llama2-7b"], "c_attn", 8)
    with pytest.raises(ValueError, match=r"GPT-2 has no target module .*c_attn"):
        lora.trainable_parameters(MODELS["gpt2"], "qv", 8)
    with pytest.raises(ValueError, match="has no target module"):
        lora.trainable_parameters(MODELS["gpt2"], (), 8)


def test_four_of_eight_published_rows_agree_with_the_papers_own_formula():
    agree = {row.setting for row in lora.PUBLISHED_ROWS if row.agrees}
    assert agree == {"RoBERTa-base q,v r=8", "RoBERTa-large q,v r=8", "GPT-3 q,v r=1", "GPT-3 q,v r=8"}
    computed = [round(row.computed_millions, 3) for row in lora.PUBLISHED_ROWS]
    assert computed == [0.295, 0.786, 4.719, 37.749, 2.359, 0.393, 0.737, 18.874]
    # "4.7M is 37,000× fewer trainable parameters, 37.7M 4,600×" of GPT-3's 175,255.8M
    assert round(175_255.8e6 / lora.paper_parameters(12288, 192, 1), -3) == 37_000
    assert round(175_255.8e6 / lora.paper_parameters(12288, 192, 8), -2) == 4_600
