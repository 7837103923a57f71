"""Random and damaged inputs beside the references, until the time is up.

seeds      whole files to start from
damage     what is done to them
targets    what is compared, one class each
__main__   turns, table and findings
"""
