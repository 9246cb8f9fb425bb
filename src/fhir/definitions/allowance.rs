//! The fhir room: what questions to the terminology may cost together.

use std::cell::Cell;

/// Some second. A legitimate question takes a few hundred steps.
const STEPS: usize = 2_000_000;

/// How much work the questions of one request, or about one resource, may take together, in steps: a step looks at a
/// ValueSet, a part of one, or a few codes. A hostile ValueSet names others a thousand times, a hostile request asks
/// about ten thousand codes; either alone is harmless.
#[derive(Debug)]
pub struct Allowance {
    spent: Cell<usize>,
    most: Cell<usize>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { spent: Cell::new(0), most: Cell::new(STEPS) }
    }
}

impl Allowance {
    /// Lets large resources ask more: `more` steps beyond what each has.
    pub fn raise(&self, more: usize) {
        self.most.set(self.most.get().max(STEPS.saturating_add(more)));
    }

    /// Whether it is used up: what was answered `Unknown` since may be so for that reason only.
    pub fn is_spent(&self) -> bool {
        self.spent.get() > self.most.get()
    }

    pub(super) fn spend(&self, steps: usize) -> Result<(), String> {
        self.spent.set(self.spent.get().saturating_add(steps));
        if self.is_spent() {
            Err(format!(
                "it would take more than {} steps to tell: ask about fewer codes, or simpler ValueSets",
                self.most.get()
            ))
        } else {
            Ok(())
        }
    }
}
