"""How good the knowledge is, measured on questions whose answers are known.

``questions`` reads them, ``matching`` says what is right; ``retrieval``, ``routes`` and
``answers`` look ever further down the way of a question, and ``thresholds`` finds where refusing
should begin.
"""

from chatapp.flows.evaluation.answers import AnswerScores, evaluate_answers
from chatapp.flows.evaluation.questions import Question, read_questions
from chatapp.flows.evaluation.retrieval import RetrievalScores, evaluate_retrieval
from chatapp.flows.evaluation.routes import RouteScores, evaluate_routes
from chatapp.flows.evaluation.thresholds import Calibration, calibrate

__all__ = [
    "AnswerScores",
    "Calibration",
    "Question",
    "RetrievalScores",
    "RouteScores",
    "calibrate",
    "evaluate_answers",
    "evaluate_retrieval",
    "evaluate_routes",
    "read_questions",
]
