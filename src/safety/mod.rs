//! The safety room: rules over the FHIR resources of one patient, as of an instant. Mapping specification §5, §9.
//!
//! Three steps: `facts` reads the stored resources, whoever wrote them, into a compact view; each rule in `rules` is a
//! pure function over the facts and its figures from `safety/rules.toml` (`ruleset`); `resources` makes Flags,
//! DetectedIssues and Communications of what was found. The gateway informs, it never decides; what is not recorded
//! gives "cannot evaluate", never "holds".

pub mod exposure;
pub mod facts;
pub mod finding;
pub mod outbound;
pub mod resources;
mod rules;
pub mod ruleset;

use facts::Facts;
use facts::session::sessions;
use finding::{State, Verdict};
use jiff::Timestamp;
use ruleset::{RuleId, Ruleset};

/// Judges all rules over the facts as of an instant: one verdict for each rule, in their order. What happened after
/// the instant must have been left out already (`Facts::forget_after`).
pub fn judge(facts: &Facts, ruleset: &Ruleset, as_of: Timestamp) -> Vec<Verdict> {
    let sessions = sessions(facts);
    let context = rules::Context { facts, ruleset, sessions: &sessions, as_of };
    RuleId::ALL
        .iter()
        .map(|rule| {
            if ruleset.rule(*rule).enabled {
                rules::judge(*rule, &context)
            } else {
                Verdict { rule: *rule, state: State::Disabled, looked_at: 0, findings: Vec::new() }
            }
        })
        .collect()
}
