"""Numbers that the chapter "LoRA: parameters against rank" and its cards state in words."""

import math

from finetuning import lora
from finetuning.models import MODELS

LLAMA2, LLAMA3, MISTRAL = (MODELS[name] for name in ("llama2-7b", "llama3-8b", "mistral-7b-v0.1"))


def test_adapting_these_two_at_rank_8_trains_32_times_2_times_8_times_8192_parameters():
    assert lora.trainable_parameters(LLAMA2, "qv", 8) == 32 * 2 * 8 * (4096 + 4096) == 4_194_304


def test_the_value_projection_of_llama_3_8b_has_1024_outputs_instead_of_4096():
    assert LLAMA2.linear_layers["v_proj"] == (4096, 4096)
    assert LLAMA3.linear_layers["v_proj"] == (4096, 4096 * 8 // 32) == (4096, 1024)


def test_adapt_all_linear_layers_and_the_order_turns_around():
    assert lora.trainable_parameters(LLAMA3, "all-linear", 16) == 41_943_040
    assert lora.trainable_parameters(LLAMA2, "all-linear", 16) == 39_976_960
    assert (LLAMA3.d_ff, LLAMA2.d_ff) == (14_336, 11_008)


def test_mistral_has_the_same_layers_as_llama_3_8b_and_only_its_vocabulary_differs():
    assert MISTRAL.linear_layers == LLAMA3.linear_layers
    assert MISTRAL.vocab_size != LLAMA3.vocab_size
    assert 32 * 8 * ((4096 + 4096) + (4096 + 1024)) == 256 * 13_312 == 3_407_872


def test_rank_99_is_the_smallest_that_trains_at_least_as_many():
    one_rank = lora.trainable_parameters(LLAMA3, "qv", 1)
    assert one_rank == 425_984
    assert round(41_943_040 / one_rank, 1) == 98.5
    assert math.ceil(41_943_040 / one_rank) == 99


def test_all_must_include_the_adapters():
    assert lora.all_parameters(LLAMA3, "all-linear", 16) == 8_030_261_248 + 41_943_040 == 8_072_204_288
    assert f"{lora.trainable_percent(LLAMA3, 'all-linear', 16):.4f}" == "0.5196"
    assert f"{100 * 41_943_040 / 8_030_261_248:.4f}" == "0.5223"
