//! The fhir room: code systems that are a grammar or a short list and not a CodeSystem,
//! <https://hl7.org/fhir/R4/terminologies-systems.html>.

use super::terminology::{Concept, Lookup};

/// `None`: this file knows nothing of the system (which may carry a version).
pub(super) fn lookup(system: &str, code: &str) -> Option<Lookup> {
    let url = system.split('|').next().unwrap_or(system);
    let valid = match url {
        "http://unitsofmeasure.org" => octofhir_ucum::validate(code).is_ok(),
        "urn:ietf:bcp:13" => is_media_type(code),
        "urn:iso:std:iso:4217" => CURRENCIES.split(' ').any(|known| known == code),
        "urn:ietf:bcp:47" => return Some(language(code)),
        _ => return None,
    };
    Some(if valid { found(url, code) } else { Lookup::NotFound })
}

fn found(system: &str, code: &str) -> Lookup {
    Lookup::Found(Concept { system: Some(system.to_owned()), code: code.to_owned(), ..Concept::default() })
}

/// `type/subtype`, perhaps with parameters, <https://www.rfc-editor.org/rfc/rfc6838#section-4.2>. Whether it was ever
/// registered is not asked: BCP 13 has unregistered trees too.
fn is_media_type(code: &str) -> bool {
    let mut parts = code.split(';');
    let name = |text: &str| {
        let in_name = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        text.len() <= 127 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(in_name)
    };
    let full = parts.next().and_then(|t| t.trim_end().split_once('/')).is_some_and(|(t, s)| name(t) && name(s));
    let token = |c: char| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c);
    let parameter = |text: &str| {
        let Some((key, value)) = text.trim().split_once('=') else { return false };
        let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        let fits = quoted.map_or_else(
            || !value.is_empty() && value.chars().all(token),
            |inner| inner.chars().all(|c| c != '"' && !c.is_control()),
        );
        !key.is_empty() && key.chars().all(token) && fits
    };
    full && parts.all(parameter)
}

/// A language tag, <https://www.rfc-editor.org/info/bcp47>: wrong if it is not well formed or its language is two
/// letters that ISO 639-1 has not; of three letters and of the other parts only the form can be told, for the registry
/// is not here.
fn language(code: &str) -> Lookup {
    let Ok(tag) = language_tags::LanguageTag::parse(code) else { return Lookup::NotFound };
    let primary = tag.primary_language().to_ascii_lowercase();
    match primary.len() {
        2 if LANGUAGES.split(' ').any(|known| known == primary) => found("urn:ietf:bcp:47", code),
        2 => Lookup::NotFound,
        _ => Lookup::Unknown(format!("the registry of language tags is not here, so {code} cannot be checked")),
    }
}

/// ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy \
    da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik \
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt \
    my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn \
    so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// ISO 4217, active and withdrawn since R4 was published.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN \
    BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP \
    GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD \
    KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR \
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD \
    XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL";
