"""Words and meaning → evidence → a calibrated decision."""

from monitor.match.calibration import Calibration, load_calibration, save_calibration
from monitor.match.features import Exemplars, exemplar_sentences
from monitor.match.matcher import RULES, Judgement, Matcher

__all__ = [
    "RULES",
    "Calibration",
    "Exemplars",
    "Judgement",
    "Matcher",
    "exemplar_sentences",
    "load_calibration",
    "save_calibration",
]
