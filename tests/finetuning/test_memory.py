"""Memory of model states: the printed numbers, each in one accounting."""

import pytest
from finetuning import memory
from finetuning.models import MODELS

GB = memory.BYTES_PER_GB


@pytest.mark.parametrize(
    ("name", "full", "lora", "qlora"),
    [
        ("llama2-7b", 107.8, 14.1, 6.4),
        ("llama3-8b", 128.5, 16.7, 8.4),
        ("llama2-13b", 208.3, 27.0, 11.2),
        ("llama2-70b", 1103.6, 141.3, 49.6),
        ("llama3.2-1b", 19.8, 2.7, 1.7),
    ],
)
def test_model_states_are_what_the_accounting_gives(name, full, lora, qlora):
    shape = MODELS[name]
    assert round(memory.full_states(shape).total_gb, 1) == full
    assert round(memory.lora_states(shape).total_gb, 1) == lora
    assert round(memory.qlora_states(shape).total_gb, 1) == qlora


def test_full_fine_tuning_costs_sixteen_bytes_for_every_parameter():
    shape = MODELS["llama2-7b"]
    assert memory.TRAINED_BYTES == 16
    assert memory.full_states(shape).total_bytes == 16 * shape.base_parameters
    # ZeRO, section 3.1: GPT-2 with 1.5B parameters needs 24 GB, its weights alone 3 GB.
    assert memory.TRAINED_BYTES * 1.5e9 == 24 * GB
    assert memory.WEIGHT_BYTES * 1.5e9 == 3 * GB


def test_lora_freezes_the_base_and_trains_the_adapters():
    shape = MODELS["llama3-8b"]
    states = memory.lora_states(shape, "all-linear", 16)
    assert states.frozen_weights == 2 * shape.base_parameters
    assert states.total_bytes - states.frozen_weights == 16 * 41_943_040
    assert states.optimiser == 12 * 41_943_040


def test_double_quantisation_saves_three_gigabytes_at_65b():
    plain = memory.quantisation_constant_bits(double=False)
    double = memory.quantisation_constant_bits()
    assert plain == 0.5
    assert round(double, 3) == 0.127
    assert round((plain - double) * 65e9 / 8 / GB) == 3


def test_arithmetic_stays_below_the_measured_4_bit_base():
    # QLoRA, section 2: the 4-bit base of the 7B model takes 5,048 MB.
    computed_mb = memory.nf4_base_bytes(MODELS["llama2-7b"]) / 1e6
    assert round(computed_mb / 1000, 2) == 3.87
    assert computed_mb < 5048


def test_ppo_with_a_7b_policy_and_value_model_costs_more_than_twice_full_fine_tuning():
    shape = MODELS["llama2-7b"]
    assert round(memory.ppo_states(shape).total_gb) == 243
    assert round(memory.full_states(shape).total_gb) == 108


def test_a_24_gb_device_holds_the_states_of_7b_and_8b_lora_but_not_of_13b_or_70b():
    fits = {name: memory.lora_states(shape).fits(24) for name, shape in MODELS.items() if name != "gpt2"}
    assert [name for name, fit in fits.items() if not fit] == ["llama2-13b", "llama2-70b"]
    assert memory.qlora_states(MODELS["llama2-13b"]).fits(24)
    assert not memory.qlora_states(MODELS["llama2-70b"]).fits(24)


def test_published_totals_use_other_accountings():
    # ">780 GB" for LLaMA-65B is 12 bytes a parameter; GPT-3's 1.2 TB is 6.8 and would be 2.8 TB at 16.
    assert round(memory.bytes_per_parameter(783.4e9, 65_285_660_672), 1) == 12.0
    assert round(65_285_660_672 * 16 / GB) == 1045
    assert round(memory.bytes_per_parameter(1.2e12, 175.2558e9), 1) == 6.8
    assert round(175.2558e9 * 16 / 1e12, 1) == 2.8
