"""The parts of the bench, each a generator of results."""

from . import http_parts, knowledge_parts, load_parts, ownership_parts, size_parts, supply_parts

PARTS = {**http_parts.PARTS, **load_parts.PARTS, **knowledge_parts.PARTS, **ownership_parts.PARTS, **supply_parts.PARTS,
         **size_parts.PARTS}
