//! What is wrong with a record, and where: one `Fault` for each thing that the sender has to look at.

/// What sort of thing is wrong. The API turns it into an issue type of an OperationOutcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The bytes are not JSON that can be read: wrong encoding, broken syntax, nested too deeply.
    Unreadable,
    /// A field that the contract does not know, a field twice, or an object where a list belongs.
    Structure,
    /// A field that is needed is missing.
    Required,
    /// The value does not fit: wrong type, form, length or range.
    Value,
    /// The word is not in the closed set.
    CodeInvalid,
    /// The value is fine alone and contradicts another.
    Invariant,
}

/// Errors keep a record out; warnings go with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong with a record.
///
/// The sentence never repeats free text of the record, so it may be logged with the pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) of the very field; empty for the whole record.
    pub pointer: String,
    pub severity: Severity,
    pub kind: FaultKind,
    /// What is wrong and what to do, in plain words.
    pub sentence: String,
}

impl Fault {
    pub fn error(kind: FaultKind, pointer: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), severity: Severity::Error, kind, sentence: sentence.into() }
    }

    pub fn warning(kind: FaultKind, pointer: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(kind, pointer, sentence) }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The pointer as a path, `doses[0].route.term`; `None` for the whole record.
    ///
    /// A name that is no FHIRPath identifier stands in backticks.
    pub fn expression(&self) -> Option<String> {
        let mut path = String::new();
        for step in self.pointer.split('/').skip(1) {
            if is_index(step) && !path.is_empty() {
                path.push_str(&format!("[{step}]"));
                continue;
            }
            if !path.is_empty() {
                path.push('.');
            }
            let name = step.replace("~1", "/").replace("~0", "~");
            if is_identifier(&name) {
                path.push_str(&name);
            } else {
                let escaped = name.replace('\\', "\\\\").replace('`', "\\`");
                path.push_str(&format!("`{escaped}`"));
            }
        }
        (!path.is_empty()).then_some(path)
    }
}

fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// All that is wrong with one record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Where there is one, nothing of the record is stored.
    pub errors: Vec<Fault>,
    pub warnings: Vec<Fault>,
}

/// So many faults of one record are listed; a record with more is answered with the first of them and a last
/// one that says so. It bounds the answer to a body that is made of nothing but faults.
pub const MOST_FAULTS: usize = 500;

impl Faults {
    /// Sorted by pointer, each fault once, at most [`MOST_FAULTS`] errors.
    pub fn sort(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        let (mut errors, mut warnings): (Vec<_>, Vec<_>) = faults.into_iter().partition(Fault::is_error);
        if errors.len() > MOST_FAULTS {
            errors.truncate(MOST_FAULTS);
            errors.push(Fault::error(
                FaultKind::Structure,
                "",
                format!("The record has more errors than the {MOST_FAULTS} that are listed."),
            ));
        }
        warnings.truncate(MOST_FAULTS);
        Self { errors, warnings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(pointer: &str) -> Option<String> {
        Fault::error(FaultKind::Value, pointer, "").expression()
    }

    #[test]
    fn expression_writes_indexes_in_brackets_and_odd_names_in_backticks() {
        assert_eq!(expression("/doses/0/route/term").as_deref(), Some("doses[0].route.term"));
        assert_eq!(expression("/a~1b").as_deref(), Some("`a/b`"));
        assert_eq!(expression("/a`b/7").as_deref(), Some("`a\\`b`[7]"));
        assert_eq!(expression(""), None);
    }

    #[test]
    fn a_record_of_nothing_but_faults_gets_a_bounded_answer() {
        let faults = (0..10_000).map(|n| Fault::error(FaultKind::Structure, format!("/{n}"), "x")).collect();
        assert_eq!(Faults::sort(faults).errors.len(), MOST_FAULTS + 1);
    }
}
