"""The report for the steering group: an answer, its tables and figures as a PDF or as HTML."""

from flowsim.present.report.document import FORMS, MOST_SCENARIOS, check_form, make_report

__all__ = ["FORMS", "MOST_SCENARIOS", "check_form", "make_report"]
