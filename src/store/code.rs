//! The store room: the number by which a code stands in the index, in place of its text.
//!
//! An index of numbers is a third of one of texts, and is written in half of the time. A search checks what it finds by the
//! resources' keys, which have the text; so two codes with one number cost a look, and are not mistaken for each other.

use siphasher::sip::SipHasher13;

/// Bits of the number that tell codes of one stem apart. Two of a million have the same with a chance of one in two million.
const OWN_BITS: u32 = 40;

/// A number of 63 bits. Its first ones are of the code's stem, which ends with its last `/` or `#`: what one record wrote
/// (`dosing-1/encounter`, `dosing-1/session`) stands together, and is written together. Stored files depend on it: it never
/// changes without a new version of the schema.
pub(super) fn code_number(code: &str) -> i64 {
    let hasher = SipHasher13::new();
    let own = hasher.hash(code.as_bytes());
    let stem = match code.rfind(['/', '#']).and_then(|end| code.get(..end)) {
        Some(stem) => hasher.hash(stem.as_bytes()),
        None => own,
    };
    let number = (stem >> (OWN_BITS + 1) << OWN_BITS) | (own & ((1 << OWN_BITS) - 1));
    number.cast_signed()
}

/// The number under which stands every version of a canonical: of `http://a/b|1` and `http://a/b|2` that of `http://a/b|`.
pub(super) fn versions_number(canonical: &str) -> i64 {
    code_number(&format!("{canonical}|"))
}

/// The canonical without its version, where it has one.
pub(super) fn versionless(canonical: &str) -> Option<&str> {
    canonical.split_once('|').map(|(uri, _)| uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Numbers in files that are there must be found by later versions.
    #[test]
    fn numbers_never_change() {
        for (code, number) in [
            ("", 7_565_435_367_265_686_316),
            ("final", 7_447_977_737_419_698_495),
            ("dosing-1/encounter", 5_679_122_020_885_773_118),
            ("http://loinc.org", 7_761_599_909_456_350_350),
        ] {
            assert_eq!(code_number(code), number, "{code}");
        }
    }

    #[test]
    fn codes_of_one_stem_stand_together() {
        let stem = |code| code_number(code) >> OWN_BITS;
        assert_eq!(stem("a/b/c"), stem("a/b/d"));
        assert_eq!(stem("source#x"), stem("source#y"));
        assert_ne!(stem("a/b/c"), stem("a/c/c"));
        assert_ne!(code_number("a/b/c"), code_number("a/b/d"));
    }

    #[test]
    fn many_codes_have_as_many_numbers() {
        let numbers: HashSet<i64> = (0..100_000).map(|number| code_number(&format!("id-{number}"))).collect();
        assert_eq!(numbers.len(), 100_000);
        assert!(numbers.iter().all(|number| *number >= 0));
    }

    #[test]
    fn versions_have_one_number() {
        assert_eq!(versionless("http://a/b|1.0"), Some("http://a/b"));
        assert_eq!(versionless("http://a/b"), None);
        assert_eq!(versions_number("http://a/b"), code_number("http://a/b|"));
    }
}
