"""What the Commands of this project run on the host: one verb a module, run as `.venv/bin/python -m steps.VERB`.

A verb reads its environment into a frozen dataclass, speaks to the cluster through `doors`, has what it found judged by
`findings`, and prints its result. It raises StepError with the sentence that the user is to read.
"""
