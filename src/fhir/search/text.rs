//! Search in the fhir room: texts as searches compare them, without case, accents and doubled spaces,
//! <https://hl7.org/fhir/R4/search.html#string>.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Lower case, accents taken off, spaces of any kind and number as one.
pub fn normalize(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    if text.is_ascii() {
        push_words(text.chars(), &mut normal);
    } else {
        let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
        push_words(decomposed.filter(|letter| !is_accent(*letter)), &mut normal);
    }
    normal
}

fn push_words(letters: impl Iterator<Item = char>, normal: &mut String) {
    let mut space = false;
    for letter in letters {
        if letter.is_whitespace() {
            space = !normal.is_empty();
            continue;
        }
        if std::mem::take(&mut space) {
            normal.push(' ');
        }
        normal.extend(letter.to_lowercase());
    }
}

/// The blocks of combining marks.
fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_spaces_do_not_count() {
        for (text, normal) in [
            ("Testpatient", "testpatient"),
            ("  Zoë \u{a0} ÅNGSTRÖM\n", "zoe angstrom"),
            ("E\u{301}milie", "emilie"),
            ("ﬁnal", "final"),
            ("Δέλτα", "δελτα"),
            ("", ""),
        ] {
            assert_eq!(normalize(text), normal, "{text:?}");
        }
    }
}
