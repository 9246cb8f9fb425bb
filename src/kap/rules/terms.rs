//! Words of closed sets and the sender's own words: one of the two must be there.

use super::super::place::{Findings, Place};

/// Every place of the contract that takes a term or a text.
pub fn judge(record: Place, findings: &mut Findings) {
    let intake_and_session_orders =
        record.at("plan").and_then(|plan| plan.at("order")).into_iter().chain(record.at("order"));
    for order in intake_and_session_orders {
        term_or_text(order.at("medicine"), findings);
        route(order.at("route"), findings);
        order.each("reasons").for_each(|reason| term_or_text(Some(reason), findings));
    }
    for (list, field) in [
        ("indications", "condition"),
        ("conditions", "condition"),
        ("medications", "medicine"),
        ("allergies", "substance"),
        ("labs", "test"),
        ("doses", "medicine"),
        ("dispenses", "medicine"),
        ("rescueMedications", "medicine"),
        ("adverseEvents", "event"),
    ] {
        record.each(list).for_each(|element| term_or_text(element.at(field), findings));
    }
    record.each("modalities").for_each(|modality| term_or_text(Some(modality), findings));
    // Why a course was paused or closed.
    term_or_text(record.at("reason"), findings);
    for holder in
        [record.at("referral"), record.at("suitability")].into_iter().flatten().chain(record.each("referrals"))
    {
        holder.each("reasons").for_each(|reason| term_or_text(Some(reason), findings));
    }
    for relative in record.each("familyHistory") {
        relative.each("conditions").for_each(|condition| term_or_text(Some(condition), findings));
    }
    for given in record.each("doses").chain(record.each("rescueMedications")) {
        route(given.at("route"), findings);
        for reason in given.each("statusReasons") {
            if reason.text("term") == Some("other") && !reason.has("text") {
                findings.needed(reason, "text", "The reason `other` needs `text`: say in words what it was.");
            }
        }
    }
}

fn term_or_text(word: Option<Place>, findings: &mut Findings) {
    if let Some(word) = word
        && word.value().is_object()
        && !word.has("term")
        && !word.has("text")
    {
        findings.needed(word, "term", "One of `term` and `text` is needed; codes stand beside them.");
    }
}

fn route(route: Option<Place>, findings: &mut Findings) {
    let Some(route) = route else { return };
    if route.text("term") != Some("other") {
        return;
    }
    if route.has("text") {
        findings.warning(
            route,
            "term",
            "The route is kept as text: it has no code of the eight known routes, and the dose is tagged for review.",
        );
    } else {
        findings.needed(route, "text", "The route `other` needs `text`: say in words which route it was.");
    }
}
