//! The kap room: the registry's own files, files with faults, and what answers make of scores.

use super::read::{Origin, read};
use super::*;
use rust_decimal::Decimal;

fn scale(key: &str) -> &'static Scale {
    Registry::built_in().find(key).unwrap_or_else(|| panic!("{key}"))
}

fn answers<'a>(names: &'a [String], points: &[i64]) -> Vec<Answer<'a>> {
    names.iter().map(String::as_str).zip(points.iter().copied()).collect()
}

fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

fn total(key: &str, points: &[i64]) -> Option<String> {
    let names = numbers(points.len());
    match scale(key).answered(&answers(&names, points)) {
        Answered::Whole { total } => total.map(|total| total.to_string()),
        Answered::InPart { .. } | Answered::Nothing => None,
    }
}

#[test]
fn the_gateways_own_files_have_no_faults() {
    let (registry, faults) = Registry::default().adding(built_in_files(), Origin::BuiltIn);
    assert!(faults.is_empty(), "{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    assert_eq!(registry.forms().len(), 43);
    assert_eq!(registry.scales().len(), 55);
}

#[test]
fn every_scale_is_found_by_its_key_and_by_its_code() {
    let registry = Registry::built_in();
    for scale in registry.scales() {
        assert_eq!(registry.find(&scale.key).map(|found| &found.key), Some(&scale.key));
        let found = registry.by_code(&scale.code.system, &scale.code.code);
        assert_eq!(found.map(|found| &found.key), Some(&scale.key));
        assert!(registry.form(&scale.key).is_some() && registry.show(&scale.form.key).is_some());
    }
    assert!(registry.find("phq-10").is_none() && registry.by_code("http://loinc.org", "rass").is_none());
}

#[test]
fn reading_all_files_takes_a_few_milliseconds() {
    let files = built_in_files();
    let start = std::time::Instant::now();
    let (registry, _) = Registry::default().adding(files, Origin::BuiltIn);
    // Generous: this build is not optimized, and the machine may be busy.
    assert!(start.elapsed() < std::time::Duration::from_millis(500), "{:?}", start.elapsed());
    assert!(!registry.scales().is_empty());
}

// ---------------------------------------------------------------- totals

#[test]
fn sums_are_of_the_items_that_count() {
    let mut names = numbers(9);
    names.push("difficulty".to_owned());
    let answers = answers(&names, &[3, 3, 3, 2, 2, 2, 2, 2, 1, 3]);
    assert_eq!(scale("phq-9").answered(&answers), Answered::Whole { total: Some(Decimal::from(20)) });
    assert_eq!(scale("phq-9").answered(&answers[..8]), Answered::InPart { found: 8, count: 9 });
    assert_eq!(total("who-5-percent", &[1, 2, 2, 3, 1]).as_deref(), Some("36"));
}

#[test]
fn item_3_of_the_dast_10_counts_when_it_is_answered_with_no() {
    assert_eq!(total("dast-10", &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0]).as_deref(), Some("0"));
    assert_eq!(total("dast-10", &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]).as_deref(), Some("2"));
}

#[test]
fn the_qids_counts_the_highest_item_of_each_of_nine_domains() {
    // Sleep 3, mood 1, appetite and weight 2, then 0 1 0 1 0, psychomotor 2.
    assert_eq!(total("qids-sr16", &[0, 3, 1, 0, 1, 0, 0, 2, 1, 0, 1, 0, 1, 0, 2, 1]).as_deref(), Some("10"));
    assert_eq!(total("qids-sr16", &[3; 16]).as_deref(), Some("27"));
}

#[test]
fn a_rule_that_nobody_verified_computes_nothing() {
    assert_eq!(total("bat-12", &[3; 12]), None);
    let names = numbers(12);
    let mean = scale("bat-12").total(&answers(&names, &[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2])).expect("a mean");
    assert!(scale("bat-12").is_total(mean, "2.92".parse().expect("a number")), "{mean}");
    assert!(!scale("bat-12").is_total(mean, "2.91".parse().expect("a number")));
}

#[test]
fn clusters_of_the_pcl_5_are_sums_of_their_items() {
    let names = numbers(20);
    let points: Vec<i64> = (0..20).map(|place| if place < 5 { 4 } else { 1 }).collect();
    let pcl = scale("pcl-5");
    let sums: Vec<_> = pcl.subscales.iter().map(|part| pcl.subtotal(part, &answers(&names, &points))).collect();
    assert_eq!(sums, [Some(20), Some(2), Some(7), Some(6)]);
    assert_eq!(pcl.subtotal(&pcl.subscales[3], &answers(&names, &points[..19])), None);
}

// ---------------------------------------------------------------- bands, screens, verdicts

