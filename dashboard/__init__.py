"""What the business sees: Streamlit pages over bounded queries that know nothing of Streamlit."""
