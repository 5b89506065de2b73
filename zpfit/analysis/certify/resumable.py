"""Proofs of levels that are stored as they end, so that a stopped bracket resumes."""

from hashlib import sha256
from json import dumps

import numpy as np

from zpfit.analysis.certify.proof import ALL_BOXES, Proof, Prover, outcome
from zpfit.analysis.certify.structure import Structure
from zpfit.errors import OtherProof
from zpfit.inference.checkpoint import Checkpoint, State
from zpfit.inference.problem import Problem
from zpfit.inference.progress import SILENT, Progress
from zpfit.io.versions import versions


class ResumableProver:
    """Prover that stores each proof and returns the stored ones.

    A bracket asks for the same levels whenever it is computed, because every proof and every
    search is deterministic. Stored proofs therefore change no number.

    Parameters
    ----------
    problem : Problem
        Model, priors and likelihood.
    structure : Structure
        Input of the proofs.
    checkpoint : Checkpoint
        Store of the proofs.
    progress : Progress, optional
        See :class:`Prover`. Receives the outcome of a level once it is stored.

    Raises
    ------
    OtherProof
        The stored proofs are about another problem, or by another version.
    """

    def __init__(
        self,
        problem: Problem,
        structure: Structure,
        checkpoint: Checkpoint,
        progress: Progress = SILENT,
    ) -> None:
        self._checkpoint, self._progress = checkpoint, progress
        self._statement = _statement(problem, structure)
        state = checkpoint.load()
        if state is not None and state["statement"] != self._statement:
            raise OtherProof
        self._proofs = [] if state is None else [_proof(kept) for kept in state["proofs"]]
        # Boxes of stored proofs count, so that a resumed proof ends where another one does.
        left = ALL_BOXES - sum(proof.boxes for proof in self._proofs)
        self._prover = Prover(structure, most_of_all=max(left, 0), progress=progress)

    def prove(self, sigma: float) -> Proof:
        """Return the proof of a level, see :meth:`Prover.prove`."""
        for proof in self._proofs:
            if proof.sigma == sigma:
                self._progress.stage(f"Stored: {outcome(proof)}")
                return proof
        proof = self._prover.prove(sigma)
        self._proofs.append(proof)
        self._checkpoint.save(self._state)
        self._progress.update(1.0, outcome(proof))
        return proof

    def _state(self) -> State:
        return {"statement": self._statement, "proofs": [vars(one) for one in self._proofs]}


def _proof(kept: State) -> Proof:
    undecided = np.asarray(kept["undecided"]).reshape(-1, 5, 2)
    return Proof(kept["sigma"], kept["boxes"], undecided, kept["unfinished"])


def _statement(problem: Problem, structure: Structure) -> str:
    """Return a hash of everything that the outcome of a proof depends on."""
    parts = {
        "data": problem.data_hash(),
        "domain": structure.domain.record(),
        "relation": vars(structure.relation),
        "anomalies": [vars(one) for one in (*structure.electron, *structure.muon)],
        "limits": problem.settings.joint_sigma.model_dump(mode="json"),
        "model": problem.posterior.model.name,
        "seed": problem.settings.seed,
        "version": versions()["zpfit"],
    }
    return sha256(dumps(parts, default=str, sort_keys=True).encode()).hexdigest()
