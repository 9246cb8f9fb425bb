//! The kap room: the registry as the API shows it (openapi.yaml, `Instrument`), each fact with its mark.

use super::model::*;
use super::{Registry, Scale};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

impl Registry {
    /// All forms in short: what there is, and the keys to send.
    pub fn list(&self) -> Value {
        let forms = self.forms().iter().map(|form| {
            let scales = self.scales_of(form).map(|scale| json!({ "key": scale.key, "name": scale.name }));
            json!({
                "key": form.key,
                "title": form.title,
                "builtIn": form.built_in,
                "items": items_allowed(form.licence.items),
                "scales": scales.collect::<Vec<_>>(),
            })
        });
        json!({ "instruments": forms.collect::<Vec<_>>() })
    }

    /// One form whole, by its key or by that of one of its scales.
    pub fn show(&self, key: &str) -> Option<Value> {
        let form = self.form(key)?;
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("key", json!(form.key));
        put("title", json!(form.title));
        put("builtIn", json!(form.built_in));
        if let Some(panel) = &form.panel {
            put("code", code(panel));
        }
        let Licence { items, terms, verified } = &form.licence;
        put("licence", json!({ "items": items_allowed(*items), "terms": terms, "verified": verified.as_str() }));
        put("source", json!(form.source));
        if let Some(note) = &form.note {
            put("note", json!(note));
        }
        if !form.items.list.is_empty() {
            let items = form.items.list.iter().map(item);
            put("items", json!({ "verified": form.items.verified.as_str(), "list": items.collect::<Vec<_>>() }));
        }
        put("scales", self.scales_of(form).map(scale).collect());
        let verdicts = form.verdicts.iter().map(|verdict| {
            json!({
                "key": verdict.key,
                "code": code(&verdict.code),
                "of": verdict.of,
                "eachPercent": number(verdict.percent),
                "verified": verdict.verified.as_str(),
            })
        });
        if !form.verdicts.is_empty() {
            put("verdicts", verdicts.collect());
        }
        Some(Value::Object(shown))
    }
}

fn number(value: Decimal) -> Value {
    serde_json::from_str(&value.to_string()).unwrap_or(Value::Null)
}

fn items_allowed(items: ItemsAllowed) -> &'static str {
    match items {
        ItemsAllowed::Allowed => "allowed",
        ItemsAllowed::TotalsOnly => "totals-only",
    }
}

/// A code without a verified display shows none.
fn code(code: &Code) -> Value {
    let mut shown = json!({ "system": code.system, "code": code.code });
    if !code.display.is_empty() {
        shown["display"] = json!(code.display);
    }
    shown["verified"] = json!(code.verified.as_str());
    shown
}

fn item(item: &Item) -> Value {
    let mut shown = json!({ "item": item.name });
    if let Some(own) = &item.code {
        shown["code"] = json!({ "system": own.system, "code": own.code });
    }
    shown["least"] = json!(item.least);
    shown["most"] = json!(item.most);
    shown["scored"] = json!(item.scored);
    shown["reversed"] = json!(item.reversed);
    shown["answers"] = json!(match item.answers {
        Answers::Coded(_) => "coded",
        Answers::YesNo => "yes-no",
        Answers::Points => "points",
    });
    if let Answers::Coded(options) = &item.answers {
        let options = options.iter().map(|(points, own)| {
            json!({ "points": points, "code": { "system": own.system, "code": own.code, "display": own.display } })
        });
        shown["options"] = options.collect();
    }
    shown
}

