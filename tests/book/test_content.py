"""What the pages and decks say, read from their sources: numbers, cards, terms, citations, labels."""

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from finetuning import lora, memory
from finetuning.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "chapters").glob("*.md"))}
DECKS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "assets" / "decks").glob("*.yml"))
}
BIBLIOGRAPHY = (ROOT / "assets" / "references.bib").read_text(encoding="utf-8")

# Every entry that cards and pages may count on, spelt so.
TERMS = """
SFT; base model; prompt; completion; loss mask; instruction tuning; chat template; catastrophic forgetting;
replay; PEFT; LoRA; rank; low-rank matrices; scaling factor; target modules; merging; QLoRA; NF4;
double quantisation; GQA; trainable parameters; optimiser state; RLHF; reward model; preference;
Bradley–Terry model; PPO; policy; reference model; value model; KL penalty; KL divergence; reward hacking;
alignment; alignment tax; PPO-ptx; over-optimisation; DPO; best-of-n; KTO; GRPO; RLVR; hallucination;
continued pretraining; full fine-tuning; Transformer layer; on-policy; clipping; zero-shot; few-shot;
foundation model; assistant; grounding; retrieval; agent
"""


def flat(text):
    """The text with every run of white space made one space, so that a sentence may be broken anywhere."""
    return " ".join(text.split())


