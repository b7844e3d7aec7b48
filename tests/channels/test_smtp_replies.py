"""What mail servers answer, and what we make of it."""

import json
from pathlib import Path

import pytest

from mailer.channels.email.replies import Action, Stage, classify, read_enhanced
from mailer.core.channel import Fate

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "smtp_replies.json").read_text())["vectors"]


def parse(reply: str) -> tuple[int, str]:
    lines = reply.split("\r\n")
    return (int(lines[0][:3]), "\n".join(line[4:] for line in lines)) if reply else (0, "")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_every_reply_of_the_standard_has_the_meaning_it_is_known_for(vector: dict[str, str]) -> None:
    code, text = parse(vector["reply"])

    verdict = classify(code, read_enhanced(text), text, vector["stage"])

    assert verdict.action == vector["action"]


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("code", [-1, 0, 199, 220, 250, 299, 334, 354, 421, 450, 499, 500, 521, 535, 550, 599, 999])
def test_every_code_at_every_stage_has_an_answer(code: int, stage: Stage) -> None:
    verdict = classify(code, None, "words of theirs", stage)

    assert isinstance(verdict.action, Action)
    assert "words" not in verdict.code


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH])
@pytest.mark.parametrize("code", [0, 421, 454, 521, 535, 554])
def test_what_is_said_before_any_message_blames_no_person(code: int, stage: Stage) -> None:
    verdict = classify(code, None, "", stage)

    assert verdict.fate is Fate.DEFERRED
    assert verdict.lane_down


def test_a_refusal_for_reasons_of_ours_is_told_to_the_operator() -> None:
    verdict = classify(550, "5.7.1", "Message rejected as spam", Stage.DATA_END)

    assert (verdict.fate, verdict.operator, verdict.code) == (Fate.FAILED, True, "550 5.7.1")


def test_a_wrong_class_in_the_enhanced_code_does_not_turn_a_retry_into_a_failure() -> None:
    """RFC 3463 section 2: the basic code decides about trying again."""
    assert classify(450, "5.1.1", "", Stage.RCPT).fate is Fate.DEFERRED
    assert classify(550, "4.1.1", "", Stage.RCPT).fate is Fate.FAILED


def test_an_answer_after_the_dot_that_means_nothing_is_uncertain() -> None:
    assert classify(-1, None, "", Stage.DATA_END).fate is Fate.UNCERTAIN
    assert classify(354, None, "", Stage.DATA_END).fate is Fate.UNCERTAIN
