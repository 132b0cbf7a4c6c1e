"""``spatialkz audit``: whether published quotients can be what they say."""

from __future__ import annotations

from spatialkz.cli.arguments import Output, Source, takes_source
from spatialkz.cli.output import emit_result, tell
from spatialkz.errors import InputError


@takes_source()
def audit(source: Source, output: Output = None) -> None:
    """Hold published quotients against the identity they must satisfy, and bound what they imply."""
    from spatialkz.specialization import audit_study, audit_table

    claims = None
    if source.is_study:
        found, claims = audit_study(source.study())
    else:
        source.refuse_neighbors("An audit does not use neighbors")
        files = source.files(kind="quotients", rounding=0.005)
        found = audit_table(files.activity())
        tell(files.notes)
    if found is None:
        raise InputError(f"{source.file} holds volumes or counts; an audit is for published quotients.")

    def say() -> None:
        print(found.summary())
        if claims is not None:
            print(claims[["verdict", "found"]].to_string())

    emit_result(found, output, lambda: found.to_frame().reset_index(), say)
