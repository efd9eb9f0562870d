"""Commands for people: `python -m wsss_steps <command>`.

`commands/<command>.py` is one, and nothing else registers it: its docstring is its help, `add_arguments(parser)` says
what its command line takes, `run(options)` does it.
"""
