"""Long `--help` in sections."""

from typing import Any

import click

EVERYDAY, MORE = "Everyday options", "More options"


class SectionedCommand(click.Command):
    """sections: flags by title, in the order of `--help`; the others follow under MORE."""

    def __init__(self, *arguments: Any, sections: dict[str, tuple[str, ...]], **options: Any):
        super().__init__(*arguments, **options)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {option.opts[0]: record for option in options if (record := option.get_help_record(ctx))}
        titled = {flag for flags in self.sections.values() for flag in flags}
        rest = tuple(flag for flag in records if flag not in titled)
        for title, flags in {**self.sections, MORE: rest}.items():
            if flags:
                with formatter.section(title):
                    formatter.write_dl([records[flag] for flag in flags])
