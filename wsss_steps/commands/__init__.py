"""Commands for people: `python -m wsss_steps <command>`.

`commands/<command>.py` is a command, and nothing else registers it: its docstring is its help, `add_arguments(parser)`
adds its arguments, `run(options)` runs it.
"""
