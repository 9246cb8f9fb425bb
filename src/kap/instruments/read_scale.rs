//! The kap room: one table `[[scores]]` of a file of the registry.

use super::model::*;
use super::read::{Home, code, key, mark};
use super::sound;
use super::tree::Node;
use super::{BANDS, LOINC, SCORES};
use rust_decimal::Decimal;
use std::sync::Arc;

pub(super) fn scale(node: &Node<'_>, form: &Arc<Form>, home: &Home) -> Option<Scale> {
    let (key, name) = (key(node), node.needed_text("name"));
    let code = node.needed_table("code").and_then(|node| code(&node, home, Some(SCORES)));
    let plain = node.text("plain").map(str::to_owned);
    let step = node.flag("step").unwrap_or(false);
    let whole = node.flag("whole").unwrap_or(true);
    let better = node
        .needed_word("better", &[("higher", Better::Higher), ("lower", Better::Lower), ("neither", Better::Neither)]);
    let range = node.table("range").and_then(|node| range(&node));
    let scoring = node.needed_table("scoring").and_then(|node| scoring(&node, form));
    let named = Named { key: key.unwrap_or_default(), name: name.unwrap_or_default(), home };
    let raw_bands = node.table("bands").map(|node| bands(&node, &named));
    let t_bands = node.table("t-score-bands").map(|node| bands(&node, &named));
    let response = node.table("response").and_then(|node| threshold(&node));
    let remission = node.table("remission").and_then(|node| threshold(&node));
    let reliable = node.table("reliable-change").and_then(|node| change(&node));
    let meaningful = node.table("meaningful-change").and_then(|node| change(&node));
    let percent_of_maximum = node.flag("percent-of-maximum").unwrap_or(false);
    let subscales: Vec<_> = node.tables("subscales").iter().filter_map(|node| subscale(node, form, home)).collect();
    let criterion = node.table("criterion").and_then(|node| criterion(&node, form, &named));
    let screen = node.table("screen").map(|node| screen(&node, form));
    node.finish();
    let mut scale = Scale {
        key: key?.to_owned(),
        name: name?.to_owned(),
        form: Arc::clone(form),
        code: code?,
        plain,
        step,
        whole,
        better: better?,
        range,
        scoring: scoring?,
        bands: raw_bands.unwrap_or_default(),
        t_bands: t_bands.unwrap_or_default(),
        response,
        remission,
        reliable,
        meaningful,
        percent_of_maximum,
        subscales,
        criterion,
        screen: screen.unwrap_or_default(),
        doubt: None,
    };
    sound::scale(node, &scale);
    scale.doubt = doubt(&scale);
    Some(scale)
}

/// The scale whose bands are read.
struct Named<'n> {
    key: &'n str,
    name: &'n str,
    home: &'n Home,
}

impl Named<'_> {
    /// D-15: `<instrument>-<band>`. A limit that nobody verified says so in the code's own words.
    fn band(&self, word: &str, verified: Verified) -> Code {
        let doubt = if verified == Verified::Yes { "" } else { " (limits not verified)" };
        Code {
            system: self.home.system(BANDS),
            code: format!("{}-{word}", self.key),
            display: format!("{} {}{doubt}", self.name, word.replace('-', " ")),
            verified,
        }
    }
}

fn range(node: &Node<'_>) -> Option<Range> {
    let (least, most) = (node.needed_number("least"), node.needed_number("most"));
    let verified = mark(node);
    node.finish();
    let (least, most) = (least?, most?);
    if least >= most {
        node.fault(format!("The least score ({least}) must be below the most ({most}): turn them round."));
        return None;
    }
    Some(Range { least, most, verified })
}

