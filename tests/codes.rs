//! Every code that the mapping can emit is one that somebody has verified.
//!
//! Two looks at it: the literals in the sources of `src/mapping/` and `src/fhir/`, whether a fixture reaches them or
//! not, and everything that the fixtures become. The list of verified codes and the official R4 package are
//! reference material beside the checkout (`../shared`), which the product itself does not need.

#[path = "codes/registry.rs"]
mod registry;
#[path = "codes/sources.rs"]
mod sources;

use kap_gateway::{
    ingest,
    kap::{contract::Contract, kind::Kind},
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

const LOCAL_SYSTEMS: &str = "https://kap-gateway.example.org/fhir/CodeSystem/";

/// Code and display by system, of the list and of the code systems that are part of R4 or of US Core 6.1.0.
struct Verified {
    listed: HashMap<(String, String), Vec<String>>,
    official: HashMap<String, HashMap<String, String>>,
    local: HashSet<String>,
}

static VERIFIED: LazyLock<Verified> = LazyLock::new(|| Verified {
    listed: listed(&shared("domain/verified-codes.tsv")),
    official: official(&[
        shared("fhir/packages/hl7.fhir.r4.core-4.0.1.tgz"),
        shared("fhir/packages/hl7.fhir.us.core-6.1.0.tgz"),
    ]),
    local: sources::strings(&["src/mapping/systems.rs"])
        .into_values()
        .filter(|url| url.starts_with(LOCAL_SYSTEMS))
        .collect(),
});

fn shared(path: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    assert!(file.exists(), "the codes cannot be checked: {} is not there", file.display());
    file
}

/// System and code, with the displays that the list gives: the one to use and the one in the source, each with and
/// without what stands in brackets behind it (a remark of the list, or SNOMED CT's semantic tag).
fn listed(file: &Path) -> HashMap<(String, String), Vec<String>> {
    fs::read_to_string(file)
        .expect("the list is text")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let displays = [cells[2], cells[3]].into_iter().filter(|display| !display.is_empty());
            let displays = displays
                .flat_map(|display| [display, display.rsplit_once(" (").map_or(display, |(plain, _)| plain)])
                .map(str::to_owned);
            ((cells[0].to_owned(), cells[1].to_owned()), displays.collect())
        })
        .collect()
}

#[derive(Deserialize)]
struct CodeSystem {
    url: String,
    #[serde(default)]
    concept: Vec<CodeSystemConcept>,
}

#[derive(Deserialize)]
struct CodeSystemConcept {
    code: String,
    #[serde(default)]
    display: String,
    #[serde(default)]
    concept: Vec<CodeSystemConcept>,
}

fn official(packages: &[PathBuf]) -> HashMap<String, HashMap<String, String>> {
    let systems: HashMap<_, _> = packages.iter().flat_map(|package| code_systems(package)).collect();
    assert!(systems.len() > 900, "only {} code systems in the packages", systems.len());
    systems
}

fn code_systems(package: &Path) -> Vec<(String, HashMap<String, String>)> {
    let listing = Command::new("tar")
        .args(["--extract", "--gzip", "--to-stdout", "--wildcards", "package/CodeSystem-*.json", "--file"])
        .arg(package)
        .output()
        .expect("tar can be run");
    assert!(listing.status.success(), "{}", String::from_utf8_lossy(&listing.stderr));
    serde_json::Deserializer::from_slice(&listing.stdout)
        .into_iter::<CodeSystem>()
        .map(|system| {
            let system = system.expect("a CodeSystem of the official package");
            let mut codes = HashMap::new();
            flatten(system.concept, &mut codes);
            (system.url, codes)
        })
        .collect()
}

fn flatten(concepts: Vec<CodeSystemConcept>, codes: &mut HashMap<String, String>) {
    for concept in concepts {
        codes.insert(concept.code, concept.display);
        flatten(concept.concept, codes);
    }
}

impl Verified {
    fn knows(&self, system: &str) -> bool {
        system.starts_with(LOCAL_SYSTEMS)
            || self.official.contains_key(system)
            || self.listed.keys().any(|(listed, _)| listed == system)
    }

    /// What is wrong with a code, if something is. An empty display says that none is emitted.
    fn fault(&self, system: &str, code: &str, display: &str) -> Option<String> {
        if system.starts_with(LOCAL_SYSTEMS) {
            return (!self.local.contains(system)).then(|| format!("{system} is none of the local code systems"));
        }
        let listed = self.listed.get(&(system.to_owned(), code.to_owned()));
        let official = self.official.get(system).and_then(|codes| codes.get(code));
        if listed.is_none() && official.is_none() {
            return Some(format!("{system}#{code} '{display}' is not verified"));
        }
        // The list may know a newer version of a code system than the one that R4 itself carries.
        if official.is_none() && self.official.get(system).is_some_and(|codes| !codes.is_empty()) {
            return Some(format!("{system}#{code} is not in the version of R4, and its validators refuse it"));
        }
        let mut displays = listed.into_iter().flatten().chain(official);
        // Without a verified display none is emitted: the terminology may say something else.
        let known = display.is_empty() || displays.any(|known| known == display);
        (!known).then(|| format!("{system}#{code} is displayed as '{display}', which is not verified"))
    }
}

