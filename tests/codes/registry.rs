//! The registry of instruments beside the list of verified codes and beside the guide: they say the same.

use super::{VERIFIED, shared};
use kap_gateway::kap::instruments::{Answers, Code, GUIDE, LOINC, Registry, Scale, Verified};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

fn guide(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/json").join(file);
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|error| panic!("{file}: {error}"))).expect("JSON")
}

/// Every code of the registry: of forms, scores, parts, bands, verdicts, items and answers.
fn codes() -> Vec<&'static Code> {
    let mut found = Vec::new();
    for form in Registry::built_in().forms() {
        found.extend(&form.panel);
        found.extend(form.verdicts.iter().map(|verdict| &verdict.code));
        for item in &form.items.list {
            found.extend(&item.code);
            if let Answers::Coded(options) = &item.answers {
                found.extend(options.iter().map(|(_, code)| code));
            }
        }
    }
    for scale in Registry::built_in().scales() {
        found.push(&scale.code);
        found.extend(scale.subscales.iter().map(|part| &part.code));
        found.extend(scale.bands.0.iter().chain(&scale.t_bands.0).map(|band| &band.code));
        found.extend(scale.criterion.iter().flat_map(|criterion| [&criterion.positive, &criterion.negative]));
    }
    found
}

#[test]
fn every_code_of_the_registry_is_verified_as_far_as_it_says() {
    let listed = fs::read_to_string(shared("domain/verified-codes.tsv")).expect("the list");
    let status: HashMap<(&str, &str), &str> = listed
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|cells| ((cells[0], cells[1]), cells[4]))
        .collect();
    let mut faults = Vec::new();
    let all = codes();
    for code in &all {
        faults.extend(VERIFIED.fault(&code.system, &code.code, &code.display));
        if code.system != LOINC {
            continue;
        }
        // Of an item only the number is emitted, never its words: its component's name is enough.
        let is_item = code.display.is_empty() && code.verified == Verified::Yes && {
            let scores = Registry::built_in().scales().iter().map(|scale| &scale.code);
            let panels = Registry::built_in().forms().iter().filter_map(|form| form.panel.as_ref());
            !scores.chain(panels).any(|own| own == *code)
        };
        let known = status.get(&(code.system.as_str(), code.code.as_str())).copied();
        let expected = if known == Some("verified") { Verified::Yes } else { Verified::Partly };
        if !is_item && code.verified != expected {
            faults.push(format!("{} is marked {:?}, the list says {known:?}", code.code, code.verified));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(all.len() > 200, "only {} codes", all.len());
}

/// The local codes of a system with their displays: those of the registry, and those of the guide.
fn both(system: &str) -> [BTreeMap<String, String>; 2] {
    let url = format!("{GUIDE}/CodeSystem/{system}");
    let own = codes().into_iter().filter(|code| code.system == url);
    let own = own.map(|code| (code.code.clone(), code.display.clone())).collect();
    let file = guide(&format!("CodeSystem-{system}.json"));
    let text = |concept: &Value, member: &str| concept[member].as_str().expect("text").to_owned();
    let concepts = file["concept"].as_array().expect("concepts").iter();
    [own, concepts.map(|concept| (text(concept, "code"), text(concept, "display"))).collect()]
}

#[test]
fn the_guides_code_systems_of_scores_and_bands_are_those_of_the_registry() {
    for system in ["kap-score", "kap-band"] {
        let [registry, guide] = both(system);
        assert!(registry.len() > 40, "{system}");
        assert_eq!(registry, guide, "{system}");
    }
}

#[test]
fn the_guides_value_set_of_scores_has_the_loinc_codes_of_the_registry() {
    let file = guide("ValueSet-kap-score-codes.json");
    let includes = file["compose"]["include"].as_array().expect("includes");
    let concepts = includes.iter().filter(|include| include["system"] == LOINC);
    let mut guide: Vec<&str> = concepts
        .flat_map(|include| include["concept"].as_array().expect("concepts"))
        .map(|concept| concept["code"].as_str().expect("a code"))
        .collect();
    let scales = Registry::built_in().scales().iter();
    let mut registry: Vec<&str> =
        scales.filter(|scale| scale.code.system == LOINC).map(|scale| scale.code.code.as_str()).collect();
    guide.sort_unstable();
    registry.sort_unstable();
    assert_eq!(guide, registry);
    assert!(includes.iter().any(|include| include["system"] == format!("{GUIDE}/CodeSystem/kap-score")));
}

/// The points that a Questionnaire gives an item.
fn limits(item: &Value) -> Option<(i64, i64)> {
    if let Some(options) = item["answerOption"].as_array() {
        let points = options.iter().filter_map(|option| option["valueCoding"]["extension"][0]["valueDecimal"].as_i64());
        return Some((points.clone().min()?, points.max()?));
    }
    let of = |end: &str| {
        let all = item["extension"].as_array()?;
        all.iter().find(|extension| extension["url"].as_str().is_some_and(|url| url.ends_with(end)))?["valueInteger"]
            .as_i64()
    };
    Some((of("minValue")?, of("maxValue")?))
}

#[test]
fn the_guides_questionnaires_have_the_items_of_the_registry() {
    let mut compared = 0;
    for scale in Registry::built_in().scales() {
        let Scale { form, code, .. } = scale;
        if form.items.list.is_empty() {
            continue;
        }
        compared += 1;
        let file = format!("Questionnaire-{}.json", scale.key);
        let questionnaire = guide(&file);
        assert_eq!(questionnaire["url"], format!("{}/Questionnaire/{}", form.canonical, scale.key));
        let panel = form.panel.as_ref().filter(|panel| panel.system == LOINC);
        assert_eq!(questionnaire["code"][0]["code"].as_str(), panel.map(|panel| panel.code.as_str()), "{file}");
        let all = questionnaire["item"].as_array().expect("items");
        let items: Vec<&Value> = all.iter().filter(|item| item["readOnly"] != true).collect();
        assert_eq!(items.len(), form.items.list.len(), "{file}");
        for (item, own) in items.into_iter().zip(&form.items.list) {
            let link = match &own.code {
                Some(code) => format!("/{}", code.code),
                None => format!("{}-{}", form.items.link.as_deref().unwrap_or(&scale.key), own.name),
            };
            assert_eq!(item["linkId"], link, "{file}");
            let expected = match own.answers {
                Answers::YesNo => None,
                // A range that nobody has read is not enforced by the form either.
                Answers::Coded(_) | Answers::Points => {
                    Some((own.least, own.most)).filter(|_| form.items.verified == Verified::Yes)
                }
            };
            assert_eq!(limits(item), expected, "{file} {link}");
        }
        if let Some(total) = all.iter().find(|item| item["readOnly"] == true) {
            let slash = if code.system == LOINC { "/" } else { "" };
            assert_eq!(total["linkId"], format!("{slash}{}", code.code), "{file}");
        }
    }
    assert_eq!(compared, 28, "questionnaires of the guide");
}
