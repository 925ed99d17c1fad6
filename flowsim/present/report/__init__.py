"""The report for the steering group: an answer, its tables and figures as a PDF."""

from flowsim.present.report.document import MOST_SCENARIOS, check_typesetter, make_report

__all__ = ["MOST_SCENARIOS", "check_typesetter", "make_report"]
