"""What the official validator says about each example, as a table that can be kept and compared.

Usage: verdicts.py HL7.jsonl HAPI.jsonl [CASES.tsv] > TABLE.tsv

Both files come from checks/official and speak of the same resources; CASES.tsv comes from mutate.py and tells for each
line of an .ndjson what it is, which then stands in place of the name. Columns: the example; errors and warnings of
HL7's validator; errors of HAPI; the kinds of HL7's errors with their places (at most eight). Best-practice advice is
counted among the warnings, as the validator itself does.
"""

import json
import re
import sys


def read(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def errors(result):
    return [issue for issue in result["issues"] if issue["severity"] in ("error", "fatal")]


def place(issue):
    # Resources inside are followed by what they are, as a comment.
    return re.sub(r"/\*[^*]*\*/", "", issue["location"] or "")


def main(hl7_path, hapi_path, cases_path=None):
    hl7, hapi = read(hl7_path), {result["file"]: result for result in read(hapi_path)}
    if len(hl7) != len(hapi):
        sys.exit(f"{len(hl7)} resources in one file, {len(hapi)} in the other")
    head, *cases = open(cases_path).read().splitlines() if cases_path else ["example"]
    if cases and len(cases) != len(hl7):
        sys.exit(f"{len(hl7)} resources, {len(cases)} cases")
    print(f"# {hl7[0]['validator']}; beside it {next(iter(hapi.values()))['validator']}")
    print(head, "errors", "warnings", "hapi_errors", "kinds", sep="\t")
    for number, result in enumerate(hl7 if cases else sorted(hl7, key=lambda result: result["file"])):
        kinds = dict.fromkeys(f"{issue['messageId']}@{place(issue)}".replace("\t", " ") for issue in errors(result))
        print(
            cases[number] if cases else result["file"].rsplit("/", 1)[-1],
            len(errors(result)),
            sum(issue["severity"] == "warning" for issue in result["issues"]),
            len(errors(hapi[result["file"]])),
            "; ".join([*kinds][:8] + (["…"] if len(kinds) > 8 else [])),
            sep="\t",
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
