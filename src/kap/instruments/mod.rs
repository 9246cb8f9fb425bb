//! The kap room: the registry of instruments, one file each (`instruments/`, and a clinic's own folder).
//!
//! It is read once, when the program starts. Records name a scale by its key; what it says of ranges, items, totals,
//! bands and licence holds for the contract and for the mapping alike. Mapping specification §3, D-12 to D-15.

mod model;
mod read;
mod read_scale;
mod score;
mod sound;
#[cfg(test)]
mod tests;
mod tree;
mod view;

pub use model::*;
pub use score::{Answer, Answered, Points, Tiered, points_of};
pub use tree::FileFault;

use include_dir::{Dir, include_dir};
use read::{Origin, read};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// What canonicals and code systems of the guide start with.
pub const GUIDE: &str = "https://kap-gateway.example.org/fhir";
pub const LOINC: &str = "http://loinc.org";
/// The code systems of scores and of bands, below the canonical of the guide or of the clinic.
pub const SCORES: &str = "kap-score";
pub const BANDS: &str = "kap-band";

/// A file larger than this describes no instrument.
const MOST_BYTES: u64 = 256 * 1024;
/// More files than any clinic has instruments.
const MOST_FILES: usize = 1000;

static FILES: Dir = include_dir!("$CARGO_MANIFEST_DIR/instruments");

static BUILT_IN: LazyLock<Registry> = LazyLock::new(|| {
    // A test holds that the files of the gateway have no faults.
    Registry::default().adding(built_in_files(), Origin::BuiltIn).0
});

fn built_in_files() -> Vec<(String, String)> {
    let mut files: Vec<_> = FILES
        .files()
        .filter_map(|file| Some((file.path().to_str()?.to_owned(), file.contents_utf8()?.to_owned())))
        .filter(|(name, _)| name.ends_with(".toml"))
        .collect();
    files.sort();
    files
}

/// Why a clinic's instruments cannot be used.
#[derive(Debug)]
pub enum RegistryError {
    /// The folder, or a file in it, cannot be read.
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The folder holds no file of the registry.
    Empty(PathBuf),
    TooMany(PathBuf),
    TooLarge(PathBuf),
    /// All that is wrong with the files.
    Faults(Vec<FileFault>),
    /// A tiering that is asked for is not there.
    UnknownTiering {
        asked: String,
        known: String,
    },
}

impl fmt::Display for RegistryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(out, "cannot read {}: {source}", path.display()),
            Self::Empty(folder) => write!(
                out,
                "the folder {} holds no .toml file: an instrument is a file of its own there",
                folder.display()
            ),
            Self::TooMany(folder) => write!(out, "{} holds more than {MOST_FILES} files", folder.display()),
            Self::TooLarge(file) => {
                write!(out, "{} is larger than {MOST_BYTES} bytes: that is no file of one instrument", file.display())
            }
            Self::Faults(faults) => {
                write!(out, "the instruments have {} fault(s):", faults.len())?;
                faults.iter().try_for_each(|fault| write!(out, "\n  {fault}"))
            }
            Self::UnknownTiering { asked, known } => {
                write!(out, "there is no tiering {asked}; known are {known}")
            }
        }
    }
}

impl std::error::Error for RegistryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Unreadable { source, .. } = self { Some(source) } else { None }
    }
}

/// All instruments that this gateway knows.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    forms: Vec<Arc<Form>>,
    scales: Vec<Scale>,
    by_key: HashMap<String, usize>,
    /// Code to the scales of each system that has it.
    by_code: HashMap<String, Vec<usize>>,
}

impl Registry {
    /// The instruments that come with the gateway.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// These and the files of a clinic's folder. All faults of all files are told at once.
    pub fn with_folder(&self, folder: &Path) -> Result<Self, RegistryError> {
        let files = folder_files(folder)?;
        let (registry, faults) = self.clone().adding(files, Origin::Clinic);
        if faults.is_empty() { Ok(registry) } else { Err(RegistryError::Faults(faults)) }
    }

    /// Makes another tiering of a scale its default: `c-ssrs-screener=spier`.
    pub fn with_tiering(mut self, asked: &str) -> Result<Self, RegistryError> {
        let unknown = |registry: &Self| {
            let all = registry.scales.iter().flat_map(|scale| {
                scale.screen.tierings.iter().map(|tiering| format!("{}={}", scale.key, tiering.name))
            });
            RegistryError::UnknownTiering { asked: asked.to_owned(), known: all.collect::<Vec<_>>().join(", ") }
        };
        let found = asked.split_once('=').and_then(|(key, name)| {
            let scale = *self.by_key.get(key)?;
            let tiering = self.scales[scale].screen.tierings.iter().position(|tiering| tiering.name == name)?;
            Some((scale, tiering))
        });
        let Some((scale, tiering)) = found else { return Err(unknown(&self)) };
        self.scales[scale].screen.tierings[..=tiering].rotate_right(1);
        Ok(self)
    }

    /// The scale with that key: the contract's `instrument`.
    pub fn find(&self, key: &str) -> Option<&Scale> {
        self.by_key.get(key).map(|place| &self.scales[*place])
    }

