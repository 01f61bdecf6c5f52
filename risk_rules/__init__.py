"""What policy proposes: dated rules and mitigations that policy people read and write, and the draw of random control.

No rule reads a score; only the proposal step sees a band beside the findings. Nothing here refuses entry, detains or
cancels a permit.
"""
