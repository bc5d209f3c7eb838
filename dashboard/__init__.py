"""What the business sees: Streamlit pages."""
