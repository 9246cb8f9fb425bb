//! The fhir room: FHIR packages of the user, <https://hl7.org/fhir/packages.html>.

use super::AddError;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// One JSON file of a package; the largest of R4's has 5 MB.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// All files of a package; that of R4 has 120 MB.
const MAX_PACKAGE: u64 = 2 * 1024 * 1024 * 1024;
const MAX_FILES: usize = 100_000;

/// A JSON file of a package with its name, for messages.
pub(super) type Found = (String, Value);

/// Hands every resource of a package (`.tgz`), of a folder (with its `package` folder, if it has one) or of one JSON
/// file to `each`. In a package only the files directly under `package/` count: below stand examples and other things.
pub(super) fn read(path: &Path, each: &mut dyn FnMut(Found) -> Result<(), AddError>) -> Result<(), AddError> {
    let shown = path.display().to_string();
    let fault = |error: std::io::Error| AddError::File { file: shown.clone(), reason: error.to_string() };
    if path.is_dir() {
        let inner = path.join("package");
        return folder(if inner.is_dir() { &inner } else { path }, each);
    }
    let file = File::open(path).map_err(fault)?;
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
        return each((shown.clone(), json(&shown, file)?));
    }
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(file)).take(MAX_PACKAGE));
    for (count, entry) in archive.entries().map_err(fault)?.enumerate() {
        let entry = entry.map_err(fault)?;
        if count > MAX_FILES {
            return Err(AddError::File { file: shown, reason: format!("it has more than {MAX_FILES} files") });
        }
        let name = entry.path().map_err(fault)?.into_owned();
        let is_direct =
            name.parent().is_some_and(|parent| parent.ends_with("package") && parent.components().count() <= 2);
        if entry.header().entry_type().is_file() && is_direct && is_resource(&name) {
            let name = format!("{shown}: {}", name.display());
            let value = json(&name, entry)?;
            each((name, value))?;
        }
    }
    Ok(())
}

fn folder(folder: &Path, each: &mut dyn FnMut(Found) -> Result<(), AddError>) -> Result<(), AddError> {
    let fault =
        |error: std::io::Error| AddError::File { file: folder.display().to_string(), reason: error.to_string() };
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(fault)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    files.retain(|file| file.is_file() && is_resource(file));
    // The same order on every machine.
    files.sort();
    for file in files {
        let name = file.display().to_string();
        let opened = File::open(&file).map_err(|e| AddError::File { file: name.clone(), reason: e.to_string() })?;
        let value = json(&name, opened)?;
        each((name, value))?;
    }
    Ok(())
}

/// `package.json` and `.index.json` tell about the package and hold no resource.
fn is_resource(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".json") && name != "package.json" && !name.starts_with('.')
}

fn json(name: &str, from: impl Read) -> Result<Value, AddError> {
    let fault = |reason: String| AddError::File { file: name.to_owned(), reason };
    let mut text = Vec::new();
    from.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|e| fault(e.to_string()))?;
    if u64::try_from(text.len()).is_ok_and(|size| size > MAX_FILE) {
        return Err(fault(format!("it has more than {MAX_FILE} bytes")));
    }
    // Some editors put a byte order mark in front.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    serde_json::from_slice(text).map_err(|e| fault(e.to_string()))
}
