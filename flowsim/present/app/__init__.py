"""The web app of the steering group (`flowsim app`).

Pages (`flowsim.present.app.views`) are thin: what they show comes from `flowsim.study` and `flowsim.analysis`, in words
of the text catalogues. Levers, drafts, links, jobs and studies know nothing of Streamlit.
"""
