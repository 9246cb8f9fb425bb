//! Consents: what one permits and denies. Mapping specification §6.3.

use super::super::place::{Findings, Place};
use super::times;

const AUTHORIZATION: &str = "psychotherapy-notes-authorization";

pub fn judge(consent: Place, findings: &mut Findings) {
    times::day_not_before(consent, "until", "from", findings);
    let is_authorization = consent.text("type") == Some(AUTHORIZATION);
    for provision in consent.each("provisions") {
        times::day_not_before(provision, "until", "from", findings);
        let is_about_notes = provision.text("rule") == Some("psychotherapy-notes");
        // kap-consent-2, 45 CFR 164.508(a)(2)
        if is_about_notes && provision.text("decision") == Some("permit") && !is_authorization {
            let sentence = format!("Only a consent of the type `{AUTHORIZATION}` may permit psychotherapy notes.");
            findings.conflict(provision, "rule", sentence);
        }
        if !is_about_notes && is_authorization && provision.has("rule") {
            let sentence = "This authorization is about psychotherapy notes alone: other choices need another consent.";
            findings.conflict(provision, "rule", sentence);
        }
        for name in ["documents", "purposes"] {
            if provision.has(name) && provision.has("rule") && !is_about_notes {
                findings.conflict(provision, name, format!("`{name}` belongs to the rule `psychotherapy-notes`."));
            }
        }
    }
    if is_authorization {
        authorization(consent, findings);
    }
}

/// What a release of a psychotherapy note rests on: the very note, one recipient, an expiry (§6.3, P3a). Without them
/// the authorization is kept, and releases nothing.
fn authorization(consent: Place, findings: &mut Findings) {
    for permit in consent.each("provisions").filter(|provision| provision.text("decision") == Some("permit")) {
        let recipients = permit.each("recipients").chain(permit.each("practitioners")).count();
        if recipients != 1 {
            let sentence = "An authorization names one recipient; as it stands it releases nothing.";
            findings.warning(permit, "recipients", sentence);
        }
        if !permit.has("documents") {
            let sentence = "An authorization names the notes that it is about; as it stands it releases nothing.";
            findings.warning(permit, "documents", sentence);
        }
        if !permit.has("until") && !consent.has("until") {
            let sentence = "An authorization says until when it holds; as it stands it releases nothing.";
            findings.warning(permit, "until", sentence);
        }
    }
}
