"""Single changes of a schema, each with the findings that it must give by the contract; and smaller pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from model import DEFAULTS, INTEGERS, SIDES, Column, Mutation, Node, Pair, Schema, Table


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set('.,()"') else name


def at_column(table: Table, column: str) -> str:
    return f"{quoted(table.name)}.{quoted(column)}"


def at_key(table: Table, columns: Iterable[str]) -> str:
    return f"{quoted(table.name)}({', '.join(map(quoted, columns))})"


Changed = tuple[
    Any, Any, list[tuple[str, str]]
]  # side (or both), the schema that it has instead, what must be found
MUTATIONS: list[Callable[[Schema], Iterator[Changed]]] = []


def mutation(rule: Callable[[Schema], Iterator[Changed]]) -> Callable[[Schema], Iterator[Changed]]:
    MUTATIONS.append(rule)
    return rule


def mutations(schema: Schema, rule: Callable[[Schema], Iterator[Changed]]) -> Iterator[Mutation]:
    """Every single change of a kind that the schema offers, each on one side."""
    for side, changed, expect in rule(schema):
        for one in SIDES if side is None else (side,):
            yield Mutation(rule.__name__, one, changed, tuple(expect))


def on_columns(table: Table, change: Callable[[Column], Column], name: str) -> Table:
    return replace(
        table,
        columns=tuple(
            change(column) if column.name == name else column for column in table.columns
        ),
    )


def free(schema: Schema, table: Table) -> Iterator[Column]:
    """Columns that are in no key, no foreign key, no expression and no view."""
    keyed = {name for key in (*table.uniques, *table.indexes) for name in key.columns}
    bound = {
        *table.primary_key,
        *table.referring,
        *table.computed_from,
        *schema.referenced(table),
        *schema.shown(table),
        *keyed,
    }
    return (column for column in table.columns if column.name not in bound and not column.generated)


def keyed_alike(table: Table) -> list[tuple[str, ...]]:
    """The columns of all keys of a table, in order."""
    return [key.columns for key in (*table.uniques, *table.indexes)] + (
        [table.primary_key] if table.primary_key else []
    )


@mutation
def drop_table(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables[1:]:
        if not any(view.table == table.name for view in schema.views):
            left = [
                replace(
                    one, foreign_keys=tuple(k for k in one.foreign_keys if k.parent != table.name)
                )
                for one in schema.tables
            ]
            yield (
                None,
                replace(schema, tables=tuple(one for one in left if one.name != table.name)),
                [("table-missing", quoted(table.name))],
            )


@mutation
def rename_table_case(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        other = table.name.upper() if table.name.isascii() else table.name
        if other == table.name:
            continue
        tables = []
        for one in schema.tables:
            keys = tuple(
                replace(key, parent=other) if key.parent == table.name else key
                for key in one.foreign_keys
            )
            tables.append(
                replace(one, foreign_keys=keys, name=other if one.name == table.name else one.name)
            )
        views = tuple(
            replace(view, table=other) if view.table == table.name else view
            for view in schema.views
        )
        for side in SIDES:
            place = quoted(other if side == "mysql" else table.name)
            yield (
                side,
                replace(schema, tables=tuple(tables), views=views),
                [("identifier-case", place)],
            )


@mutation
def change_engine(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        if not table.foreign_keys and not schema.referenced(table):
            yield (
                "mysql",
                schema.with_table(replace(table, engine="MyISAM")),
                [("table-engine", quoted(table.name))],
            )


@mutation
def drop_column(schema: Schema) -> Iterator[Changed]:
    """With all that is made of it: one cause, one finding."""
    for table in schema.tables:
        bound = {*table.primary_key, *schema.referenced(table), *schema.shown(table)}
        sources = {
            name
            for column in table.columns
            if column.generated
            for name in column.generated.columns
        }
        for column in table.columns:
            if column.name in bound | sources or len(table.columns) < 3:
                continue
            left = replace(
                table,
                columns=tuple(one for one in table.columns if one.name != column.name),
                uniques=tuple(key for key in table.uniques if column.name not in key.columns),
                indexes=tuple(key for key in table.indexes if column.name not in key.columns),
                foreign_keys=tuple(
                    key for key in table.foreign_keys if column.name not in key.columns
                ),
                checks=tuple(
                    check for check in table.checks if column.name not in check.condition.columns
                ),
            )
            parts = {
                part
                for check in table.checks
                if column.name in check.condition.columns
                for part in conjuncts(check.condition)
            }
            if all(column.name in part.columns for part in parts):
                yield (
                    None,
                    schema.with_table(left),
                    [("column-missing", at_column(table, column.name))],
                )


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that a reader may take apart: anything but a lone comparison counts as one that cannot be told."""
    if node.op == "and":
        for part in node.args:
            yield from conjuncts(part)
    else:
        yield node