fn band(key: &str, score: &str, method: Option<&str>) -> Option<&'static str> {
    let score = score.parse().expect("a number");
    scale(key).band(score, method).map(|band| band.code.code.as_str())
}

#[test]
fn bands_hold_at_both_their_ends() {
    let phq = [
        ("4", "minimal"),
        ("5", "mild"),
        ("9", "mild"),
        ("14", "moderate"),
        ("15", "moderately-severe"),
        ("27", "severe"),
    ];
    for (score, word) in phq {
        assert_eq!(band("phq-9", score, None), Some(format!("phq-9-{word}").as_str()));
    }
    assert_eq!(band("phq-9", "28", None), None);
    assert_eq!(band("gad-7", "15", None), Some("gad-7-severe"));
    assert_eq!(band("madrs", "34", None), Some("madrs-moderate"));
    assert_eq!(band("rass", "-1", None), Some("rass-sedated"));
    assert_eq!(band("cbi-work", "49.99", None), Some("cbi-work-below-50"));
    assert_eq!(band("cbi-work", "50", None), Some("cbi-work-50-and-more"));
    assert_eq!(band("cbi-work", "100", None), Some("cbi-work-50-and-more"));
}

#[test]
fn t_scores_have_bands_of_their_own_and_percentages_none() {
    assert_eq!(band("proqol-bo", "42", None), Some("proqol-bo-high"));
    assert_eq!(band("proqol-bo", "42", Some("T-score")), Some("proqol-bo-t-low"));
    assert_eq!(band("proqol-bo", "57", Some("T-score")), Some("proqol-bo-t-high"));
    assert_eq!(band("phq-9", "20", Some("percent")), None);
}

#[test]
fn what_is_not_verified_says_so_in_its_own_words() {
    let sleep = scale("isi").band(Decimal::from(15), None).expect("a band");
    assert_eq!(sleep.code.display, "ISI moderate (limits not verified)");
    let doubt = scale("bpic-ss").doubt.as_deref().unwrap_or_default();
    assert!(doubt.contains("the range 0 to 38 (not enforced)") && doubt.contains("the limits of the bands"), "{doubt}");
    assert_eq!(scale("phq-9").doubt, None);
    assert_eq!(scale("bpic-ss").enforced_range(), None);
}

fn tier(yes: &[&str], no: &[&str], method: Option<&str>) -> String {
    let answers: Vec<Answer<'_>> = yes.iter().map(|item| (*item, 1)).chain(no.iter().map(|item| (*item, 0))).collect();
    match scale("c-ssrs-screener").tier(&answers, method) {
        Some(Tiered::By(tiering, tier)) => format!("{tier} by {}", tiering.name),
        Some(Tiered::Undecided(_)) => "undecided".to_owned(),
        None => "no tiering".to_owned(),
    }
}

#[test]
fn question_4_is_high_by_columbia_and_moderate_by_the_other_tiering() {
    let (yes, no) = (["1", "2", "4"], ["3", "5", "6-lifetime"]);
    assert_eq!(tier(&yes, &no, None), "high by columbia");
    assert_eq!(tier(&yes, &no, Some("Columbia tiering")), "high by columbia");
    assert_eq!(tier(&yes, &no, Some("SPIER")), "moderate by spier");
    assert_eq!(tier(&yes, &no, Some("Columbia screener triage, item 4 high")), "high by columbia");
    assert_eq!(tier(&yes, &no, Some("our own")), "no tiering");
    assert_eq!(tier(&yes, &no, Some("Columbia and SPiER")), "no tiering");
    let other = Registry::built_in().clone().with_tiering("c-ssrs-screener=spier").expect("it is there");
    let default = other.find("c-ssrs-screener").and_then(|scale| scale.tiering(None)).map(|tiering| &tiering.name);
    assert_eq!(default.map(String::as_str), Some("spier"));
    for wrong in ["c-ssrs-screener=none", "c-ssrs-screener", "phq-9=columbia", "=", ""] {
        let refused = Registry::built_in().clone().with_tiering(wrong).expect_err(wrong);
        assert!(refused.to_string().contains("c-ssrs-screener=columbia, c-ssrs-screener=spier"), "{refused}");
    }
}

#[test]
fn a_tier_is_decided_only_where_no_missing_answer_could_change_it() {
    assert_eq!(tier(&[], &["1", "2", "6-lifetime"], None), "none by columbia");
    assert_eq!(tier(&["1"], &["2", "6-lifetime"], None), "low by columbia");
    // Behavior in the last three months says nothing of the years before.
    assert_eq!(tier(&["1"], &["2", "6-3-months"], None), "undecided");
    assert_eq!(tier(&["1", "2"], &["6-lifetime"], None), "undecided");
    assert_eq!(tier(&["6-lifetime"], &["1", "2"], None), "undecided");
    assert_eq!(tier(&["6-lifetime", "6-3-months"], &["1", "2"], None), "high by columbia");
    // Case 10: moderate.
    assert_eq!(tier(&["1", "2", "3"], &["4", "5", "6-lifetime", "6-3-months"], None), "moderate by columbia");
}

