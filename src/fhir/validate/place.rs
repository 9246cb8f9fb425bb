//! The fhir room: where the validator stands, and that as FHIRPath,
//! <https://hl7.org/fhir/R4/fhirpath.html#simple>.

use std::borrow::Cow;
use std::fmt::Write;

/// One step of the way from the root to an element. The steps stand on the stack of the walk and are written out only
/// when there is an issue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    /// `name`, `value` for a choice, the type for a root.
    name: &'a str,
    index: Option<usize>,
    /// The type of a choice or a resource: `ofType(Quantity)`.
    of_type: Option<&'a str>,
    /// Path of the element in its definition, for the contexts of extensions: `Patient.contact`.
    pub definition_path: &'a str,
    /// Its type: `HumanName`; of a backbone element `BackboneElement`.
    pub type_name: &'a str,
    pub depth: usize,
}

impl<'a> Place<'a> {
    pub(super) fn root(type_name: &'a str) -> Self {
        Self {
            parent: None,
            name: type_name,
            index: None,
            of_type: None,
            definition_path: type_name,
            type_name,
            depth: 0,
        }
    }

    pub(super) fn child(
        parent: &'a Place<'a>,
        name: &'a str,
        index: Option<usize>,
        of_type: Option<&'a str>,
        definition_path: &'a str,
        type_name: &'a str,
    ) -> Self {
        Self { parent: Some(parent), name, index, of_type, definition_path, type_name, depth: parent.depth + 1 }
    }

    pub(super) fn with_type(mut self, type_name: &'a str) -> Self {
        self.of_type = Some(type_name);
        self.type_name = type_name;
        self.definition_path = type_name;
        self
    }

    pub(super) fn parent(&self) -> Option<&'a Place<'a>> {
        self.parent
    }

    /// From here to the root.
    pub(super) fn way(&self) -> impl Iterator<Item = &Place<'a>> {
        std::iter::successors(Some(self), |place| place.parent)
    }

    /// Types of this element and of those that hold it.
    pub(super) fn type_names(&self) -> impl Iterator<Item = &str> {
        self.way().map(|place| place.type_name)
    }

    /// The JSON key of the element, and its place in the list.
    pub(super) fn key(&self) -> (Cow<'a, str>, Option<usize>) {
        let key = match self.of_type {
            Some(of_type) => Cow::Owned(format!("{}{}", self.name, super::compile::capitalized(of_type))),
            None => Cow::Borrowed(self.name),
        };
        (key, self.index)
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// The way as FHIRPath.
    pub(super) fn expression(&self) -> String {
        let mut steps = Vec::with_capacity(self.depth + 1);
        let mut step = Some(self);
        while let Some(here) = step {
            steps.push(here);
            step = here.parent;
        }
        let mut path = String::new();
        for here in steps.into_iter().rev() {
            if !path.is_empty() {
                path.push('.');
            }
            // `div`, `contains` and the like are words of FHIRPath itself.
            if is_keyword(here.name) {
                path.push('`');
                path.push_str(here.name);
                path.push('`');
            } else {
                path.push_str(here.name);
            }
            if let Some(index) = here.index {
                // Writing to a String cannot fail.
                let _ = write!(path, "[{index}]");
            }
            if let Some(of_type) = here.of_type {
                let _ = write!(path, ".ofType({of_type})");
            }
        }
        path
    }
}

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "div" | "contains" | "as" | "is" | "in" | "and" | "or" | "xor" | "implies" | "mod" | "true" | "false"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_fhirpath() {
        let bundle = Place::root("Bundle");
        let entry = Place::child(&bundle, "entry", Some(3), None, "Bundle.entry", "BackboneElement");
        let resource = Place::child(&entry, "resource", None, None, "", "Resource").with_type("ValueSet");
        let name = Place::child(&resource, "contains", Some(0), None, "", "BackboneElement");
        assert_eq!(name.expression(), "Bundle.entry[3].resource.ofType(ValueSet).`contains`[0]");
    }
}
