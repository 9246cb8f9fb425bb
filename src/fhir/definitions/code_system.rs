//! The fhir room: CodeSystems and the relations between their concepts, <https://hl7.org/fhir/R4/codesystem.html>.

use super::read::{list, text};
use super::terminology::{Concept, Designation, Lookup};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A concept of a real system has some hundred ancestors; a question about one that has more is not answered.
const MAX_ANCESTORS: usize = 10_000;

/// How much of a code system a CodeSystem resource holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Complete,
    Fragment,
    Example,
    NotPresent,
    Supplement,
}

/// A CodeSystem resource, its concepts in one list.
#[derive(Debug)]
pub(super) struct CodeSystem {
    pub(super) url: String,
    pub(super) content: Content,
    /// `None`: the resource does not say.
    case_sensitive: Option<bool>,
    nodes: Vec<Node>,
    /// Codes as they are written.
    by_code: HashMap<String, usize>,
    /// In lower case; only where codes may differ in case.
    by_folded: HashMap<String, usize>,
    /// Codes of the properties that the resource defines.
    properties: HashSet<String>,
}

/// One concept.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) concept: Arc<Concept>,
    parents: Vec<usize>,
    properties: Vec<(String, String)>,
}

impl CodeSystem {
    pub(super) fn read(resource: &Value) -> Result<Self, String> {
        let content = match resource["content"].as_str() {
            Some("complete") => Content::Complete,
            Some("fragment") => Content::Fragment,
            Some("example") => Content::Example,
            Some("not-present") => Content::NotPresent,
            Some("supplement") => Content::Supplement,
            other => return Err(format!("content: {other:?} is none of R4's")),
        };
        let mut system = Self {
            url: text(resource, "url").unwrap_or_default(),
            content,
            case_sensitive: resource["caseSensitive"].as_bool(),
            nodes: Vec::new(),
            by_code: HashMap::new(),
            by_folded: HashMap::new(),
            properties: list(resource, "property").filter_map(|p| text(p, "code")).collect(),
        };
        // A stack of its own: a hostile resource may nest as deep as it likes.
        let mut stack: Vec<(&Value, Option<usize>)> = list(resource, "concept").map(|c| (c, None)).collect();
        stack.reverse();
        while let Some((definition, parent)) = stack.pop() {
            let place = system.push(definition, parent);
            let below = stack.len();
            stack.extend(list(definition, "concept").map(|child| (child, Some(place))));
            stack[below..].reverse();
        }
        system.link();
        Ok(system)
    }

    fn push(&mut self, definition: &Value, parent: Option<usize>) -> usize {
        let properties: Vec<(String, String)> = list(definition, "property")
            .filter_map(|p| {
                let value = p.as_object()?.iter().find(|(key, _)| key.starts_with("value"))?.1;
                let value = match value {
                    Value::String(text) => text.clone(),
                    Value::Object(coding) => coding.get("code")?.as_str()?.to_owned(),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
                };
                Some((text(p, "code")?, value))
            })
            .collect();
        let has =
            |name: &str, values: &[&str]| properties.iter().any(|(n, v)| n == name && values.contains(&v.as_str()));
        let code = text(definition, "code").unwrap_or_default();
        let concept = Concept {
            system: Some(self.url.clone()),
            display: text(definition, "display"),
            definition: text(definition, "definition"),
            designations: designations(definition),
            is_abstract: has("notSelectable", &["true"]) || has("abstract", &["true"]),
            inactive: has("inactive", &["true"]) || has("status", &["inactive", "retired"]),
            code: code.clone(),
        };
        let place = self.nodes.len();
        if self.case_sensitive != Some(true) {
            self.by_folded.entry(code.to_lowercase()).or_insert(place);
        }
        self.by_code.entry(code).or_insert(place);
        self.nodes.push(Node { concept: Arc::new(concept), parents: parent.into_iter().collect(), properties });
        place
    }

