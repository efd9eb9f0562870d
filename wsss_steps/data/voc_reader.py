"""What reads a data set in PASCAL VOC layout (see `layouts`)."""

from wsss_steps.data.voc import read_split
from wsss_steps.data.voc_masks import read_masks

__all__ = ["read_masks", "read_split"]
