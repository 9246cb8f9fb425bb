//! The kap room: one file of the registry, from TOML to a form and its scales.
//!
//! What each key means: `instruments/README.md`. All faults of a file are told at once.

use super::model::*;
use super::read_scale::{scale, verdict};
use super::sound;
use super::tree::{FileFault, Node, Sheet};
use super::{GUIDE, LOINC};
use std::sync::Arc;

/// Who wrote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It comes with the gateway: local codes are the guide's.
    BuiltIn,
    /// A clinic's own: local codes are of the clinic's canonical.
    Clinic,
}

const MARKS: &[(&str, Verified)] = &[("yes", Verified::Yes), ("partly", Verified::Partly), ("no", Verified::No)];

/// An instrument with its scales.
pub type Whole = (Arc<Form>, Vec<Scale>);

/// Reads the file `name` (with `.toml`). `None` where a fault leaves nothing to go on with.
pub fn read(name: &str, text: &str, origin: Origin) -> (Option<Whole>, Vec<FileFault>) {
    let sheet = Sheet::new(name, text);
    let table = sheet.parse();
    let root = sheet.root(&table);
    let found = form(name, &root, origin);
    drop(root);
    drop(table);
    (found, sheet.into_faults())
}

fn form(file: &str, root: &Node<'_>, origin: Origin) -> Option<(Arc<Form>, Vec<Scale>)> {
    let key = key(root);
    if let Some(key) = key
        && file.strip_suffix(".toml") != Some(key)
    {
        root.fault_at("key", format!("The file of the instrument `{key}` must be `{key}.toml`."));
    }
    let canonical = match origin {
        Origin::BuiltIn => Some(GUIDE.to_owned()),
        Origin::Clinic => canonical(root),
    };
    let home = Home { canonical: canonical.clone().unwrap_or_default(), origin };
    let title = root.needed_text("title");
    let sensitivity = root.word(
        "sensitivity",
        &[("mental-health", Sensitivity::MentalHealth), ("substance-use", Sensitivity::SubstanceUse)],
    );
    let panel = root.table("panel").map(|node| code(&node, &home, None));
    let licence = root.needed_table("licence").and_then(|node| licence(&node));
    let items = root.table("items").map(|node| items(&node));
    let (source, note) = (root.needed_text("source"), root.text("note"));
    let verdicts: Vec<_> = root.tables("verdicts").iter().map(|node| verdict(node, &home)).collect();
    let score_nodes = root.tables("scores");
    if score_nodes.is_empty() {
        root.fault_at("scores", "At least one table [[scores]] is needed: a form is scored somehow.");
    }
    root.finish();
    let has_items = items.is_some();
    let form = Form {
        key: key.unwrap_or_default().to_owned(),
        title: title.unwrap_or_default().to_owned(),
        sensitivity: sensitivity.unwrap_or(Sensitivity::MentalHealth),
        panel: panel.flatten(),
        items: items.unwrap_or(Items { list: Vec::new(), link: None, verified: Verified::Yes }),
        licence: licence.unwrap_or(Licence {
            items: ItemsAllowed::Allowed,
            terms: String::new(),
            verified: Verified::No,
        }),
        source: source.unwrap_or_default().to_owned(),
        note: note.map(str::to_owned),
        canonical: canonical.clone().unwrap_or_default(),
        built_in: origin == Origin::BuiltIn,
        verdicts: verdicts.iter().flatten().cloned().collect(),
    };
    sound::form(root, &form, has_items);
    let form = Arc::new(form);
    let scales: Vec<_> = score_nodes.iter().map(|node| scale(node, &form, &home)).collect();
    let whole = verdicts.iter().all(Option::is_some) && scales.iter().all(Option::is_some);
    let scales: Vec<_> = scales.into_iter().flatten().collect();
    let is_there = key.is_some() && title.is_some() && canonical.is_some() && whole && !scales.is_empty();
    is_there.then_some((form, scales))
}

/// What local codes of a file belong to.
pub(super) struct Home {
    canonical: String,
    origin: Origin,
}

impl Home {
    pub(super) fn system(&self, name: &str) -> String {
        format!("{}/CodeSystem/{name}", self.canonical)
    }
}

/// Lower-case words joined by hyphens: it stands in records, paths and codes.
pub(super) fn key<'s>(node: &Node<'s>) -> Option<&'s str> {
    let key = node.needed_text("key")?;
    if !sound::is_key(key) {
        node.fault_at("key", "A key is lower-case letters and digits, joined by single hyphens, at most 48 signs.");
        return None;
    }
    Some(key)
}

fn canonical(root: &Node<'_>) -> Option<String> {
    let url = root.needed_text("canonical")?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let sound = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.ends_with('/'));
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['?', '#', '|', '"']);
    if !sound || !plain {
        root.fault_at("canonical", "It must be a URL of the clinic, http:// or https://, without a slash at the end.");
        return None;
    }
    if url.starts_with(GUIDE) || url.starts_with(LOINC) {
        root.fault_at("canonical", "This URL belongs to somebody else: codes of the clinic need a URL of the clinic.");
        return None;
    }
    Some(url.to_owned())
}

pub(super) fn mark(node: &Node<'_>) -> Verified {
    node.needed_word("verified", MARKS).unwrap_or(Verified::No)
}

