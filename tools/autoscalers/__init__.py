"""Draws the plots of docs/explanation/autoscalers.md, from the tested arithmetic and the shipped autoscalers."""
