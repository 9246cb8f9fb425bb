//! The store room: a search's filters made ready: parameters become fields of the index, and names their numbers.

use super::searcher::{Searched, Searcher};
use crate::fhir::search::{self, CompositeBase, SearchType, Source, normalize};
use crate::store::matching::{Beyond, CompositeTest, FieldTest, Leaf, Test, UnitKey, ValueTest};
use crate::store::rows::{self, NO_NAME, identifier_field};
use crate::store::{Filter, FilterValue, TextMatching, UnitTest};

/// What resources of one type are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'q> {
    pub(super) collection: i64,
    pub(super) resource_type: &'q str,
}

impl Searcher<'_> {
    /// All filters in one test.
    pub(super) fn plan(&self, scope: Scope<'_>, filters: &[Filter]) -> Searched<Test> {
        Ok(Test::All(filters.iter().map(|filter| self.filter(scope, filter)).collect::<Searched<_>>()?))
    }

    fn filter(&self, scope: Scope<'_>, filter: &Filter) -> Searched<Test> {
        self.any(scope, &filter.parameter, &filter.any_of)
    }

    fn any(&self, scope: Scope<'_>, parameter: &str, values: &[FilterValue]) -> Searched<Test> {
        let mut tests = Vec::with_capacity(values.len());
        for value in values {
            tests.push(self.value(scope, parameter, value)?);
        }
        Ok(match tests.len() {
            1 => tests.remove(0),
            _ => Test::Any(tests),
        })
    }

    fn value(&self, scope: Scope<'_>, parameter: &str, value: &FilterValue) -> Searched<Test> {
        match value {
            FilterValue::Not(values) => return Ok(Test::Not(Box::new(self.any(scope, parameter, values)?))),
            FilterValue::Has { resource_type, parameter, filters } => {
                return self.plan_has(resource_type, parameter, filters);
            }
            FilterValue::Compartment { compartment, id } => return self.compartment(scope, compartment, id),
            FilterValue::Token { system, code } if parameter == "_id" => {
                // Ids have no system.
                let is_id = system.as_deref().unwrap_or_default().is_empty();
                return Ok(code.clone().filter(|_| is_id).map_or(NEVER, Test::Id));
            }
            FilterValue::Date { prefix, low, high } if parameter == "_lastUpdated" => {
                return Ok(Test::LastUpdated { prefix: *prefix, low: *low, high: *high });
            }
            FilterValue::Missing(missing) if parameter.starts_with("_id") || parameter == "_lastUpdated" => {
                return Ok(if *missing { NEVER } else { Test::All(vec![]) });
            }
            FilterValue::Token { .. }
            | FilterValue::TokenText(_)
            | FilterValue::TokenIn(_)
            | FilterValue::OfType { .. }
            | FilterValue::Date { .. }
            | FilterValue::Reference { .. }
            | FilterValue::ReferenceIdentifier { .. }
            | FilterValue::Uri { .. }
            | FilterValue::Text { .. }
            | FilterValue::Number(_)
            | FilterValue::Quantity { .. }
            | FilterValue::Composite(_)
            | FilterValue::Missing(_)
            | FilterValue::Chain { .. } => {}
        }
        let Some(known) = search::parameter(scope.resource_type, parameter) else { return Ok(NEVER) };
        match value {
            FilterValue::Composite(parts) => self.composite(scope, &known.composite, parts),
            FilterValue::Missing(missing) => {
                let exists = if known.kind == SearchType::Composite {
                    let bases = known.composite.iter().map(|base| self.whole_base(scope, base));
                    Test::Composite(bases.collect::<Searched<_>>()?)
                } else {
                    self.exists(scope, &known.sources)?
                };
                Ok(if *missing { Test::Not(Box::new(exists)) } else { exists })
            }
            FilterValue::TokenText(text) => Ok(Test::Beyond(Beyond::Text {
                fields: known.sources.iter().map(|source| source.field.to_owned()).collect(),
                text: normalize(text),
            })),
            FilterValue::OfType { system, code, value: wanted } => {
                let beyond = Test::Beyond(Beyond::OfType {
                    fields: known.sources.iter().map(|source| source.field.to_owned()).collect(),
                    of: format!("{system}|{code}"),
                    value: wanted.clone(),
                });
                // The index leads to it by the value.
                let by_value = FilterValue::Token { system: None, code: Some(wanted.clone()) };
                Ok(Test::All(vec![self.leaf(scope, &known.sources, &by_value)?, beyond]))
            }
            FilterValue::Chain { resource_type, filters } => {
                let Some(collection) = self.collection(resource_type)? else { return Ok(NEVER) };
                let test = self.plan(Scope { collection, resource_type }, filters)?;
                let fields = self.fields(scope, &known.sources)?;
                let resource_type = resource_type.clone();
                Ok(Test::Beyond(Beyond::Chain { fields, resource_type, test: Box::new(test) }))
            }
            FilterValue::Token { .. }
            | FilterValue::TokenIn(_)
            | FilterValue::Date { .. }
            | FilterValue::Reference { .. }
            | FilterValue::ReferenceIdentifier { .. }
            | FilterValue::Uri { .. }
            | FilterValue::Text { .. }
            | FilterValue::Number(_)
            | FilterValue::Quantity { .. }
            | FilterValue::Not(_)
            | FilterValue::Compartment { .. }
            | FilterValue::Has { .. } => self.leaf(scope, &known.sources, value),
        }
    }

    fn plan_has(&self, resource_type: &str, parameter: &str, filters: &[Filter]) -> Searched<Test> {
        let (Some(collection), Some(known)) =
            (self.collection(resource_type)?, search::parameter(resource_type, parameter))
        else {
            return Ok(NEVER);
        };
        let scope = Scope { collection, resource_type };
        let (fields, test) = (self.fields(scope, &known.sources)?, self.plan(scope, filters)?);
        Ok(Test::Beyond(Beyond::Has { resource_type: resource_type.to_owned(), fields, test: Box::new(test) }))
    }

    fn compartment(&self, scope: Scope<'_>, compartment: &str, id: &str) -> Searched<Test> {
        let owner = FilterValue::Reference { resource_type: Some(compartment.to_owned()), id: id.to_owned() };
        let mut tests = Vec::new();
        for name in search::compartment_parameters(compartment, scope.resource_type).unwrap_or_default() {
            if let Some(known) = search::parameter(scope.resource_type, name) {
                tests.push(self.leaf(scope, &known.sources, &owner)?);
            }
        }
        if scope.resource_type == compartment {
            tests.push(Test::Id(id.to_owned()));
        }
        Ok(Test::Any(tests))
    }

    /// A value in any of the sources, also one that only an identifier stands for.
    fn exists(&self, scope: Scope<'_>, sources: &[Source]) -> Searched<Test> {
        let mut fields = self.fields(scope, sources)?;
        // An identifier does not tell of which type the target is.
        let of_any_type: Vec<Source> = sources.iter().filter(|source| source.target.is_none()).cloned().collect();
        fields.extend(self.identifier_fields(scope, &of_any_type)?);
        Ok(Test::Leaf(Leaf { fields, value: ValueTest::Exists }))
    }

    fn leaf(&self, scope: Scope<'_>, sources: &[Source], value: &FilterValue) -> Searched<Test> {
        let fields = if matches!(value, FilterValue::ReferenceIdentifier { .. }) {
            self.identifier_fields(scope, sources)?
        } else {
            self.fields(scope, sources)?
        };
        let value = match (self.value_test(value)?, fields.as_slice()) {
            // With its system the code stands in the order of the resources.
            (Some(ValueTest::Token { system: None, code: Some(code) }), [field]) => {
                Some(ValueTest::Token { system: self.index.only_system(field.field, &code)?, code: Some(code) })
            }
            (value, _) => value,
        };
        Ok(match value {
            Some(value) if !fields.is_empty() => Test::Leaf(Leaf { fields, value }),
            Some(_) | None => NEVER,
        })
    }

    /// `None`: a name that no resource has.
    fn value_test(&self, value: &FilterValue) -> Searched<Option<ValueTest>> {
        Ok(match value {
            FilterValue::Token { system, code } | FilterValue::ReferenceIdentifier { system, value: code } => {
                self.token(system.as_deref(), code.clone())?
            }
            FilterValue::Reference { resource_type, id } => self.token(resource_type.as_deref(), Some(id.clone()))?,
            FilterValue::TokenIn(set) => Some(ValueTest::TokenIn(set.clone())),
            FilterValue::Uri { relation, uri } => {
                Some(ValueTest::Uri { relation: *relation, uri: uri.clone(), none: NO_NAME })
            }
            FilterValue::Date { prefix, low, high } => {
                Some(ValueTest::Date { prefix: *prefix, low: *low, high: *high })
            }
            FilterValue::Text { matching: TextMatching::Exact, text } => {
                Some(ValueTest::Text { matching: TextMatching::Exact, text: text.clone() })
            }
            FilterValue::Text { matching, text } => {
                Some(ValueTest::Text { matching: *matching, text: normalize(text) })
            }
            FilterValue::Number(number) => Some(ValueTest::Number(number.clone())),
            FilterValue::Quantity { number, unit } => {
                let unit = match unit {
                    None => Some(UnitKey::Any),
                    Some(UnitTest::Any(words)) => self.name(words)?.map(UnitKey::Words),
                    Some(UnitTest::Code { system, code, canonical }) => {
                        let canonical = match canonical {
                            Some((base, number)) => self.name(base)?.map(|base| (base, number.clone())),
                            None => None,
                        };
                        let code = self.name(code)?;
                        self.name(system)?.map(|system| UnitKey::Code { system, code, canonical })
                    }
                };
                unit.map(|unit| ValueTest::Quantity { number: number.clone(), unit })
            }
            FilterValue::TokenText(_)
            | FilterValue::OfType { .. }
            | FilterValue::Composite(_)
            | FilterValue::Missing(_)
            | FilterValue::Not(_)
            | FilterValue::Compartment { .. }
            | FilterValue::Chain { .. }
            | FilterValue::Has { .. } => None,
        })
    }

    fn token(&self, system: Option<&str>, code: Option<String>) -> Searched<Option<ValueTest>> {
        Ok(match system {
            None => Some(ValueTest::Token { system: None, code }),
            Some(system) => self.name(system)?.map(|system| ValueTest::Token { system: Some(system), code }),
        })
    }

    fn composite(&self, scope: Scope<'_>, bases: &[CompositeBase], values: &[FilterValue]) -> Searched<Test> {
        let mut tests = Vec::new();
        for base in bases.iter().filter(|base| base.components.len() == values.len()) {
            let mut parts = Vec::new();
            for (component, value) in base.components.iter().zip(values) {
                let Test::Leaf(leaf) = self.leaf(scope, &component.sources, value)? else { break };
                parts.push((leaf, component.is_of_resource));
            }
            if parts.len() == values.len() {
                tests.push(CompositeTest { is_numbered: base.is_numbered, parts });
            }
        }
        Ok(Test::Composite(tests))
    }

    /// An element that has all the parts.
    fn whole_base(&self, scope: Scope<'_>, base: &CompositeBase) -> Searched<CompositeTest> {
        let parts = base.components.iter().map(|component| {
            let fields = self.fields(scope, &component.sources)?;
            Ok((Leaf { fields, value: ValueTest::Exists }, component.is_of_resource))
        });
        Ok(CompositeTest { is_numbered: base.is_numbered, parts: parts.collect::<Searched<_>>()? })
    }

    /// Fields that no resource has are left out.
    pub(super) fn fields(&self, scope: Scope<'_>, sources: &[Source]) -> Searched<Vec<FieldTest>> {
        let mut fields = Vec::new();
        for source in sources {
            let Some(field) = self.index.field(scope.collection, source.field)? else { continue };
            let target = match &source.target {
                Some(name) => Some((self.name(name)?, name.clone())),
                None => None,
            };
            fields.push(FieldTest { field, is_indexed: rows::is_indexed(source.field), target });
        }
        Ok(fields)
    }

    fn identifier_fields(&self, scope: Scope<'_>, sources: &[Source]) -> Searched<Vec<FieldTest>> {
        let mut fields = Vec::new();
        for source in sources {
            for is_alone in [true, false] {
                let name = identifier_field(source.field, is_alone);
                let field = self.index.field(scope.collection, &name)?;
                let is_indexed = rows::is_indexed(&name);
                fields.extend(field.map(|field| FieldTest { field, is_indexed, target: None }));
            }
        }
        Ok(fields)
    }
}

/// Nothing matches.
pub(super) const NEVER: Test = Test::Any(Vec::new());
