"""A trained model as a folder of its own, for other servers, and the proof that it answers as it did here."""

from finetune_lib.local.exporting.export import Exported, export
from finetune_lib.local.exporting.verify import Difference, ExportCheck, verify_export

__all__ = ["Difference", "ExportCheck", "Exported", "export", "verify_export"]
