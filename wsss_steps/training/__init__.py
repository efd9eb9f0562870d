"""Training: the loop, interrupted runs, several processes, devices, self-supervised pretraining."""
