//! The gateway's own plain words, for codes whose terminology's words nobody has verified.
//!
//! They stand as the text of a concept that would otherwise be a bare number to whoever reads it.

use crate::kap::instruments::Registry;
use crate::mapping::systems::LOINC;

/// LOINC code and plain words: one row for each row of the tables without a display. Those of scores stand with their
/// instruments.
const PLAIN: &[(&str, &str)] = &[
    ("8636-3", "QTc interval"),
    ("1975-2", "Bilirubin"),
    ("98979-8", "Estimated glomerular filtration rate (eGFR)"),
    ("3016-3", "Thyroid-stimulating hormone (TSH)"),
    ("65750-2", "Drug screen, urine"),
    ("20537-7", "Ketamine screen (the specimen of this code is not verified)"),
];

/// Plain words for a LOINC code.
pub fn of_loinc(code: &str) -> Option<&'static str> {
    let own = PLAIN.iter().find(|(own, _)| *own == code).map(|(_, words)| *words);
    own.or_else(|| Registry::built_in().by_code(LOINC, code)?.plain.as_deref())
}
