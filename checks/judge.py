"""Judges what checks/official found: errors, warnings that nobody has looked at, and tests of the guide's invariants.

Usage: judge.py [--all] RESULTS.jsonl

- NAME-fail-….json must be told the rule NAME: an invariant (as a warning, where that is its severity), or one of RULES.
  What follows from the same fault may be told beside it. NAME-pass-….json must not be told NAME, and like all others
  has no error.
- A warning must stand in official-warnings.tsv: the file, the place in the innermost resource and the message each
  match the line's pattern as a whole. So may an error in the snapshot of a StructureDefinition, which repeats what R4 and
  US Core say; our own words are in the differential as well. With --all, a line there that matches nothing is a fault too.
Exit code 1: there were faults.
"""

import csv
import json
import re
import sys
from pathlib import Path

TEST = re.compile(r"(?P<invariant>.+?)-(?P<expected>pass|fail)(-.*)?\.json")

# Rules that are not invariants, by what the validator calls their breach.
RULES = {
    "min": "Validation_VAL_Profile_Minimum",
    "max": "Validation_VAL_Profile_Maximum",
    "slice": "Validation_VAL_Profile_Minimum_SLICE",
    "type": "Extension_PROF_Type",
    "binding": "Terminology_TX_NoValid_1_CC",
    "context": "Extension_EXTP_Context_Wrong",
    "fixed": "_DT_Fixed_Wrong",
}


class Known:
    """The warnings that stand in the list, and which of its lines were needed."""

    def __init__(self, path):
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        self.rows = [(tuple(re.compile(row[name]) for name in ("file", "place", "message")), row) for row in rows]
        for _, row in self.rows:
            if not row["reason"]:
                sys.exit(f"{path}: a line without a reason: {row}")
        self.used = set()

    def __contains__(self, warning):
        found = [
            number
            for number, (patterns, _) in enumerate(self.rows)
            if all(pattern.fullmatch(part) for pattern, part in zip(patterns, warning))
        ]
        self.used.update(found)
        return bool(found)

    def unused(self):
        return [row for number, (_, row) in enumerate(self.rows) if number not in self.used]


def names(issue, invariant):
    if invariant in RULES:
        return issue["messageId"] == RULES[invariant]
    return (issue["messageId"] or "").endswith("#" + invariant) or f"Constraint failed: {invariant}:" in issue["message"]


def text(issue):
    """The place, within the innermost resource, and the message with its id."""
    place = re.sub(r".*/\*([A-Za-z]+)/[^*]*\*/", r"\1", issue["location"] or "")
    return place, f"{issue['messageId']}: {issue['message']}".replace("\n", " ").replace("\t", " ")


def faults(result, known):
    file = result["file"]
    test = TEST.fullmatch(Path(file).name)
    expected, invariant = (test["expected"], test["invariant"]) if test else (None, None)
    errors = [issue for issue in result["issues"] if issue["severity"] in ("error", "fatal")]
    inherited = [issue for issue in errors if text(issue)[0].startswith("StructureDefinition.snapshot.")]
    warnings = [issue for issue in result["issues"] if issue["severity"] == "warning"] + inherited
    errors = [issue for issue in errors if issue not in inherited]
    about = [issue for issue in errors + warnings if invariant and names(issue, invariant)]

    if expected == "fail" and not about:
        yield "error", file, "", f"{invariant} is not reported"
    if expected == "pass" and about:
        yield "error", file, "", f"{invariant} is reported"
    for issue in errors:
        if expected != "fail":
            yield "error", file, *text(issue)
    for issue in warnings:
        if expected != "fail" and issue not in about and (file, *text(issue)) not in known:
            yield f"unlisted {issue['severity']}", file, *text(issue)


def main(arguments):
    whole = "--all" in arguments
    [path] = [argument for argument in arguments if not argument.startswith("--")]
    known = Known(Path(__file__).parent / "official-warnings.tsv")
    found = []
    warnings = tests = resources = 0
    with open(path) as lines:
        for line in lines:
            result = json.loads(line)
            resources += 1
            tests += bool(TEST.fullmatch(Path(result["file"]).name))
            warnings += sum(issue["severity"] == "warning" for issue in result["issues"])
            found += faults(result, known)
    # One line for many of a kind, with the first files.
    kinds = {}
    for kind, file, place, message in found:
        kinds.setdefault((kind, re.sub(r"\[\d+\]", "[]", place), message), []).append(file)
    for (kind, place, message), files in kinds.items():
        files = list(dict.fromkeys(files))
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        print(kind, ", ".join(files[:3]) + more, place, message, sep="  ")
    unused = known.unused() if whole else []
    for row in unused:
        print("a line of official-warnings.tsv matches nothing:", row["file"], row["place"], row["message"], sep="  ")
    if resources == 0:
        sys.exit("judge.py: nothing was validated")
    print(
        f"{resources} resources validated by the official engine, {tests} of them tests of invariants; "
        f"{len(found) + len(unused)} faults, {warnings} warnings"
    )
    return 1 if found or unused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
