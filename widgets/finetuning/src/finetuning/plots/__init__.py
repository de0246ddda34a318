"""One function per figure: results in, `Figure` out."""

from finetuning.plots.lora import (
    first_update_against_rank,
    loss_against_rank,
    losses_by_initialisation,
    parameters_against_rank,
)
from finetuning.plots.memory import memory_by_method
from finetuning.plots.policies import (
    alignment_tax,
    best_of_n_kl,
    clip_objective,
    clip_runs,
    dpo_from_finite_data,
    estimator_curves,
    estimator_means,
    reward_against_kl,
    reward_kl_frontier,
    rlhf_by_beta,
    rlhf_run,
)
from finetuning.plots.preferences import overoptimisation, ranking_worth, reward_model_accuracy
from finetuning.plots.quantisation import codebooks, quantisation_errors
from finetuning.plots.supervised import (
    forgetting_against_learning,
    loss_mask,
    masking_nll,
    unseen_task_accuracy,
)

__all__ = [
    "alignment_tax",
    "best_of_n_kl",
    "clip_objective",
    "clip_runs",
    "codebooks",
    "dpo_from_finite_data",
    "estimator_curves",
    "estimator_means",
    "first_update_against_rank",
    "forgetting_against_learning",
    "loss_against_rank",
    "loss_mask",
    "losses_by_initialisation",
    "masking_nll",
    "memory_by_method",
    "overoptimisation",
    "parameters_against_rank",
    "quantisation_errors",
    "ranking_worth",
    "reward_against_kl",
    "reward_kl_frontier",
    "reward_model_accuracy",
    "rlhf_by_beta",
    "rlhf_run",
    "unseen_task_accuracy",
]
