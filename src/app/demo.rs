//! `demo`: a gateway with the example courses in it, and what to ask it.

use crate::{
    app::{AppError, Running, run},
    config::Config,
    ingest::{IngestError, Kind, Receipt},
};
use include_dir::{Dir, File, include_dir};
use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

/// The example courses, a folder each; their records are numbered in the order of sending.
static FIXTURES: Dir = include_dir!("$CARGO_MANIFEST_DIR/fixtures");

/// Why the demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("cannot write {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    App(#[from] AppError),
    #[error("the example {name} is refused: {source}")]
    Example { name: String, source: IngestError },
    #[error("the examples hold nothing to show")]
    NoExample,
}

/// One example that was stored.
struct Loaded {
    file: PathBuf,
    receipt: Receipt,
}

/// Starts the gateway, loads the examples, and gives the text that says what to try. The records are put into
/// `folder` as files too.
pub async fn demo(config: &Config, folder: &Path) -> Result<(Running, String), DemoError> {
    let running = run(config)?;
    let mut loaded = Vec::new();
    let mut examples: Vec<&File> = FIXTURES.dirs().flat_map(|course| course.files()).collect();
    examples.sort_by_key(|example| example.path());
    for example in examples {
        loaded.extend(load(&running, example, folder).await?);
    }
    let text = guide(&running.base_url, &loaded).ok_or(DemoError::NoExample)?;
    Ok((running, text))
}

async fn load(running: &Running, example: &File<'_>, folder: &Path) -> Result<Option<Loaded>, DemoError> {
    let Some(kind) = kind(example) else {
        return Ok(None);
    };
    let file = folder.join(example.path());
    write(&file, example.contents()).map_err(|source| DemoError::Folder { path: file.clone(), source })?;
    match running.gateway.ingest(kind, example.contents(), None).await {
        Ok(receipt) => Ok(Some(Loaded { file, receipt })),
        Err(source) => Err(DemoError::Example { name: example.path().display().to_string(), source }),
    }
}

/// What the record says of itself; other files of a course are not records.
fn kind(example: &File) -> Option<Kind> {
    let record: serde_json::Value = serde_json::from_slice(example.contents()).ok()?;
    Kind::from_word(record.get("kind")?.as_str()?)
}

fn write(file: &Path, contents: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, contents)
}

/// A curl for each main thing, about the first course.
fn guide(base: &str, loaded: &[Loaded]) -> Option<String> {
    let session = loaded.iter().find(|example| example.receipt.kind == Kind::DosingSession)?;
    let Loaded { file, receipt } = session;
    let dose = receipt.resources.iter().find(|written| written.resource_type == "MedicationAdministration")?;
    let (patient, course, system) = (&receipt.patient_id, &receipt.course_id, &receipt.system);
    let (record_id, file, dose) = (&receipt.record_id, file.display(), &dose.id);
    let steps = [
        ("Is it alive?", format!("{base}/healthz"), ""),
        ("What can it do? A FHIR CapabilityStatement", format!("{base}/fhir/metadata?_pretty=true"), ""),
        ("A whole course as one timeline", format!("{base}/kap/v1/courses/{course}"), ""),
        (
            "The same as a FHIR document, for whoever treats the patient next",
            format!("{base}/fhir/EpisodeOfCare/{course}/$kap-summary?_pretty=true"),
            "",
        ),
        ("Find patients", format!("{base}/fhir/Patient?_pretty=true"), ""),
        (
            "Every dose of a patient, in the order of time",
            format!("{base}/fhir/MedicationAdministration?patient={patient}&_sort=date&_pretty=true"),
            "",
        ),
        (
            "One dose as XML",
            format!("{base}/fhir/MedicationAdministration/{dose}"),
            "-H 'Accept: application/fhir+xml' ",
        ),
        (
            "What would a record become? Nothing is stored",
            format!("{base}/kap/v1/dosing-session/$map?_pretty=true"),
            &{ format!("-H 'Content-Type: application/json' --data-binary '@{file}' ") },
        ),
        (
            "A record as it was sent, rebuilt from FHIR",
            format!("{base}/kap/v1/dosing-session/{record_id}?system={system}"),
            "",
        ),
    ];
    let mut text = format!("{} records of synthetic patients are loaded. Try:\n", loaded.len());
    for (what, url, arguments) in steps {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n# {what}\ncurl {arguments}'{url}'");
    }
    let _ = write!(text, "\nThe API to browse: {base}/docs\nCtrl-C ends the demo.");
    Some(text)
}