    /// Hierarchies told by properties: `parent` and `subsumedBy` point up, `child` down.
    fn link(&mut self) {
        let mut links = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            for (name, value) in &node.properties {
                let Some(other) = self.by_code.get(value).copied() else { continue };
                match name.as_str() {
                    "parent" | "subsumedBy" => links.push((place, other)),
                    "child" => links.push((other, place)),
                    _ => {}
                }
            }
        }
        let mut known: HashSet<(usize, usize)> = self
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(place, node)| node.parents.iter().map(move |of| (place, *of)))
            .collect();
        for (place, parent) in links {
            if known.insert((place, parent)) {
                self.nodes[place].parents.push(parent);
            }
        }
    }

    /// The code as this system compares codes. `Unknown` where it is not among the concepts and these are not all, and
    /// where only its case differs and the system does not say whether that matters.
    pub(super) fn lookup(&self, code: &str) -> Lookup {
        if let Some(node) = self.find(code) {
            return Lookup::Found(Arc::clone(&node.concept));
        }
        if self.case_sensitive.is_none() && self.by_folded.contains_key(&code.to_lowercase()) {
            return Lookup::Unknown(format!("{} does not say whether its codes heed upper and lower case", self.url));
        }
        match self.incomplete() {
            None => Lookup::NotFound,
            Some(reason) => Lookup::Unknown(reason),
        }
    }

    pub(super) fn find(&self, code: &str) -> Option<&Node> {
        self.place(code).map(|place| &self.nodes[place])
    }

    fn place(&self, code: &str) -> Option<usize> {
        let exact = self.by_code.get(code);
        if exact.is_some() || self.case_sensitive != Some(false) {
            return exact.copied();
        }
        self.by_folded.get(&code.to_lowercase()).copied()
    }

    /// Why a code that is not here may yet belong to the system; `None` where all its codes are here.
    pub(super) fn incomplete(&self) -> Option<String> {
        let what = match self.content {
            Content::Complete => return None,
            Content::Fragment => "only some of its codes",
            Content::Example => "only examples of its codes",
            Content::NotPresent => "none of its codes",
            Content::Supplement => "only additions to another system",
        };
        Some(format!("the CodeSystem {} that is here holds {what}", self.url))
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn defines_property(&self, name: &str) -> bool {
        self.properties.contains(name)
    }

    pub(super) fn has_code(&self, code: &str) -> bool {
        self.place(code).is_some()
    }

    /// Whether `node` is below `ancestor` (a code), at any depth; not whether it is the same. `None`: it has more than
    /// [`MAX_ANCESTORS`]. With it how many concepts were looked at.
    pub(super) fn is_below(&self, node: &Node, ancestor: &str) -> (Option<bool>, usize) {
        let Some(ancestor) = self.place(ancestor) else { return (Some(false), 0) };
        let (mut seen, mut todo) = (HashSet::new(), node.parents.clone());
        while let Some(place) = todo.pop() {
            if place == ancestor {
                return (Some(true), seen.len());
            }
            if seen.len() > MAX_ANCESTORS {
                return (None, seen.len());
            }
            if seen.insert(place) {
                todo.extend(&self.nodes[place].parents);
            }
        }
        (Some(false), seen.len())
    }

    /// Of each concept whether it is below `code`; with `and_itself` that counts too.
    pub(super) fn all_below(&self, code: &str, and_itself: bool) -> Vec<bool> {
        let mut children = vec![Vec::new(); self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate() {
            for parent in &node.parents {
                children[*parent].push(place);
            }
        }
        let Some(start) = self.place(code) else { return vec![false; self.nodes.len()] };
        let mut below = self.reached(children[start].clone(), |place| &children[place]);
        below[start] |= and_itself;
        below
    }

    /// Of each concept whether `code` is below it, or is it.
    pub(super) fn all_above(&self, code: &str) -> Vec<bool> {
        let start = self.place(code).into_iter().collect();
        self.reached(start, |place| &self.nodes[place].parents)
    }

    fn reached<'s>(&self, mut todo: Vec<usize>, next: impl Fn(usize) -> &'s Vec<usize>) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        while let Some(place) = todo.pop() {
            if !reached[place] {
                reached[place] = true;
                todo.extend(next(place));
            }
        }
        reached
    }

    /// Whether the two codes are one concept in this system.
    pub(super) fn same(&self, node: &Node, code: &str) -> bool {
        self.find(code).is_some_and(|other| std::ptr::eq(node, other))
    }
}

impl Node {
    /// Values of a property, as text.
    pub(super) fn property<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.properties.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn parent_codes<'a>(&'a self, of: &'a CodeSystem) -> impl Iterator<Item = &'a str> {
        self.parents.iter().filter_map(|place| of.nodes.get(*place)).map(|node| node.concept.code.as_str())
    }
}

pub(super) fn designations(concept: &Value) -> Vec<Designation> {
    list(concept, "designation")
        .filter_map(|d| Some(Designation { language: text(d, "language"), value: text(d, "value")? }))
        .collect()
}