    /// The scale whose score has that code.
    pub fn by_code(&self, system: &str, code: &str) -> Option<&Scale> {
        let places = self.by_code.get(code)?;
        places.iter().map(|place| &self.scales[*place]).find(|scale| scale.code.system == system)
    }

    /// Every scale, by the names of its files.
    pub fn scales(&self) -> &[Scale] {
        &self.scales
    }

    pub fn forms(&self) -> &[Arc<Form>] {
        &self.forms
    }

    /// The form with that key, or the one that a scale of that key belongs to.
    pub fn form(&self, key: &str) -> Option<&Arc<Form>> {
        let own = self.forms.iter().find(|form| form.key == key);
        own.or_else(|| self.find(key).map(|scale| &scale.form))
    }

    pub fn scales_of<'r>(&'r self, form: &'r Form) -> impl Iterator<Item = &'r Scale> {
        self.scales.iter().filter(move |scale| scale.form.key == form.key)
    }

    /// The keys of all scales, as a sentence lists them.
    pub fn known_keys(&self) -> String {
        let keys: Vec<_> = self.scales.iter().map(|scale| format!("`{}`", scale.key)).collect();
        keys.join(", ")
    }

    fn adding(mut self, files: Vec<(String, String)>, origin: Origin) -> (Self, Vec<FileFault>) {
        let mut faults = Vec::new();
        for (name, text) in &files {
            let (found, of_file) = read(name, text, origin);
            faults.extend(of_file);
            if let Some((form, scales)) = found {
                faults.extend(self.clashes(name, &form, &scales));
                self.insert(form, scales);
            }
        }
        faults.sort();
        faults.dedup();
        (self, faults)
    }

    fn insert(&mut self, form: Arc<Form>, scales: Vec<Scale>) {
        for scale in scales {
            let place = self.scales.len();
            self.by_key.entry(scale.key.clone()).or_insert(place);
            self.by_code.entry(scale.code.code.clone()).or_default().push(place);
            self.scales.push(scale);
        }
        self.forms.push(form);
    }

    /// What a file takes that another has.
    fn clashes(&self, file: &str, form: &Form, scales: &[Scale]) -> Vec<FileFault> {
        let mut faults = Vec::new();
        let mut tell = |place: String, sentence: String| {
            faults.push(FileFault { file: file.to_owned(), line: 0, place, sentence });
        };
        let whose = |owner: &Form| {
            if owner.built_in {
                "an instrument that comes with the gateway".to_owned()
            } else {
                format!("`{}.toml`", owner.key)
            }
        };
        if let Some(other) = self.forms.iter().find(|other| other.key == form.key) {
            tell("key".to_owned(), format!("`{}` is the key of {}: take another.", form.key, whose(other)));
        }
        for (place, scale) in scales.iter().enumerate() {
            let earlier = scales.iter().take(place).chain(&self.scales);
            if let Some(other) = earlier.clone().find(|other| other.key == scale.key) {
                let owner = whose(&other.form);
                tell(format!("scores[{place}].key"), format!("`{}` is a key of {owner}: take another.", scale.key));
            }
            if let Some(other) = earlier.clone().find(|other| same(&other.code, &scale.code)) {
                let sentence = format!("This code is that of `{}`: two scores could not be told apart.", other.key);
                tell(format!("scores[{place}].code"), sentence);
            }
            let bands = |scale: &Scale| -> Vec<Code> {
                let all = scale.bands.0.iter().chain(&scale.t_bands.0);
                all.map(|band| band.code.clone()).collect()
            };
            let own = bands(scale);
            for other in earlier.flat_map(bands) {
                if own.iter().any(|band| same(band, &other)) {
                    let sentence = format!("The band `{}` has the code of another scale's band.", other.code);
                    tell(format!("scores[{place}].bands"), sentence);
                }
            }
        }
        for (place, verdict) in form.verdicts.iter().enumerate() {
            for key in &verdict.of {
                match scales.iter().find(|scale| scale.key == *key) {
                    Some(Scale { range: Some(_), .. }) => {}
                    Some(_) => {
                        tell(format!("verdicts[{place}].of"), format!("`{key}` has no range to take a percent of."))
                    }
                    None => tell(format!("verdicts[{place}].of"), format!("There is no score `{key}` in this file.")),
                }
            }
        }
        faults
    }
}

fn same(one: &Code, other: &Code) -> bool {
    one.code == other.code && one.system == other.system
}

/// The `.toml` files of a folder, sorted by name.
fn folder_files(folder: &Path) -> Result<Vec<(String, String)>, RegistryError> {
    let unreadable = |path: &Path, source| RegistryError::Unreadable { path: path.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let mut files = Vec::new();
    for (place, entry) in entries.enumerate() {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        if place >= MOST_FILES {
            return Err(RegistryError::TooMany(folder.to_owned()));
        }
        if path.extension().is_none_or(|extension| extension != "toml") || path.is_dir() {
            continue;
        }
        let size = std::fs::metadata(&path).map_err(|source| unreadable(&path, source))?.len();
        if size > MOST_BYTES {
            return Err(RegistryError::TooLarge(path));
        }
        let text = std::fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files.push((name, text));
    }
    if files.is_empty() {
        return Err(RegistryError::Empty(folder.to_owned()));
    }
    files.sort();
    Ok(files)
}