@mutation
def rename_column(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in free(schema, table):
            new = column.name + "x"
            changed = schema.with_table(
                on_columns(table, lambda c, new=new: replace(c, name=new), column.name)
            )
            yield (
                None,
                changed,
                [("column-missing", at_column(table, name)) for name in (column.name, new)],
            )


@mutation
def change_type(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in free(schema, table):
            if column.sort not in ("enum", "json") and not table.rows:
                to = ("DATETIME", "DATETIME") if column.sort in INTEGERS else ("BIGINT", "BIGINT")
                other = replace(column, sort="other", sqlite=to[0], mysql=to[1], default=None)
                changed = schema.with_table(
                    on_columns(table, lambda _, other=other: other, column.name)
                )
                yield None, changed, [("column-type", at_column(table, column.name))]


@mutation
def change_to_unknown_type(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in free(schema, table):
            if column.sort not in ("enum", "json"):
                for name in ("STRING", "", "VARCHAR2(9)"):
                    changed = schema.with_table(
                        on_columns(table, lambda c, name=name: replace(c, sqlite=name), column.name)
                    )
                    yield "sqlite", changed, [("type-unknown", at_column(table, column.name))]


@mutation
def change_nullability(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            keys = {*table.primary_key, *table.referring}
            read = column.name in table.computed_from  # a CHECK may say NOT NULL as well
            fixed = column.name in keys or column.generated or read
            if not fixed and column.sort not in (
                "enum",
                "json",
            ):  # their CHECK or default changes too
                changed = schema.with_table(
                    on_columns(table, lambda c: replace(c, nullable=not c.nullable), column.name)
                )
                yield None, changed, [("column-nullability", at_column(table, column.name))]


@mutation
def change_default(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if (
                column.generated
                or (table.filled and column.name in table.primary_key)
                or column.sort not in DEFAULTS
            ):
                continue
            if column.mysql == "TINYTEXT" or column.name in table.referring:
                continue
            for default in {None, *DEFAULTS[column.sort]} - {column.default}:
                changed = schema.with_table(
                    on_columns(
                        table, lambda c, default=default: replace(c, default=default), column.name
                    )
                )
                yield None, changed, [("column-default", at_column(table, column.name))]


@mutation
def add_on_update(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if (
                column.sort == "datetime"
                and column.name not in table.computed_from | table.referring
            ):
                changed = schema.with_table(
                    on_columns(table, lambda c: replace(c, on_update=True), column.name)
                )
                yield "mysql", changed, [("column-default", at_column(table, column.name))]


@mutation
def change_capacity(schema: Schema) -> Iterator[Changed]:
    """Where both sides declare a size."""
    for table in schema.tables:
        for column in table.columns:
            sized = column.sort in ("string", "char", "decimal", "bytes") and re.search(
                r"\d", column.sqlite
            )
            if (
                sized
                and not column.generated
                and column.name not in table.referring | schema.referenced(table)
            ):
                for side in SIDES:
                    declared = re.sub(
                        r"\d+", lambda match: str(int(match[0]) + 1), getattr(column, side), count=1
                    )
                    changed = on_columns(
                        table,
                        lambda c, side=side, declared=declared: replace(c, **{side: declared}),
                        column.name,
                    )
                    yield (
                        side,
                        schema.with_table(changed),
                        [("column-capacity", at_column(table, column.name))],
                    )


@mutation
def stop_filling(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        if table.filled:
            own = on_columns(table, lambda c: replace(c, sqlite="INT"), table.primary_key[0])
            yield (
                None,
                schema.with_table(replace(own, filled=False)),
                [("column-auto-increment", at_column(table, table.primary_key[0]))],
            )


@mutation
def change_generated(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if column.generated:
                for node in (None, bumped(column.generated)):
                    changed = on_columns(
                        table, lambda c, node=node: replace(c, generated=node), column.name
                    )
                    yield (
                        None,
                        schema.with_table(changed),
                        [("column-generated", at_column(table, column.name))],
                    )


@mutation
def change_primary_key(schema: Schema) -> Iterator[Changed]:
    """Turned around, or gone."""
    for table in schema.tables:
        if len(table.primary_key) > 1 and not set(table.primary_key) & schema.referenced(table):
            turned = replace(table, primary_key=table.primary_key[::-1])
            gone = replace(table, primary_key=(), without_rowid=False)
            for changed in (turned, gone):
                yield None, schema.with_table(changed), [("primary-key", quoted(table.name))]


@mutation
def drop_unique(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for key in table.uniques:
            left = replace(table, uniques=tuple(one for one in table.uniques if one != key))
            expect = [("unique", at_key(table, key.columns))]
            if not set(key.columns) & schema.referenced(table):
                yield None, schema.with_table(left), expect
            else:
                referring = [
                    (one, k)
                    for one in schema.tables
                    for k in one.foreign_keys
                    if (k.parent, k.parent_columns) == (table.name, key.columns)
                ]
                if len(key.columns) == 1 and key.columns != table.primary_key:
                    yield (
                        "sqlite",
                        schema.with_table(left),
                        expect
                        + [
                            ("foreign-key-dangling", at_key(one, k.columns)) for one, k in referring
                        ],
                    )


@mutation
def change_unique(schema: Schema) -> Iterator[Changed]:
    """Unique among some rows only, or in its first characters."""
    for table in schema.tables:
        for key in table.uniques:
            if set(key.columns) & schema.referenced(table):
                continue
            for side, word in (("sqlite", "partial"), ("mysql", "prefixed")):
                if word == "partial" or all(
                    table.column(name).sort in ("string", "char") for name in key.columns
                ):
                    other = tuple(
                        replace(one, **{word: True}) if one == key else one for one in table.uniques
                    )
                    yield (
                        side,
                        schema.with_table(replace(table, uniques=other)),
                        [("unique", at_key(table, key.columns))],
                    )


@mutation
def drop_index(schema: Schema) -> Iterator[Changed]:
    """Found unless a longer key answers for it, or InnoDB makes one like it for a foreign key."""
    for table in schema.tables:
        for key in table.indexes:
            left = replace(table, indexes=tuple(one for one in table.indexes if one != key))
            answered = any(
                columns[: len(key.columns)] == key.columns for columns in keyed_alike(left)
            )
            own = any(one.columns[: len(key.columns)] == key.columns for one in table.foreign_keys)
            expect = [] if answered else [("index", at_key(table, key.columns))]
            yield "sqlite", schema.with_table(left), expect
            yield "mysql", schema.with_table(left), [] if own else expect


@mutation
def drop_foreign_key(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for key in table.foreign_keys:
            left = replace(
                table, foreign_keys=tuple(one for one in table.foreign_keys if one != key)
            )
            yield None, schema.with_table(left), [("foreign-key", at_key(table, key.columns))]


@mutation
def change_action(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for key in table.foreign_keys:
            into_itself = key.parent == table.name
            for event in ("on_delete",) if into_itself else ("on_delete", "on_update"):
                other = "" if getattr(key, event) else "CASCADE"
                keys = tuple(
                    replace(one, **{event: other}) if one == key else one
                    for one in table.foreign_keys
                )
                yield (
                    None,
                    schema.with_table(replace(table, foreign_keys=keys)),
                    [("foreign-key", at_key(table, key.columns))],
                )
            keys = tuple(
                replace(one, deferred=True) if one == key else one for one in table.foreign_keys
            )
            yield (
                "sqlite",
                schema.with_table(replace(table, foreign_keys=keys)),
                [("foreign-key", at_key(table, key.columns))],
            )


@mutation
def drop_check(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for check in table.checks:
            left = replace(table, checks=tuple(one for one in table.checks if one != check))
            yield None, schema.with_table(left), [("check", quoted(table.name))]


@mutation
def change_constant(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for check in table.checks:
            other = tuple(
                replace(one, condition=bumped(one.condition)) if one == check else one
                for one in table.checks
            )
            yield (
                None,
                schema.with_table(replace(table, checks=other)),
                [("check", quoted(table.name))],
            )


def bumped(node: Node) -> Node:
    """The same with its last constant changed."""
    args = list(node.args)
    for at in reversed(range(len(args))):
        if isinstance(args[at], Node) and args[at].op == "literal":
            value = args[at].args[0]
            args[at] = Node("literal", (value + "1" if isinstance(value, str) else value + 5,))
            break
        if isinstance(args[at], Node) and bumped(args[at]) != args[at]:
            args[at] = bumped(args[at])
            break
    return Node(node.op, tuple(args))


@mutation
def change_choices(schema: Schema) -> Iterator[Changed]:
    """An ENUM that takes more, a column that checks nothing."""
    for table in schema.tables:
        for column in table.columns:
            if column.sort == "enum":
                more = on_columns(
                    table, lambda c: replace(c, values=(*c.values, "one more")), column.name
                )
                yield None, schema.with_table(more), [("check", quoted(table.name))]
            if column.sort in ("enum", "json"):
                bare = on_columns(table, lambda c: replace(c, checked=False), column.name)
                yield "sqlite", schema.with_table(bare), [("check", quoted(table.name))]


@mutation
def change_view(schema: Schema) -> Iterator[Changed]:
    for view in schema.views:
        others = tuple(one for one in schema.views if one != view)
        yield None, replace(schema, views=others), [("view", quoted(view.name))]
        if len(view.columns) > 1:
            yield (
                None,
                replace(schema, views=(*others, replace(view, columns=view.columns[1:]))),
                [("view", quoted(view.name))],
            )


@mutation
def change_rows(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        if table.rows:
            yield (
                None,
                schema.with_table(replace(table, rows=table.rows - 1)),
                [("seed-rows", quoted(table.name))],
            )


@mutation
def change_nothing(schema: Schema) -> Iterator[Changed]:
    """The control: the very same again."""
    yield None, schema, []


def smaller(pair: Pair) -> Iterator[Pair]:
    """Pairs with one thing less, with the same change and the same findings to expect."""
    for seeds in {(0, 0), (0, pair.seeds[1]), (pair.seeds[0], 0)} - {pair.seeds}:
        yield replace(pair, seeds=seeds)
    rule = next(rule for rule in MUTATIONS if rule.__name__ == pair.mutation.name)
    for schema in reductions(pair.schema):
        for one in mutations(schema, rule):
            if (one.side, one.expect) == (pair.mutation.side, pair.mutation.expect):
                yield replace(pair, schema=schema, mutation=one)


def unchanged(pair: Pair) -> Pair:
    """For what fails before anything is changed."""
    return replace(pair, mutation=next(mutations(pair.schema, change_nothing)))


def reductions(schema: Schema) -> Iterator[Schema]:
    for table in reversed(schema.tables):
        left = [
            replace(one, foreign_keys=tuple(k for k in one.foreign_keys if k.parent != table.name))
            for one in schema.tables
        ]
        if len(left) > 1:
            views = tuple(view for view in schema.views if view.table != table.name)
            yield Schema(tuple(one for one in left if one.name != table.name), views)
    for view in schema.views:
        yield replace(schema, views=tuple(one for one in schema.views if one != view))
    for table in schema.tables:
        yield from (schema.with_table(one) for one in reduced_tables(schema, table))


def reduced_tables(schema: Schema, table: Table) -> Iterator[Table]:
    referenced = schema.referenced(table)
    for part in ("checks", "indexes", "foreign_keys", "uniques"):
        for item in getattr(table, part):
            if part != "uniques" or not set(item.columns) & referenced:
                yield replace(
                    table, **{part: tuple(one for one in getattr(table, part) if one != item)}
                )
    if table.primary_key and not set(table.primary_key) & referenced:
        yield replace(table, primary_key=(), filled=False, without_rowid=False)
    if table.rows:
        yield replace(table, rows=0)
    bound = {column.name for column in table.columns} - {
        column.name for column in free(schema, table)
    }
    for column in table.columns:
        if (
            (column.name not in bound or column.generated)
            and column.name not in schema.shown(table)
            and len(table.columns) > 1
        ):
            yield replace(table, columns=tuple(one for one in table.columns if one != column))
        if column.default is not None:
            yield on_columns(table, lambda c: replace(c, default=None), column.name)
    for check in table.checks:
        for node in check.condition.args:
            if check.condition.op in ("and", "or", "not"):
                shorter = replace(check, condition=node)
                yield replace(
                    table, checks=tuple(shorter if one == check else one for one in table.checks)
                )
