// What every search parameter of R4 finds over the specification's own examples, against an evaluation of its expression by
// fhirpath.js: node checks/searches/examples.mjs BASE EXAMPLES.tgz CORE-PACKAGE.tgz
//
// The examples are stored as they are. Then each parameter is asked for each value that its expression gives, in the ways of
// its type, and whether it is missing; what is found has to be what the evaluation finds in all examples, no more and no less.
// Rules: https://hl7.org/fhir/R4/search.html. Exit code 1: an answer differs, or an example is refused that should not be.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

const require = createRequire(path.join(path.dirname(fileURLToPath(import.meta.url)), "../../profiles/package.json"));
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");
const [base, examples, core] = process.argv.slice(2);

/** Examples that are not R4: items without the linkId that each must have. */
const NOT_R4 = new Set(["Questionnaire/qs1"]);

/** What is not asked: the spans of a Timing and of SampledData, an extension as a whole, a function that R4 does not have. */
const WITHOUT_RULE = new Set([
  "CarePlan?activity-date",
  "Observation?combo-value-quantity",
  "Observation?component-value-quantity",
  "Observation?gene-identifier",
  "QuestionnaireResponse?item-subject",
  "ServiceRequest?occurrence",
]);

/** The JSON files of an archive that have one of the resource types. */
function unpacked(archive, takes) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kap-examples-"));
  try {
    execFileSync("tar", ["xzf", path.resolve(archive), "-C", folder]);
    const files = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort();
    const contents = files.map((name) => JSON.parse(fs.readFileSync(path.join(folder, name))));
    return contents.filter((content) => takes(content.resourceType));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

// ---------------------------------------------------------------------------------------------------------------- values

/** `2020-03` and the like as the first and the last microsecond of what it says; without a zone it is UTC. */
function span(text) {
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const minutes = !zone || zone === "Z" ? 0 : Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  const shift = zone?.startsWith("-") ? -minutes : minutes;
  const at = (...parts) => {
    const date = new Date(0);
    date.setUTCFullYear(parts[0], parts[1], parts[2]);
    date.setUTCHours(parts[3], parts[4], parts[5]);
    return BigInt(date.getTime() - shift * 60_000) * 1000n;
  };
  const given = [year, month, day, hour, minute, second].filter((part) => part !== undefined).length;
  const parts = [year, month ?? 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0].map(Number);
  parts[1] -= 1;
  const low = at(...parts);
  if (fraction !== undefined) {
    const digits = fraction.slice(0, 6);
    const start = low + BigInt(digits.padEnd(6, "0"));
    return [start, start + 10n ** BigInt(6 - digits.length) - 1n];
  }
  const after = [...parts];
  after[given - 1] += 1;
  return [low, at(...after) - 1n];
}

const FIRST = -(10n ** 600n);
const LAST = 10n ** 600n;

/** A decimal as a whole number of 10^-400. */
function exact(number) {
  const [mantissa, exponent] = String(number).toLowerCase().split("e");
  const [whole, fraction = ""] = mantissa.replace(/^[+-]/, "").split(".");
  const digits = BigInt(whole + fraction) * 10n ** BigInt(400 - fraction.length + Number(exponent ?? 0));
  return mantissa.startsWith("-") ? -digits : digits;
}

const point = (number) => ({ number, from: exact(number), to: exact(number) });

/** What a decimal covers as it is written: half of its last digit to both sides. */
function around(number) {
  const [mantissa, exponent] = String(number).toLowerCase().split("e");
  const decimals = (mantissa.split(".")[1] ?? "").length - Number(exponent ?? 0);
  const half = 10n ** BigInt(400 - decimals) / 2n;
  return [exact(number) - half, exact(number) + half];
}

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** One element as the keys by which its kind of parameter finds it; `undefined` where there is no rule for its type. */
function keys(kind, value, type) {
  const texts = (...parts) => parts.flat().filter((text) => typeof text === "string").map((text) => ({ text }));
  const name = type.replace(/^(FHIR|System)\./, "");
  switch (kind) {
    case "token":
      switch (name) {
        case "Coding":
          return value.code === undefined ? [] : [{ system: value.system ?? "", code: value.code }];
        case "CodeableConcept":
          return (value.coding ?? []).flatMap((coding) => keys(kind, coding, "Coding"));
        case "Identifier":
          return value.value === undefined ? [] : [{ system: value.system ?? "", code: value.value }];
        case "ContactPoint":
          return value.value === undefined ? [] : [{ code: value.value }];
        case "boolean":
        case "Boolean":
          return [{ code: String(value) }];
        case "code":
        case "string":
        case "String":
        case "id":
        case "uri":
          return [{ code: String(value) }];
      }
      return undefined;
    case "reference":
      switch (name) {
        case "Reference":
          if (typeof value.reference !== "string") return [];
          return value.reference.startsWith("#") ? [] : [{ to: value.reference.replace(/\/_history\/.*$/, "") }];
        case "canonical":
        case "uri":
        case "url":
          return String(value).startsWith("#") ? [] : [{ to: String(value) }];
        case "Attachment":
          return [];
      }
      return undefined;
    case "string":
      switch (name) {
        case "HumanName":
          return texts(value.family, value.text, value.given, value.prefix, value.suffix);
        case "Address": {
          const { text, line, city, district, state, postalCode, country } = value;
          return texts(text, line, city, district, state, postalCode, country);
        }
        case "string":
        case "String":
        case "markdown":
        case "code":
        case "id":
          return [{ text: String(value) }];
      }
      return undefined;
    case "date": {
      if (name === "Period") {
        if (value.start === undefined && value.end === undefined) return [];
        const low = value.start === undefined ? FIRST : span(value.start)?.[0];
        const high = value.end === undefined ? LAST : span(value.end)?.[1];
        return low === undefined || high === undefined ? undefined : [{ low, high, said: value.start ?? value.end }];
      }
      if (["date", "dateTime", "instant"].includes(name)) {
        const covered = span(String(value));
        return covered && [{ low: covered[0], high: covered[1], said: String(value) }];
      }
      if (name === "string") return [];
      return undefined;
    }
    case "number":
      return name === "Range" ? undefined : [point(value)];
    case "quantity":
      switch (name) {
        case "Quantity":
        case "Age":
        case "Duration":
        case "MoneyQuantity":
          if (value.comparator !== undefined) return undefined;
          if (value.value === undefined) return [];
          return [{ ...point(value.value), system: value.system, code: value.code }];
        case "Money":
          if (value.value === undefined) return [];
          return [{ ...point(value.value), system: "urn:iso:std:iso:4217", code: value.currency }];
        case "Range": {
          const [low, high] = [value.low?.value, value.high?.value];
          if (low === undefined && high === undefined) return [];
          const [from, to] = [low === undefined ? FIRST : exact(low), high === undefined ? LAST : exact(high)];
          return [{ number: low ?? high, from, to }];
        }
      }
      return undefined;
    case "uri":
      return [{ to: String(value) }];
  }
  return undefined;
}

// ----------------------------------------------------------------------------------------------------------- expressions

/** The alternatives of an expression, as far as they are written one beside the other. */
function alternatives(expression) {
  const found = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < expression.length; at++) {
    if (expression[at] === "(") depth++;
    if (expression[at] === ")") depth--;
    if (expression[at] === "|" && depth === 0) {
      found.push(expression.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, expression.slice(start)].map((part) => part.trim());
}

/** `X.where(resolve() is T)`: X, of which those count that refer to T. R4's `as` on several values is read as `ofType`. */
function ready(expression, type) {
  return alternatives(expression)
    .filter((part) => {
      const first = /^\(*([A-Z][A-Za-z]+)/.exec(part)?.[1];
      return first === undefined || first === type || first === "Resource" || first === "DomainResource";
    })
    .map((part) => {
      const resolved = /^(.*)\.where\(resolve\(\) is ([A-Za-z]+)\)$/.exec(part);
      let path = resolved ? resolved[1] : part;
      path = path.replace(/^\(([^()]+) as ([A-Za-z]+)\)/, "$1.ofType($2)").replace(/\.as\(([A-Za-z]+)\)/g, ".ofType($1)");
      path = path.replace(/^([A-Za-z.]+) as ([A-Za-z]+)$/, "$1.ofType($2)");
      return { path, target: resolved?.[2], evaluate: fhirpath.compile(path, r4, { resolveInternalTypes: false }) };
    });
}

/** The type that a reference names by itself. */
function refersTo(reference, resource) {
  if (reference.reference?.startsWith("#")) {
    return (resource.contained ?? []).find((one) => `#${one.id}` === reference.reference)?.resourceType;
  }
  const parts = (reference.reference ?? "").replace(/\/_history\/.*$/, "").split("/");
  return parts.length > 1 ? parts.at(-2) : reference.type;
}

/** The keys of a resource for a parameter; `unruled` where a value has no rule here. */
function extracted(parameter, parts, resource) {
  const found = [];
  let [unruled, any] = [false, false];
  for (const part of parts) {
    let results;
    try {
      results = part.evaluate(resource, {});
    } catch (error) {
      return { found, unruled: `${part.path}: ${error.message}`, any };
    }
    const types = fhirpath.types(results);
    results.forEach((result, at) => {
      const type = types[at];
      // A node of the model, or what stands for itself.
      const value = result?.constructor?.name === "ResourceNode" ? result.data : result;
      if (part.target && refersTo(value, resource) !== part.target) return;
      any = true;
      const own = keys(parameter.type, value, type);
      if (own) found.push(...own);
      else unruled = `${part.path} is ${type}`;
    });
  }
  return { found, unruled, any };
}

// -------------------------------------------------------------------------------------------------------------- questions

const escaped = (text) => text.replace(/[\\,|$]/g, (sign) => `\\${sign}`);

const UCUM = "http://unitsofmeasure.org";

/** What is asked for a key, each with the rule that says which keys match. */
function* questions(kind, key) {
  switch (kind) {
    case "token":
      yield [escaped(key.code), (other) => other.code === key.code];
      if (key.system !== undefined) {
        const same = (other) => other.code === key.code && other.system === key.system;
        yield [`${escaped(key.system)}|${escaped(key.code)}`, same];
        if (key.system) yield [`${escaped(key.system)}|`, (other) => other.system === key.system];
      }
      break;
    case "reference":
      yield [escaped(key.to), (other) => other.to === key.to || other.to.startsWith(`${key.to}|`)];
      break;
    case "uri":
      yield [escaped(key.to), (other) => other.to === key.to];
      break;
    case "string":
      yield [escaped(key.text), (other) => plain(other.text).startsWith(plain(key.text))];
      yield [escaped(key.text), (other) => other.text === key.text, ":exact"];
      if (key.text.length > 4) {
        const part = key.text.slice(2, -1);
        yield [escaped(part), (other) => plain(other.text).includes(plain(part)), ":contains"];
      }
      break;
    case "date": {
      const { said } = key;
      const [from, to] = span(said);
      const within = (other) => from <= other.low && other.high <= to;
      yield [said, within];
      yield [`gt${said}`, (other) => other.high > to];
      yield [`lt${said}`, (other) => other.low < from];
      yield [`ge${said}`, (other) => other.high > to || within(other)];
      yield [`le${said}`, (other) => other.low < from || within(other)];
      yield [`sa${said}`, (other) => other.low > to];
      yield [`eb${said}`, (other) => other.high < from];
      yield [`ne${said}`, (other) => !within(other)];
      break;
    }
    case "number":
    case "quantity": {
      const [from, to] = around(key.number);
      const within = (other) => from <= other.from && other.to < to;
      yield [String(key.number), within];
      yield [`gt${key.number}`, (other) => other.to > exact(key.number)];
      yield [`le${key.number}`, (other) => other.from <= exact(key.number)];
      yield [`ge${key.number}`, (other) => other.to >= exact(key.number)];
      yield [`lt${key.number}`, (other) => other.from < exact(key.number)];
      yield [`sa${key.number}`, (other) => other.from > exact(key.number)];
      yield [`eb${key.number}`, (other) => other.to < exact(key.number)];
      yield [`ne${key.number}`, (other) => !within(other)];
      if (!key.code) break;
      const same = (other) => within(other) && other.code === key.code && other.system === key.system;
      // What is written in another unit of UCUM may be found beside.
      const maybe = (other) => key.system === UCUM && other.system === UCUM && other.code !== key.code;
      yield [`${key.number}|${escaped(key.system ?? "")}|${escaped(key.code)}`, same, "", maybe];
      break;
    }
  }
}

// ------------------------------------------------------------------------------------------------------------------ main

// The package also holds examples of SearchParameters, which are none.
const EXAMPLE = "http://hl7.org/fhir/SearchParameter/example";
const parameters = unpacked(core, (type) => type === "SearchParameter").filter(
  (one) => one.expression && !["composite", "special"].includes(one.type) && !one.url.startsWith(EXAMPLE),
);
const all = unpacked(examples, (type) => type && !["Bundle", "Parameters", "Binary"].includes(type));
const stored = new Map();
const faults = [];
for (const resource of all) {
  const name = `${resource.resourceType}/${resource.id}`;
  const answer = await fetch(`${base}/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/fhir+json", prefer: "return=representation" },
    body: JSON.stringify(resource),
  });
  const body = await answer.json();
  if (answer.ok === NOT_R4.has(name)) faults.push(`PUT ${name}: ${answer.status} ${JSON.stringify(body.issue)}`);
  if (!answer.ok) continue;
  // The server says which version it is and since when; all else is as it was sent.
  const { versionId, lastUpdated } = body.meta;
  const meta = { ...resource.meta, versionId, lastUpdated };
  if (!isDeepStrictEqual(body, { ...resource, meta })) faults.push(`PUT ${name}: it is not stored as it was sent`);
  if (!stored.has(resource.resourceType)) stored.set(resource.resourceType, new Map());
  stored.get(resource.resourceType).set(resource.id, resource);
}

/** The ids that a search finds, over all its pages. */
async function ask(query) {
  const [ids, type] = [[], query.split("?")[0]];
  let url = `${base}/${query}`;
  while (url) {
    const answer = await fetch(url, { headers: { prefer: "handling=strict" } });
    const body = await answer.json();
    if (!answer.ok) return `${answer.status} ${JSON.stringify(body.issue)}`;
    for (const { search, resource } of body.entry ?? []) {
      const name = resource.resourceType === type ? resource.id : `${resource.resourceType}/${resource.id}`;
      if (search?.mode === "match") ids.push(name);
    }
    url = body.link?.find((link) => link.relation === "next")?.url;
  }
  return ids.sort();
}

let [asked, combinations] = [0, 0];
const without = new Map();
async function compare(query, expected, allowed = []) {
  asked++;
  const found = await ask(query);
  const wanted = [...expected].sort();
  if (typeof found === "string") {
    faults.push(`${decodeURIComponent(query)}: ${found}`);
    return;
  }
  const missing = wanted.filter((id) => !found.includes(id));
  const beside = found.filter((id) => !wanted.includes(id) && !allowed.includes(id));
  const twice = found.length !== new Set(found).size;
  if (missing.length || twice || beside.length) {
    faults.push(`${decodeURIComponent(query)}: not found: ${missing}; found beside: ${beside}${twice ? "; found twice" : ""}`);
  }
}

for (const [type, resources] of [...stored].sort()) {
  for (const parameter of parameters) {
    if (!parameter.base.some((name) => name === type || name === "Resource" || name === "DomainResource")) continue;
    if (["_id", "_lastUpdated"].includes(parameter.code)) continue;
    const parts = ready(parameter.expression, type);
    combinations++;
    const values = new Map([...resources].map(([id, resource]) => [id, extracted(parameter, parts, resource)]));
    const having = (rule) => [...values].filter(([, { found }]) => found.some(rule)).map(([id]) => id);
    // A resource with a value without a rule here may be found or not: such a parameter is not asked at all.
    const unruled = [...values.values()].find(({ unruled }) => unruled)?.unruled;
    if (unruled) {
      without.set(`${type}?${parameter.code}`, unruled);
      continue;
    }
    const indexed = [...values].filter(([, { found }]) => found.length > 0).map(([id]) => id);
    const present = [...values].filter(([, { any }]) => any).map(([id]) => id);
    const comparisons = [];
    if (indexed.length === present.length) {
      comparisons.push([`${type}?${parameter.code}:missing=false&_count=200`, present]);
      const absent = [...resources.keys()].filter((id) => !present.includes(id));
      comparisons.push([`${type}?${parameter.code}:missing=true&_count=200`, absent]);
    }
    const seen = new Set();
    for (const { found } of values.values()) {
      for (const key of found) {
        for (const [value, rule, modifier, maybe] of questions(parameter.type, key)) {
          const query = `${type}?${parameter.code}${modifier ?? ""}=${encodeURIComponent(value)}&_count=200`;
          if (value === "" || seen.has(query)) continue;
          seen.add(query);
          comparisons.push([query, having(rule), maybe && having(maybe)]);
        }
      }
    }
    // Some at a time.
    const next = comparisons.values();
    const work = async () => {
      for (const comparison of next) await compare(...comparison);
    };
    await Promise.all(Array.from({ length: 6 }, work));
  }
}
const count = [...stored.values()].reduce((sum, resources) => sum + resources.size, 0);
// A check that has nothing to ask finds nothing.
const expected = { examples: [count, 680], parameters: [combinations, 1950], searches: [asked, 12_000] };
for (const [what, [found, least]] of Object.entries(expected)) {
  if (found < least) faults.push(`${what}: ${found}, at least ${least} expected`);
}
for (const name of WITHOUT_RULE) if (!without.has(name)) faults.push(`${name}: it was expected to have a value without a rule`);
for (const [name, reason] of without) if (!WITHOUT_RULE.has(name)) faults.push(`${name}: no rule for ${reason}`);
const asking = `${combinations} parameters of types, ${asked} searches`;
console.log(`${count} examples of ${stored.size} types, ${asking}: ${faults.length} faults`);
for (const fault of faults) console.log(fault.slice(0, 600));
process.exitCode = faults.length ? 1 : 0;