fn scale(scale: &Scale) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    put("key", Some(json!(scale.key)));
    put("name", Some(json!(scale.name)));
    put("code", Some(code(&scale.code)));
    put("better", Some(json!(better(scale.better))));
    put("wholeNumbers", Some(json!(scale.whole)));
    put(
        "range",
        scale.range.map(|range| {
            json!({
                "least": number(range.least),
                "most": number(range.most),
                "verified": range.verified.as_str(),
                "enforced": range.verified == Verified::Yes,
            })
        }),
    );
    put("scoring", Some(scoring(scale)));
    put("bands", bands(&scale.bands));
    put("tScoreBands", bands(&scale.t_bands));
    put("response", scale.response.as_ref().map(threshold));
    put("remission", scale.remission.as_ref().map(threshold));
    put("reliableChange", scale.reliable.as_ref().map(change));
    put("meaningfulChange", scale.meaningful.as_ref().map(change));
    let subscales = scale.subscales.iter().map(|subscale| {
        json!({ "code": code(&subscale.code), "items": subscale.items, "verified": subscale.verified.as_str() })
    });
    put("subscales", (!scale.subscales.is_empty()).then(|| subscales.collect()));
    put("criterion", scale.criterion.as_ref().map(criterion));
    put("tierings", (!scale.screen.tierings.is_empty()).then(|| scale.screen.tierings.iter().map(tiering).collect()));
    put("notVerified", scale.doubt.as_ref().map(|doubt| json!(doubt)));
    Value::Object(shown)
}

fn better(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher",
        Better::Lower => "lower",
        Better::Neither => "neither",
    }
}

fn scoring(scale: &Scale) -> Value {
    let Scoring { rule, verified, count, of } = &scale.scoring;
    let mut shown = json!({});
    shown["rule"] = json!(match rule {
        Rule::Sum { .. } => "sum",
        Rule::Mean => "mean",
        Rule::Maxima { .. } => "maxima",
        Rule::AsGiven => "as-given",
        Rule::Tier => "tier",
    });
    if let Rule::Sum { factor } = rule {
        shown["factor"] = json!(factor);
    }
    if let Rule::Maxima { groups } = rule {
        shown["groups"] = json!(groups);
    }
    if *count > 0 {
        shown["count"] = json!(count);
    }
    if !of.is_empty() {
        shown["items"] = json!(of);
    }
    shown["verified"] = json!(verified.as_str());
    shown
}

fn bands(bands: &Bands) -> Option<Value> {
    let shown = bands.0.iter().map(|band| {
        let mut shown = json!({ "code": code(&band.code) });
        for (name, limit) in [("from", band.from), ("to", band.to)] {
            if let Some(limit) = limit {
                shown[name] = number(limit);
            }
        }
        shown
    });
    (!bands.0.is_empty()).then(|| shown.collect())
}

fn threshold(threshold: &Threshold) -> Value {
    let (name, limit) = match threshold.limit {
        Limit::Percent(percent) => ("percent", percent),
        Limit::Below(points) => ("below", points),
        Limit::AtMost(points) => ("atMost", points),
        Limit::AtLeast(points) => ("atLeast", points),
    };
    let mut shown = json!({ name: number(limit), "verified": threshold.verified.as_str() });
    shown["judged"] = json!(threshold.verified == Verified::Yes);
    if let Some(note) = &threshold.note {
        shown["note"] = json!(note);
    }
    shown
}

fn change(change: &ChangeOf) -> Value {
    let mut shown = json!({ "points": number(change.points), "verified": change.verified.as_str() });
    shown["judged"] = json!(change.verified == Verified::Yes);
    if let Some(note) = &change.note {
        shown["note"] = json!(note);
    }
    shown
}

fn criterion(criterion: &Criterion) -> Value {
    let items = criterion.items.iter().map(|(item, least)| json!({ "item": item, "atLeast": least }));
    json!({
        "totalAtLeast": number(criterion.total_at_least),
        "items": items.collect::<Vec<_>>(),
        "positive": code(&criterion.positive),
        "negative": code(&criterion.negative),
        "verified": criterion.verified.as_str(),
    })
}

fn tiering(tiering: &Tiering) -> Value {
    let steps = tiering.steps.iter().map(|(tier, items)| json!({ "tier": tier, "anyOf": items }));
    json!({
        "name": tiering.name,
        "title": tiering.title,
        "steps": steps.collect::<Vec<_>>(),
        "otherwise": tiering.otherwise,
        "verified": tiering.verified.as_str(),
    })
}