def plain(text):
    """The text as a reader sees it, without citations, and without the marks of roles and emphasis."""
    text = re.sub(r"\s*\{cite[^}]*\}`[^`]+`", "", text)
    text = re.sub(r"\{[a-z:-]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    return flat(text.replace("**", ""))


def faces(card):
    """What a card says."""
    return "\n".join(card.get(face, "") for face in ("front", "back", "why"))


def all_cards():
    """Every card of every deck."""
    return [card for deck in DECKS.values() for card in deck["cards"]]


def sources():
    """Every text a reader gets, by the name of its page or card."""
    return PAGES | {card["id"]: faces(card) for card in all_cards()}


def roles(text, role):
    """The targets of a role in a text."""
    contents = re.findall(rf"\{{{role}\}}`([^`]+)`", text)
    return [flat(re.sub(r"^.*<(.*)>$", r"\1", content, flags=re.DOTALL)) for content in contents]


def cite_keys(text):
    """The bibliography keys that a text cites."""
    return [key.strip() for keys in roles(text, "cite(?::[a-z]+)?") for key in keys.split(",")]


def glossary_terms():
    """The terms that the vocabulary defines: the lines of the glossary that are not indented."""
    body = re.search(r"```\{glossary\}\n(.*?)\n```", PAGES["vocabulary"], re.DOTALL)[1]
    return [line for line in body.splitlines() if line and not line.startswith((" ", ":"))]


def bibliography_entries():
    """The fields of each entry of the bibliography, by key."""
    entries = re.findall(r"^@\w+\{([^,]+),\n(.*?)^\}", BIBLIOGRAPHY, re.DOTALL | re.MULTILINE)
    return {key: re.findall(r"^\s*(\w+)\s*=", body, re.MULTILINE) for key, body in entries}


def labels():
    """The labels that pages define, and those that cards are."""
    text = "\n".join(PAGES.values())
    defined = re.findall(r"^\(([^)\n]+)\)=$", text, re.MULTILINE)
    named = re.findall(r"^\s*(?::?name|:label): +(\S+?)\}?$", text, re.MULTILINE)
    return {*defined, *named, *(f"card-{card['id']}" for card in all_cards())}


def gb(states):
    """Model states as the cheat sheet prints them."""
    return f"{states.total_gb:,.1f}"


LLAMA_2_7B, LLAMA_2_70B = MODELS["llama2-7b"], MODELS["llama2-70b"]
FULL, LORA, QLORA, PPO = memory.full_states, memory.lora_states, memory.qlora_states, memory.ppo_states
QV_RANK_8 = f"{lora.trainable_parameters(LLAMA_2_7B, 'qv', 8):,}"
QV_SHARE = f"{lora.trainable_percent(LLAMA_2_7B, 'qv', 8):.4f} %"
LLAMA_13B = MODELS["llama2-13b"]

# Sentence by sentence: where it stands, and how it reads when its numbers are computed.
COMPUTED = [
    (
        "cheat-sheet",
        f"{memory.TRAINED_BYTES} bytes per parameter (§3.1): {gb(FULL(LLAMA_2_7B))} GB for Llama-2-7B.",
    ),
    ("cheat-sheet", f"{gb(LORA(LLAMA_2_7B, 'all-linear', 16))} GB for Llama-2-7B with rank 16"),
    ("cheat-sheet", f"{gb(QLORA(LLAMA_2_7B, 'all-linear', 64))} GB with QLoRA at rank 64."),
    ("cheat-sheet", f"{gb(PPO(LLAMA_2_7B))} GB for four 7B models, two of them trained."),
    ("cheat-sheet", f"SFT of a 7B model holds {gb(FULL(LLAMA_2_7B))} GB of model states."),
    (
        "cheat-sheet",
        f"at {memory.TRAINED_BYTES} bytes per parameter, and keeps two frozen, "
        f"at {memory.WEIGHT_BYTES} bytes: {gb(PPO(LLAMA_2_7B))} GB.",
    ),
    (
        "cheat-sheet",
        f"takes {memory.TRAINED_BYTES} bytes per parameter in mixed precision with Adam: "
        f"{memory.WEIGHT_BYTES} for the weight, {memory.GRADIENT_BYTES} for the gradient, and 4 + 4 + 4",
    ),
    ("cheat-sheet", f"at {memory.NF4_BITS + memory.quantisation_constant_bits():.3f} bits per parameter"),
    ("cheat-sheet", f"it gives {memory.nf4_base_bytes(LLAMA_2_7B) / 1e9:.2f} GB; the measured base"),
    ("cheat-sheet", f"At 13B it needs {gb(LORA(LLAMA_13B, 'all-linear', 16))} GB and does not fit"),
    ("cheat-sheet", f"QLoRA needs {gb(QLORA(LLAMA_13B, 'all-linear', 64))} GB and does."),
    ("cheat-sheet", f"At 70B even QLoRA needs {gb(QLORA(LLAMA_2_70B, 'all-linear', 64))} GB."),
    ("cheat-sheet", f"projections of Llama-2-7B gives {QV_RANK_8}, or {QV_SHARE} of all parameters."),
    ("vocabulary", f"{QV_RANK_8} or {QV_SHARE} for Llama-2-7B with rank 8 on query and value"),
    (
        "vocabulary",
        f"from {memory.quantisation_constant_bits(double=False)} "
        f"to {memory.quantisation_constant_bits():.3f} bits per parameter",
    ),
    ("vocabulary", f"takes {memory.TRAINED_BYTES} bytes per parameter before activations"),
    ("vocabulary", f"{memory.OPTIMISER_BYTES} of the {memory.TRAINED_BYTES} bytes"),
    (
        "vocabulary",
        f"has {MODELS['llama3-8b'].n_heads} query heads, and {MODELS['llama3-8b'].n_kv_heads} key "
        f"and {MODELS['llama3-8b'].n_kv_heads} value heads",
    ),
    ("vocabulary", f"have {MODELS['llama3-8b'].d_kv:,} outputs instead of {LLAMA_2_7B.d_kv:,}."),
    ("vocabulary", f"which is {math.log(16) - 15 / 16:.3f} for n = 16."),
    ("lora-parameters", f"trains {QV_RANK_8} parameters, or {QV_SHARE}"),
]


@pytest.mark.parametrize(("name", "sentence"), COMPUTED)
def test_a_number_the_package_can_compute_is_printed_as_computed(name, sentence):
    assert sentence in plain(sources()[name])


def test_the_memory_table_prints_what_the_package_computes():
    section = PAGES["cheat-sheet"].split("(cs-memory)=")[1]
    table = re.search(r"```\{list-table\}\n(.*?)```", section, re.DOTALL)[1]
    rows = [re.findall(r"- (.+)", row) for row in table.split("\n* ")[1:]]
    expected = [["Model", "Full fine-tuning", "LoRA, rank 16", "QLoRA, rank 64"]]
    for name in ("llama2-7b", "llama3-8b", "llama2-13b", "llama2-70b"):
        shape = MODELS[name]
        states = (FULL(shape), LORA(shape, "all-linear", 16), QLORA(shape, "all-linear", 64))
        expected.append([shape.name, *map(gb, states)])
    assert rows == expected


def test_a_24_gb_card_takes_lora_at_7b_and_8b_but_not_at_13b_and_never_70b():
    for name in ("llama2-7b", "llama3-8b"):
        assert LORA(MODELS[name]).fits(24)
    assert not LORA(LLAMA_13B).fits(24)
    assert QLORA(LLAMA_13B).fits(24)
    assert not QLORA(LLAMA_2_70B).fits(24)


def test_at_equal_size_rlhf_holds_more_than_full_sft_and_the_sheet_marks_the_order_as_disputed():
    assert PPO(LLAMA_2_7B).total_bytes > FULL(LLAMA_2_7B).total_bytes
    table = PAGES["cheat-sheet"].split("(cs-paradigms)=")[1].split("(cs-memory)=")[0]
    rows = re.split(r"^\* ", table, flags=re.MULTILINE)
    marked = [row.split("\n")[0] for row in rows if "{bdg-ref-warning}`disputed <cs-disputed-order>`" in row]
    assert marked == ["- Full SFT", "- RLHF"]


def test_every_cost_cell_of_the_paradigms_has_a_number():
    table = PAGES["cheat-sheet"].split("(cs-paradigms)=")[1].split("(cs-memory)=")[0]
    rows = re.split(r"^\* ", table.split("```")[1], flags=re.MULTILINE)[2:]
    assert len(rows) == 3
    for row in rows:
        assert re.search(r"[0-9.]+ GB", row.rsplit("\n  - ", 1)[1])


def test_the_first_deck_has_the_six_cards_in_order():
    assert [card["id"] for card in DECKS["rapid-recall"]["cards"]] == [
        "sft-goal",
        "catastrophic-forgetting",
        "lora-parameters",
        "rlhf-steps",
        "why-reward-model",
        "kl-penalty",
    ]


@pytest.mark.parametrize(
    ("card_id", "facts"),
    [
        ("sft-goal", ["pre-trained base model", "task", "format", "high-quality prompt–response pairs"]),
        (
            "catastrophic-forgetting",
            ["weights are updated heavily for a narrow task", "loses general knowledge"],
        ),
        ("lora-parameters", ["freezes the original weights", "low-rank matrices", "Transformer layers"]),
        ("rlhf-steps", ["SFT", "Reward model", "PPO loop"]),
        ("why-reward-model", ["cannot score the millions of outputs", "preferences", "stands in for them"]),
        ("kl-penalty", ["reward hacking", "repetitive nonsense", "near the distribution of the SFT model"]),
    ],
)
def test_the_answer_of_a_core_card_has_its_facts(card_id, facts):
    (card,) = (card for card in DECKS["rapid-recall"]["cards"] if card["id"] == card_id)
    assert [fact for fact in facts if fact not in plain(card["back"])] == []


def test_the_three_steps_of_rlhf_are_an_ordered_list_of_exactly_three():
    (card,) = (card for card in all_cards() if card["id"] == "rlhf-steps")
    lines = card["back"].strip().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["1.", "2.", "3."]
    section = PAGES["cheat-sheet"].split("(cs-rlhf-steps)=")[1].split("(cs-")[0]
    assert re.findall(r"^\d+\.", section, re.MULTILINE) == ["1.", "2.", "3."]


@pytest.mark.parametrize("card", all_cards(), ids=lambda card: card["id"])
def test_a_card_has_a_nuance_a_source_a_term_and_a_place_in_the_book(card):
    assert card["why"].strip()
    assert card["source"]
    assert set(card["source"]) <= set(bibliography_entries())
    assert card["term"] in glossary_terms()
    assert card["see"] in labels()


@pytest.mark.parametrize("card", all_cards(), ids=lambda card: card["id"])
def test_what_a_card_cites_is_among_its_sources(card):
    assert set(cite_keys(faces(card))) <= set(card["source"])


def test_card_ids_are_unique_in_the_book():
    ids = [card["id"] for card in all_cards()]
    assert len(ids) == len(set(ids))


def test_the_vocabulary_defines_each_term_once_and_all_that_are_counted_on():
    terms = glossary_terms()
    assert len(terms) == len({term.lower() for term in terms})
    assert [term for term in flat(TERMS).split("; ") if term not in terms] == []


@pytest.mark.parametrize("name", sources())
def test_every_term_that_a_page_or_card_links_is_defined(name):
    assert [term for term in roles(sources()[name], "term") if term not in glossary_terms()] == []


@pytest.mark.parametrize("name", sources())
def test_every_citation_is_in_the_bibliography(name):
    assert [key for key in cite_keys(sources()[name]) if key not in bibliography_entries()] == []


@pytest.mark.parametrize("name", sources())
def test_every_label_that_is_referred_to_is_defined(name):
    referred = roles(sources()[name], "(?:ref|numref|bdg-ref-[a-z]+)")
    assert [label for label in referred if label not in labels()] == []


def test_every_work_that_is_cited_carries_a_doi_an_arxiv_number_or_an_address():
    cited = {key for text in sources().values() for key in cite_keys(text)}
    cited |= {key for card in all_cards() for key in card["source"]}
    entries = bibliography_entries()
    assert cited
    assert [key for key in sorted(cited) if not {"doi", "eprint", "url"} & set(entries[key])] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_starts_with_front_matter_a_description_a_label_and_one_title(name):
    text = PAGES[name]
    assert text.startswith("---\n")
    front, body = text[4:].split("\n---\n", 1)
    assert len(yaml.safe_load(front)["myst"]["html_meta"]["description"]) > 60
    assert re.match(r"\s*\([a-z-]+\)=\n# \S", body)
    code = re.sub(r"```.*?```", "", body, flags=re.DOTALL)
    assert len(re.findall(r"^# ", code, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", PAGES)
def test_no_heading_skips_a_level(name):
    text = re.sub(r"^(`{3,}).*?^\1$", "", PAGES[name], flags=re.DOTALL | re.MULTILINE)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_overview_opens_with_one_click_to_the_first_card():
    body = PAGES["overview"].split("\n# ", 1)[1]
    first_screen = body.split("```{important}")[0]
    assert "```{button-ref} six-cards" in first_screen