#[test]
fn the_mdq_is_positive_by_symptoms_time_and_harm_together() {
    let mdq = scale("mdq");
    let positive = |total: i64, answers: &[Answer<'_>]| mdq.is_positive(Decimal::from(total), answers);
    assert_eq!(positive(7, &[("14", 1), ("15", 2)]), Some(true));
    assert_eq!(positive(6, &[("14", 1), ("15", 3)]), Some(false));
    assert_eq!(positive(7, &[("14", 0), ("15", 2)]), Some(false));
    assert_eq!(positive(7, &[("14", 1), ("15", 1)]), Some(false));
    assert_eq!(positive(7, &[("15", 1)]), Some(false));
    assert_eq!(positive(7, &[("14", 1)]), None);
    assert_eq!(positive(6, &[]), Some(false));
}

#[test]
fn a_mystical_experience_is_complete_when_each_factor_reaches_60_percent() {
    let verdict = &Registry::built_in().form("meq-30").expect("the form").verdicts[0];
    let holds = |scores: [i64; 4]| {
        let all = ["meq30-mystical", "meq30-positive", "meq30-transcendence", "meq30-ineffability"];
        let scores: Vec<_> = all.iter().zip(scores).map(|(key, score)| (scale(key), Decimal::from(score))).collect();
        (verdict.holds(&scores), verdict.holds(&scores[..3]))
    };
    // Case 02: 52/75, 21/30, 24/30, 12/15.
    assert_eq!(holds([52, 21, 24, 12]), (Some(true), None));
    assert_eq!(holds([45, 18, 18, 9]).0, Some(true));
    assert_eq!(holds([75, 30, 30, 8]).0, Some(false));
}

// ---------------------------------------------------------------- a clinic's files

const GOOD: &str = r#"
key = "sleep-diary"
title = "Sleep diary of the clinic"
canonical = "https://clinic.example.org/fhir"
source = "The clinic's own"

[licence]
items = "allowed"
terms = "The clinic's own."
verified = "yes"

[items]
numbered = 4
points = [0, 3]
verified = "yes"

[[scores]]
key = "sleep-diary"
name = "Sleep diary"
code = { code = "sleep-diary", display = "Sleep diary total", verified = "yes" }
better = "higher"
range = { least = 0, most = 12, verified = "yes" }
scoring = { rule = "sum", verified = "yes" }
response = { percent = 50, verified = "yes" }

[scores.bands]
verified = "yes"
list = [
  { band = "poor", from = 0, to = 5 },
  { band = "fair", from = 6, to = 12 },
]
"#;

fn faults(text: &str) -> Vec<String> {
    let files = vec![("sleep-diary.toml".to_owned(), text.to_owned())];
    let (_, faults) = Registry::built_in().clone().adding(files, Origin::Clinic);
    faults.iter().map(ToString::to_string).collect()
}

/// The one fault of the good file after a change.
#[track_caller]
fn refused(from: &str, to: &str, place: &str, words: &str) {
    assert!(GOOD.contains(from), "{from}");
    let found = faults(&GOOD.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains(place) && found[0].contains(words), "{found:#?}");
}

#[test]
fn a_clinics_file_is_taken_with_codes_of_its_own() {
    assert_eq!(faults(GOOD), [""; 0]);
    let files = vec![("sleep-diary.toml".to_owned(), GOOD.to_owned())];
    let (registry, _) = Registry::built_in().clone().adding(files, Origin::Clinic);
    let scale = registry.find("sleep-diary").expect("it is known");
    assert_eq!(scale.code.system, "https://clinic.example.org/fhir/CodeSystem/kap-score");
    let band = scale.band(Decimal::from(6), None).expect("a band");
    assert_eq!(band.code.system, "https://clinic.example.org/fhir/CodeSystem/kap-band");
    assert_eq!(band.code.code, "sleep-diary-fair");
    assert!(!scale.form.built_in && registry.find("phq-9").is_some());
}

#[test]
fn each_fault_is_told_with_its_line_its_place_and_what_to_do() {
    refused("terms =", "colour = 1\nterms =", "line 9, licence.colour", "Known here: `items`, `terms`, `verified`");
    refused(
        "better = \"higher\"",
        "better = \"up\"",
        "line 21, scores[0].better",
        "one of \"higher\", \"lower\", \"neither\"",
    );
    refused("least = 0, most = 12", "least = 12, most = 0", "scores[0].range", "turn them round");
    refused("points = [0, 3]", "points = [3, 0]", "items.points", "turn them round");
    refused("to = 5", "to = 6", "scores[0].bands", "overlap");
    refused("to = 5", "to = 4", "scores[0].bands", "gap: begin at 5");
    refused("from = 0, to = 5", "from = 1, to = 5", "scores[0].bands", "must begin where the range does");
    refused("band = \"fair\"", "band = \"poor\"", "scores[0].bands", "twice");
    refused("numbered = 4", "numbered = 3", "scores[0].range", "the items make 0 to 9");
    refused("points = [0, 3]", "points = [-1, 3]", "items.points", "from 0 to 1000 points");
    refused("percent = 50", "percent = 150", "scores[0].response", "at most 100 percent");
    refused("percent = 50", "percent = 50, below = 3", "scores[0].response", "Exactly one limit");
    refused("rule = \"sum\"", "rule = \"sum\", factor = 0", "scores[0].scoring.factor", "from 1 to 1000");
    refused("verified = \"yes\" }\nbetter", "verified = true }\nbetter", "scores[0].code.verified", "one of \"yes\"");
    refused("title = \"Sleep diary of the clinic\"", "title = \" \"", "title", "text in quotes");
    refused("https://clinic.example.org/fhir", "https://kap-gateway.example.org/fhir/x", "canonical", "somebody else");
    refused("https://clinic.example.org/fhir", "clinic", "canonical", "http:// or https://");
    refused("key = \"sleep-diary\"\ntitle", "key = \"Sleep\"\ntitle", "key", "lower-case");
    refused("items = \"allowed\"", "items = \"totals-only\"", "items", "totals only");
    refused("numbered = 4", "numbered = 4\nreversed = [\"5\"]", "items.reversed", "no item `5`");
}

#[test]
fn codes_are_held_to_their_systems() {
    let code = "code = { code = \"sleep-diary\", display = \"Sleep diary total\", verified = \"yes\" }";
    let loinc = |digits: &str| {
        format!("code = {{ system = \"http://loinc.org\", code = \"{digits}\", display = \"x\", verified = \"no\" }}")
    };
    refused(
        code,
        &loinc("99999-1"),
        "scores[0].code.code",
        "the check digit of 99999-1 is wrong".replace("the", "The").as_str(),
    );
    refused(code, &loinc("9999"), "scores[0].code.code", "a hyphen and a check digit");
    refused(code, &loinc("44261-6"), "scores[0].code", "is that of `phq-9`");
    refused(
        code,
        "code = { system = \"https://kap-gateway.example.org/fhir/CodeSystem/kap-score\", code = \"x\", display = \"x\", verified = \"no\" }",
        "scores[0].code.system",
        "of the guide",
    );
    refused(
        code,
        "code = { system = \"sleep\", code = \"x\", display = \"x\", verified = \"no\" }",
        "scores[0].code.system",
        "URI",
    );
    refused("display = \"Sleep diary total\", ", "", "scores[0].plain", "words for whoever reads");
}

#[test]
fn keys_do_not_clash_with_those_of_the_gateway_or_of_another_file() {
    refused(
        "[[scores]]\nkey = \"sleep-diary\"",
        "[[scores]]\nkey = \"phq-9\"",
        "scores[0].key",
        "comes with the gateway",
    );
    let twice =
        vec![("sleep-diary.toml".to_owned(), GOOD.to_owned()), ("sleep-diary.toml".to_owned(), GOOD.to_owned())];
    let (_, faults) = Registry::built_in().clone().adding(twice, Origin::Clinic);
    let told: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(told, ["key", "scores[0].bands", "scores[0].bands", "scores[0].code", "scores[0].key"]);
}

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let text =
        GOOD.replace("to = 5", "to = 4").replace("terms =", "term =").replace("better = \"higher\"", "better = 1");
    let found = faults(&text);
    assert!(found.len() >= 3, "{found:#?}");
    let broken = faults("key = \"sleep-diary\"\ntitle = \nkey = 2\n[licence\n");
    assert!(broken.iter().any(|fault| fault.contains("line 2")), "{broken:#?}");
    assert!(broken.iter().any(|fault| fault.contains("`source` is needed")), "{broken:#?}");
}

#[test]
fn hostile_files_are_refused_and_do_no_harm() {
    let deep = format!("x = {}1{}", "[".repeat(5000), "]".repeat(5000));
    let many = "[[scores]]\n".repeat(5000);
    let far = GOOD.replace("most = 12", "most = 99999999999999999999999999999999999999");
    for text in ["", "\u{0}", "x", &deep, &many, &far, "scores = 1", "items = []", "key = [[]]"] {
        assert!(!faults(text).is_empty(), "{}", text.chars().take(20).collect::<String>());
    }
    let (found, told) = read("x.toml", "key = \"x\"", Origin::Clinic);
    assert!(found.is_none() && !told.is_empty());
}