#[test]
fn the_check_sees_unverified_codes_and_false_displays() {
    for (system, code, display) in [
        // Codes that public lists give for PCL-5 and RASS; both are something else.
        ("http://loinc.org", "71969-0", ""),
        ("http://loinc.org", "54631-7", ""),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "6130", "esketamine"),
        ("http://snomed.info/sct", "47625008", "Nasal route"),
        ("http://terminology.hl7.org/CodeSystem/condition-clinical", "dormant", ""),
        ("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Inactive"),
        // Listed, but R4 writes it with capitals.
        ("http://terminology.hl7.org/CodeSystem/adverse-event-seriousness", "serious", ""),
        ("https://kap-gateway.example.org/fhir/CodeSystem/no-such-system", "x", ""),
        ("http://example.org/unknown", "x", ""),
    ] {
        assert!(VERIFIED.fault(system, code, display).is_some(), "{system}#{code} '{display}'");
    }
}

#[test]
fn the_check_passes_verified_codes() {
    for (system, code, display) in [
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "6130", "ketamine"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "6130", ""),
        ("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
        ("https://kap-gateway.example.org/fhir/CodeSystem/kap", "compassion-fatigue", "Compassion fatigue"),
    ] {
        assert_eq!(VERIFIED.fault(system, code, display), None);
    }
}

#[test]
fn every_known_code_of_a_sender_is_on_the_list() {
    let faults: Vec<String> = kap_gateway::mapping::concepts::known::rows()
        .filter_map(|(system, code, display)| VERIFIED.fault(system, code, display))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(kap_gateway::mapping::concepts::known::rows().count() > 300);
}

#[test]
fn every_code_in_the_sources_is_verified() {
    let codings = sources::codings("src/mapping", &["src/mapping/systems.rs", "src/fhir/build.rs"]);
    assert!(codings.len() > 150, "found only {} codes in the sources", codings.len());
    let faults: Vec<String> = codings
        .iter()
        .filter_map(|found| {
            let fault = VERIFIED.fault(&found.system, &found.code, &found.display)?;
            Some(format!("{}: {fault}", found.file))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Systems whose codes are no list that could be carried along.
const OPEN_SYSTEMS: &[&str] = &["urn:ietf:bcp:47", "http://unitsofmeasure.org"];

/// Every Coding inside a resource: system, code, display.
fn codings<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str, &'a str)>) {
    match value {
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            if let (Some(system), Some(code)) = (text("system"), text("code")) {
                found.push((system, code, text("display").unwrap_or_default()));
            }
            members.values().for_each(|member| codings(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| codings(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_code_in_the_mapped_fixtures_is_verified() {
    let contract = Contract::load().expect("the contract");
    let mut faults = HashSet::new();
    let mut seen = HashSet::new();
    for case in ["case-01", "case-02", "case-06", "case-07", "case-08", "case-09", "case-10"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(case);
        for file in fs::read_dir(folder).expect("a case") {
            let file = file.expect("a fixture").path();
            // Records are numbered; figures.json is what they are to become.
            if !file
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(|first: char| first.is_ascii_digit()))
            {
                continue;
            }
            let body = fs::read(&file).expect("a fixture");
            let sent: Value = serde_json::from_slice(&body).expect("a fixture is JSON");
            let kind = Kind::from_word(sent["kind"].as_str().expect("a kind")).expect("a kind that we know");
            let preview = ingest::preview(&contract, "http://127.0.0.1/fhir", kind, &body)
                .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            let bundle: Value = serde_json::from_slice(&preview.bundle).expect("a Bundle is JSON");
            let (mut emitted, mut of_sender) = (Vec::new(), Vec::new());
            codings(&bundle, &mut emitted);
            codings(&sent, &mut of_sender);
            for (system, code, display) in emitted {
                seen.insert((system.to_owned(), code.to_owned()));
                // What the sender coded in a system of its own is passed on as it is.
                let own = !VERIFIED.knows(system) && of_sender.iter().any(|sent| (sent.0, sent.1) == (system, code));
                if !own && !OPEN_SYSTEMS.contains(&system) {
                    faults.extend(
                        VERIFIED.fault(system, code, display).map(|fault| format!("{fault} ({})", file.display())),
                    );
                }
            }
        }
    }
    let mut faults: Vec<String> = faults.into_iter().collect();
    faults.sort();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen.len() > 100, "only {} different codes in all fixtures", seen.len());
}