fn scoring(node: &Node<'_>, form: &Form) -> Option<Scoring> {
    let rule = node.needed_word("rule", &[("sum", 0_u8), ("mean", 1), ("maxima", 2), ("as-given", 3), ("tier", 4)]);
    let factor = node.integer("factor");
    let groups = node.groups("groups");
    let count = node.integer("count");
    let of: Vec<String> = node.texts("items").into_iter().map(str::to_owned).collect();
    let verified = mark(node);
    node.finish();
    let rule = rule?;
    sound::known_items(node, "items", form, of.iter());
    sound::known_items(node, "groups", form, groups.iter().flatten());
    if factor.is_some() && rule != 0 {
        node.fault_at("factor", "Only a sum has a factor.");
    }
    if groups.is_empty() == (rule == 2) {
        node.fault_at("groups", "`groups` belong to the rule \"maxima\": a list of lists of items.");
    }
    let factor = match factor.map_or(Ok(1), u32::try_from) {
        Ok(factor @ 1..=1000) => factor,
        Ok(_) | Err(_) => {
            node.fault_at("factor", "A factor is from 1 to 1000.");
            1
        }
    };
    let scored = form.items.list.iter().filter(|item| item.scored).count();
    let all = if of.is_empty() { scored } else { of.len() };
    let count = match count.map(usize::try_from) {
        None => all,
        Some(Ok(count)) if (1..=all).contains(&count) => count,
        Some(_) => {
            node.fault_at("count", format!("So many items make the score whole: from 1 to the {all} that may count."));
            all
        }
    };
    let computed = matches!(rule, 0..=2);
    if computed && all == 0 && form.licence.items == ItemsAllowed::Allowed {
        node.fault("A sum or mean is of items: describe them in [items], or use the rule \"as-given\".");
    }
    let rule = match rule {
        0 => Rule::Sum { factor },
        1 => Rule::Mean,
        2 => Rule::Maxima { groups },
        3 => Rule::AsGiven,
        _ => Rule::Tier,
    };
    Some(Scoring { rule, verified, count, of })
}

fn bands(node: &Node<'_>, named: &Named<'_>) -> Bands {
    let verified = mark(node);
    let list = node.tables("list");
    let found: Vec<Band> = list
        .iter()
        .filter_map(|one| {
            let word = one.needed_text("band");
            let (from, to) = (one.number("from"), one.number("to"));
            one.finish();
            if word.is_some_and(|word| !sound::is_key(word)) {
                one.fault_at("band", "The word of a band is lower-case letters and digits, joined by single hyphens.");
            }
            Some(Band { code: named.band(word?, verified), from, to })
        })
        .collect();
    node.finish();
    if list.is_empty() {
        node.fault_at("list", "A `list` of bands is needed: { band = \"mild\", from = 5, to = 9 }.");
    }
    Bands(found)
}

fn threshold(node: &Node<'_>) -> Option<Threshold> {
    let limits = [
        node.number("percent").map(Limit::Percent),
        node.number("below").map(Limit::Below),
        node.number("at-most").map(Limit::AtMost),
        node.number("at-least").map(Limit::AtLeast),
    ];
    let (verified, note) = (mark(node), node.text("note").map(str::to_owned));
    node.finish();
    let mut limits = limits.into_iter().flatten();
    match (limits.next(), limits.next()) {
        (Some(Limit::Percent(percent)), None) if percent <= Decimal::ZERO || percent > Decimal::ONE_HUNDRED => {
            node.fault_at("percent", "A change from baseline is more than 0 and at most 100 percent.");
            None
        }
        (Some(limit), None) => Some(Threshold { limit, verified, note }),
        (None | Some(_), _) => {
            node.fault("Exactly one limit is needed: `percent`, `below`, `at-most` or `at-least`.");
            None
        }
    }
}

fn change(node: &Node<'_>) -> Option<ChangeOf> {
    let points = node.needed_number("points");
    let (verified, note) = (mark(node), node.text("note").map(str::to_owned));
    node.finish();
    let points = points?;
    if points <= Decimal::ZERO {
        node.fault_at("points", "A change is a number of points above zero.");
    }
    Some(ChangeOf { points, verified, note })
}

fn subscale(node: &Node<'_>, form: &Form, home: &Home) -> Option<Subscale> {
    let code = node.needed_table("code").and_then(|node| code(&node, home, Some(SCORES)));
    let items: Vec<String> = node.texts("items").into_iter().map(str::to_owned).collect();
    let verified = mark(node);
    node.finish();
    sound::known_items(node, "items", form, items.iter());
    if items.is_empty() {
        node.fault_at("items", "`items` is needed: the items that the subscale adds up.");
    }
    Some(Subscale { code: code?, items, verified })
}

fn criterion(node: &Node<'_>, form: &Form, named: &Named<'_>) -> Option<Criterion> {
    let total_at_least = node.needed_number("total-at-least");
    let list = node.tables("items");
    let items: Vec<(String, i64)> = list
        .iter()
        .filter_map(|one| {
            let (item, least) = (one.needed_text("item"), one.integer("at-least"));
            one.finish();
            sound::known_items(one, "item", form, item.map(str::to_owned).iter());
            if !one.has("at-least") {
                one.fault_at("at-least", "`at-least` is needed: the points that make the item count.");
            }
            Some((item?.to_owned(), least?))
        })
        .collect();
    let verified = mark(node);
    node.finish();
    Some(Criterion {
        total_at_least: total_at_least?,
        items,
        positive: named.band("positive", verified),
        negative: named.band("negative", verified),
        verified,
    })
}

