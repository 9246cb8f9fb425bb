//! The instruments: what their scores and items can be (mapping specification §3).
//!
//! Ranges hold for raw points. One that nobody has read in the instrument's own source is not enforced.

/// How a total comes from the points of the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// The sum of all items, times a factor.
    Sum { factor: u32 },
    /// By another rule (means, domain scores, reversed items): not recomputed here.
    OtherRule,
    /// The instrument has no total score.
    None,
}

/// The items of an instrument that the contract takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// So many items, numbered from 1 up to `highest` (a scale within a longer form keeps the form's numbers),
    /// each with points in `least..=most`.
    Numbered { count: usize, highest: u32, least: i64, most: i64 },
    /// The C-SSRS screener: 1 to 5, `6-lifetime`, `6-3-months`, yes is 1 and no is 0.
    SuicideScreener,
    /// Not described: taken as they come.
    Open,
    /// The licence allows totals only.
    Licensed,
}

/// Does a score by that method count the points of the form? A T-score or a percentage follows other rules.
pub fn counts_raw_points(method: &str) -> bool {
    let method = method.to_lowercase();
    !["t-score", "percent", "%"].iter().any(|other| method.contains(other))
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instrument {
    pub key: &'static str,
    /// Lowest and highest score.
    pub range: Option<(i64, i64)>,
    /// Was the range read in a source? One that was not is kept here and not enforced.
    pub range_is_verified: bool,
    /// Are scores whole numbers?
    pub whole: bool,
    pub items: Items,
    pub total: Total,
}

impl Instrument {
    pub fn find(key: &str) -> Option<&'static Self> {
        INSTRUMENTS.iter().find(|instrument| instrument.key == key)
    }

    /// The range that a score must keep.
    pub fn enforced_range(&self) -> Option<(i64, i64)> {
        self.range.filter(|_| self.range_is_verified)
    }
}

const SUM: Total = Total::Sum { factor: 1 };

const fn items(count: usize, least: i64, most: i64) -> Items {
    Items::Numbered { count, highest: count as u32, least, most }
}

const fn within(count: usize, highest: u32, least: i64, most: i64) -> Items {
    Items::Numbered { count, highest, least, most }
}

/// Whole points in a range that was read.
const fn points(key: &'static str, least: i64, most: i64, items: Items, total: Total) -> Instrument {
    Instrument { key, range: Some((least, most)), range_is_verified: true, whole: true, items, total }
}

/// A score that may have decimals, in a range that was read.
const fn mean(key: &'static str, least: i64, most: i64, items: Items) -> Instrument {
    Instrument { whole: false, ..points(key, least, most, items, Total::OtherRule) }
}

/// A range from memory: noted, not enforced.
const fn unverified(key: &'static str, range: Option<(i64, i64)>, items: Items) -> Instrument {
    Instrument { key, range, range_is_verified: false, whole: false, items, total: Total::OtherRule }
}

/// Every instrument of the contract, in its order.
#[rustfmt::skip]
pub const INSTRUMENTS: &[Instrument] = &[
    points("phq-9", 0, 27, items(9, 0, 3), SUM),
    points("gad-7", 0, 21, items(7, 0, 3), SUM),
    points("pcl-5", 0, 80, items(20, 0, 4), SUM),
    Instrument { range: None, ..points("c-ssrs-screener", 0, 0, Items::SuicideScreener, Total::None) },
    points("audit-c", 0, 12, items(3, 0, 4), SUM),
    points("audit", 0, 40, items(10, 0, 4), SUM),
    // Item 3 counts when it is answered with no, so points and answers differ: no sum.
    points("dast-10", 0, 10, items(10, 0, 1), Total::OtherRule),
    points("madrs", 0, 60, items(10, 0, 6), SUM),
    points("ham-d17", 0, 52, items(17, 0, 4), SUM),
    // Nine domains out of sixteen items.
    points("qids-sr16", 0, 27, items(16, 0, 3), Total::OtherRule),
    points("bdi-ii", 0, 63, Items::Licensed, SUM),
    points("who-5-raw", 0, 25, items(5, 0, 5), SUM),
    points("who-5-percent", 0, 100, items(5, 0, 5), Total::Sum { factor: 4 }),
    unverified("whodas-2", Some((0, 100)), Items::Open),
    points("cgi-s", 1, 7, Items::Open, Total::OtherRule),
    points("cgi-i", 1, 7, Items::Open, Total::OtherRule),
    points("pgi-c", 1, 7, Items::Open, Total::OtherRule),
    points("proqol-cs", 10, 50, within(10, 30, 1, 5), SUM),
    points("proqol-bo", 10, 50, within(10, 30, 1, 5), SUM),
    points("proqol-sts", 10, 50, within(10, 30, 1, 5), SUM),
    unverified("mbi-ee", Some((0, 54)), Items::Licensed),
    unverified("mbi-dp", Some((0, 30)), Items::Licensed),
    unverified("mbi-pa", Some((0, 48)), Items::Licensed),
    unverified("cbi-personal", Some((0, 100)), Items::Open),
    unverified("cbi-work", Some((0, 100)), Items::Open),
    unverified("cbi-client", Some((0, 100)), Items::Open),
    unverified("bat-12", Some((1, 5)), items(12, 1, 5)),
    unverified("bat-23", Some((1, 5)), items(23, 1, 5)),
    mean("bpi-interference", 0, 10, Items::Licensed),
    mean("pain-nrs", 0, 10, Items::Open),
    points("isi", 0, 28, items(7, 0, 4), SUM),
    mean("eq-5d-vas", 0, 100, Items::Open),
    points("moca", 0, 30, Items::Open, Total::OtherRule),
    unverified("mdq", None, Items::Open),
    points("cadss", 0, 92, items(23, 0, 4), SUM),
    points("cadss-6", 0, 24, within(6, 23, 0, 4), SUM),
    points("moaa-s", 0, 5, Items::Open, Total::OtherRule),
    points("rass", -5, 4, Items::Open, Total::OtherRule),
    unverified("ramsay", Some((1, 6)), Items::Open),
    mean("nausea-nrs", 0, 10, Items::Open),
    points("aldrete", 0, 10, items(5, 0, 2), SUM),
    points("mpadss", 0, 10, items(5, 0, 2), SUM),
    points("meq30-mystical", 0, 75, within(15, 30, 0, 5), SUM),
    points("meq30-positive", 0, 30, within(6, 30, 0, 5), SUM),
    points("meq30-transcendence", 0, 30, within(6, 30, 0, 5), SUM),
    points("meq30-ineffability", 0, 15, within(3, 30, 0, 5), SUM),
    unverified("ebi", Some((0, 100)), Items::Open),
    unverified("ceq", None, Items::Open),
    unverified("5d-asc", Some((0, 100)), Items::Licensed),
    unverified("ies", None, Items::Open),
    unverified("eis", None, Items::Open),
    unverified("icsi", Some((0, 20)), Items::Open),
    unverified("icpi", Some((0, 16)), Items::Open),
    unverified("bpic-ss", Some((0, 38)), Items::Open),
];
