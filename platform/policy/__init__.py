"""The regulation (豫人社办〔2020〕97号) as dated data and pure functions.

No Django, clock, settings or translation in here: functions take plain values and an `Edition`, and return a
decision that names the ledger row, the citation, the numbers used and the reading taken. Messages are Chinese
source strings with their parameters kept apart, so that an edge can translate before it fills them in.
"""
