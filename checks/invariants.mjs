// The guide's invariants evaluated by fhirpath.js over its examples and tests: a second opinion beside HL7's engine.
//   node checks/invariants.mjs
// NAME-fail-….json must break NAME, where NAME is an invariant; nothing else breaks one. As in HL7's engine, an invariant
// must come out true: without a result it is broken. Exit code 1: an opinion differs.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const guide = path.join(path.dirname(fileURLToPath(import.meta.url)), "../profiles");
const require = createRequire(path.join(guide, "package.json"));
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");

const read = (folder) =>
  fs
    .readdirSync(path.join(guide, folder))
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => [name, JSON.parse(fs.readFileSync(path.join(guide, folder, name)))]);

/** Profile to its invariants, each compiled: those of our own, on whichever element they stand. */
const profiles = new Map();
const keys = new Set();
for (const [, definition] of read("json")) {
  if (definition.resourceType !== "StructureDefinition") continue;
  const invariants = [];
  for (const element of definition.snapshot.element) {
    for (const { key, expression } of element.constraint ?? []) {
      if (!key.startsWith("kap-")) continue;
      keys.add(key);
      // Of all elements with an invariant ours stand on the resource itself.
      if (element.path.includes(".")) throw new Error(`${definition.name}: ${key} stands on ${element.path}`);
      const compiled = fhirpath.compile(expression, r4);
      invariants.push([key, (resource) => compiled(resource, { resource, rootResource: resource })]);
    }
  }
  profiles.set(definition.url, invariants);
}

let evaluated = 0;
/** The keys of the invariants that a resource, and the entries of a Bundle, break. */
function broken(resource) {
  const found = [];
  for (const profile of resource.meta?.profile ?? []) {
    for (const [key, invariant] of profiles.get(profile) ?? []) {
      evaluated++;
      const result = invariant(resource);
      if (!(result.length === 1 && result[0] === true)) found.push(key);
    }
  }
  for (const entry of resource.entry ?? []) if (entry.resource) found.push(...broken(entry.resource));
  return found;
}

const faults = [];
const tried = { pass: new Set(), fail: new Set() };
for (const folder of ["input/examples", "tests"]) {
  for (const [name, resource] of read(folder)) {
    const test = folder === "tests" && /^(.+?)-(pass|fail)(-.*)?\.json$/.exec(name);
    const found = broken(resource);
    const [, key, expected] = test || [];
    if (test) tried[expected].add(key);
    if (expected === "fail" && keys.has(key) && !found.includes(key)) faults.push(`${name}: ${key} is not broken`);
    if (expected !== "fail" && found.length > 0) faults.push(`${name}: breaks ${found.join(", ")}`);
  }
}
for (const key of keys) {
  for (const kind of ["pass", "fail"]) if (!tried[kind].has(key)) faults.push(`${key}: no test that must ${kind}`);
}
faults.forEach((fault) => console.log(fault));
console.log(
  `${keys.size} invariants of the guide evaluated ${evaluated} times by fhirpath.js ` +
    `${require("fhirpath/package.json").version}, ${faults.length} faults`,
);
process.exit(faults.length > 0 || evaluated === 0 ? 1 : 0);
