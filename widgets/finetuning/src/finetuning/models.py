"""Real model shapes as data: the sizes that decide how many parameters a model and its adapters have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelShape:
    """A decoder of the Llama family: grouped-query attention, gated feed-forward layers, no biases.

    Attributes:
        name: The name people use.
        d_model: Width of the residual stream.
        n_layers: Number of Transformer layers.
        n_heads: Number of query heads.
        n_kv_heads: Number of key and value heads; fewer than `n_heads` is grouped-query attention.
        d_ff: Inner width of the feed-forward layers.
        vocab_size: Number of tokens.
        tied_embeddings: True if the output layer shares the input embedding's weights.
        source: Where the sizes were read.
    """

    name: str
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_ff: int
    vocab_size: int
    tied_embeddings: bool
    source: str

    @property
    def d_kv(self) -> int:
        """Width of the keys, and of the values: `d_model · n_kv_heads / n_heads`."""
        return self.d_model * self.n_kv_heads // self.n_heads

    @property
    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Weight matrices of one Transformer layer: module name as `peft` knows it -> (d_in, d_out)."""
        return {
            "q_proj": (self.d_model, self.d_model),
            "k_proj": (self.d_model, self.d_kv),
            "v_proj": (self.d_model, self.d_kv),
            "o_proj": (self.d_model, self.d_model),
            "gate_proj": (self.d_model, self.d_ff),
            "up_proj": (self.d_model, self.d_ff),
            "down_proj": (self.d_ff, self.d_model),
        }

    @property
    def linear_parameters(self) -> int:
        """Parameters in the weight matrices of all Transformer layers."""
        return self.n_layers * sum(d_in * d_out for d_in, d_out in self.linear_layers.values())

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the input embedding and, unless tied to it, of the output layer."""
        return self.vocab_size * self.d_model * (1 if self.tied_embeddings else 2)

    @property
    def norm_parameters(self) -> int:
        """Parameters of the norms: two in each layer and a last one, `d_model` gains each."""
        return (2 * self.n_layers + 1) * self.d_model

    @property
    def base_parameters(self) -> int:
        """All parameters of the model before anything is added to it."""
        return self.linear_parameters + self.embedding_parameters + self.norm_parameters


@dataclass(frozen=True)
class Gpt2Shape(ModelShape):
    """GPT-2: fused query-key-value matrix, learned positions, biases, layer norms, tied embeddings.

    Attributes:
        n_positions: Number of learned positions.
    """

    n_positions: int

    @property
    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Weight matrices of one Transformer layer: module name as `peft` knows it -> (d_in, d_out)."""
        return {
            "c_attn": (self.d_model, 3 * self.d_model),
            "attn.c_proj": (self.d_model, self.d_model),
            "c_fc": (self.d_model, self.d_ff),
            "mlp.c_proj": (self.d_ff, self.d_model),
        }

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the token embedding, shared with the output layer, and of the positions."""
        return super().embedding_parameters + self.n_positions * self.d_model

    @property
    def norm_parameters(self) -> int:
        """Gains and biases of the layer norms, and the biases of the weight matrices."""
        biases = self.n_layers * sum(d_out for _, d_out in self.linear_layers.values())
        return 2 * super().norm_parameters + biases


_LITGPT = "Lightning-AI/litgpt, litgpt/config.py"  # bibliography key: lightning2023
_GPT2 = "huggingface/transformers, src/transformers/models/gpt2/configuration_gpt2.py"

MODELS: dict[str, ModelShape] = {
    "llama2-7b": ModelShape("Llama-2-7B", 4096, 32, 32, 32, 11008, 32000, False, _LITGPT),
    "llama2-13b": ModelShape("Llama-2-13B", 5120, 40, 40, 40, 13824, 32000, False, _LITGPT),
    "llama2-70b": ModelShape("Llama-2-70B", 8192, 80, 64, 8, 28672, 32000, False, _LITGPT),
    "llama3-8b": ModelShape("Llama-3-8B", 4096, 32, 32, 8, 14336, 128256, False, _LITGPT),
    "mistral-7b-v0.1": ModelShape("Mistral-7B-v0.1", 4096, 32, 32, 8, 14336, 32000, False, _LITGPT),
    "llama3.2-1b": ModelShape("Llama-3.2-1B", 2048, 16, 32, 8, 8192, 128256, True, _LITGPT),
    "gpt2": Gpt2Shape("GPT-2", 768, 12, 12, 12, 3072, 50257, True, _GPT2, n_positions=1024),
}
