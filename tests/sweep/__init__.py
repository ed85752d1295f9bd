"""The exhaustive crash sweep of the journal: every operation, every fault, at every Nth step of the disk.

python -m tests.sweep            the whole sweep (`make sweep`); --quick is what `make test` runs
python -m tests.sweep.million    a million pending entries: memory and times
"""
