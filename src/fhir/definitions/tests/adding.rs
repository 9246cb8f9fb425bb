//! The fhir room: conformance resources of the user, good ones and hostile ones, <https://hl7.org/fhir/packages.html>.

use super::super::{AddError, Allowance, Code, Definitions, Lookup, Membership, NoStructure};
use super::base;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

const SYSTEM: &str = "http://example.org/CodeSystem/own";

fn system(concepts: Value) -> Value {
    json!({"resourceType": "CodeSystem", "url": SYSTEM, "status": "active", "content": "complete", "caseSensitive": true,
        "property": [{"code": "colour", "type": "string"}], "concept": concepts})
}

fn set(compose: Value) -> Value {
    json!({"resourceType": "ValueSet", "url": "http://example.org/ValueSet/own", "status": "active", "compose": compose})
}

fn tree() -> Value {
    json!([{"code": "a", "concept": [
        {"code": "b", "property": [{"code": "colour", "valueString": "red"}], "concept": [{"code": "c"}]},
        {"code": "old", "property": [{"code": "status", "valueCode": "retired"}]}]}, {"code": "z"}])
}

/// Codes of the tree that a ValueSet has; the reason if that cannot be told.
fn codes_of(include: Value) -> Result<Vec<String>, String> {
    let mut definitions = Definitions::default();
    definitions.add_resource(system(tree())).unwrap();
    definitions.add_resource(set(include)).unwrap();
    let url = "http://example.org/ValueSet/own";
    let asked = ["a", "b", "c", "old", "z"].into_iter().map(|code| {
        let told = definitions.validate_code(url, &Code { system: Some(SYSTEM), code, ..Code::default() });
        match told {
            Membership::Member(_) => Ok(Some(code.to_owned())),
            Membership::NotMember => Ok(None),
            Membership::Unknown(reason) => Err(reason),
        }
    });
    let members: Vec<String> = asked.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let expanded: Vec<String> = definitions.expand(url).unwrap().concepts.iter().map(|c| c.code.clone()).collect();
    assert_eq!(members, expanded);
    Ok(members)
}

fn filtered(property: &str, op: &str, value: &str) -> Result<Vec<String>, String> {
    codes_of(json!({"include": [{"system": SYSTEM, "filter": [{"property": property, "op": op, "value": value}]}]}))
}

#[test]
fn filters_select_as_their_operators_say() {
    assert_eq!(filtered("concept", "is-a", "b").unwrap(), ["b", "c"]);
    assert_eq!(filtered("concept", "descendent-of", "a").unwrap(), ["b", "c", "old"]);
    assert_eq!(filtered("concept", "is-not-a", "a").unwrap(), ["z"]);
    assert_eq!(filtered("concept", "generalizes", "c").unwrap(), ["a", "b", "c"]);
    assert_eq!(filtered("colour", "=", "red").unwrap(), ["b"]);
    assert_eq!(filtered("colour", "exists", "false").unwrap(), ["a", "c", "old", "z"]);
    assert_eq!(filtered("code", "regex", "[a-c]").unwrap(), ["a", "b", "c"]);
    assert_eq!(filtered("code", "in", "a, z").unwrap(), ["a", "z"]);
    assert_eq!(filtered("code", "not-in", "a,b,c").unwrap(), ["old", "z"]);
    assert_eq!(filtered("parent", "=", "b").unwrap(), ["c"]);
}

#[test]
fn filters_that_cannot_be_evaluated_are_unknown() {
    assert!(filtered("weight", "=", "red").unwrap_err().contains("weight"));
    assert!(filtered("concept", "is-a", "nowhere").unwrap_err().contains("nowhere"));
    assert!(filtered("concept", "sounds-like", "b").unwrap_err().contains("sounds-like"));
    assert!(filtered("code", "regex", "(").unwrap_err().contains("regex"));
    // A huge automaton is refused, not built.
    assert!(filtered("code", "regex", "(a{1000}){1000}").unwrap_err().contains("regex"));
}

#[test]
fn excluded_and_inactive_codes_are_no_members() {
    let all = json!({"system": SYSTEM});
    let without_b = json!({"include": [all], "exclude": [{"system": SYSTEM, "concept": [{"code": "b"}]}]});
    assert_eq!(codes_of(without_b).unwrap(), ["a", "c", "old", "z"]);
    assert_eq!(codes_of(json!({"inactive": false, "include": [all]})).unwrap(), ["a", "b", "c", "z"]);
    let unknown = json!({"include": [all], "exclude": [{"valueSet": ["http://example.org/absent"]}]});
    assert!(codes_of(unknown).unwrap_err().contains("absent"));
}

