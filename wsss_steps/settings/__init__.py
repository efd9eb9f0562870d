"""Typed settings of every step and method: the only place where a default is written. Free of torch.

`config.yaml` overrides these defaults; unknown keys are refused. A method's settings are one flat class; its functions
take by name what they need (`methods.arguments`), so a setting that nobody reads is an error of the tests.

`settings/<slot>.py` holds the settings of the methods of a slot, one class each, and nothing else registers them.
"""
