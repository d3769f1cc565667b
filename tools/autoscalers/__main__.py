"""Writes the plots into docs/images: `python -m tools.autoscalers`."""

from tools.autoscalers.drawing import PLOTS, write

if __name__ == "__main__":
    for plot in PLOTS:
        write(plot)
