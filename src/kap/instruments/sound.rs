//! The kap room: does a file of the registry contradict itself, or what is known of code systems?

use super::LOINC;
use super::model::*;
use super::tree::Node;
use rust_decimal::Decimal;

/// What openapi.yaml takes as a score, and as the answer to an item.
const SCORES_OF_THE_CONTRACT: (i64, i64) = (-5, 1000);
const ANSWERS_OF_THE_CONTRACT: (i64, i64) = (0, 1000);

/// Lower-case letters and digits, joined by single hyphens.
pub fn is_key(key: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    key.len() <= 48 && key.split('-').all(part)
}

/// The contract's form of an item's name.
pub fn is_item(name: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(sign) && !name.starts_with('-')
}

pub fn is_uri(system: &str) -> bool {
    ["http://", "https://", "urn:"].iter().any(|start| system.len() > start.len() && system.starts_with(start))
        && system.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The form of a code; of a LOINC code the check digit, too.
pub fn code(node: &Node<'_>, name: &str, system: &str, code: &str) {
    if code.contains(char::is_whitespace) {
        node.fault_at(name, "A code has no white space.");
    }
    if system != LOINC || code.starts_with("LA") {
        return;
    }
    let parts = code.split_once('-').filter(|(number, check)| {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (1..=7).contains(&number.len()) && check.len() == 1 && digits(number) && digits(check)
    });
    match parts {
        None => node.fault_at(name, "A LOINC code is a number, a hyphen and a check digit, for example 44261-6."),
        Some((number, check)) => {
            let right = check_digit(number);
            if check != right.to_string() {
                let sentence =
                    format!("The check digit of {code} is wrong: for {number} it is {right}. Is it misspelt?");
                node.fault_at(name, sentence);
            }
        }
    }
}

/// Modulus 10 as LOINC has it: from the right every other digit is doubled.
fn check_digit(number: &str) -> u32 {
    let weigh = |(place, digit): (usize, u32)| match (place % 2, digit * 2) {
        (0, double) if double > 9 => double - 9,
        (0, double) => double,
        (_, _) => digit,
    };
    let sum: u32 = number.bytes().rev().map(|byte| u32::from(byte - b'0')).enumerate().map(weigh).sum();
    (10 - sum % 10) % 10
}

pub fn form(root: &Node<'_>, form: &Form, has_items: bool) {
    if form.licence.items == ItemsAllowed::TotalsOnly && has_items {
        root.fault_at("items", "The licence allows totals only: take [items] away, or correct [licence].");
    }
}

pub fn items(node: &Node<'_>, list: &[Item], options: &[(i64, Code)]) {
    let (lowest, highest) = ANSWERS_OF_THE_CONTRACT;
    if let Some(item) = list.iter().find(|item| item.least < lowest || item.most > highest) {
        let sentence =
            format!("The contract takes answers from {lowest} to {highest} points: see item `{}`.", item.name);
        node.fault_at("points", sentence);
    }
    for (place, item) in list.iter().enumerate() {
        if list.iter().take(place).any(|other| other.name == item.name) {
            node.fault_at("list", format!("The item `{}` stands here twice.", item.name));
        }
        let code = item.code.as_ref();
        if code.is_some() && list.iter().take(place).any(|other| other.code.as_ref() == code) {
            node.fault_at("list", format!("The item `{}` has the code of another item.", item.name));
        }
    }
    for (place, (points, code)) in options.iter().enumerate() {
        let before = options.iter().take(place);
        if before.clone().any(|(other, _)| other == points) {
            node.fault_at(
                "options",
                format!("Two answers have {points} points: the way back could not tell them apart."),
            );
        }
        if before.clone().any(|(_, other)| other.code == code.code && other.system == code.system) {
            node.fault_at("options", format!("The answer {} stands here twice.", code.code));
        }
    }
    let coded = list.iter().find(|item| matches!(item.answers, Answers::Coded(_)));
    if let Some(item) = coded
        && let Some(missing) = (item.least..=item.most).find(|points| !options.iter().any(|(own, _)| own == points))
    {
        node.fault_at("options", format!("There is no answer for {missing} points, which the items can have."));
    }
    if let Some(item) =
        list.iter().find(|item| matches!(item.answers, Answers::YesNo) && (item.least, item.most) != (0, 1))
    {
        node.fault_at(
            "points",
            format!("Item `{}` is answered by yes (1) or no (0): its points are [0, 1].", item.name),
        );
    }
}

/// Items that are named must be there.
pub fn known_items<'n>(node: &Node<'_>, name: &str, form: &Form, named: impl Iterator<Item = &'n String>) {
    for item in named {
        if !form.items.list.iter().any(|own| own.name == *item) {
            node.fault_at(name, format!("There is no item `{item}` in [items]."));
        }
    }
}

