//! The tables of verdicts, and the list of what we judge otherwise.

use super::*;
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

/// A row of a table of verdicts.
pub struct Verdict {
    /// Name of the example; of a broken one `mutants-r4/67`.
    pub name: String,
    pub errors: u32,
    /// The messages of HL7's validator, each with its place.
    pub kinds: String,
}

/// How many resources were compared, and what came out otherwise than the list of differences says.
#[derive(Default)]
pub struct Comparison {
    pub count: usize,
    differences: BTreeMap<String, (&'static str, String)>,
}

fn table(file: &str) -> Vec<Vec<String>> {
    let file = here("tests/conformance").join(file);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| line.split('\t').map(Into::into).collect())
        .collect()
}

/// What HL7's validator says of the official examples.
pub fn verdicts() -> Vec<Verdict> {
    let column = |row: &[String], number: usize| row.get(number).cloned().unwrap_or_default();
    table("official-verdicts.tsv")
        .iter()
        .map(|row| Verdict {
            name: column(row, 0),
            errors: column(row, 1).parse().expect("a number"),
            kinds: column(row, 4),
        })
        .collect()
}

/// Broken resources as text, with what HL7's validator says of each.
pub fn mutants(name: &str) -> Vec<(Verdict, String)> {
    let mut text = String::new();
    let file = here("tests/conformance").join(format!("{name}.ndjson.gz"));
    GzDecoder::new(File::open(file).expect("the broken resources")).read_to_string(&mut text).expect("text");
    let rows = table(&format!("{name}.tsv"));
    assert_eq!(rows.len(), text.lines().count(), "a verdict for each line");
    rows.iter()
        .zip(text.lines())
        .map(|(row, line)| {
            let kinds = format!("{} of {}: {}", row[2], row[1], row.get(7).map_or("", String::as_str));
            (
                Verdict { name: format!("{name}/{}", row[0]), errors: row[4].parse().expect("a number"), kinds },
                line.to_owned(),
            )
        })
        .collect()
}

/// The JSON files of a package by name.
pub fn package(file: &Path, folder: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(file).expect("a package")));
    for entry in archive.entries().expect("a package") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").into_owned();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if !is_json || !path.starts_with(folder) || name(&path).starts_with('.') {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        found.insert(name(&path), json(&text));
    }
    found
}

impl Comparison {
    pub fn add(&mut self, verdict: &Verdict, ours: &Result<Report, serde_json::Error>) {
        self.count += 1;
        let (is_valid, errors) = match ours {
            Ok(report) => (report.is_valid(), told(report.errors().cloned())),
            Err(error) => (false, vec![error.to_string()]),
        };
        let what = match (is_valid, verdict.errors == 0) {
            (true, false) => ("missed", verdict.kinds.clone()),
            (false, true) => ("more", errors.join("; ")),
            (true, true) | (false, false) => return,
        };
        self.differences.insert(verdict.name.clone(), what);
    }

    /// The share that is judged alike, which must be as high as asked for; and each difference, and no other, stands
    /// under its name in differences.tsv.
    pub fn hold(self, least: f64, is_of_here: impl Fn(&str) -> bool) {
        let share = 1.0 - self.differences.len() as f64 / self.count as f64;
        println!("{} of {} judged alike: {:.2} %", self.count - self.differences.len(), self.count, share * 100.0);
        let listed: BTreeMap<String, String> = table("differences.tsv")
            .into_iter()
            .inspect(|row| assert!(row.len() == 4 && !row[3].is_empty(), "{row:?} says no reason"))
            .map(|row| (row[0].clone(), if row[1] == "error" { "more".into() } else { "missed".into() }))
            .filter(|(name, _): &(String, String)| is_of_here(name))
            .collect();
        for (name, (way, what)) in &self.differences {
            assert_eq!(listed.get(name).map(String::as_str), Some(*way), "not explained: {name}: {way}: {what}");
        }
        for name in listed.keys() {
            assert!(self.differences.contains_key(name), "{name} is judged alike: take it off differences.tsv");
        }
        assert!(share >= least, "only {share} judged alike");
    }
}