#[test]
fn value_sets_that_include_themselves_are_unknown() {
    let own = json!({"include": [{"valueSet": ["http://example.org/ValueSet/own"]}]});
    assert!(codes_of(own).unwrap_err().contains("circle"));
}

#[test]
fn value_sets_that_fan_out_without_end_are_each_looked_at_once() {
    let mut definitions = Definitions::default();
    definitions.add_resource(system(tree())).unwrap();
    let url = |n: usize| format!("http://example.org/ValueSet/{n}");
    for n in 0..12 {
        let parts: Vec<Value> = (0..40).map(|_| json!({"valueSet": [url(n + 1)]})).collect();
        let set = json!({"resourceType": "ValueSet", "url": url(n), "compose": {"include": parts}});
        definitions.add_resource(set).unwrap();
    }
    let last = json!({"include": [{"system": SYSTEM, "concept": [{"code": "z"}]}]});
    definitions.add_resource(json!({"resourceType": "ValueSet", "url": url(12), "compose": last})).unwrap();
    let started = std::time::Instant::now();
    let told = definitions.validate_code(&url(0), &Code { code: "absent", ..Code::default() });
    assert_eq!(told, Membership::NotMember);
    assert!(matches!(
        definitions.validate_code(&url(0), &Code { code: "z", ..Code::default() }),
        Membership::Member(_)
    ));
    assert_eq!(definitions.expand(&url(0)).unwrap().concepts.len(), 1);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn questions_that_share_an_allowance_are_given_up_together() {
    let mut definitions = base();
    let part = json!({"valueSet": ["http://hl7.org/fhir/ValueSet/all-types"]});
    definitions.add_resource(set(json!({"include": vec![part; 5_000]}))).unwrap();
    let url = "http://example.org/ValueSet/own";
    let allowance = Allowance::default();
    let started = std::time::Instant::now();
    let told: Vec<Membership> = (0..8_000)
        .map(|number| {
            let code = format!("x{number}");
            let asked = Code { system: Some("http://hl7.org/fhir/resource-types"), code: &code, ..Code::default() };
            definitions.validate_code_within(url, &asked, &allowance)
        })
        .collect();
    assert_eq!(told[0], Membership::NotMember);
    assert!(allowance.is_spent() && matches!(told[7_999], Membership::Unknown(_)), "{:?}", told[7_999]);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    let filter = json!({"property": "concept", "op": "regex", "value": "(a|b)*[A-Z]{1,500}.*0"});
    let part = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "filter": [filter]});
    definitions.add_resource(set(json!({"include": vec![part; 6_000]}))).unwrap();
    let allowance = Allowance::default();
    assert!(definitions.expand_within(url, &allowance).unwrap_err().reason.contains("steps"));
    assert!(allowance.is_spent() && started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
}

#[test]
fn a_system_that_does_not_heed_case_finds_a_code_in_any() {
    for (sensitive, expected) in [(json!(true), "NotFound"), (json!(false), "Found"), (Value::Null, "Unknown")] {
        let mut resource = system(json!([{"code": "Ab"}]));
        resource["caseSensitive"] = sensitive;
        let mut definitions = Definitions::default();
        definitions.add_resource(resource).unwrap();
        assert!(matches!(definitions.lookup(SYSTEM, "Ab"), Lookup::Found(_)));
        assert!(format!("{:?}", definitions.lookup(SYSTEM, "aB")).starts_with(expected));
    }
}

#[test]
fn circles_of_concepts_end() {
    let circle = json!([{"code": "a", "property": [{"code": "parent", "valueCode": "b"}]},
        {"code": "b", "property": [{"code": "parent", "valueCode": "a"}]}, {"code": "z"}]);
    let mut definitions = Definitions::default();
    definitions.add_resource(system(circle)).unwrap();
    let filter = json!({"property": "concept", "op": "is-a", "value": "a"});
    definitions.add_resource(set(json!({"include": [{"system": SYSTEM, "filter": [filter]}]}))).unwrap();
    assert_eq!(definitions.expand("http://example.org/ValueSet/own").unwrap().concepts.len(), 2);
}