fn screen(node: &Node<'_>, form: &Form) -> Screen {
    let texts = |name| node.texts(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (needs, either) = (texts("needs"), texts("either"));
    let implied: Vec<_> = node
        .tables("implied")
        .iter()
        .filter_map(|one| {
            let (when, items) = (one.needed_text("no-to"), one.texts("means-no-to"));
            one.finish();
            let items: Vec<String> = items.into_iter().map(str::to_owned).collect();
            sound::known_items(one, "means-no-to", form, items.iter());
            Some((when?.to_owned(), items))
        })
        .collect();
    let tierings: Vec<_> = node.tables("tierings").iter().filter_map(|one| tiering(one, form)).collect();
    node.finish();
    for (name, items) in [("needs", &needs), ("either", &either)] {
        sound::known_items(node, name, form, items.iter());
    }
    sound::known_items(node, "implied", form, implied.iter().map(|(when, _)| when));
    if tierings.is_empty() {
        node.fault_at("tierings", "A screen has at least one way to make a tier of its answers.");
    }
    for (place, own) in tierings.iter().enumerate() {
        if tierings.iter().take(place).any(|other| other.name == own.name) {
            node.fault_at("tierings", format!("The tiering `{}` stands here twice.", own.name));
        }
    }
    Screen { needs, either, implied, tierings }
}

fn tiering(node: &Node<'_>, form: &Form) -> Option<Tiering> {
    let (name, title) = (node.needed_text("name"), node.needed_text("title"));
    let otherwise = tier(node, "otherwise");
    let verified = mark(node);
    let steps: Vec<_> = node
        .tables("steps")
        .iter()
        .filter_map(|one| {
            let (tier, items) = (tier(one, "tier"), one.texts("any-of"));
            one.finish();
            let items: Vec<String> = items.into_iter().map(str::to_owned).collect();
            sound::known_items(one, "any-of", form, items.iter());
            Some((tier?, items))
        })
        .collect();
    node.finish();
    if steps.is_empty() {
        node.fault_at("steps", "`steps` is needed: { tier = \"high\", any-of = [\"5\"] }, the first that fits holds.");
    }
    Some(Tiering { name: name?.to_owned(), title: title?.to_owned(), verified, steps, otherwise: otherwise? })
}

/// The tiers are the contract's words for `riskLevel`.
fn tier(node: &Node<'_>, name: &'static str) -> Option<String> {
    node.needed_word(name, &[("none", "none"), ("low", "low"), ("moderate", "moderate"), ("high", "high")])
        .map(str::to_owned)
}

pub(super) fn verdict(node: &Node<'_>, home: &Home) -> Option<Verdict> {
    let key = key(node);
    let code = node.needed_table("code").and_then(|node| code(&node, home, Some(SCORES)));
    let of: Vec<String> = node.texts("of").into_iter().map(str::to_owned).collect();
    let percent = node.needed_number("each-percent");
    let verified = mark(node);
    node.finish();
    if of.is_empty() {
        node.fault_at("of", "`of` is needed: the keys of the scores that decide.");
    }
    Some(Verdict { key: key?.to_owned(), code: code?, of, percent: percent?, verified })
}

/// What of a scale nobody has verified, in words for whoever reads a score of it.
fn doubt(scale: &Scale) -> Option<String> {
    let mut facts = Vec::new();
    let mut add = |verified: Verified, fact: String| {
        if verified != Verified::Yes {
            facts.push(fact);
        }
    };
    if let Some(range) = scale.range {
        add(range.verified, format!("the range {} to {} (not enforced)", range.least, range.most));
    }
    let is_computed = matches!(scale.scoring.rule, Rule::Sum { .. } | Rule::Mean | Rule::Maxima { .. });
    if is_computed && scale.form.licence.items == ItemsAllowed::Allowed {
        add(scale.scoring.verified, "how the total comes from the items (not computed)".to_owned());
    }
    if let Some(band) = scale.bands.0.first() {
        add(band.code.verified, "the limits of the bands".to_owned());
    }
    let code_doubt = if scale.code.system == LOINC { "the full name of the LOINC code" } else { "the code" };
    add(scale.code.verified, code_doubt.to_owned());
    if facts.is_empty() {
        return None;
    }
    Some(format!("{}: not verified in a source: {}.", scale.name, facts.join("; ")))
}
