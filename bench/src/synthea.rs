//! The load harness: a tar archive of transaction Bundles, one patient each, as Synthea writes them.

use crate::AnyError;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

#[derive(Debug)]
pub struct Bundle {
    pub name: String,
    pub body: String,
    pub entries: usize,
}

/// All Bundles of the archive, hospitals and practitioners first: the others refer to them by search.
///
/// # Errors
///
/// The file is no such archive, or one of its files is no Bundle.
pub fn bundles(archive: &Path) -> Result<Vec<Bundle>, AnyError> {
    let mut files = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    let mut bundles = Vec::new();
    for file in files.entries()? {
        let mut file = file?;
        let path = file.path()?.into_owned();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut body = String::new();
        file.read_to_string(&mut body)?;
        let content: serde_json::Value = serde_json::from_str(&body)?;
        let entries = content["entry"].as_array().ok_or_else(|| format!("{name} is no Bundle"))?.len();
        bundles.push(Bundle { name, body, entries });
    }
    bundles.sort_by_key(|bundle| (rank(&bundle.name), bundle.name.clone()));
    Ok(bundles)
}

fn rank(name: &str) -> usize {
    ["hospitalInformation", "practitionerInformation"].iter().position(|first| name.starts_with(first)).unwrap_or(2)
}