fn licence(node: &Node<'_>) -> Option<Licence> {
    let items =
        node.needed_word("items", &[("allowed", ItemsAllowed::Allowed), ("totals-only", ItemsAllowed::TotalsOnly)]);
    let terms = node.needed_text("terms").map(str::to_owned);
    let verified = mark(node);
    node.finish();
    Some(Licence { items: items?, terms: terms?, verified })
}

/// A code. Without `system` it is a local one: of the guide, or of the clinic.
pub(super) fn code(node: &Node<'_>, home: &Home, local: Option<&str>) -> Option<Code> {
    let system = node.text("system").map(str::to_owned);
    let code = node.needed_text("code");
    let display = node.text("display").unwrap_or_default();
    let verified = mark(node);
    node.finish();
    let system = match (system, local) {
        (Some(system), _) => system,
        (None, Some(name)) => home.system(name),
        (None, None) => {
            node.fault_at("system", "A code needs its `system`, for example \"http://loinc.org\".");
            return None;
        }
    };
    let code = code?;
    if home.origin == Origin::Clinic && system.starts_with(GUIDE) {
        node.fault_at("system", "A code system of the guide: a clinic's code stands in a system of the clinic.");
    }
    if node.has("system") && !sound::is_uri(&system) {
        node.fault_at("system", "A system is a URI, for example \"http://loinc.org\".");
    }
    sound::code(node, "code", &system, code);
    Some(Code { system, code: code.to_owned(), display: display.to_owned(), verified })
}

// ---------------------------------------------------------------- items

fn items(node: &Node<'_>) -> Items {
    let link = node.text("link").map(str::to_owned);
    let (least, most) = node.pair("points").unwrap_or((0, 1));
    if !node.has("points") {
        node.fault_at("points", "`points` is needed: [least, most] of one item.");
    }
    let options: Vec<_> = node.tables("options").iter().filter_map(option).collect();
    let answers = answers(node, &options);
    let verified = mark(node);
    let numbered = node.integer("numbered");
    let listed = node.tables("list");
    let mut list = Vec::new();
    match (numbered, listed.is_empty()) {
        (Some(count), true) if (1..=200).contains(&count) => {
            list.extend((1..=count).map(|number| Item {
                name: number.to_string(),
                code: None,
                least,
                most,
                scored: true,
                reversed: false,
                answers: answers.clone(),
            }));
        }
        (Some(_), true) => node.fault_at("numbered", "A form has from 1 to 200 numbered items."),
        (None, false) => list.extend(listed.iter().filter_map(|one| item(one, (least, most), &answers))),
        (Some(_), false) => node.fault_at("list", "Either `numbered` or `list` says which items there are, not both."),
        (None, true) => node.fault("`numbered = 9`, or a `list` of the items, is needed."),
    }
    for name in node.texts("reversed") {
        match list.iter_mut().find(|item| item.name == name) {
            Some(item) => item.reversed = true,
            None => node.fault_at("reversed", format!("There is no item `{name}`.")),
        }
    }
    node.finish();
    sound::items(node, &list, &options);
    Items { list, link, verified }
}

fn option(node: &Node<'_>) -> Option<(i64, Code)> {
    let points = node.integer("points");
    let (system, own, display) = (node.needed_text("system"), node.needed_text("code"), node.text("display"));
    node.finish();
    if !node.has("points") {
        node.fault_at("points", "`points` is needed: what this answer counts.");
    }
    let (system, own) = (system?, own?);
    sound::code(node, "code", system, own);
    let display = display.unwrap_or_default().to_owned();
    Some((points?, Code { system: system.to_owned(), code: own.to_owned(), display, verified: Verified::Yes }))
}

fn answers(node: &Node<'_>, options: &[(i64, Code)]) -> Answers {
    let wanted = node.word("answers", &[("points", 0_u8), ("yes-no", 1), ("coded", 2)]).unwrap_or(0);
    match wanted {
        2 if options.is_empty() => {
            node.fault_at("options", "Coded answers need `options`: points, system and code of each.");
            Answers::Points
        }
        2 => Answers::Coded(options.into()),
        1 => Answers::YesNo,
        _ => Answers::Points,
    }
}

fn item(node: &Node<'_>, (least, most): (i64, i64), answers: &Answers) -> Option<Item> {
    let name = node.needed_text("item");
    let code = node.text("code");
    let system = node.text("system").unwrap_or(LOINC);
    let (least, most) = node.pair("points").unwrap_or((least, most));
    let scored = node.flag("scored").unwrap_or(true);
    let yes_no = node.word("answers", &[("points", false), ("yes-no", true)]);
    node.finish();
    if let Some(code) = code {
        sound::code(node, "code", system, code);
    }
    let name = name?;
    if !sound::is_item(name) {
        node.fault_at("item", "An item is named by letters, digits and hyphens, at most 32 signs.");
    }
    Some(Item {
        name: name.to_owned(),
        code: code.map(|code| Code {
            system: system.to_owned(),
            code: code.to_owned(),
            display: String::new(),
            verified: Verified::Yes,
        }),
        least,
        most,
        scored,
        reversed: false,
        answers: match yes_no {
            Some(true) => Answers::YesNo,
            Some(false) => Answers::Points,
            None => answers.clone(),
        },
    })
}
