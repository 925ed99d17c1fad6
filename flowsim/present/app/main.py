"""The script that Streamlit runs for each visitor and each change (`flowsim app` starts it)."""

from flowsim.present.app.shell import run

run()
