"""The on-disk form of every artifact: one writer, one reader, a version. The only modules that open HDF5.

Every writer fills a temporary file (or folder) beside its target and renames it when it is whole, so an artifact that
exists is complete. Every reader checks kind and version and says what it expected and what it found.
"""

from wsss_steps.formats.files import VERSION, read_json, whole, write_json, write_text
from wsss_steps.formats.indices import write_index
from wsss_steps.formats.kinds import KINDS
from wsss_steps.formats.labels import IGNORE, read_labels, voc_palette, write_labels
from wsss_steps.formats.records import File as RecordedFile
from wsss_steps.formats.records import Record, read_record, record_of, write_record
from wsss_steps.formats.stamps import begin, newest, read_stamp, write_beside
from wsss_steps.formats.states import read_state, state_digest, write_state
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.formats.weights import read_weights, read_weights_content, read_weights_stamp, write_weights

__all__ = [
    "IGNORE",
    "KINDS",
    "VERSION",
    "Record",
    "RecordedFile",
    "Store",
    "begin",
    "newest",
    "read_json",
    "read_labels",
    "read_record",
    "read_stamp",
    "read_state",
    "read_weights",
    "read_weights_content",
    "read_weights_stamp",
    "record_of",
    "state_digest",
    "voc_palette",
    "whole",
    "write_beside",
    "write_index",
    "write_json",
    "write_labels",
    "write_record",
    "write_state",
    "write_store",
    "write_text",
    "write_weights",
]