pub fn scale(node: &Node<'_>, scale: &Scale) {
    if scale.code.display.is_empty() && scale.plain.is_none() {
        node.fault_at("plain", "A code without a display needs `plain`: words for whoever reads the score.");
    }
    let (lowest, highest) = SCORES_OF_THE_CONTRACT;
    if scale.range.is_some_and(|range| range.least < lowest.into() || range.most > highest.into()) {
        node.fault_at("range", format!("The contract takes scores from {lowest} to {highest}."));
    }
    if scale.step && !scale.whole {
        node.fault_at("step", "Steps of a ladder are whole numbers.");
    }
    if (scale.scoring.rule == Rule::Tier) == scale.screen.tierings.is_empty() {
        node.fault_at("screen", "The rule \"tier\" and [scores.screen] belong together.");
    }
    if scale.scoring.rule == Rule::Tier && scale.range.is_some() {
        node.fault_at("range", "A tier has no range.");
    }
    if scale.percent_of_maximum && scale.range.is_none_or(|range| range.least != Decimal::ZERO) {
        node.fault_at("percent-of-maximum", "A percent of the maximum needs a range that begins at 0.");
    }
    bands(node, "bands", &scale.bands, scale, scale.range);
    bands(node, "t-score-bands", &scale.t_bands, scale, None);
    for (name, threshold) in [("response", &scale.response), ("remission", &scale.remission)] {
        let Some(Threshold { limit, .. }) = threshold else { continue };
        if let Limit::Below(points) | Limit::AtMost(points) | Limit::AtLeast(points) = limit
            && let Some(range) = scale.range
            && (*points < range.least || *points > range.most)
        {
            node.fault_at(name, format!("{points} lies outside the range {} to {}.", range.least, range.most));
        }
        if matches!(limit, Limit::Percent(_)) && scale.better == Better::Neither {
            node.fault_at(name, "A change can be a response only where `better` is \"higher\" or \"lower\".");
        }
    }
    sums(node, scale);
}

/// The items must be able to make every score of the range.
fn sums(node: &Node<'_>, scale: &Scale) {
    let (Some(range), Rule::Sum { factor }) = (scale.range, &scale.scoring.rule) else { return };
    let counted: Vec<&Item> = scale.may_count().collect();
    if counted.is_empty() || counted.len() < scale.scoring.count {
        return;
    }
    let count = Decimal::from(scale.scoring.count);
    let ends = |points: fn(&Item) -> i64, extreme: fn(i64, i64) -> i64| {
        if counted.len() == scale.scoring.count {
            Decimal::from(counted.iter().map(|item| points(item)).sum::<i64>())
        } else {
            count * Decimal::from(counted.iter().map(|item| points(item)).reduce(extreme).unwrap_or_default())
        }
    };
    let factor = Decimal::from(*factor);
    let (least, most) = (ends(|item| item.least, i64::min) * factor, ends(|item| item.most, i64::max) * factor);
    if least > range.least || most < range.most {
        node.fault_at(
            "range",
            format!("The range says {} to {}, the items make {least} to {most}.", range.least, range.most),
        );
    }
}

fn bands(node: &Node<'_>, name: &str, bands: &Bands, scale: &Scale, range: Option<Range>) {
    let list = &bands.0;
    let whole = scale.whole && name == "bands";
    let word = |band: &Band| band.code.code.clone();
    for (place, band) in list.iter().enumerate() {
        if let (Some(from), Some(to)) = (band.from, band.to)
            && from > to
        {
            node.fault_at(name, format!("The band `{}` runs from {from} to {to}: turn them round.", word(band)));
        }
        if list.iter().take(place).any(|other| other.code.code == band.code.code) {
            node.fault_at(name, format!("The band `{}` stands here twice.", word(band)));
        }
    }
    for pair in list.windows(2) {
        let [lower, upper] = pair else { continue };
        let (Some(end), Some(start)) = (lower.to, upper.from) else {
            let sentence = format!("Between `{}` and `{}` a limit is missing.", word(lower), word(upper));
            node.fault_at(name, sentence);
            continue;
        };
        let expected = if whole { end + Decimal::ONE } else { end };
        if start < expected {
            let sentence =
                format!("The bands `{}` (to {end}) and `{}` (from {start}) overlap.", word(lower), word(upper));
            node.fault_at(name, sentence);
        } else if start > expected {
            let sentence = format!(
                "Between the bands `{}` (to {end}) and `{}` (from {start}) there is a gap: begin at {expected}.",
                word(lower),
                word(upper)
            );
            node.fault_at(name, sentence);
        }
    }
    let (Some(first), Some(last), Some(range)) = (list.first(), list.last(), range) else { return };
    if first.from != Some(range.least) {
        node.fault_at(
            name,
            format!("The lowest band `{}` must begin where the range does, at {}.", word(first), range.least),
        );
    }
    if last.to != Some(range.most) {
        node.fault_at(
            name,
            format!("The highest band `{}` must end where the range does, at {}.", word(last), range.most),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_loincs() {
        for code in ["44261-6", "70274-6", "101698-9", "8480-6", "93374-7", "1742-6", "2106-3"] {
            let (number, check) = code.split_once('-').unwrap();
            assert_eq!(check_digit(number).to_string(), check, "{code}");
        }
    }

    #[test]
    fn keys_are_words_joined_by_single_hyphens() {
        assert!(["phq-9", "5d-asc", "x"].iter().all(|key| is_key(key)));
        assert!(!["", "-x", "x-", "a--b", "PHQ", "a b", "ä", "a/b"].iter().any(|key| is_key(key)));
    }
}
