//! Every code that the mapping can emit is one that somebody has verified.
//!
//! Two looks at it: the literals in the sources of `src/mapping/` and `src/fhir/`, whether a fixture reaches them or
//! not, and everything that the fixtures become. The list of verified codes and the official R4 package are
//! reference material beside the checkout (`../shared`), which the product itself does not need.

#[path = "codes/sources.rs"]
mod sources;

use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

const LOCAL_SYSTEMS: &str = "https://kap-gateway.example.org/fhir/CodeSystem/";

/// Code and display by system, of the list and of the code systems that are part of R4.
struct Verified {
    listed: HashMap<(String, String), Vec<String>>,
    official: HashMap<String, HashMap<String, String>>,
    local: HashSet<String>,
}

static VERIFIED: LazyLock<Verified> = LazyLock::new(|| Verified {
    listed: listed(&shared("domain/verified-codes.tsv")),
    official: official(&shared("fhir/packages/hl7.fhir.r4.core-4.0.1.tgz")),
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

fn official(package: &Path) -> HashMap<String, HashMap<String, String>> {
    let listing = Command::new("tar")
        .args(["--extract", "--gzip", "--to-stdout", "--wildcards", "package/CodeSystem-*.json", "--file"])
        .arg(package)
        .output()
        .expect("tar can be run");
    assert!(listing.status.success(), "{}", String::from_utf8_lossy(&listing.stderr));
    let systems: HashMap<_, _> = serde_json::Deserializer::from_slice(&listing.stdout)
        .into_iter::<CodeSystem>()
        .map(|system| {
            let system = system.expect("a CodeSystem of the official package");
            let mut codes = HashMap::new();
            flatten(system.concept, &mut codes);
            (system.url, codes)
        })
        .collect();
    assert!(systems.len() > 900, "only {} code systems in the package", systems.len());
    systems
}

fn flatten(concepts: Vec<CodeSystemConcept>, codes: &mut HashMap<String, String>) {
    for concept in concepts {
        codes.insert(concept.code, concept.display);
        flatten(concept.concept, codes);
    }
}

impl Verified {
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
