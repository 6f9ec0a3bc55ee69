"""A schema in the words of one backend.

Of the spellings that mean the same `Writer` takes one by a hash of the seed and the place, so that a
change in one place leaves the spelling of all others alone.  With seed 0 it takes the first one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from model import (
    EPOCH,
    INTEGERS,
    NOW,
    PREFIXED,
    SIDES,
    Check,
    Column,
    Dialect,
    ForeignKey,
    Key,
    Limits,
    Node,
    Pair,
    Schema,
    Table,
    View,
)

KEYWORDS = frozenset(
    [
        "check",
        "group",
        "index",
        "key",
        "order",
        "select",
        "table",
        "values",
        "references",
        "default",
        "primary",
        "unique",
        "constraint",
    ]
)
COMPARISONS = {
    "<": (">", ">="),
    "<=": (">=", ">"),
    ">": ("<", "<="),
    ">=": ("<=", "<"),
    "=": ("=", "<>"),
    "<>": ("<>", "="),
}
ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}
COMPOUND = frozenset(
    (
        "compare",
        "and",
        "or",
        "not",
        "between",
        "in",
        "like",
        "null",
        "given",
        "mod",
        "div",
        "concat",
        "case",
        *ARITHMETIC,
    )
)


@dataclass
class Writer:
    """Writes a schema for one backend.  Every method's `at` names the place whose spelling it picks."""

    dialect: Dialect
    limits: Limits
    seed: int
    made: int = field(default=0)

    @property
    def sqlite(self) -> bool:
        return self.dialect == "sqlite"

    def pick(self, at: str, *options: Any) -> Any:
        """One of several spellings of the same; with seed 0 the first."""
        return (
            options[zlib.crc32(f"{self.seed}/{at}".encode()) % len(options)]
            if self.seed
            else options[0]
        )

    def by_side(self, sqlite: tuple[Any, ...], mysql: tuple[Any, ...], at: str) -> Any:
        return self.pick(at, *(sqlite if self.sqlite else mysql))

    def shuffled(self, items: Iterable[Any], at: str) -> list[Any]:
        numbered = list(enumerate(items))
        if self.seed and self.pick(at, False, True):
            numbered.sort(key=lambda item: zlib.crc32(f"{self.seed}/{at}/{item[0]}".encode()))
        return [item for _, item in numbered]

    def say(self, words: str) -> str:
        """Keywords in upper, lower or mixed case."""
        return self.pick(words, words, words, words.lower(), words.capitalize())

    # names and values

    def name(self, name: str, at: str = "") -> str:
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in KEYWORDS
        styles = ["bare"] if plain else []
        styles += ['"', "`", "["] if self.sqlite else ["`"]
        if "]" in name and "[" in styles:
            styles.remove("[")
        style = self.pick(f"{at}/{name}/quote", *styles)
        if style == "bare":
            return name
        return f"[{name}]" if style == "[" else style + name.replace(style, style * 2) + style

    def names(self, names: Iterable[str], at: str) -> str:
        return ", ".join(self.name(name, at) for name in names)

    def string(self, text: str, at: str = "") -> str:
        if self.sqlite:
            return "'" + text.replace("'", "''") + "'"
        style = self.pick(f"{at}/{text}/string", "''", "\\'", '"')
        text = text.replace("\\", "\\\\")
        if style == '"':
            return '"' + text.replace('"', '""') + '"'
        return (
            "'"
            + text.replace("'", style).replace("\n", self.pick(f"{at}/newline", "\n", "\\n"))
            + "'"
        )

    def literal(self, value: Any, at: str = "") -> str:
        if isinstance(value, str):
            return self.string(value, at)
        if isinstance(value, bytes):
            return self.by_side(("x'", "X'"), ("x'", "X'"), at + "/bytes") + value.hex() + "'"
        if isinstance(value, bool):
            return self.pick(at + "/bool", str(int(value)), str(value).upper(), str(value).lower())
        if isinstance(value, float):
            return self.pick(at + "/float", f"{value:.2f}", f"{value:g}", f"{value:.4f}")
        return str(value)

    # expressions

    def expression(self, node: Node, at: str) -> str:
        text = getattr(self, "on_" + node.op)(node, at)
        return f"({text})" if self.pick(at + "/parentheses", 0, 0, 0, 1) else text

    def operand(self, node: Node, at: str) -> str:
        text = self.expression(node, at)
        return f"({text})" if node.op in COMPOUND else text

    def call(self, function: str, *args: str) -> str:
        return f"{function}({', '.join(args)})"

    def on_column(self, node: Node, at: str) -> str:
        return self.name(node.args[0], at)

    def on_literal(self, node: Node, at: str) -> str:
        return self.literal(node.args[0], at)

    def on_compare(self, node: Node, at: str) -> str:
        op, left, right = node.args
        mirrored, opposite = COMPARISONS[op]
        one, other = self.operand(left, at + ".l"), self.operand(right, at + ".r")
        form = self.pick(at + "/form", "plain", "plain", "mirrored", "denied")
        signs = {"<>": ("<>", "!="), "=": ("=", "==") if self.sqlite else ("=",)}
        op, opposite, mirrored = (
            self.pick(at + "/sign", *signs.get(sign, (sign,))) for sign in (op, opposite, mirrored)
        )
        if form == "mirrored":
            return f"{other} {mirrored} {one}"
        return (
            f"{self.say('NOT')} ({one} {opposite} {other})"
            if form == "denied"
            else f"{one} {op} {other}"
        )

    def on_and(self, node: Node, at: str) -> str:
        return f" {self.say(node.op.upper())} ".join(
            self.operand(arg, f"{at}.{n}") for n, arg in self.shuffled(enumerate(node.args), at)
        )

    on_or = on_and

    def on_not(self, node: Node, at: str) -> str:
        (inner,) = node.args
        if inner.op in ("and", "or") and self.pick(at + "/de morgan", False, True):
            turned = Node(
                "or" if inner.op == "and" else "and",
                tuple(Node("not", (arg,)) for arg in inner.args),
            )
            return self.expression(turned, at + ".n")
        if inner.op in ("between", "in", "like") and self.pick(at + "/negative", True, False):
            return getattr(self, "on_" + inner.op)(inner, at + ".n", self.say("NOT") + " ")
        return f"{self.say('NOT')} ({self.expression(inner, at + '.n')})"

    def on_between(self, node: Node, at: str, negative: str = "") -> str:
        value, low, high = node.args
        if not negative and self.pick(at + "/form", False, True):
            return self.expression(
                Node("and", (compare(">=", value, low), compare("<=", value, high))), at + ".c"
            )
        ends = f"{self.operand(low, at + '.l')} {self.say('AND')} {self.operand(high, at + '.h')}"
        return f"{self.operand(value, at + '.v')} {negative}{self.say('BETWEEN')} {ends}"

    def on_in(self, node: Node, at: str, negative: str = "") -> str:
        value, *choices = node.args
        if not negative and self.pick(at + "/form", False, False, True):
            return self.expression(
                Node("or", tuple(compare("=", value, choice) for choice in choices)), at + ".c"
            )
        texts = ", ".join(
            self.expression(choice, f"{at}.{n}")
            for n, choice in self.shuffled(enumerate(choices), at)
        )
        return f"{self.operand(value, at + '.v')} {negative}{self.say('IN')} ({texts})"

    def on_like(self, node: Node, at: str, negative: str = "") -> str:
        """A backslash escapes: on MySQL by itself."""
        value, pattern = (
            self.operand(node.args[0], at + ".l"),
            self.expression(node.args[1], at + ".r"),
        )
        escape = ""
        if "\\" in node.args[1].args[0]:
            escape = self.by_side((" ESCAPE '\\'",), ("", " ESCAPE '\\\\'"), at + "/escape")
        return f"{value} {negative}{self.say('LIKE')} {pattern}{escape}"

    def on_null(self, node: Node, at: str) -> str:
        return f"{self.operand(node.args[0], at + '.l')} {self.by_side(('IS NULL', 'ISNULL'), ('IS NULL', 'is null'), at + '/null')}"

    def on_given(self, node: Node, at: str) -> str:
        value = self.operand(node.args[0], at + ".l")
        words = self.by_side(
            ("IS NOT NULL", "NOTNULL", "NOT NULL", "denied"),
            ("IS NOT NULL", "is not null", "denied"),
            at + "/given",
        )
        return f"NOT ({value} IS NULL)" if words == "denied" else f"{value} {words}"

    def on_add(self, node: Node, at: str) -> str:
        return f"{self.operand(node.args[0], at + '.l')} {ARITHMETIC[node.op]} {self.operand(node.args[1], at + '.r')}"

    on_sub = on_mul = on_add

    def on_mod(self, node: Node, at: str) -> str:
        left, right = (self.operand(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        form = self.by_side(("%",), ("%", "MOD", "call"), at + "/mod")
        return self.call("MOD", left, right) if form == "call" else f"{left} {form} {right}"

    def on_div(self, node: Node, at: str) -> str:
        left, right = (self.operand(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        return f"{left} {'/' if self.sqlite else 'DIV'} {right}"

    def on_length(self, node: Node, at: str) -> str:
        return self.call(
            self.by_side(("length", "LENGTH"), ("CHAR_LENGTH", "character_length"), at + "/f"),
            self.expression(node.args[0], at),
        )

    def on_lower(self, node: Node, at: str) -> str:
        return self.call(
            self.by_side(("lower", "LOWER"), ("lower", "LCASE"), at + "/f"),
            self.expression(node.args[0], at),
        )

    def on_upper(self, node: Node, at: str) -> str:
        return self.call(
            self.by_side(("upper", "Upper"), ("UPPER", "ucase"), at + "/f"),
            self.expression(node.args[0], at),
        )

    def on_trim(self, node: Node, at: str) -> str:
        return self.call(self.pick(at + "/f", "trim", "TRIM"), self.expression(node.args[0], at))

    def on_abs(self, node: Node, at: str) -> str:
        return self.call(self.pick(at + "/f", "abs", "ABS"), self.expression(node.args[0], at))

    def on_coalesce(self, node: Node, at: str) -> str:
        return self.call(
            self.pick(at + "/f", "coalesce", "COALESCE", "ifnull"),
            *(self.expression(arg, f"{at}.{n}") for n, arg in enumerate(node.args)),
        )

    def on_substr(self, node: Node, at: str) -> str:
        function = self.by_side(("substr", "SUBSTRING"), ("substr", "SUBSTRING", "mid"), at + "/f")
        return self.call(
            function, *(self.expression(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        )

    def on_concat(self, node: Node, at: str) -> str:
        parts = [self.operand(arg, f"{at}.{n}") for n, arg in enumerate(node.args)]
        return " || ".join(parts) if self.sqlite else self.call("CONCAT", *parts)

    def on_case(self, node: Node, at: str) -> str:
        condition, yes, no = (self.expression(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        form = self.by_side(("case", "IIF"), ("case", "IF"), at + "/case")
        return (
            f"CASE WHEN {condition} THEN {yes} ELSE {no} END"
            if form == "case"
            else self.call(form, condition, yes, no)
        )

    def on_valid(self, node: Node, at: str) -> str:
        return self.call("json_valid", self.expression(node.args[0], at))

    # columns

    def default(self, column: Column, at: str) -> str:
        """What stands behind DEFAULT, or nothing."""
        value = column.default
        if value is None:
            return (
                self.pick(at + "/null", "", "", "NULL")
                if column.nullable and not column.generated
                else ""
            )
        if value == NOW:
            return self.now(column, at)
        if value == EPOCH:
            return self.by_side(
                ("(unixepoch())", "(strftime('%s', 'now'))"),
                ("(unix_timestamp())", "(UNIX_TIMESTAMP())"),
                at,
            )
        text = self.literal(value, at)
        if column.sort in ("text", "json") and not self.sqlite:
            return f"({text})"
        if column.sort in INTEGERS | {"decimal", "float"}:
            if column.mysql.startswith("BIT") and not self.sqlite:
                return self.pick(at + "/bit", f"b'{int(value)}'", str(int(value)))
            texts = (
                (text, text, f"({text})")
                if isinstance(value, bool)
                else (text, text, f"({text})", f"'{text}'")
            )
            return self.pick(at + "/form", *texts)
        if isinstance(value, str) and self.sqlite:
            quoted = '"' + value.replace('"', '""') + '"'  # https://sqlite.org/quirks.html#dblquote
            return self.pick(at + "/form", text, text, f"({text})", quoted)
        return self.pick(at + "/form", text, text, f"({text})")

    def now(self, column: Column, at: str) -> str:
        if column.sort != "datetime":
            word = column.sort.upper()
            sqlite = (f"CURRENT_{word}", f"({column.sort}('now'))")
            return self.by_side(sqlite, (f"(CURRENT_{word})", f"(cur{column.sort}())"), at)
        precision = re.search(r"\(\d\)", column.mysql)
        size = precision[0] if precision else "()"
        words = (
            "CURRENT_TIMESTAMP" + size.replace("()", ""),
            "now" + size,
            "current_timestamp" + size,
        )
        return self.by_side(
            ("CURRENT_TIMESTAMP", "(datetime('now'))", "(current_timestamp)"), words, at
        )

    def type_of(self, column: Column) -> str:
        if self.sqlite:
            return column.sqlite
        if column.mysql == "ENUM":
            return f"ENUM({', '.join(self.string(value) for value in column.values)})"
        if column.sort == "uuid" and not self.limits.mariadb:
            return "CHAR(36)"
        return column.mysql

    def column(self, table: Table, column: Column, inline: list[str]) -> str:
        """`inline` are constraints that stand beside the column."""
        at = f"{table.name}/{column.name}"
        words: list[str] = []
        if column.generated:
            always = self.pick(at + "/always", "GENERATED ALWAYS AS", "AS", "generated always as")
            words.append(
                f"{always} ({self.expression(column.generated, at)}) {self.pick(at + '/stored', 'STORED', 'VIRTUAL')}"
            )
        else:
            alias = table.filled and column.name in table.primary_key
            if not column.nullable and not (
                self.sqlite
                and (alias or self.key_of_without_rowid(table, column))
                and self.pick(at + "/n", 1, 0)
            ):
                words.append(self.say("NOT NULL"))
            elif column.nullable and not self.sqlite:
                words.append(
                    self.pick(
                        at + "/n",
                        *(("NULL",) if column.mysql.startswith("TIMESTAMP") else ("", "NULL")),
                    )
                )
            default = self.default(column, at + "/default")
            words.append(f"{self.say('DEFAULT')} {default}" if default else "")
            if column.on_update and not self.sqlite:
                size = re.search(r"\(\d\)", column.mysql)
                words.append("ON UPDATE CURRENT_TIMESTAMP" + (size[0] if size else ""))
        return " ".join(
            filter(
                None,
                [
                    self.name(column.name, "define" + table.name),
                    self.type_of(column),
                    *words,
                    *inline,
                ],
            )
        )

    def key_of_without_rowid(self, table: Table, column: Column) -> bool:
        return table.without_rowid and column.name in table.primary_key

    # constraints

    def constraint_name(self, name: str, at: str) -> str:
        return (
            f"{self.say('CONSTRAINT')} {self.name(name, at)} "
            if self.pick(at + "/named", True, False)
            else ""
        )

    def references(self, key: ForeignKey, at: str) -> str:
        words = [
            f"{self.say('REFERENCES')} {self.name(key.parent, at)} ({self.names(key.parent_columns, at)})"
        ]
        for event, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update)):
            default = self.pick(f"{at}/{event}", "", "NO ACTION", "RESTRICT")
            words.append(
                f"{self.say('ON ' + event)} {action or default}" if action or default else ""
            )
        if key.deferred:
            words.append("DEFERRABLE INITIALLY DEFERRED")
        return " ".join(filter(None, words))

    def parts(self, table: Table, key: Key, is_index: bool) -> str:
        texts = []
        for name in key.columns:
            at = f"{key.name}/{name}"
            column, text = table.column(name), self.name(name, at)
            if not self.sqlite and (
                column.sort in PREFIXED
                or key.prefixed
                or (is_index and column.sort == "string" and self.pick(at, 0, 0, 1))
            ):
                text += "(10)"
            texts.append(text + self.pick(at + "/direction", "", "", "", " ASC", " DESC"))
        return ", ".join(texts)

    def checks(self, table: Table) -> list[Check]:
        """Those of the model, those that an enum and JSON stand for, and some parted at their ANDs."""
        made = []
        for column in table.columns:
            value, name = (
                Node("column", (column.name,)),
                f"ck_{zlib.crc32(f'{table.name}/{column.name}'.encode()):x}",
            )
            if column.sort == "enum" and (
                (self.sqlite and column.checked) or (not self.sqlite and column.mysql != "ENUM")
            ):
                made.append(
                    Check(
                        name, Node("in", (value, *(Node("literal", (v,)) for v in column.values)))
                    )
                )
            if column.sort == "json" and self.sqlite and column.checked:
                guarded = Node("or", (Node("null", (value,)), Node("valid", (value,))))
                made.append(Check(name, guarded if column.nullable else Node("valid", (value,))))
        for check in table.checks:
            if check.condition.op == "and" and self.pick(check.name + "/parted", False, True):
                made += [
                    Check(f"{check.name}_{n}", part) for n, part in enumerate(check.condition.args)
                ]
            else:
                made.append(check)
        return made

    def table(self, table: Table) -> list[str]:
        """CREATE TABLE, and what is said of it in statements of its own."""
        inline: dict[str, list[str]] = {column.name: [] for column in table.columns}
        inside: list[str] = []
        after: list[str] = []
        own = self.name(table.name, "define")
        for place in (
            self.place_primary_key,
            self.place_uniques,
            self.place_checks,
            self.place_foreign_keys,
            self.place_indexes,
        ):
            place(table, own, inline, inside, after)
        columns = [
            self.column(table, column, inline[column.name]) for column in self.ordered(table)
        ]
        late = columns.pop() if self.may_come_late(table, columns) else ""
        gap = self.pick(
            table.name + "/gap",
            " ",
            "\n  ",
            " /* it's, \" */ ",
            "\n-- a comment; with a ( and a '\n",
        )
        end = (
            " WITHOUT ROWID"
            if self.sqlite and table.without_rowid
            else f" ENGINE = {table.engine}"
            if table.engine and not self.sqlite
            else ""
        )
        create = (
            f"{self.say('CREATE TABLE')} {own} ({gap}{f',{gap}'.join([*columns, *inside])}){end}"
        )
        return [create, *([f"ALTER TABLE {own} ADD COLUMN {late}"] if late else []), *after]

    def ordered(self, table: Table) -> list[Column]:
        """Columns in any order; generated ones last, for MySQL lets them read no later column with an expression as its default."""
        return sorted(
            self.shuffled(table.columns, table.name + "/order"),
            key=lambda column: column.generated is not None,
        )

    def may_come_late(self, table: Table, columns: list[str]) -> bool:
        """The last column may be added by ALTER TABLE where it stands alone and both backends let it."""
        if len(columns) < 2 or not self.pick(table.name + "/late", False, False, True):
            return False
        last = self.ordered(table)[-1]
        used = {
            *table.primary_key,
            *table.referring,
            *table.computed_from,
            *(n for k in (*table.uniques, *table.indexes) for n in k.columns),
        }
        return (
            last.nullable
            and last.default is None
            and not last.generated
            and last.name not in used
            and last.sort not in ("enum", "json")
        )

    def place_primary_key(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        if not table.primary_key:
            return
        at = table.name + "/pk"
        first = table.primary_key[0]
        if table.filled and not self.sqlite:
            inline[first].append(self.say("AUTO_INCREMENT"))
        if len(table.primary_key) == 1 and self.pick(at, True, False):
            extra = (
                " AUTOINCREMENT"
                if table.filled and self.sqlite and self.pick(at + "/auto", False, True)
                else ""
            )
            inline[first].append(self.say("PRIMARY KEY") + extra)
        else:
            inside.append(
                f"{self.constraint_name('pk', at) if self.sqlite else ''}PRIMARY KEY ({self.names(table.primary_key, at)})"
            )

    def place_uniques(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for key in table.uniques:
            parts = self.parts(table, key, False)
            form = self.pick(
                key.name + "/form",
                "inside",
                "statement",
                "inline" if len(key.columns) == 1 else "inside",
            )
            if key.partial or key.prefixed or form == "statement":
                where = f" WHERE {self.name(key.columns[0])} IS NULL" if key.partial else ""
                after.append(
                    f"{self.say('CREATE UNIQUE INDEX')} {self.name(key.name)} ON {own} ({parts}){where}"
                )
            elif form == "inline":
                inline[key.columns[0]].append(self.say("UNIQUE"))
            else:
                word = self.by_side(
                    ("UNIQUE",), ("UNIQUE", "UNIQUE KEY", "unique index"), key.name + "/word"
                )
                inside.append(f"{self.constraint_name(key.name, key.name)}{word} ({parts})")

    def place_checks(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for check in self.checks(table):
            text = f"{self.constraint_name(check.name, check.name)}{self.say('CHECK')} ({self.expression(check.condition, check.name)})"
            form = self.by_side(
                ("inside", "inline"), ("inside", "inline", "statement"), check.name + "/form"
            )
            if form == "inline" and len(check.condition.columns) == 1:
                beside = inline[min(check.condition.columns)]
                if self.sqlite or not self.limits.mariadb:
                    beside.append(text)
                elif not any("CHECK" in other.upper() for other in beside):
                    beside.append(text[text.upper().index("CHECK (") :])
                else:
                    inside.append(text)
            elif form == "statement":
                after.append(f"ALTER TABLE {own} ADD {text}")
            else:
                inside.append(text)

    def place_foreign_keys(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for key in table.foreign_keys:
            text = self.references(key, key.name)
            form = self.by_side(
                ("inside", "inline"), ("inside", "inline", "statement"), key.name + "/form"
            )
            if (
                form == "inline"
                and len(key.columns) == 1
                and (self.sqlite or self.limits.inline_references)
            ):
                inline[key.columns[0]].append(text)
                continue
            text = f"{self.constraint_name(key.name, key.name)}FOREIGN KEY ({self.names(key.columns, key.name)}) {text}"
            if form == "statement":
                after.append(f"ALTER TABLE {own} ADD {text}")
            else:
                inside.append(text)

    def place_indexes(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for key in table.indexes:
            parts = self.parts(table, key, True)
            form = self.by_side(
                ("statement",), ("statement", "inside", "alter"), key.name + "/form"
            )
            word = self.pick(key.name + "/word", "INDEX", "KEY")
            if form == "statement":
                after.append(f"{self.say('CREATE INDEX')} {self.name(key.name)} ON {own} ({parts})")
            elif form == "inside":
                inside.append(f"{word} {self.name(key.name)} ({parts})")
            else:
                after.append(f"ALTER TABLE {own} ADD {word} {self.name(key.name)} ({parts})")

    # the rest

    def view(self, view: View) -> str:
        name = self.name(view.name)
        source = self.name(view.table, view.name)
        if self.pick(view.name + "/form", False, True):
            outputs = ", ".join(self.name(output, view.name) for output, _ in view.columns)
            return f"CREATE VIEW {name} ({outputs}) AS SELECT {self.names((c for _, c in view.columns), view.name)} FROM {source}"
        columns = (
            f"{self.name(column, view.name)} AS {self.name(output, view.name)}"
            for output, column in view.columns
        )
        return f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {source}"

    def seeds(self, table: Table) -> Iterator[str]:
        wanted = [
            column
            for column in table.columns
            if not column.generated and column.name not in table.referring
        ]
        for number in range(1, table.rows + 1):
            values = ", ".join(self.literal(seed_value(column, number)) for column in wanted)
            yield f"INSERT INTO {self.name(table.name)} ({self.names((c.name for c in wanted), 'insert')}) VALUES ({values})"

    def schema(self, schema: Schema) -> str:
        statements: list[str] = []
        for table in schema.tables:
            statements += self.table(table)
        for table in schema.tables:
            statements += self.seeds(table)
        statements += [self.view(view) for view in schema.views]
        return ";\n".join(statements) + ";\n"


def seed_value(column: Column, number: int) -> Any:
    """A value that no other row of the table has."""
    fixed: dict[str, Any] = {
        "bool": bool(number % 2),
        "json": "{}",
        "year": 2000 + number,
        "time": f"10:00:0{number}",
    }
    moments = {
        "date": f"2020-01-0{number}",
        "datetime": f"2020-01-0{number} 00:00:00",
        "float": number / 2,
        "decimal": number / 2,
    }
    named = {
        "string": f"v{number}",
        "char": f"v{number}",
        "text": f"v{number}",
        "bytes": f"v{number}".encode(),
        "blob": b"\x00" + bytes([number]),
    }
    if column.sort == "enum":
        return column.values[number % len(column.values)]
    if column.sort == "uuid":
        return (
            f"::{number}"
            if column.mysql == "INET6"
            else f"00000000-0000-0000-0000-00000000000{number}"
        )
    return {**fixed, **moments, **named}.get(column.sort, number)


def compare(op: str, left: Node, right: Node) -> Node:
    return Node("compare", (op, left, right))


def write_pair(pair: Pair, side: Dialect, limits: Limits, changed: bool) -> str:
    """Write one side of a pair, before or after its change."""
    is_changed = changed and pair.mutation.side == side
    schema = pair.mutation.schema if is_changed else pair.schema
    return Writer(side, limits, pair.seeds[SIDES.index(side)]).schema(schema)