#[test]
fn a_profile_without_snapshot_is_told_as_such() {
    let url = "http://example.org/StructureDefinition/own";
    let mut definitions = base();
    let profile = json!({"resourceType": "StructureDefinition", "url": url, "kind": "resource", "type": "Patient",
        "derivation": "constraint", "differential": {"element": [{"id": "Patient", "path": "Patient"}]}});
    definitions.add_resource(profile).unwrap();
    assert_eq!(definitions.structure(url).unwrap_err(), NoStructure::NoSnapshot(url.into()));
    assert_eq!(base().structure(url).unwrap_err(), NoStructure::Unknown(url.into()));
}

#[test]
fn faulty_definitions_are_refused_with_the_reason() {
    let structure = |elements: Value| {
        json!({"resourceType": "StructureDefinition", "url": "http://example.org/s", "kind": "resource", "type": "Patient",
            "snapshot": {"element": elements}})
    };
    let root = json!({"id": "Patient", "path": "Patient", "min": 0, "max": "*"});
    let cases = [
        (json!({"resourceType": "Patient"}), "conformance resource"),
        (json!([]), "conformance resource"),
        (json!({"resourceType": "ValueSet"}), "canonical url"),
        (json!({"resourceType": "CodeSystem", "url": "http://example.org/c"}), "content"),
        (structure(json!([])), "no elements"),
        (structure(json!([{"path": "Patient", "min": 0, "max": "many"}])), "max"),
        (structure(json!([root, {"id": "Patient.a.b", "path": "Patient.a.b", "min": 0, "max": "1"}])), "parent"),
        (
            structure(
                json!([root, {"id": "Patient.a", "path": "Patient.a", "min": 0, "max": "1", "contentReference": "#x"}]),
            ),
            "nowhere",
        ),
        (structure(json!([root, {"id": "Other", "path": "Other", "min": 0, "max": "1"}])), "parent"),
        (structure(json!([{"path": "P", "min": 0, "max": "1", "binding": {"strength": "strict"}}])), "strength"),
    ];
    for (resource, reason) in cases {
        let fault = Definitions::default().add_resource(resource.clone()).unwrap_err().to_string();
        assert!(fault.contains(reason), "{resource}: {fault}");
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kap-definitions-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_folder_and_a_package_add_their_conformance_resources() {
    let folder = Folder::new("good");
    let system = system(json!([{"code": "a"}])).to_string();
    fs::write(folder.0.join("CodeSystem-own.json"), format!("\u{feff}{system}")).unwrap();
    fs::write(folder.0.join("Patient-x.json"), r#"{"resourceType":"Patient"}"#).unwrap();
    fs::write(folder.0.join("package.json"), "{}").unwrap();
    let mut definitions = base();
    assert_eq!(definitions.add_package(&folder.0), Ok(1));
    assert!(matches!(definitions.lookup(SYSTEM, "a"), Lookup::Found(_)));

    let file = folder.0.join("own.tgz");
    let mut gz = flate2::write::GzEncoder::new(fs::File::create(&file).unwrap(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(&mut gz);
    for (name, text) in [("package/CodeSystem-own.json", system.as_str()), ("package/example/broken.json", "{")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len().try_into().unwrap());
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    drop(archive);
    gz.finish().unwrap().flush().unwrap();
    let mut definitions = Definitions::default();
    assert_eq!(definitions.add_package(&file), Ok(1));
    assert!(matches!(definitions.lookup(SYSTEM, "a"), Lookup::Found(_)));
}

#[test]
fn a_faulty_file_is_told_by_name_and_nothing_of_its_package_is_added() {
    let folder = Folder::new("faulty");
    fs::write(folder.0.join("a.json"), system(json!([{"code": "a"}])).to_string()).unwrap();
    fs::write(folder.0.join("b.json"), r#"{"resourceType":"CodeSystem","url":"http://example.org/b"}"#).unwrap();
    let mut definitions = Definitions::default();
    let Err(AddError::File { file, reason }) = definitions.add_package(&folder.0) else { panic!() };
    assert!(file.ends_with("b.json") && reason.contains("content"), "{file}: {reason}");
    assert!(matches!(definitions.lookup(SYSTEM, "a"), Lookup::Unknown(_)));
    fs::write(folder.0.join("b.tgz"), "no gzip").unwrap();
    assert!(definitions.add_package(&folder.0.join("b.tgz")).is_err());
    assert!(definitions.add_package(&folder.0.join("absent")).is_err());
}

#[test]
fn long_chains_of_concepts_are_expanded_in_time_and_questions_far_down_are_unknown() {
    let parent = |n: usize| json!([{"code": "parent", "valueCode": format!("c{}", n - 1)}]);
    let concept = |n: usize| json!({"code": format!("c{n}"), "property": if n == 0 { json!([]) } else { parent(n) }});
    let mut definitions = Definitions::default();
    definitions.add_resource(system((0..40_000).map(concept).collect())).unwrap();
    let url = "http://example.org/ValueSet/own";
    let started = std::time::Instant::now();
    for (op, value, count) in [("is-a", "c10", 39_990), ("is-not-a", "c10", 10), ("generalizes", "c39999", 40_000)] {
        let filter = json!({"property": "concept", "op": op, "value": value});
        definitions.add_resource(set(json!({"include": [{"system": SYSTEM, "filter": [filter]}]}))).unwrap();
        assert_eq!(definitions.expand(url).unwrap().concepts.len(), count, "{op}");
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    let filter = json!({"property": "concept", "op": "is-a", "value": "c10"});
    definitions.add_resource(set(json!({"include": [{"system": SYSTEM, "filter": [filter]}]}))).unwrap();
    let asked = |code| definitions.validate_code(url, &Code { system: Some(SYSTEM), code, ..Code::default() });
    assert!(matches!(asked("c5000"), Membership::Member(_)));
    assert!(matches!(asked("c39999"), Membership::Unknown(reason) if reason.contains("too deep")));
}

#[test]
fn a_concept_with_very_many_parents_is_read_in_time() {
    let parents: Vec<Value> = (0..50_000).map(|n| json!({"code": "parent", "valueCode": format!("c{n}")})).collect();
    let mut concepts: Vec<Value> = (0..50_000).map(|n| json!({"code": format!("c{n}")})).collect();
    concepts.push(json!({"code": "child", "property": parents}));
    let started = std::time::Instant::now();
    Definitions::default().add_resource(system(concepts.into())).unwrap();
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn oversized_expressions_are_unknown_and_slow_ones_do_not_exist() {
    for expression in ["(a{1000}){1000}".to_owned(), "(".repeat(100_000), "x".repeat(1_000_000), "\\p{L}{5000}".into()]
    {
        let started = std::time::Instant::now();
        let reason = filtered("code", "regex", &expression).unwrap_err();
        assert!(reason.contains("cannot be evaluated") && reason.len() < 2_000, "{} bytes", reason.len());
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    }
    assert!(filtered("code", "regex", "(a*)*$").unwrap().contains(&"a".to_owned()));
}

#[test]
fn our_own_concepts_have_their_definitions() {
    let base = base();
    let own: Vec<&str> = base.code_systems().filter(|url| url.contains("kap-gateway.example.org")).collect();
    assert!(!own.is_empty());
    let Lookup::Found(concept) = base.lookup("https://kap-gateway.example.org/fhir/CodeSystem/kap", "dosing-session")
    else {
        panic!("dosing-session");
    };
    assert!(concept.definition.as_ref().is_some_and(|text| text.len() > 20), "{concept:?}");
}

/// A package of one file that holds so many spaces before an empty object: a thousandth of it when packed.
fn bomb(file: &std::path::Path, spaces: u64) {
    let gz = flate2::write::GzEncoder::new(fs::File::create(file).unwrap(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gz);
    let mut header = tar::Header::new_gnu();
    header.set_size(spaces);
    header.set_mode(0o644);
    header.set_cksum();
    archive.append_data(&mut header, "package/bomb.json", std::io::repeat(b' ').take(spaces)).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
}

#[test]
fn a_package_that_inflates_to_more_than_a_file_may_have_is_refused() {
    let folder = Folder::new("bomb");
    let file = folder.0.join("bomb.tgz");
    bomb(&file, 65 * 1024 * 1024);
    assert!(fs::metadata(&file).unwrap().len() < 1024 * 1024);
    let Err(AddError::File { reason, .. }) = Definitions::default().add_package(&file) else { panic!() };
    assert!(reason.contains("more than"), "{reason}");
}
